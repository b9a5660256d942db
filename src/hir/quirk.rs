//! A quirk: a known problem of models, and its workaround.

use super::{Date, Id, Model, Shape, Text};
use crate::source::Spanned;

declare! {
    /// A known problem of models.
    pub item Quirk {
        /// The affected models.
        models: Vec<Spanned<Id<Model>>> = required("models", Shape::Names("model")),
        /// A description of the problem.
        issue: Text = required("issue", Shape::Text).example("repeats itself beyond 64 000 tokens"),
        /// The visible symptom.
        symptom: Option<Text> =
            optional("symptom", Shape::Text).example("the last sentence is repeated endlessly"),
        /// The workaround.
        workaround: Option<Text> =
            optional("workaround", Shape::Text).example("keep the context below 64 000"),
        /// The date on which the problem was found.
        found: Option<Spanned<Date>> = optional("found", Shape::Date),
        /// The date or the build of the fix.
        fixed: Option<Text> = optional("fixed", Shape::DateOrBuild).example("b11500"),
    }
}
