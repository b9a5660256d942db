//! A model: a GGUF file and its declared properties.

use super::family::{ADVISE, AVOID};
use super::shape::{Field, Shape, Table};
use super::{Bytes, ExpertAdvice, Family, Head, Id, Named, Store, Text};
use crate::source::Spanned;

/// A GGUF file and its declared properties.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Its name.
    pub head: Head,
    /// Its family.
    pub family: Spanned<Id<Family>>,
    /// Its display name.
    pub title: Text,
    /// Its short name in the documents about drafts.
    pub label: Option<Text>,
    /// The quantization of its weights, such as `Q4_K_M`.
    pub quant: Text,
    /// The size of its file, or the total size of its shards.
    pub size: Spanned<Bytes>,
    /// The file or its first shard: a path relative to the store, or an absolute path.
    pub file: Text,
    /// The store. `None` if the path is absolute.
    pub store: Option<Spanned<Id<Store>>>,
    /// The multimodal projector of a vision model.
    pub projector: Option<Spanned<Projector>>,
    /// Its experts, for a mixture of experts.
    pub experts: Option<Spanned<Experts>>,
    /// The trained context length, in tokens.
    pub trained_context: Option<Spanned<u64>>,
    /// Set if the model must no longer be used, with an optional reason.
    pub retired: Option<Spanned<Option<Box<str>>>>,
}

/// A multimodal projector: a second file, which turns images into embeddings.
#[derive(Clone, PartialEq, Debug)]
pub struct Projector {
    /// The file: a path relative to the model's store, or an absolute path.
    pub file: Text,
    /// Its size.
    pub size: Option<Spanned<Bytes>>,
}

/// The experts of a model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Experts {
    /// The number of experts.
    pub total: Option<Spanned<u32>>,
    /// The number of experts per token by default.
    pub default: Option<Spanned<u32>>,
    /// Recommended and discouraged numbers of experts.
    pub advice: ExpertAdvice,
}

impl Named for Model {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a model.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("family", Shape::Name("family"), "The family of the model."),
    Field::required("title", Shape::Text, "Display name of the model. Globs in rules match titles.")
        .example("Qwen3-30B-A3B"),
    Field::optional(
        "label",
        Shape::Text,
        "Short name of the model in the documents about drafts; default: the title.",
    )
    .example("Qwen3-30B"),
    Field::required("quant", Shape::Text, "The quantization of the weights, such as `Q4_K_M`."),
    Field::optional(
        "size",
        Shape::Size,
        "The size of the file or of all shards, such as `17.5 GB`. Required, unless the lock has it.",
    ),
    Field::required(
        "file",
        Shape::File,
        "The model file or its first shard: a path relative to the store, or an absolute path.",
    )
    .example("Qwen3-30B-A3B-Q4_K_M.gguf"),
    Field::optional(
        "store",
        Shape::Name("store"),
        "The store of the model's files. Required if there are several stores and no default.",
    ),
    Field::optional(
        "projector",
        Shape::Block(&Table::with_principal(
            "file",
            &[
                Field::required(
                    "file",
                    Shape::File,
                    "The projector file: a path relative to the model's store, or an absolute path.",
                )
                .example("mmproj-F16.gguf"),
                Field::optional("size", Shape::Size, "The size of the projector file, such as `1.4 GB`."),
            ],
        )),
        "The multimodal projector of a vision model.",
    ),
    Field::optional(
        "experts",
        Shape::Block(&Table::of(&[
            Field::optional("total", Shape::Count(1, 1024), "The number of experts, 1 to 1024.")
                .example("128")
                .unit("experts"),
            Field::optional(
                "default",
                Shape::Count(1, 1024),
                "The default number of experts per token, 1 to 1024.",
            )
            .example("8")
            .unit("experts"),
            Field::distinct("advise", ADVISE, "A recommended number of experts per token."),
            Field::distinct("avoid", AVOID, "A number of experts per token that degrades the answers."),
        ])),
        "The experts of a mixture-of-experts model.",
    ),
    Field::optional("trained-context", Shape::Count(1, 1 << 31), "The trained context length, in tokens.")
        .example("262144")
        .unit("tokens"),
    Field::optional(
        "retired",
        Shape::Block(&Table::or_bare(
            "why",
            &[Field::optional("why", Shape::Text, "The reason.").example("superseded")],
        )),
        "Marks a model that must no longer be used, with an optional reason.",
    ),
]);
