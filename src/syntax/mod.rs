//! Text to [`Document`]: two languages, one shape without meaning, every key and value with its place.

pub mod codes;
mod document;
pub mod kdl;
pub mod yaml;

pub use document::{Document, Language, Node, Scalar, Value};

use crate::diag::Diagnostics;
use crate::source::{FileId, SourceFile};

/// Reads a file in the language that its name's ending says: `.kdl` is KDL, all else YAML.
pub fn parse<'a>(file: FileId, source: &'a SourceFile, findings: &mut Diagnostics) -> Document<'a> {
    let kdl = std::path::Path::new(source.name())
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("kdl"));
    if kdl { kdl::parse(file, source.text(), findings) } else { yaml::parse(file, source.text(), findings) }
}
