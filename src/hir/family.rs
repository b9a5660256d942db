//! A family: models of one architecture and tokenizer, and what holds for all of them.

use super::role::OVERRIDE;
use super::shape::{Field, Shape, Table};
use super::{Head, Named, Override, Text};
use crate::source::{Span, Spanned};

/// Models of one architecture.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    /// Its name.
    pub head: Head,
    /// `general.architecture` of their files.
    pub arch: Text,
    /// What people call it where rules speak of it.
    pub label: Option<Text>,
    /// The tokenizer that they share.
    pub tokenizer: Option<Text>,
    /// What must not be done with them.
    pub forbid: Vec<Forbidden>,
    /// How many experts are advised.
    pub experts: Option<Spanned<ExpertAdvice>>,
    /// Metadata overrides of all of them.
    pub overrides: Vec<Override>,
    /// What they cannot do without.
    pub needs: Vec<Spanned<Need>>,
}

/// Something that must not be done, and what happens if it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Forbidden {
    /// What.
    pub what: Vec<Spanned<Forbids>>,
    /// What happens if it is done all the same.
    pub failure: Option<Text>,
    /// The reason.
    pub why: Option<Text>,
}

/// What a family can forbid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forbids {
    /// Drafting by another model.
    Speculation,
    /// Drafting from the prompt's own n-grams.
    Lookup,
}

/// What a family can need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A projector file.
    Projector,
    /// The template engine of the server.
    Jinja,
}

/// Numbers of experts that are advised or to be avoided.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExpertAdvice {
    /// Numbers that are worth using.
    pub advise: Vec<Advice>,
    /// Numbers that degrade the model.
    pub avoid: Vec<Spanned<u32>>,
}

/// A number of experts that is worth using.
#[derive(Clone, PartialEq, Debug)]
pub struct Advice {
    /// How many.
    pub experts: Spanned<u32>,
    /// What for.
    pub purpose: Option<Text>,
}

impl Family {
    /// The entry that forbids something, if one does, and where it says so.
    pub fn forbids(&self, what: Forbids) -> Option<(&Forbidden, Span)> {
        let said = |forbidden: &Forbidden| forbidden.what.iter().find(|w| w.value == what).map(|w| w.span);
        self.forbid.iter().find_map(|forbidden| Some((forbidden, said(forbidden)?)))
    }
}

impl Named for Family {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The words of [`Forbids`].
pub(super) const FORBID_WORDS: &[(&str, Forbids)] =
    &[("speculation", Forbids::Speculation), ("lookup", Forbids::Lookup)];

/// The words of [`Need`].
pub(super) const NEED_WORDS: &[(&str, Need)] = &[("projector", Need::Projector), ("jinja", Need::Jinja)];

/// A number of experts that is worth using: `advise 4 for="quality"`.
pub(super) const ADVISE: Shape = Shape::Block(&Table::with_principal(
    "use",
    &[
        Field::required("use", Shape::Count(1, 1024), "How many experts, 1 to 1024.")
            .example("4")
            .counting("experts"),
        Field::optional("for", Shape::Text, "What that number is good for.").example("quality"),
    ],
));

/// A number of experts that degrades a model: `avoid 2`.
pub(super) const AVOID: Shape = Shape::Block(&Table::with_principal(
    "use",
    &[Field::required("use", Shape::Count(1, 1024), "How many experts, 1 to 1024.")
        .example("4")
        .counting("experts")],
));

/// The fields of a family.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("arch", Shape::Text, "The architecture, as `general.architecture` of the files says it.")
        .example("qwen3moe"),
    Field::optional("label", Shape::Text, "What people call it where rules speak of it; default its name.")
        .example("Qwen3-MoE"),
    Field::optional("tokenizer", Shape::Text, "The tokenizer that all its models share.").example("qwen2"),
    Field::repeated(
        "forbid",
        Shape::Block(&Table::with_principal(
            "what",
            &[
                Field::required("what", Shape::Words(&["speculation", "lookup"]), "What must not be done."),
                Field::optional("failure", Shape::Text, "What happens if it is done all the same.")
                    .example("state corruption"),
                Field::optional("why", Shape::Text, "The reason.")
                    .example("recurrent state cannot be rolled back"),
            ],
        )),
        "What must not be done with its models.",
    ),
    Field::optional(
        "experts",
        Shape::Block(&Table::of(&[
            Field::distinct("advise", ADVISE, "A number of experts that is worth using."),
            Field::distinct("avoid", AVOID, "A number of experts that degrades its models."),
        ])),
        "How many experts are advised for its models.",
    ),
    Field::distinct(
        "override",
        Shape::Block(&OVERRIDE),
        "A metadata value that is overridden for all its models.",
    ),
    Field::repeated(
        "needs",
        Shape::Block(&Table::with_principal(
            "what",
            &[Field::required(
                "what",
                Shape::Words(&["projector", "jinja"]),
                "What its models cannot do without.",
            )],
        )),
        "What its models cannot do without.",
    ),
]);
