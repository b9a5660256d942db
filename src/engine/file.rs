//! A profile as it stands in a file: what is read, and the one form that is written.
//!
//! The form is canonical, so that a change of builds is a readable diff: a field a line, options sorted by their titles with
//! one a line, optional fields absent. Reading a file in this form and writing it gives the same bytes.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Serialize};

use super::option::{OptionRecord, Tools};
use super::profile::MetadataKey;

/// The fields of a profile file, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// `llama.cpp`.
    pub engine: String,
    /// `b11434`, or what else tells the build from others.
    pub build: String,
    /// The profile that it adds to.
    #[serde(default)]
    pub extends: Option<String>,
    /// Where its facts come from.
    pub source: String,
    /// The release that the build says it is.
    #[serde(default)]
    pub version: Option<String>,
    /// The commit that it says it is made from.
    #[serde(default)]
    pub commit: Option<String>,
    /// The day of that commit.
    #[serde(default)]
    pub date: Option<String>,
    /// The programs.
    pub tools: FileTools,
    /// Words that a program takes in front of options, each with the options that it then takes.
    #[serde(default)]
    pub subcommands: BTreeMap<String, Vec<String>>,
    /// The options.
    pub options: Vec<OptionRecord>,
    /// Lines of a help text that could not be read, each behind its program: what they declare is not known.
    #[serde(default)]
    pub not_understood: Vec<String>,
    /// The architectures that the loader knows; empty where nothing is known of them.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// The metadata keys that the loader reads; empty where nothing is known of them.
    #[serde(default)]
    pub metadata_keys: Vec<MetadataKey>,
}

/// The programs of a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum FileTools {
    /// Their names.
    List(Vec<String>),
    /// The names of further ones, each with the one whose options it takes; where the file extends another.
    Alias(BTreeMap<String, As>),
}

/// The program whose options another one takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct As {
    /// Its name.
    #[serde(rename = "as")]
    pub tool: String,
}

impl ProfileFile {
    /// Reads the text of a file; the error names line and column.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let file: Self = serde_json::from_str(json)?;
        if file.engine == "llama.cpp" {
            return Ok(file);
        }
        Err(serde_json::Error::custom(format!(
            "the engine is `llama.cpp`, not `{}`",
            file.engine.escape_debug()
        )))
    }

    /// Puts the options in the order of the form: by title without dashes, then by spellings, value and programs.
    pub fn sort(&mut self) {
        self.options.sort_by(|a, b| order(a).cmp(&order(b)));
    }

    /// The text, in the one form.
    pub fn text(&self) -> String {
        let mut fields: Vec<String> = Vec::new();
        let words = [
            ("engine", Some(&self.engine)),
            ("build", Some(&self.build)),
            ("extends", self.extends.as_ref()),
        ];
        let about = [
            ("source", Some(&self.source)),
            ("version", self.version.as_ref()),
            ("commit", self.commit.as_ref()),
            ("date", self.date.as_ref()),
        ];
        let said = words.into_iter().chain(about).filter_map(|(name, value)| Some((name, value?)));
        fields.extend(said.map(|(name, value)| format!(" \"{name}\":{}", json(value))));
        fields.push(match &self.tools {
            FileTools::List(tools) => format!(" \"tools\":[{}]", listed(tools)),
            FileTools::Alias(tools) => {
                let lines = tools.iter().map(|(tool, target)| format!("  {}:{}", json(tool), json(target)));
                block("tools", '{', &lines.collect::<Vec<_>>())
            }
        });
        if !self.subcommands.is_empty() {
            let each = self
                .subcommands
                .iter()
                .map(|(word, options)| format!("{}: [{}]", json(word), listed(options)));
            fields.push(format!(" \"subcommands\":{{{}}}", each.collect::<Vec<_>>().join(", ")));
        }
        fields.push(lines("options", &self.options));
        if !self.not_understood.is_empty() {
            fields.push(lines("not_understood", &self.not_understood));
        }
        if !self.architectures.is_empty() {
            fields.push(lines("architectures", &self.architectures));
        }
        if !self.metadata_keys.is_empty() {
            fields.push(lines("metadata_keys", &self.metadata_keys));
        }
        format!("{{\n{}\n}}\n", fields.join(",\n"))
    }
}

fn order(option: &OptionRecord) -> (&str, &[String], Option<&str>, &[String]) {
    let tools = match &option.tools {
        Tools::All => &[][..],
        Tools::Some(tools) => tools.as_slice(),
    };
    (option.title().trim_start_matches('-'), &option.names, option.value.as_deref(), tools)
}

fn lines<T: Serialize>(name: &str, items: &[T]) -> String {
    block(name, '[', &items.iter().map(|item| format!("  {}", json(item))).collect::<Vec<_>>())
}

/// A field whose value has a line for each item.
fn block(name: &str, open: char, lines: &[String]) -> String {
    let close = if open == '[' { ']' } else { '}' };
    let inner = if lines.is_empty() { String::new() } else { format!("\n{}\n ", lines.join(",\n")) };
    format!(" \"{name}\":{open}{inner}{close}")
}

fn listed(words: &[String]) -> String {
    words.iter().map(json).collect::<Vec<_>>().join(", ")
}

fn json<T: Serialize>(value: &T) -> String {
    // Only maps with keys that are not strings can fail, and there is none.
    serde_json::to_string(value).unwrap_or_default()
}
