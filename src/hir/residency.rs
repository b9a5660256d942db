//! A residency: when models are in memory, and how much of it they may take.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Named, Seconds, Text};
use crate::source::Spanned;

/// When the models of some roles are in memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Residency {
    /// Its name.
    pub head: Head,
    /// What people call it.
    pub title: Text,
    /// What all its roles on one host may take.
    pub budget: Option<Spanned<Bytes>>,
    /// When its roles start.
    pub start: Spanned<Start>,
    /// After how long without a connection a model leaves.
    pub idle: Option<Spanned<Seconds>>,
    /// How many of its roles may run at a time; none means all.
    pub at_once: Option<Spanned<u32>>,
}

/// When a role starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the machine.
    Boot,
    /// On the first request.
    OnDemand,
}

impl Named for Residency {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The words of [`Start`].
pub(super) const START_WORDS: &[(&str, Start)] = &[("boot", Start::Boot), ("on-demand", Start::OnDemand)];

/// The fields of a residency.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("title", Shape::Text, "What people call it.").example("always in memory"),
    Field::optional("budget", Shape::Size, "What all its roles on one host may take, as `640 GB`."),
    Field::required("start", Shape::Word(&["boot", "on-demand"]), "When its roles start."),
    Field::optional(
        "idle",
        Shape::Duration,
        "After how long without a connection a model leaves; on-demand only.",
    ),
    Field::optional(
        "at-once",
        Shape::Count(1, 1_000_000),
        "How many of its roles may run at a time; default all.",
    )
    .example("2")
    .counting("roles"),
]);
