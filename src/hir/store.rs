//! A store: a folder of model files.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Named, Text};
use crate::source::Spanned;

/// A folder in which model files are looked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    /// Its name.
    pub head: Head,
    /// The folder.
    pub path: Text,
    /// What people call it.
    pub title: Option<Text>,
    /// How many bytes a second its disk reads.
    pub speed: Option<Spanned<Bytes>>,
}

impl Named for Store {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a store.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("path", Shape::Path, "The folder, an absolute path."),
    Field::optional("title", Shape::Text, "What people call it.").example("Model files"),
    Field::optional(
        "speed",
        Shape::ByteRate,
        "How fast its disk reads, as `2 GB/s`; bounds how long a start may take.",
    ),
]);
