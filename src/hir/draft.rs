//! Speculation of a role: with a draft, or with n-grams of the prompt.

use super::shape::{Field, Shape, Table};
use super::{Id, Model};
use crate::source::Spanned;

declare! {
    /// A draft model and the limits of its drafts.
    pub block Draft = with_principal("model") {
        /// The draft model.
        model: Spanned<Id<Model>> = required("model", Shape::Name("model")).example("qwen3-0.6b"),
        /// Maximum number of draft tokens, 1 to 1024.
        max: Option<Spanned<u32>> = optional("max", Shape::Count(1, 1024)).example("16").unit("tokens"),
        /// Minimum number of draft tokens that the target verifies, 0 to 1024.
        min: Option<Spanned<u32>> = optional("min", Shape::Count(0, 1024)).example("2").unit("tokens"),
        /// Minimum probability of a draft token, 0 to 1.
        p_min: Option<Spanned<f64>> = optional("p-min", Shape::Fraction),
    }
}

pub(super) const LOOKUP: Table = Table::or_bare(
    "ngram-min",
    &[Field::optional("ngram-min", Shape::Count(1, 1024), "Minimum length of an n-gram, 1 to 1024.")
        .example("3")
        .unit("tokens")],
);
