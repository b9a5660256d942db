//! A tier: a heading under which the documents list roles.

use super::shape::{Field, Shape, Table};
use super::{Head, Named, Text};

/// A group of roles in the documents.
#[derive(Clone, PartialEq, Debug)]
pub struct Tier {
    /// Its name.
    pub head: Head,
    /// Its heading in the documents.
    pub title: Text,
}

impl Named for Tier {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a tier.
pub(super) static TABLE: Table =
    Table::of(
        &[Field::required("title", Shape::Text, "The heading in the documents.").example("Assistants")],
    );
