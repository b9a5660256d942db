//! A quirk: something odd about models, and the way around it.

use super::shape::{Field, Shape, Table};
use super::{Date, Head, Id, Model, Text};
use crate::source::Spanned;

/// Something odd that people should know before they meet it.
#[derive(Clone, PartialEq, Debug)]
pub struct Quirk {
    /// Its name, and where it stands.
    pub head: Head,
    /// The models that have it.
    pub models: Vec<Spanned<Id<Model>>>,
    /// What is odd.
    pub issue: Text,
    /// How one notices.
    pub symptom: Option<Text>,
    /// The way around it.
    pub workaround: Option<Text>,
    /// When it was found.
    pub found: Option<Spanned<Date>>,
    /// Where it is mended.
    pub fixed: Option<Text>,
}

/// The fields of a quirk.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("models", Shape::Names("model"), "The models that have it."),
    Field::required("issue", Shape::Text, "What is odd.").example("repeats itself beyond 64 000 tokens"),
    Field::optional("symptom", Shape::Text, "How one notices.")
        .example("the last sentence comes again and again"),
    Field::optional("workaround", Shape::Text, "The way around it.").example("keep the context below 64 000"),
    Field::optional("found", Shape::Date, "When it was found."),
    Field::optional("fixed", Shape::Text, "Where it is mended: a day or a build.").example("b11500"),
]);
