//! Parses YAML and KDL text into a [`Document`]: a tree, not yet interpreted, with a span for every key and value.

mod addition;
pub mod codes;
mod document;
mod fixes;
mod insertion;
pub mod kdl;
mod layout;
mod line;
mod number;
mod quote;
mod removal;
mod windows;
pub mod yaml;

pub use addition::add_item;
pub use document::{Document, Language, Node, Scalar, Value};
pub use fixes::resolve_fixes;
pub use layout::{EntryStyle, kdl_node, yaml_entry, yaml_fields};
pub use line::{line as write_line, literal as write_literal, yaml_entry as write_entry};
pub use windows::linux_path;

use crate::diag::Diagnostics;
use crate::source::{FileId, SourceFile};

/// Parses a file in its language.
pub fn parse<'a>(file: FileId, source: &'a SourceFile, findings: &mut Diagnostics) -> Document<'a> {
    match language(source) {
        Language::Kdl => kdl::parse(file, source.text(), findings),
        Language::Yaml => yaml::parse(file, source.text(), findings),
    }
}

/// The language of a file: KDL if its name ends in `.kdl`, otherwise YAML.
pub fn language(source: &SourceFile) -> Language {
    let extension = std::path::Path::new(source.name()).extension();
    let is_kdl = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("kdl"));
    if is_kdl { Language::Kdl } else { Language::Yaml }
}
