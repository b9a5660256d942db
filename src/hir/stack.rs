//! The stack: what all of it is called, and what holds unless a role says otherwise.

use super::shape::{Field, Shape, Table};
use super::{Date, Engine, Head, Id, Text};
use crate::source::Spanned;

/// The whole that is compiled.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    /// Its name, the first part of every unit's.
    pub head: Head,
    /// When somebody last held it against the machine.
    pub verified: Option<Spanned<Date>>,
    /// The engine of every role that names none; none only where its name was said to be unknown.
    pub engine: Option<Spanned<Id<Engine>>>,
    /// What people call it.
    pub title: Option<Text>,
    /// What is made; everything where nothing is said.
    pub targets: Vec<Spanned<TargetName>>,
    /// How far units are locked in, where a role does not say.
    pub hardening: Hardening,
}

/// A kind of output.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TargetName {
    /// Units.
    Systemd,
    /// Launch scripts and one-shot commands.
    Bin,
    /// Placement wrappers.
    Numactl,
    /// Documents.
    Docs,
    /// The stack as JSON.
    StackJson,
}

/// How far a unit is locked in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hardening {
    /// As `default`, and no system call groups that a CPU server can do without.
    Strict,
    /// What a CPU server never needs is taken away.
    #[default]
    Default,
    /// As `default`, with the devices of GPUs.
    Gpu,
    /// Nothing is taken away.
    Off,
}

/// The words of [`TargetName`].
pub(super) const TARGET_WORDS: &[(&str, TargetName)] = &[
    ("systemd", TargetName::Systemd),
    ("bin", TargetName::Bin),
    ("numactl", TargetName::Numactl),
    ("docs", TargetName::Docs),
    ("stack-json", TargetName::StackJson),
];

/// The words of [`Hardening`].
pub(super) const HARDENING_WORDS: &[(&str, Hardening)] = &[
    ("strict", Hardening::Strict),
    ("default", Hardening::Default),
    ("gpu", Hardening::Gpu),
    ("off", Hardening::Off),
];

/// The words of a hardening field.
pub(super) const HARDENING: Shape = Shape::Word(&["strict", "default", "gpu", "off"]);

/// The fields of a stack.
pub(super) static TABLE: Table = Table::with_principal(
    "name",
    &[
        Field::required("name", Shape::Text, "The first part of every unit's name, as `home`."),
        Field::optional(
            "verified",
            Shape::Date,
            "The day on which somebody last held the stack against the machine.",
        ),
        Field::required("engine", Shape::Name("engine"), "The engine of every role that names none."),
        Field::optional("title", Shape::Text, "What people call the stack.")
            .example("The models of the house"),
        Field::optional(
            "targets",
            Shape::Words(&["systemd", "bin", "numactl", "docs", "stack-json"]),
            "What is made; everything where this is left out.",
        ),
        Field::optional("hardening", HARDENING, "How far units are locked in; default `default`.")
            .default("default"),
        Field::optional(
            "defaults",
            Shape::Defaults,
            "Fields of a role, and `store`, for all that do not say otherwise.",
        ),
    ],
);
