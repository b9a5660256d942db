//! A family: models of one architecture and tokenizer, with their common settings and restrictions.

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
    /// Its name in the documents.
    pub label: Option<Text>,
    /// The tokenizer of its models.
    pub tokenizer: Option<Text>,
    /// Features that must not be used with its models.
    pub forbid: Vec<ForbidRule>,
    /// Recommended numbers of experts.
    pub experts: Option<Spanned<ExpertAdvice>>,
    /// Metadata overrides for all its models.
    pub overrides: Vec<Override>,
    /// Features that its models require.
    pub needs: Vec<Spanned<Need>>,
}

/// A `forbid` entry: features that must not be used, and the failure that they cause.
#[derive(Clone, PartialEq, Debug)]
pub struct ForbidRule {
    /// The forbidden features.
    pub what: Vec<Spanned<ForbiddenFeature>>,
    /// The failure that the feature causes.
    pub failure: Option<Text>,
    /// The reason.
    pub why: Option<Text>,
}

/// A feature that a family can forbid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForbiddenFeature {
    /// Speculative decoding with a draft model.
    Speculation,
    /// Speculation from n-grams of the prompt.
    Lookup,
}

/// A requirement of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A projector file.
    Projector,
    /// The template engine of the server.
    Jinja,
}

/// Recommended and discouraged numbers of experts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExpertAdvice {
    /// Recommended numbers.
    pub advise: Vec<Advice>,
    /// Numbers that degrade the answers of the model.
    pub avoid: Vec<Spanned<u32>>,
}

/// A recommended number of experts.
#[derive(Clone, PartialEq, Debug)]
pub struct Advice {
    /// The number of experts.
    pub experts: Spanned<u32>,
    /// The purpose for which it is recommended.
    pub purpose: Option<Text>,
}

impl Family {
    /// The first entry that forbids a feature, with the place of the word.
    pub fn forbids(&self, what: ForbiddenFeature) -> Option<(&ForbidRule, Span)> {
        let place_of =
            |forbidden: &ForbidRule| forbidden.what.iter().find(|w| w.value == what).map(|w| w.span);
        self.forbid.iter().find_map(|forbidden| Some((forbidden, place_of(forbidden)?)))
    }
}

impl Named for Family {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The words of [`ForbiddenFeature`].
pub(super) const FORBID_WORDS: &[(&str, ForbiddenFeature)] =
    &[("speculation", ForbiddenFeature::Speculation), ("lookup", ForbiddenFeature::Lookup)];

/// The words of [`Need`].
pub(super) const NEED_WORDS: &[(&str, Need)] = &[("projector", Need::Projector), ("jinja", Need::Jinja)];

/// A recommended number of experts: `advise 4 for="quality"`.
pub(super) const ADVISE: Shape = Shape::Block(&Table::with_principal(
    "use",
    &[
        Field::required("use", Shape::Count(1, 1024), "The number of experts per token, 1 to 1024.")
            .example("4")
            .unit("experts"),
        Field::optional("for", Shape::Text, "The purpose for which the number is recommended.")
            .example("quality"),
    ],
));

/// A number of experts that degrades a model: `avoid 2`.
pub(super) const AVOID: Shape = Shape::Block(&Table::with_principal(
    "use",
    &[Field::required("use", Shape::Count(1, 1024), "The number of experts per token, 1 to 1024.")
        .example("4")
        .unit("experts")],
));

/// The fields of a family.
pub(super) static TABLE: Table = Table::of(&[
    Field::required(
        "arch",
        Shape::Text,
        "The architecture: the value of `general.architecture` in the model files.",
    )
    .example("qwen3moe"),
    Field::optional(
        "label",
        Shape::Text,
        "Name of the family in the documents; default: its name in the registry.",
    )
    .example("Qwen3-MoE"),
    Field::optional("tokenizer", Shape::Text, "The tokenizer of all models of the family.").example("qwen2"),
    Field::repeated(
        "forbid",
        Shape::Block(&Table::with_principal(
            "what",
            &[
                Field::required(
                    "what",
                    Shape::Words(&["speculation", "lookup"]),
                    "The feature: `speculation` (with a draft) or `lookup` (n-grams).",
                ),
                Field::optional("failure", Shape::Text, "The failure that the feature causes.")
                    .example("state corruption"),
                Field::optional("why", Shape::Text, "The reason.")
                    .example("recurrent state cannot be rolled back"),
            ],
        )),
        "Features that must not be used with models of the family.",
    ),
    Field::optional(
        "experts",
        Shape::Block(&Table::of(&[
            Field::distinct("advise", ADVISE, "A recommended number of experts per token."),
            Field::distinct("avoid", AVOID, "A number of experts per token that degrades the answers."),
        ])),
        "Recommended and discouraged numbers of experts per token.",
    ),
    Field::distinct("override", Shape::Block(&OVERRIDE), "A metadata override for all models of the family."),
    Field::repeated(
        "needs",
        Shape::Block(&Table::with_principal(
            "what",
            &[Field::required(
                "what",
                Shape::Words(&["projector", "jinja"]),
                "The requirement: `projector` (a projector file) or `jinja` (the template engine).",
            )],
        )),
        "Requirements of the models of the family.",
    ),
]);
