//! A residency: a load policy with a memory budget.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Named, Seconds, Text};
use crate::source::Spanned;

/// A load policy: when models are loaded, and how much memory they may use together.
#[derive(Clone, PartialEq, Debug)]
pub struct Residency {
    /// Its name.
    pub head: Head,
    /// Its display name.
    pub title: Text,
    /// The maximum memory of its roles on one host.
    pub budget: Option<Spanned<Bytes>>,
    /// The event that starts its roles.
    pub start: Spanned<Start>,
    /// The time without a connection after which a model is unloaded.
    pub idle: Option<Spanned<Seconds>>,
    /// The number of its roles that may run at the same time. `None` means all.
    pub at_once: Option<Spanned<u32>>,
}

/// The event that starts a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// The boot of the host.
    Boot,
    /// The first request.
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
    Field::required("title", Shape::Text, "Display name of the residency.").example("always in memory"),
    Field::optional(
        "budget",
        Shape::Size,
        "The maximum memory of all roles of the residency on one host, such as `640 GB`.",
    ),
    Field::required(
        "start",
        Shape::Word(&["boot", "on-demand"]),
        "When the roles start: at `boot`, or `on-demand` at the first request.",
    ),
    Field::optional(
        "idle",
        Shape::Duration,
        "The time without a connection after which a model is unloaded (only with `on-demand`).",
    ),
    Field::optional(
        "at-once",
        Shape::Count(1, 1_000_000),
        "The number of roles that may run at the same time; default: all.",
    )
    .example("2")
    .unit("roles"),
]);
