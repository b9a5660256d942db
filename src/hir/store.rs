//! A store: a folder of model files.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Head, Named, Text};
use crate::source::Spanned;

/// A folder of model files.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    /// Its name.
    pub head: Head,
    /// The folder.
    pub path: Text,
    /// Its display name.
    pub title: Option<Text>,
    /// The read speed of its disk, in bytes per second.
    pub speed: Option<Spanned<Bytes>>,
}

impl Named for Store {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a store.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("path", Shape::Path, "The folder: an absolute path."),
    Field::optional("title", Shape::Text, "Display name of the store.").example("Model files"),
    Field::optional(
        "speed",
        Shape::ByteRate,
        "The read speed of the disk, such as `2 GB/s`. It determines the start timeout of the services.",
    ),
]);
