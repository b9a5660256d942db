//! Examples: what a field, an item or a whole registry may look like.

use super::shorthand;
use crate::hir::kind::{KINDS, Kind, Naming};
use crate::hir::role;
use crate::hir::shape::{Field, Presence, Shape, Table};
use serde_json::{Map, Value};

/// A registry with one item of each kind, which has no error.
pub(super) fn registry() -> Value {
    KINDS.iter().map(|kind| (kind.plural.to_owned(), section(kind))).collect()
}

/// The items of a kind, of which there is one.
pub(super) fn section(kind: &Kind) -> Value {
    match kind.naming {
        Naming::Word | Naming::Text => [(kind.example.to_owned(), item(kind))].into_iter().collect(),
        Naming::None => vec![item(kind)].into(),
        Naming::One => item(kind),
    }
}

/// An item with what it needs, and what it mostly has.
pub(super) fn item(kind: &Kind) -> Value {
    let is_shown = |field: &&Field| field.presence == Presence::Required || kind.shown.contains(&field.name);
    fields(kind.table.fields.iter().filter(is_shown))
}

/// A value that a field may have.
pub(super) fn field(one: &Field) -> Value {
    if let Shape::Block(table) = &one.shape {
        block(table)
    } else if one.shape == Shape::Defaults {
        let usual = |field: &&Field| ["context", "slots"].contains(&field.name);
        fields(role::TABLE.fields.iter().filter(usual))
    } else if one.shape == Shape::Map {
        [("OMP_NUM_THREADS".to_owned(), Value::from("8"))].into_iter().collect()
    } else if let Shape::Words([word, ..]) = &one.shape {
        vec![*word].into()
    } else if let Shape::Names(kind) = &one.shape {
        vec![name_of(kind)].into()
    } else {
        let said = one.hints.example.or_else(|| example_of(one.doc));
        literal(said.unwrap_or_else(|| any(&one.shape)), &one.shape)
    }
}

/// A value of that shape as YAML spells it.
pub(super) fn literal(spelt: &str, shape: &Shape) -> Value {
    let number = || spelt.parse::<u64>().map(Value::from);
    let fraction = || spelt.parse::<f64>().map(Value::from);
    if matches!(shape, Shape::Count(..) | Shape::Port) {
        number().unwrap_or_default()
    } else if *shape == Shape::Fraction {
        fraction().unwrap_or_default()
    } else if *shape == Shape::Flag {
        (spelt == "true").into()
    } else if *shape == Shape::Setting {
        number().or_else(|_| fraction()).unwrap_or_else(|_| spelt.into())
    } else {
        spelt.into()
    }
}

/// The principal part where it may stand alone; else what has to be there, or if nothing has, the first field.
fn block(table: &Table) -> Value {
    if let Some(principal) = shorthand(table) {
        return field(principal);
    }
    let required = table.fields.iter().filter(|field| field.presence == Presence::Required);
    let shown: Vec<&Field> = required.collect();
    let first = table.fields.first().filter(|_| shown.is_empty());
    fields(shown.into_iter().chain(first))
}

fn fields<'f>(shown: impl Iterator<Item = &'f Field>) -> Value {
    Value::Object(shown.map(|one| (one.name.to_owned(), field(one))).collect::<Map<_, _>>())
}

/// What the doc of a field gives as an example: the first text between backticks behind "as".
fn example_of(doc: &'static str) -> Option<&'static str> {
    let (_, behind) = doc.split_once("as `")?;
    behind.split_once('`').map(|(example, _)| example)
}

fn name_of(kind: &str) -> &'static str {
    KINDS.iter().find(|known| known.word == kind).map(|known| known.example).unwrap_or_default()
}

/// A value for a field that gives none of its own.
fn any(shape: &Shape) -> &'static str {
    match shape {
        Shape::Path => "/srv/models",
        Shape::File => "model-Q4_K_M.gguf",
        Shape::Account => "llm",
        Shape::Address => "10.0.0.7",
        Shape::Flag => "true",
        Shape::Fraction => "0.75",
        Shape::Size => "17.5 GB",
        Shape::Share => "5 percent",
        Shape::Duration => "15 min",
        Shape::TokenRate => "6.3 t/s",
        Shape::ByteRate => "2 GB/s",
        Shape::Factor => "5.4x",
        Shape::Date => "2026-02-03",
        Shape::Port => "8080",
        Shape::Ports => "8090-8095",
        Shape::Cpus => "0-47,96-143",
        Shape::Numa => "interleave",
        Shape::Rule => "Qwen3-*",
        Shape::Word(words) => words.first().copied().unwrap_or_default(),
        Shape::Name(kind) => name_of(kind),
        // These say it themselves, or have forms of their own.
        Shape::Text
        | Shape::Count(..)
        | Shape::Setting
        | Shape::Words(_)
        | Shape::Names(_)
        | Shape::Map
        | Shape::Defaults
        | Shape::Block(_) => "",
    }
}
