//! The JSON Schema of a registry in YAML, generated from the tables of the language.
//!
//! The schema accepts more than the language: it does not resolve names and does not validate the meaning of numbers.
//! It is stricter in one point: a single value must not be written as a list.

mod example;
mod value;

use super::kind::{ItemKind, KINDS, Naming};
use super::role;
use super::shape::{ALLOW, Bare, Field, Presence, Shape, Table};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Controls whether null is allowed. Null means that the value is absent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    Allowed,
    Refused,
}

/// The schema (draft 7) as text. `orchgen schema` prints it and `orchgen init` writes it. Every key has a description
/// and an example, and a default and a unit if it has any.
pub fn schema() -> String {
    let sections = KINDS.iter().map(|kind| (kind.plural.to_owned(), section(kind)));
    let root = object([
        ("$schema", "http://json-schema.org/draft-07/schema#".into()),
        ("$id", concat!("urn:orchgen:registry:", env!("CARGO_PKG_VERSION")).into()),
        ("title", "orchgen registry".into()),
        (
            "description",
            "An orchgen registry, or one file of it. The keys are the kinds of items, in the plural.".into(),
        ),
        ("examples", vec![example::registry()].into()),
        ("type", vec!["object", "null"].into()),
        ("properties", Value::Object(sections.collect())),
        ("additionalProperties", false.into()),
    ]);
    // Serialization fails only for maps with keys that are not strings. There are none.
    serde_json::to_string_pretty(&root).unwrap_or_default() + "\n"
}

/// The section of one kind in a file.
fn section(kind: &ItemKind) -> Value {
    let head = object([("description", kind.doc.into()), ("examples", vec![example::section(kind)].into())]);
    let choices = match kind.naming {
        Naming::One => vec![item(kind)],
        Naming::None => vec![item(kind), list(item(kind))],
        Naming::Word | Naming::Text => {
            let named = if kind.naming == Naming::Word { value::word() } else { value::text() };
            let one = object([
                ("description", format!("Fields of one {}.", kind.word).into()),
                ("examples", vec![example::item(kind)].into()),
            ]);
            let null = if kind.table.fields.iter().any(is_required) { Null::Refused } else { Null::Allowed };
            let one = alternatives(one, vec![item(kind)], null);
            vec![object([
                ("type", "object".into()),
                ("propertyNames", Value::Object(named)),
                ("additionalProperties", Value::Object(one)),
                ("minProperties", 1.into()),
            ])]
        }
    };
    Value::Object(alternatives(head, choices, Null::Allowed))
}

fn item(kind: &ItemKind) -> Object {
    let mut item = block(&kind.table.fields.iter().chain([&ALLOW]), is_required);
    if let (Naming::One, Some(name)) =
        (kind.naming, item.get_mut("properties").and_then(|p| p.get_mut("name")))
    {
        // The field `name` is the name of the item, so it has the form of a name.
        name.as_object_mut().into_iter().for_each(|name| name.extend(value::word()));
    }
    item
}

/// An object with these fields. `is_needed` selects the required ones.
fn block<'f>(
    fields: &(impl Iterator<Item = &'f Field> + Clone),
    is_needed: impl Fn(&Field) -> bool,
) -> Object {
    let properties = fields.clone().map(|one| {
        (one.name.to_owned(), field(one, if is_needed(one) { Null::Refused } else { Null::Allowed }))
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

/// The schema of a field, with description, example, default and unit.
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

/// The forms of a block: its principal field alone, a boolean if the block may be just its name, its fields, or a list.
fn blocks(table: &Table, presence: Presence) -> Vec<Object> {
    let mut forms = Vec::new();
    forms.extend(shorthand(table).map(|principal| value::of(&principal.shape)));
    if table.bare == Bare::Allowed {
        forms.push(value::of(&Shape::Flag));
    }
    forms.push(block(&table.fields.iter(), is_required));
    if presence.is_several() {
        let members = alternatives(Object::new(), forms.clone(), Null::Allowed);
        let whole = [("type", "array".into()), ("items", Value::Object(members)), ("minItems", 1.into())];
        forms.push(object(whole));
    } else if let Some(Field { shape: shape @ (Shape::Words(_) | Shape::Names(_)), .. }) = shorthand(table) {
        forms.push(list(value::of(shape)));
    }
    forms
}

/// The principal field, if it can replace the whole block because no other field is required.
fn shorthand(table: &Table) -> Option<&'static Field> {
    let principal = table.principal.and_then(|name| table.field(name))?;
    let is_alone =
        table.fields.iter().filter(|field| is_required(field)).all(|field| field.name == principal.name);
    is_alone.then_some(principal)
}

fn is_required(field: &Field) -> bool {
    field.presence == Presence::Required
}

/// A list. A member may be null, which means that it is absent.
fn list(members: Object) -> Object {
    let members = alternatives(Object::new(), vec![members], Null::Allowed);
    object([("type", "array".into()), ("items", Value::Object(members)), ("minItems", 1.into())])
}

/// Adds the possible forms of a value to its description.
fn alternatives(mut head: Object, forms: Vec<Object>, null: Null) -> Object {
    let last = (null == Null::Allowed).then(|| object([("type", "null".into())]));
    let mut rest = forms.into_iter();
    match (rest.next(), rest.len()) {
        (Some(only), 0) => head.extend(if null == Null::Allowed { or_null(only) } else { only }),
        (first, _) => {
            let all = first.into_iter().chain(rest).chain(last).map(Value::Object);
            head.insert("anyOf".to_owned(), all.collect());
        }
    }
    head
}

/// The form, which may also be null.
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
