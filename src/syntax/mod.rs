//! Parses YAML and KDL text into a [`Document`]: a tree, not yet interpreted, with a span for every key and value.

mod addition;
pub mod codes;
mod document;
mod fixes;
mod format;
mod insertion;
pub mod kdl;
mod layout;
mod line;
mod member;
mod number;
mod quote;
mod removal;
mod windows;
pub mod yaml;

pub use addition::add_item;
pub use document::{Document, Language, Node, Scalar, Value};
pub use fixes::resolve_fixes;
pub use format::{Formatted, format};
pub use layout::{EntryStyle, kdl_node, yaml_entry, yaml_fields};
pub use line::{line as write_line, literal as write_literal, yaml_entry as write_entry};
pub use windows::linux_path;

use crate::diag::Diagnostics;
use crate::source::{FileId, SourceFile, SourceMap};

/// Parses a file in its language.
pub fn parse<'a>(file: FileId, source: &'a SourceFile, findings: &mut Diagnostics) -> Document<'a> {
    match language(source) {
        Language::Kdl => kdl::parse(file, source.text(), findings),
        Language::Yaml => yaml::parse(file, source.text(), findings),
    }
}

/// The file name ending of the language of a text: that in which it has fewer findings. If both have the same number, it is YAML,
/// unless only KDL finds a node, whose name is no key of YAML.
pub fn likely_ending(text: &str) -> &'static str {
    let mut map = SourceMap::default();
    let [yaml, kdl] = ["yaml", "kdl"].map(|ending| map.add(format!("text.{ending}"), text));
    let parsed = [yaml, kdl].map(|file| {
        let mut findings = Diagnostics::default();
        let document = map.get(file).map(|source| parse(file, source, &mut findings));
        (findings.findings().len(), document.map_or_else(Vec::new, |document| document.nodes))
    });
    let [(yaml_count, yaml_nodes), (kdl_count, kdl_nodes)] = parsed;
    let has_only_kdl =
        yaml_nodes.is_empty() && kdl_nodes.first().is_some_and(|node| !node.key.ends_with(':'));
    if kdl_count < yaml_count || kdl_count == yaml_count && has_only_kdl { "kdl" } else { "yaml" }
}

/// The language of a file: KDL if its name ends in `.kdl`, otherwise YAML.
pub fn language(source: &SourceFile) -> Language {
    let extension = std::path::Path::new(source.name()).extension();
    let is_kdl = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("kdl"));
    if is_kdl { Language::Kdl } else { Language::Yaml }
}
