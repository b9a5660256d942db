//! The JSON Schema of a registry in YAML, made from the tables of the language.
//!
//! It accepts whatever the language accepts, and more: what a name leads to and what numbers come to is left to checks. One
//! thing it wants stricter: a value that stands once is written without the brackets of a list.

mod example;
mod value;

use super::kind::{KINDS, Kind, Naming};
use super::role;
use super::shape::{ALLOW, Bare, Field, Presence, Shape, Table};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Whether null may stand for a value, which is then missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    Taken,
    Refused,
}

/// The schema (draft 7) as text: what `orchgen schema` prints and `orchgen init` writes. Every key has a description, an
/// example, and where there is one a default and a unit.
pub fn schema() -> String {
    let sections = KINDS.iter().map(|kind| (kind.plural.to_owned(), section(kind)));
    let root = object([
        ("$schema", "http://json-schema.org/draft-07/schema#".into()),
        ("$id", concat!("urn:orchgen:registry:", env!("CARGO_PKG_VERSION")).into()),
        ("title", "registry of orchgen".into()),
        (
            "description",
            "A registry of language models, or one file of it: kinds of things in the plural.".into(),
        ),
        ("examples", vec![example::registry()].into()),
        ("type", vec!["object", "null"].into()),
        ("properties", Value::Object(sections.collect())),
        ("additionalProperties", false.into()),
    ]);
    // Only maps with keys that are not strings can fail, and there is none.
    serde_json::to_string_pretty(&root).unwrap_or_default() + "\n"
}

/// All items of a kind in one file.
fn section(kind: &Kind) -> Value {
    let head = object([("description", kind.doc.into()), ("examples", vec![example::section(kind)].into())]);
    let choices = match kind.naming {
        Naming::One => vec![item(kind)],
        Naming::None => vec![item(kind), list(item(kind))],
        Naming::Word | Naming::Text => {
            let named = if kind.naming == Naming::Word { value::word() } else { value::text() };
            let one = object([
                ("description", format!("A {} with its fields.", kind.word).into()),
                ("examples", vec![example::item(kind)].into()),
            ]);
            let null = if kind.table.fields.iter().any(is_required) { Null::Refused } else { Null::Taken };
            let one = alternatives(one, vec![item(kind)], null);
            vec![object([
                ("type", "object".into()),
                ("propertyNames", Value::Object(named)),
                ("additionalProperties", Value::Object(one)),
                ("minProperties", 1.into()),
            ])]
        }
    };
    Value::Object(alternatives(head, choices, Null::Taken))
}

fn item(kind: &Kind) -> Object {
    let mut item = block(&kind.table.fields.iter().chain([&ALLOW]), is_required);
    if let (Naming::One, Some(name)) =
        (kind.naming, item.get_mut("properties").and_then(|p| p.get_mut("name")))
    {
        // It is the name of an item, if the only one.
        name.as_object_mut().into_iter().for_each(|name| name.extend(value::word()));
    }
    item
}

/// Fields of that many names; which of them have to be there is asked of each.
fn block<'f>(
    fields: &(impl Iterator<Item = &'f Field> + Clone),
    is_needed: impl Fn(&Field) -> bool,
) -> Object {
    let properties = fields.clone().map(|one| {
        (one.name.to_owned(), field(one, if is_needed(one) { Null::Refused } else { Null::Taken }))
    });
    let needed: Vec<&str> = fields.clone().filter(|one| is_needed(one)).map(|one| one.name).collect();
    let mut block = object([
        ("type", "object".into()),
        ("properties", Value::Object(properties.collect())),
        ("additionalProperties", false.into()),
        ("minProperties", 1.into()),
    ]);
    if !needed.is_empty() {
        block.insert("required".to_owned(), needed.into());
    }
    block
}

/// A field with everything that is said of it; one that may be left out may also be null.
fn field(field: &Field, null: Null) -> Value {
    let unit = field.hints.unit.or_else(|| value::unit(&field.shape));
    let description = match unit {
        Some(unit) => format!("{} Unit: {unit}.", field.doc),
        None => field.doc.to_owned(),
    };
    let mut head =
        object([("description", description.into()), ("examples", vec![example::field(field)].into())]);
    if let Some(default) = field.hints.default {
        head.insert("default".to_owned(), example::literal(default, &field.shape));
    }
    if let Some(unit) = unit {
        head.insert("x-unit".to_owned(), unit.into());
    }
    let is_list = matches!(field.shape, Shape::Words(_) | Shape::Names(_));
    let choices = if let Shape::Block(table) = &field.shape {
        blocks(table, field.presence)
    } else if field.shape == Shape::Defaults {
        vec![block(&role::TABLE.fields.iter().chain([&role::DEFAULT_STORE]), |_| false)]
    } else if is_list || field.presence.is_several() {
        vec![value::of(&field.shape), list(value::of(&field.shape))]
    } else {
        vec![value::of(&field.shape)]
    };
    Value::Object(alternatives(head, choices, null))
}

/// The forms of a block: its principal part alone, a boolean where the bare word means something, its fields, or a list.
fn blocks(table: &Table, presence: Presence) -> Vec<Object> {
    let mut forms = Vec::new();
    forms.extend(shorthand(table).map(|principal| value::of(&principal.shape)));
    if table.bare == Bare::Means {
        forms.push(value::of(&Shape::Flag));
    }
    forms.push(block(&table.fields.iter(), is_required));
    if presence.is_several() {
        let members = alternatives(Object::new(), forms.clone(), Null::Taken);
        let whole = [("type", "array".into()), ("items", Value::Object(members)), ("minItems", 1.into())];
        forms.push(object(whole));
    } else if let Some(Field { shape: shape @ (Shape::Words(_) | Shape::Names(_)), .. }) = shorthand(table) {
        forms.push(list(value::of(shape)));
    }
    forms
}

/// The field that may stand for the whole block: its principal part, where nothing else has to be there.
fn shorthand(table: &Table) -> Option<&'static Field> {
    let principal = table.principal.and_then(|name| table.field(name))?;
    let is_alone =
        table.fields.iter().filter(|field| is_required(field)).all(|field| field.name == principal.name);
    is_alone.then_some(principal)
}

fn is_required(field: &Field) -> bool {
    field.presence == Presence::Required
}

/// A list; a member that is null is one that is missing, as everywhere.
fn list(members: Object) -> Object {
    let members = alternatives(Object::new(), vec![members], Null::Taken);
    object([("type", "array".into()), ("items", Value::Object(members)), ("minItems", 1.into())])
}

/// What is said of a value, and the forms that it may have.
fn alternatives(mut head: Object, forms: Vec<Object>, null: Null) -> Object {
    let last = (null == Null::Taken).then(|| object([("type", "null".into())]));
    let mut rest = forms.into_iter();
    match (rest.next(), rest.len()) {
        (Some(only), 0) => head.extend(if null == Null::Taken { or_null(only) } else { only }),
        (first, _) => {
            let all = first.into_iter().chain(rest).chain(last).map(Value::Object);
            head.insert("anyOf".to_owned(), all.collect());
        }
    }
    head
}

/// A form that null has too.
fn or_null(mut form: Object) -> Object {
    let types = match form.remove("type") {
        Some(Value::Array(types)) => types,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    form.insert("type".to_owned(), types.into_iter().chain(["null".into()]).collect());
    if let Some(Value::Array(words)) = form.get_mut("enum") {
        words.push(Value::Null);
    }
    form
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Object {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
