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
use super::table::{Column, Section, Table, Text, Tone};
use crate::diag::report::Style;
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
        DataFormat::Human => human(&facts, &parts, session::style(output, &std::io::stdout())),
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

fn human(facts: &Facts, parts: &ModelHeaders, style: Style) -> String {
    let rows = summary(facts, parts).into_iter().chain(details(facts, parts));
    let rows = rows.map(|(name, value)| (Text::new(Tone::Strong, name), value)).collect();
    let columns = ["key", "type", "value"].map(Column::words).to_vec();
    let metadata = parts.first.values.iter().map(|(key, value)| {
        let (kind, text) = (type_name(value), value.to_string());
        let text = text.strip_prefix(&*kind).unwrap_or(&text).trim_start();
        vec![printable(key).into(), Text::new(Tone::Detail, kind), printable(text).into()]
    });
    let metadata = Section { title: None, columns, rows: metadata.collect() };
    // The keys of metadata are longer than the names of facts.
    let tables = [Section::pairs(None, rows), metadata].map(|section| Table::new(vec![section]).print(style));
    tables.join("\n")
}

/// The facts that most users look for.
fn summary(facts: &Facts, parts: &ModelHeaders) -> Vec<(&'static str, Text)> {
    let or_missing = |value: &Option<Box<str>>| match value {
        Some(value) => Text::from(printable(value)),
        None => Text::new(Tone::Open, "not specified"),
    };
    vec![
        ("file", Text::path(printable(&facts.file))),
        ("size", format!("{}, header {}", Bytes(facts.size), Bytes(parts.first.bytes)).into()),
        ("architecture", or_missing(&facts.architecture)),
        ("quant", or_missing(&facts.quant)),
    ]
}

fn details(facts: &Facts, parts: &ModelHeaders) -> Vec<(&'static str, Text)> {
    let order = match parts.first.order {
        ByteOrder::Little => Text::from("little-endian"),
        ByteOrder::Big => Text::new(Tone::Bad, "big-endian; engines on little-endian machines refuse it"),
    };
    let version = Text::from(format!("GGUF version {}, ", parts.first.version));
    let mut rows = vec![
        ("tensors", printable(&format!("{}: {}", facts.tensors.count, by_type(&facts.tensors.bytes))).into()),
        ("format", version.join(order)),
        ("header", format!("sha256 {}", facts.header).into()),
    ];
    if let Some(shards) = facts.shards {
        let missing: Vec<String> = facts.shards_missing.iter().map(ToString::to_string).collect();
        let missing = if missing.is_empty() {
            Text::from("all present")
        } else {
            Text::new(Tone::Bad, format!("missing {}", missing.join(", ")))
        };
        rows.push(("shards", Text::from(format!("{shards}, ")).join(missing)));
    }
    if let Some(tokens) = &facts.vocabulary {
        let size = count(usize::try_from(tokens.size).unwrap_or(0), "token");
        rows.push(("vocabulary", printable(&format!("{}, {size}", tokens.kind)).into()));
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
            rows.push((name, printable(&format!("{token}{text}, {added}")).into()));
        }
    }
    rows
}

fn by_type(bytes: &BTreeMap<Box<str>, u64>) -> String {
    let all: Vec<String> = bytes.iter().map(|(kind, bytes)| format!("{kind} {}", Bytes(*bytes))).collect();
    all.join(", ")
}
