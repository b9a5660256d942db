//! A tier: a heading under which roles are listed.

use super::shape::{Field, Shape, Table};
use super::{Head, Named, Text};

/// A group of roles in the documents.
#[derive(Clone, PartialEq, Debug)]
pub struct Tier {
    /// Its name.
    pub head: Head,
    /// What people call it.
    pub title: Text,
}

impl Named for Tier {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a tier.
pub(super) static TABLE: Table =
    Table::of(&[Field::required("title", Shape::Text, "What people call it.").example("Assistants")]);
