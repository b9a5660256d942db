//! An expectation: an assertion on the result, checked at every build.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Id, Residency, Role};
use crate::source::Spanned;

/// An assertion with a name.
#[derive(Clone, PartialEq, Debug)]
pub struct Expect {
    /// Its name, and where it stands.
    pub head: Head,
    /// What has to hold.
    pub expected: Expected,
}

/// What has to hold.
#[derive(Clone, PartialEq, Debug)]
pub enum Expected {
    /// All roles of a residency take at most so much.
    Fits(Spanned<Id<Residency>>, Spanned<Bytes>),
    /// A role listens at a port.
    Port(Spanned<Id<Role>>, Spanned<u16>),
}

/// The fields of an expectation.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional("residency", Shape::Name("residency"), "The residency that has to fit."),
    Field::optional("fits", Shape::Size, "What its roles may take together, as `180 GB`."),
    Field::optional("role", Shape::Name("role"), "The role that has to listen."),
    Field::optional("port", Shape::Port, "The port it has to listen at."),
]);
