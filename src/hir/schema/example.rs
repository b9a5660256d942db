//! Examples of fields, items and a whole registry.

use super::shorthand;
use crate::hir::kind::{ItemKind, KINDS, Naming};
use crate::hir::lower::QuantityForm;
use crate::hir::role;
use crate::hir::shape::{Field, Presence, Shape, Table};
use serde_json::{Map, Value};

/// A registry without errors that has one item of each kind.
pub(super) fn registry() -> Value {
    KINDS.iter().map(|kind| (kind.plural.to_owned(), section(kind))).collect()
}

/// The section of a kind with one item.
pub(super) fn section(kind: &ItemKind) -> Value {
    match kind.naming {
        Naming::Word | Naming::Text => [(kind.example.to_owned(), item(kind))].into_iter().collect(),
        Naming::None => vec![item(kind)].into(),
        Naming::One => item(kind),
    }
}

/// An item with its required and its usual fields.
pub(super) fn item(kind: &ItemKind) -> Value {
    fields(kind.table.fields.iter().filter(|field| kind.is_in_example(field)))
}

/// An example value of a field.
pub(super) fn field(one: &Field) -> Value {
    if let Shape::Block(table) = &one.shape {
        one.hints.example.map_or_else(|| block(table), |text| literal(text, &one.shape))
    } else if one.shape == Shape::Defaults {
        let usual = |field: &&Field| ["context", "slots"].contains(&field.name);
        fields(role::TABLE.fields.iter().filter(usual))
    } else if one.shape == Shape::Map {
        [("OMP_NUM_THREADS".to_owned(), Value::from("8"))].into_iter().collect()
    } else if let Shape::Entries(field) = &one.shape {
        if *field == "option" {
            serde_json::json!({"temp": 0.7, "top-k": 40})
        } else {
            serde_json::json!({"qwen3moe.expert_used_count": 4})
        }
    } else if one.name == role::COMMAND {
        vec!["/usr/bin/whisper-server", "--port", "{port}"].into()
    } else if let Shape::Words([word, ..]) = &one.shape {
        vec![*word].into()
    } else if let Shape::Names(kind) = &one.shape {
        vec![name_of(kind)].into()
    } else {
        let example = one.hints.example.or_else(|| example_of(one.doc));
        literal(example.unwrap_or_else(|| any(&one.shape)), &one.shape)
    }
}

/// Parses a value of a type from YAML syntax.
pub(super) fn literal(text: &str, shape: &Shape) -> Value {
    let number = || text.parse::<u64>().map(Value::from);
    let fraction = || text.parse::<f64>().map(Value::from);
    if let Shape::Block(table) = shape
        && let Some(principal) = shorthand(table)
    {
        return literal(text, &principal.shape);
    }
    if matches!(shape, Shape::Count(..) | Shape::Port) {
        number().unwrap_or_default()
    } else if matches!(shape, Shape::CountOr(..)) {
        number().unwrap_or_else(|_| text.into())
    } else if matches!(shape, Shape::Fraction | Shape::Scale) {
        fraction().unwrap_or_default()
    } else if *shape == Shape::Flag {
        (text == "true").into()
    } else if *shape == Shape::Setting {
        number().or_else(|_| fraction()).unwrap_or_else(|_| text.into())
    } else {
        text.into()
    }
}

/// An example of a block: the principal field if it is sufficient, else the required fields and the value, or the first
/// field if none is required.
fn block(table: &Table) -> Value {
    if let Some(principal) = shorthand(table).filter(|_| table.value.is_none()) {
        return field(principal);
    }
    let is_shown = |field: &&Field| field.presence == Presence::Required || table.value == Some(field.name);
    let shown: Vec<&Field> = table.fields.iter().filter(is_shown).collect();
    let first = table.fields.first().filter(|_| shown.is_empty());
    fields(shown.into_iter().chain(first))
}

fn fields<'f>(shown: impl Iterator<Item = &'f Field>) -> Value {
    Value::Object(shown.map(|one| (one.name.to_owned(), field(one))).collect::<Map<_, _>>())
}

/// The example in the description of a field: the first text in backquotes after "such as".
fn example_of(doc: &'static str) -> Option<&'static str> {
    let (_, rest) = doc.split_once("such as `")?;
    rest.split_once('`').map(|(example, _)| example)
}

fn name_of(kind: &str) -> &'static str {
    KINDS.iter().find(|known| known.word == kind).map(|known| known.example).unwrap_or_default()
}

/// Examples of types that are no quantities.
const EXAMPLES: &[(Shape, &str)] = &[
    (Shape::Path, "/srv/models"),
    (Shape::ApiName, "gpt-4o"),
    (Shape::Repository, "org/name"),
    (Shape::Shares, "2:1"),
    (Shape::Sha256, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    (Shape::File, "model-Q4_K_M.gguf"),
    (Shape::Account, "llm"),
    (Shape::ObjectName, "models"),
    (Shape::Flag, "true"),
    (Shape::Fraction, "0.75"),
    (Shape::Scale, "0.5"),
    (Shape::Port, "8080"),
    (Shape::Rule, "Qwen3-*"),
];

/// An example value of a type, for a field without its own example.
fn any(shape: &Shape) -> &'static str {
    if let Shape::Word([first, ..]) = shape {
        first
    } else if let Shape::Name(kind) = shape {
        name_of(kind)
    } else if let Some(form) = QuantityForm::of(shape) {
        form.example
    } else {
        EXAMPLES.iter().find(|(known, _)| known == shape).map_or("", |(_, example)| example)
    }
}
