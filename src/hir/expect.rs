//! An expectation: an assertion on the compiled stack that every build checks.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Id, Residency, Role, Text};
use crate::source::Spanned;

/// A named assertion.
#[derive(Clone, PartialEq, Debug)]
pub struct Expect {
    /// Its name and place.
    pub head: Head,
    /// The assertion.
    pub expected: Expected,
}

/// The assertion of an expectation.
#[derive(Clone, PartialEq, Debug)]
pub enum Expected {
    /// The roles of a residency need at most this much memory together: of the host, or of the GPU with this name.
    Fits(Spanned<Id<Residency>>, Option<Text>, Spanned<Bytes>),
    /// A role listens on a port.
    Port(Spanned<Id<Role>>, Spanned<u16>),
}

/// The fields of an expectation.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional("residency", Shape::Name("residency"), "The residency whose memory is checked."),
    Field::optional(
        "fits",
        Shape::Size,
        "The maximum memory of the residency's roles together, such as `180 GB`.",
    ),
    Field::optional(
        "gpu",
        Shape::Text,
        "With `fits`: the GPU whose memory is checked; default: the memory of the host.",
    )
    .example("CUDA0"),
    Field::optional("role", Shape::Name("role"), "The role whose port is checked."),
    Field::optional("port", Shape::Port, "The port that the role must listen on."),
]);
