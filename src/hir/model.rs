//! A model: the thing with weights.

use super::family::{ADVISE, AVOID};
use super::shape::{Field, Shape, Table};
use super::{Bytes, ExpertAdvice, Family, Head, Id, Named, Store, Text};
use crate::source::Spanned;

/// A GGUF file and what is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Its name.
    pub head: Head,
    /// Its family.
    pub family: Spanned<Id<Family>>,
    /// What people call it.
    pub title: Text,
    /// Its short name where rules speak of it.
    pub label: Option<Text>,
    /// The quantisation of its weights, as people write it.
    pub quant: Text,
    /// The size of its file, or of all its shards together.
    pub size: Spanned<Bytes>,
    /// The file, or its first shard: below the store, or an absolute path.
    pub file: Text,
    /// The store; none where the path is absolute.
    pub store: Option<Spanned<Id<Store>>>,
    /// What makes it see.
    pub projector: Option<Spanned<Projector>>,
    /// Its experts; none where it has none.
    pub experts: Option<Spanned<Experts>>,
    /// The context it was trained for, in tokens.
    pub trained_context: Option<Spanned<u64>>,
    /// Why it is not to be used any more.
    pub retired: Option<Spanned<Option<Box<str>>>>,
}

/// A second file, which turns images into embeddings.
#[derive(Clone, PartialEq, Debug)]
pub struct Projector {
    /// The file: below the model's store, or an absolute path.
    pub file: Text,
    /// Its size.
    pub size: Option<Spanned<Bytes>>,
}

/// The experts of a model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Experts {
    /// How many there are.
    pub total: Option<Spanned<u32>>,
    /// How many are used for a token unless something else is said.
    pub default: Option<Spanned<u32>>,
    /// What is advised for this model.
    pub advice: ExpertAdvice,
}

impl Named for Model {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a model.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("family", Shape::Name("family"), "Its family."),
    Field::required("title", Shape::Text, "What people call it; globs of rules match titles.")
        .example("Qwen3-30B-A3B"),
    Field::optional("label", Shape::Text, "Its short name where rules speak of it; default the title.")
        .example("Qwen3-30B"),
    Field::required("quant", Shape::Text, "The quantisation of its weights, as `Q4_K_M`."),
    Field::optional(
        "size",
        Shape::Size,
        "The size of its file, all shards together, as `17.5 GB`; needed unless the lock has it.",
    ),
    Field::required(
        "file",
        Shape::File,
        "The file or its first shard: below the store, or an absolute path.",
    )
    .example("Qwen3-30B-A3B-Q4_K_M.gguf"),
    Field::optional(
        "store",
        Shape::Name("store"),
        "The store of its files; needed where there are several and no default.",
    ),
    Field::optional(
        "projector",
        Shape::Block(&Table::with_principal(
            "file",
            &[
                Field::required(
                    "file",
                    Shape::File,
                    "The file: below the model's store, or an absolute path.",
                )
                .example("mmproj-F16.gguf"),
                Field::optional("size", Shape::Size, "Its size, as `1.4 GB`."),
            ],
        )),
        "The projector that makes it a vision model.",
    ),
    Field::optional(
        "experts",
        Shape::Block(&Table::of(&[
            Field::optional("total", Shape::Count(1, 1024), "How many experts it has, 1 to 1024.")
                .example("128")
                .counting("experts"),
            Field::optional("default", Shape::Count(1, 1024), "How many it uses for a token, 1 to 1024.")
                .example("8")
                .counting("experts"),
            Field::distinct("advise", ADVISE, "A number of experts that is worth using."),
            Field::distinct("avoid", AVOID, "A number of experts that degrades it."),
        ])),
        "Its experts, for a mixture of experts.",
    ),
    Field::optional(
        "trained-context",
        Shape::Count(1, 1 << 31),
        "The context it was trained for, in tokens.",
    )
    .example("262144")
    .counting("tokens"),
    Field::optional(
        "retired",
        Shape::Block(&Table::or_bare(
            "why",
            &[Field::optional("why", Shape::Text, "Why.").example("superseded")],
        )),
        "That it is not to be used any more, and why.",
    ),
]);
