//! An engine: a llama.cpp build on disk, and the profile that describes it.

use super::shape::{Field, Shape, Table};
use super::{Head, Named, Text};

/// A llama.cpp build.
#[derive(Clone, PartialEq, Debug)]
pub struct Engine {
    /// Its name.
    pub head: Head,
    /// The profile of the build: the name of a built-in profile, or of a `*.json` file in the registry.
    pub profile: Text,
    /// The folder of the programs.
    pub bin: Text,
    /// Environment variables of all processes of this engine.
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
        "The profile of the build: a built-in profile, or a `*.json` file in the registry folder.",
    )
    .example("llama.cpp-b11434"),
    Field::required(
        "bin",
        Shape::Path,
        "The folder of the programs, such as `llama-server`: an absolute path.",
    )
    .example("/opt/llama.cpp/bin"),
    Field::optional("env", Shape::Map, "Environment variables of all processes of this engine."),
]);
