//! An engine: one llama.cpp build on disk, and the profile that says what it accepts.

use super::shape::{Field, Shape, Table};
use super::{Head, Named, Text};

/// One llama.cpp build.
#[derive(Clone, PartialEq, Debug)]
pub struct Engine {
    /// Its name.
    pub head: Head,
    /// The profile of its options: the name of one that is built in, or of a `*.json` file beside the registry.
    pub profile: Text,
    /// The folder of its programs.
    pub bin: Text,
    /// Environment of every process of it.
    pub env: Vec<(Text, Text)>,
}

impl Named for Engine {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of an engine.
pub(super) static TABLE: Table = Table::of(&[
    Field::required(
        "profile",
        Shape::Text,
        "The profile of its options: one that is built in, or a `*.json` file beside the registry.",
    )
    .example("llama.cpp-b11434"),
    Field::required("bin", Shape::Path, "The folder of its programs, an absolute path.")
        .example("/opt/llama.cpp/bin"),
    Field::optional("env", Shape::Map, "Environment variables of every process of it."),
]);
