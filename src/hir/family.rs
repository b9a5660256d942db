//! A family: models of one architecture and tokenizer, with their common settings and restrictions.

use super::model::EXPERT_ADVICE;
use super::shape::{Field, Shape, Table};
use super::{EntriesOf, Experts, Override, Text};
use crate::source::{Span, Spanned};

declare! {
    /// Models of one architecture.
    pub item Family {
        /// The architecture: the value of `general.architecture` in the model files.
        arch: Text = required("arch", Shape::Text).example("qwen3moe"),
        /// Name of the family in the documents; default: its name in the registry.
        label: Option<Text> = optional("label", Shape::Text).example("Qwen3-MoE"),
        /// The tokenizer of all models of the family.
        tokenizer: Option<Text> = optional("tokenizer", Shape::Text).example("qwen2"),
        /// Features that must not be used with models of the family.
        forbid: Vec<ForbidRule> = repeated("forbid", Shape::Block(&ForbidRule::TABLE)),
        /// Recommended and discouraged numbers of experts per token.
        experts: Option<Spanned<Experts>> = optional("experts", Shape::Block(&EXPERT_ADVICE)),
        /// A metadata override for all models of the family.
        overrides: Vec<Override> = distinct("override", Shape::Block(&Override::TABLE)),
        /// Metadata overrides by key, for all models of the family.
        override_map: EntriesOf = optional("overrides", Shape::Entries("override")),
        /// Requirements of the models of the family.
        needs: Vec<Spanned<Need>> = repeated("needs", NEEDS),
    }
}

declare! {
    /// A `forbid` entry: features that must not be used, and the failure that they cause.
    pub block ForbidRule = with_principal("what") {
        /// The feature: `speculation` (with a draft) or `lookup` (n-grams).
        what: Vec<Spanned<ForbiddenFeature>> = required("what", Shape::Words(ForbiddenFeature::WORDS)),
        /// The failure that the feature causes.
        failure: Option<Text> = optional("failure", Shape::Text).example("state corruption"),
        /// The reason.
        why: Option<Text> = optional("why", Shape::Text).example("recurrent state cannot be rolled back"),
    }
}

declare_words! {
    /// A feature that a family can forbid.
    pub enum ForbiddenFeature {
        /// Speculative decoding with a draft model.
        Speculation = "speculation",
        /// Speculation from n-grams of the prompt.
        Lookup = "lookup",
    }
}

declare_words! {
    /// A requirement of a family.
    pub enum Need {
        /// A projector file.
        Projector = "projector",
        /// The template engine of the server.
        Jinja = "jinja",
    }
}

/// An entry of `needs`: one or several words.
const NEEDS: Shape = Shape::Block(&Table::with_principal(
    "what",
    &[Field::required(
        "what",
        Shape::Words(Need::WORDS),
        "The requirement: `projector` (a projector file) or `jinja` (the template engine).",
    )],
));

impl Family {
    /// The first entry that forbids a feature, with the place of the word.
    pub fn forbids(&self, what: ForbiddenFeature) -> Option<(&ForbidRule, Span)> {
        let place_of =
            |forbidden: &ForbidRule| forbidden.what.iter().find(|w| w.value == what).map(|w| w.span);
        self.forbid.iter().find_map(|forbidden| Some((forbidden, place_of(forbidden)?)))
    }
}
