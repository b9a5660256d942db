//! `orchgen inspect`: prints the facts and metadata of one model file.
//!
//! With `--output-format json`, the result is one JSON object. Later versions only add fields:
//!
//! | field | |
//! |---|---|
//! | `facts` | the facts that `orchgen lock` records |
//! | `metadata` | each key with its value: a number, a text, true or false, or a list of these. Long texts and lists are not kept: `{"bytes": 9000}` or `{"count": 151936}` |
//! | `metadata_types` | each key with its type in the file, such as `u32` or `arr[str]` |
//! | `tensors` | `name`, `type`, `shape`, `bytes` |

use super::RunStatus;
use super::args::{DataFormat, OutputArgs};
use super::session;
use crate::diag::report::hanging;
use crate::diag::words::{count, printable};
use crate::facts::{ByteOrder, Facts, GgufType, ModelHeaders, Value, ValueData, VocabularyDetail};
use crate::hir::Bytes;
use clap::Args as Arguments;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Serialize)]
struct InspectJson<'p> {
    format_version: u32,
    facts: &'p Facts,
    metadata: BTreeMap<&'p str, MetadataValue<'p>>,
    metadata_types: BTreeMap<&'p str, String>,
    tensors: Vec<TensorJson<'p>>,
}

#[derive(Serialize)]
struct TensorJson<'p> {
    name: &'p str,
    #[serde(rename = "type")]
    kind: &'static str,
    shape: [u64; 4],
    bytes: u64,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// GGUF file; for a sharded model, the first shard
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: DataFormat,
}

pub(super) fn run(command: &InspectArgs, output: OutputArgs) -> RunStatus {
    let path = command.file.to_string_lossy();
    let parts = match ModelHeaders::read(&command.file, VocabularyDetail::Texts) {
        Ok(parts) => parts,
        Err(error) => {
            let shard = error.shard.map(|shard| format!("shard {shard}, ")).unwrap_or_default();
            let reason = printable(&format!("cannot read `{path}`: {shard}{}", error.cause));
            return session::fail(reason);
        }
    };
    let facts = Facts::from_headers(&path, &parts);
    session::print_stdout(&match command.format {
        DataFormat::Json => json(&facts, &parts),
        DataFormat::Human => human(&facts, &parts, session::style(output, &std::io::stdout()).width),
    })
}

fn json(facts: &Facts, parts: &ModelHeaders) -> String {
    let values = || parts.first.values.iter();
    let tensors = parts.headers().flat_map(|header| &header.tensors);
    let json = InspectJson {
        format_version: 1,
        facts,
        metadata: values().map(|(key, value)| (&**key, MetadataValue(value))).collect(),
        metadata_types: values().map(|(key, value)| (&**key, type_name(value))).collect(),
        tensors: tensors
            .map(|tensor| TensorJson {
                name: &tensor.name,
                kind: tensor.kind.name,
                shape: tensor.shape,
                bytes: tensor.bytes,
            })
            .collect(),
    };
    session::json_line(&json)
}

/// A metadata value as JSON.
struct MetadataValue<'p>(&'p Value);

impl Serialize for MetadataValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let size = |name: &'static str, size: &u64| BTreeMap::from([(name, *size)]);
        match &self.0.data {
            ValueData::Integer(number) => number.serialize(serializer),
            #[expect(clippy::cast_possible_truncation, reason = "the value was read as a 32-bit float")]
            ValueData::Float(number) if self.0.kind == GgufType::F32 => {
                (*number as f32).serialize(serializer)
            }
            ValueData::Float(number) => number.serialize(serializer),
            ValueData::Flag(flag) => flag.serialize(serializer),
            ValueData::Text(text) => text.serialize(serializer),
            ValueData::Integers(flags) if self.0.kind == GgufType::Bool => {
                serializer.collect_seq(flags.iter().map(|flag| *flag != 0))
            }
            ValueData::Integers(numbers) => numbers.serialize(serializer),
            ValueData::LongText(bytes) => size("bytes", bytes).serialize(serializer),
            ValueData::List(count) => size("count", count).serialize(serializer),
        }
    }
}

/// The type of a value as llama.cpp names it.
fn type_name(value: &Value) -> String {
    match value.data {
        ValueData::Integers(_) | ValueData::List(_) => format!("arr[{}]", value.kind.word()),
        ValueData::Integer(_)
        | ValueData::Float(_)
        | ValueData::Flag(_)
        | ValueData::Text(_)
        | ValueData::LongText(_) => value.kind.word().to_owned(),
    }
}

fn human(facts: &Facts, parts: &ModelHeaders, columns: usize) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |key: &str, value: String| rows.push((key.to_owned(), value));
    let order = match parts.first.order {
        ByteOrder::Little => "little-endian",
        ByteOrder::Big => "big-endian; engines on little-endian machines refuse it",
    };
    row("file", facts.file.to_string());
    row("format", format!("GGUF version {}, {order}", parts.first.version));
    row("size", format!("{}, header {}", Bytes(facts.size), Bytes(parts.first.bytes)));
    row("header", format!("sha256 {}", facts.header));
    if let Some(shards) = facts.shards {
        let missing: Vec<String> = facts.shards_missing.iter().map(ToString::to_string).collect();
        let missing = if missing.is_empty() {
            "all present".to_owned()
        } else {
            format!("missing {}", missing.join(", "))
        };
        row("shards", format!("{shards}, {missing}"));
    }
    row("architecture", facts.architecture.as_deref().unwrap_or("not specified").to_owned());
    row("quant", facts.quant.as_deref().unwrap_or("not specified").to_owned());
    if let Some(tokens) = &facts.vocabulary {
        row(
            "vocabulary",
            format!("{}, {}", tokens.kind, count(usize::try_from(tokens.size).unwrap_or(0), "token")),
        );
        for (name, added, token, text) in [
            ("BOS", tokens.add_bos, tokens.bos, &tokens.bos_text),
            ("EOS", tokens.add_eos, tokens.eos, &tokens.eos_text),
        ] {
            let token = token.map_or_else(|| "not specified".to_owned(), |token| token.to_string());
            let text = text.as_ref().map(|text| format!(" `{text}`")).unwrap_or_default();
            let added = match added {
                Some(true) => "added to prompts",
                Some(false) => "not added",
                None => "not specified whether it is added",
            };
            row(name, format!("{token}{text}, {added}"));
        }
    }
    row("tensors", format!("{}: {}", facts.tensors.count, by_type(&facts.tensors.bytes)));
    let mut out = table(&rows, columns);
    out.push('\n');
    let metadata = parts.first.values.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    out.push_str(&table(&metadata.collect::<Vec<_>>(), columns));
    out
}

fn by_type(bytes: &BTreeMap<Box<str>, u64>) -> String {
    let all: Vec<String> = bytes.iter().map(|(kind, bytes)| format!("{kind} {}", Bytes(*bytes))).collect();
    all.join(", ")
}

fn table(rows: &[(String, String)], columns: usize) -> String {
    let width = rows.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0).min(60);
    let mut out = String::new();
    for (key, value) in rows {
        out.push_str(&hanging(&format!("{:width$}  ", printable(key)), &printable(value), columns));
    }
    out
}
