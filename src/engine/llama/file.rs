//! The JSON file of a profile: reading, and writing in a canonical form.
//!
//! The canonical form makes readable diffs between builds: one field per line, one option per line, options sorted by
//! title, no empty optional fields. Reading and writing a canonical file gives the same bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lists::{ClosedList, ClosedLists};
use super::option::{OptionRecord, Tools};
use super::profile::MetadataKey;
use crate::engine::Family;

/// The fields of a profile file, in the order of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// The family of the build.
    pub engine: Family,
    /// `b11434`, or another identification of the build.
    pub build: String,
    /// The profile that this one extends.
    #[serde(default)]
    pub extends: Option<String>,
    /// The source of the data.
    pub source: String,
    /// The release, as printed by the build.
    #[serde(default)]
    pub version: Option<String>,
    /// The commit, as printed by the build.
    #[serde(default)]
    pub commit: Option<String>,
    /// The date of the commit.
    #[serde(default)]
    pub date: Option<String>,
    /// The programs.
    pub tools: FileTools,
    /// Subcommands of a program, each with its options.
    #[serde(default)]
    pub subcommands: BTreeMap<String, Vec<String>>,
    /// The options.
    pub options: Vec<OptionRecord>,
    /// Lines of the help texts that could not be parsed, each after the name of its program.
    #[serde(default)]
    pub not_understood: Vec<String>,
    /// The architectures that the loader knows. Empty means unknown.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// The pre-tokenizers that the loader knows. Empty means unknown.
    #[serde(default)]
    pub pre_tokenizers: Vec<String>,
    /// The types of projectors that the loader knows. Empty means unknown.
    #[serde(default)]
    pub projector_types: Vec<String>,
    /// The types of tensors that the loader knows. Empty means unknown.
    #[serde(default)]
    pub tensor_types: Vec<String>,
    /// The metadata keys that the loader reads. Empty means unknown.
    #[serde(default)]
    pub metadata_keys: Vec<MetadataKey>,
}

/// The programs of a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a list of programs")]
pub enum FileTools {
    /// Their names.
    List(Vec<String>),
    /// In a file that extends another profile: further programs, each with the program whose options it accepts.
    Alias(BTreeMap<String, ToolAlias>),
}

/// The program whose options another program accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolAlias {
    /// The name of the program.
    #[serde(rename = "as")]
    pub tool: String,
}

impl ProfileFile {
    /// Parses the text of a file. The error names line and column.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The closed lists of the build.
    pub fn lists(&self) -> ClosedLists {
        ClosedLists {
            architectures: self.architectures.clone(),
            pre_tokenizers: self.pre_tokenizers.clone(),
            projector_types: self.projector_types.clone(),
            tensor_types: self.tensor_types.clone(),
        }
    }

    /// Sorts the options in canonical order: by title without dashes, then by names, value and programs.
    pub fn sort(&mut self) {
        self.options.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    }

    /// The text in canonical form.
    pub fn to_json(&self) -> String {
        let mut fields: Vec<String> = Vec::new();
        let words = [
            ("engine", Some(self.engine.name())),
            ("build", Some(&*self.build)),
            ("extends", self.extends.as_deref()),
            ("source", Some(&*self.source)),
            ("version", self.version.as_deref()),
            ("commit", self.commit.as_deref()),
            ("date", self.date.as_deref()),
        ];
        let present = words.into_iter().filter_map(|(name, value)| Some((name, value?)));
        fields.extend(present.map(|(name, value)| format!(" \"{name}\":{}", to_json(&value))));
        fields.push(match &self.tools {
            FileTools::List(tools) => format!(" \"tools\":[{}]", comma_list(tools)),
            FileTools::Alias(tools) => {
                let lines =
                    tools.iter().map(|(tool, target)| format!("  {}:{}", to_json(tool), to_json(target)));
                block("tools", '{', &lines.collect::<Vec<_>>())
            }
        });
        if !self.subcommands.is_empty() {
            let each = self
                .subcommands
                .iter()
                .map(|(word, options)| format!("{}: [{}]", to_json(word), comma_list(options)));
            fields.push(format!(" \"subcommands\":{{{}}}", each.collect::<Vec<_>>().join(", ")));
        }
        fields.push(lines("options", &self.options));
        if !self.not_understood.is_empty() {
            fields.push(lines("not_understood", &self.not_understood));
        }
        let closed = self.lists();
        let known = ClosedList::ALL.iter().filter_map(|list| Some((list, closed.get(*list)?)));
        fields.extend(known.map(|(list, words)| lines(list.field(), words)));
        if !self.metadata_keys.is_empty() {
            fields.push(lines("metadata_keys", &self.metadata_keys));
        }
        format!("{{\n{}\n}}\n", fields.join(",\n"))
    }
}

fn sort_key(option: &OptionRecord) -> (&str, &[String], Option<&str>, &[String]) {
    let tools = match &option.tools {
        Tools::All => &[][..],
        Tools::Some(tools) => tools.as_slice(),
    };
    (option.title().trim_start_matches('-'), &option.names, option.value.as_deref(), tools)
}

fn lines<T: Serialize>(name: &str, items: &[T]) -> String {
    block(name, '[', &items.iter().map(|item| format!("  {}", to_json(item))).collect::<Vec<_>>())
}

/// A field with one line per item of its value.
fn block(name: &str, open: char, lines: &[String]) -> String {
    let close = if open == '[' { ']' } else { '}' };
    let inner = if lines.is_empty() { String::new() } else { format!("\n{}\n ", lines.join(",\n")) };
    format!(" \"{name}\":{open}{inner}{close}")
}

fn comma_list(words: &[String]) -> String {
    words.iter().map(to_json).collect::<Vec<_>>().join(", ")
}

fn to_json<T: Serialize>(value: &T) -> String {
    // Serialization only fails for maps with keys that are not strings, and there are none.
    serde_json::to_string(value).unwrap_or_default()
}
