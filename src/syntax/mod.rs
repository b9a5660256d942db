//! Text to [`Document`]: two languages, one shape without meaning, every key and value with its place.

pub mod codes;
mod cut;
mod document;
pub mod kdl;
mod mend;
pub mod yaml;

pub use document::{Document, Language, Node, Scalar, Value};
pub use mend::mend;

use crate::diag::Diagnostics;
use crate::source::{FileId, SourceFile};

/// Reads a file in its language.
pub fn parse<'a>(file: FileId, source: &'a SourceFile, findings: &mut Diagnostics) -> Document<'a> {
    match language(source) {
        Language::Kdl => kdl::parse(file, source.text(), findings),
        Language::Yaml => yaml::parse(file, source.text(), findings),
    }
}

/// The language that the ending of a file's name says: `.kdl` is KDL, all else YAML.
pub fn language(source: &SourceFile) -> Language {
    let ending = std::path::Path::new(source.name()).extension();
    let is_kdl = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("kdl"));
    if is_kdl { Language::Kdl } else { Language::Yaml }
}
