//! A quirk: a known problem of models, and its workaround.

use super::shape::{Field, Shape, Table};
use super::{Date, Head, Id, Model, Text};
use crate::source::Spanned;

/// A known problem of models.
#[derive(Clone, PartialEq, Debug)]
pub struct Quirk {
    /// Its name and place.
    pub head: Head,
    /// The affected models.
    pub models: Vec<Spanned<Id<Model>>>,
    /// A description of the problem.
    pub issue: Text,
    /// The visible symptom.
    pub symptom: Option<Text>,
    /// The workaround.
    pub workaround: Option<Text>,
    /// The date on which it was found.
    pub found: Option<Spanned<Date>>,
    /// The date or build of the fix.
    pub fixed: Option<Text>,
}

/// The fields of a quirk.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("models", Shape::Names("model"), "The affected models."),
    Field::required("issue", Shape::Text, "A description of the problem.")
        .example("repeats itself beyond 64 000 tokens"),
    Field::optional("symptom", Shape::Text, "The visible symptom.")
        .example("the last sentence is repeated endlessly"),
    Field::optional("workaround", Shape::Text, "The workaround.").example("keep the context below 64 000"),
    Field::optional("found", Shape::Date, "The date on which the problem was found."),
    Field::optional("fixed", Shape::Text, "The date or the build of the fix.").example("b11500"),
]);
