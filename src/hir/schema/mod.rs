//! The JSON Schema of a registry in YAML, generated from the tables of the language.
//!
//! The schema accepts more than the language: it does not resolve names and does not validate the meaning of numbers.
//! It is stricter in one point: a single value must not be written as a list.

mod example;
mod path;
mod value;
mod whole;

pub use path::{ExampleValue, FieldPath};
pub use value::{Range, description, range, unit};

use super::kind::{ItemKind, KINDS, Naming};
use super::role;
use super::shape::{ALLOW, Bare, Field, Presence, Shape, Table};
use serde_json::{Value, json};

/// Controls whether null is allowed. Null means that the value is absent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    Allowed,
    Refused,
}

/// The schema (draft 7) as text. `orchgen schema` prints it and `orchgen init` writes it. Every key has a description
/// and an example, and a default and a unit if it has any.
pub fn schema() -> String {
    let root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": concat!("urn:orchgen:registry:", env!("CARGO_PKG_VERSION")),
        "title": "orchgen registry",
        "description": "An orchgen registry, or one file of it. The keys are the kinds of items, in the plural.",
        "examples": [example::registry()],
        "type": ["object", "null"],
        "properties": KINDS.iter().map(|kind| (kind.plural, section(kind))).collect::<Value>(),
        "additionalProperties": false,
    });
    // Serialization fails only for maps with keys that are not strings. There are none.
    serde_json::to_string_pretty(&root).unwrap_or_default() + "\n"
}

/// The section of one kind in a file.
fn section(kind: &ItemKind) -> Value {
    let forms = match kind.naming {
        Naming::One => vec![item(kind)],
        Naming::None => vec![item(kind), list(item(kind))],
        Naming::Word | Naming::Text => {
            let one = json!({
                "description": format!("Fields of one {}.", kind.word),
                "examples": [example::item(kind)],
            });
            let null = if kind.table.fields.iter().any(is_required) { Null::Refused } else { Null::Allowed };
            vec![json!({
                "type": "object",
                "propertyNames": if kind.naming == Naming::Word { value::word() } else { value::text() },
                "additionalProperties": alternatives(one, vec![item(kind)], null),
                "minProperties": 1,
            })]
        }
    };
    let head = json!({"description": kind.doc, "examples": [example::section(kind)]});
    alternatives(head, forms, Null::Allowed)
}

/// An example of a plain value as text. Empty if the field is a block.
pub(super) fn example_text(field: &Field) -> String {
    match example::field(field) {
        Value::String(text) => text,
        Value::Array(list) => list.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Object(_) => String::new(),
    }
}

fn item(kind: &ItemKind) -> Value {
    let mut item = block(&kind.table.fields.iter().chain([&ALLOW]), is_required);
    if kind.naming == Naming::One
        && let Some(name) = item.pointer_mut("/properties/name")
    {
        // The field `name` is the name of the item, so it has the form of a name.
        *name = with(name.take(), value::word());
    }
    item
}

/// An object with these fields. `is_needed` selects the required ones.
fn block<'f>(
    fields: &(impl Iterator<Item = &'f Field> + Clone),
    is_needed: impl Fn(&Field) -> bool,
) -> Value {
    let null = |one| if is_needed(one) { Null::Refused } else { Null::Allowed };
    let block = json!({
        "type": "object",
        "properties": fields.clone().map(|one| (one.name, field(one, null(one)))).collect::<Value>(),
        "additionalProperties": false,
        "minProperties": 1,
    });
    let needed: Vec<&str> = fields.clone().filter(|one| is_needed(one)).map(|one| one.name).collect();
    if needed.is_empty() { block } else { with(block, json!({"required": needed})) }
}

/// The schema of a field, with description, example, default and unit.
fn field(field: &Field, null: Null) -> Value {
    let unit = unit(field);
    let description = match unit {
        Some(unit) => format!("{} Unit: {unit}.", field.doc),
        None => field.doc.to_owned(),
    };
    let mut head = json!({"description": description, "examples": [example::field(field)]});
    if let Some(default) = field.hints.default {
        head = with(head, json!({"default": example::literal(default, &field.shape)}));
    }
    if let Some(unit) = unit {
        head = with(head, json!({"x-unit": unit}));
    }
    let is_list = matches!(field.shape, Shape::Words(_) | Shape::Names(_) | Shape::Entries(_));
    let forms = if let Shape::Block(table) = &field.shape {
        blocks(table, field.presence)
    } else if field.shape == Shape::Defaults {
        vec![block(&role::default_fields(), |_| false)]
    } else if is_list || field.presence.is_several() {
        vec![value::of(&field.shape), list(value::of(&field.shape))]
    } else {
        vec![value::of(&field.shape)]
    };
    alternatives(head, forms, null)
}

/// The forms of a block: its principal field alone, a boolean if the block may be just its name, its fields, or a list.
fn blocks(table: &Table, presence: Presence) -> Vec<Value> {
    let mut forms = Vec::new();
    forms.extend(shorthand(table).map(|principal| value::of(&principal.shape)));
    if table.bare == Bare::Allowed {
        forms.push(value::of(&Shape::Flag));
    }
    forms.push(block(&table.fields.iter(), is_required));
    if presence.is_several() {
        let members = alternatives(json!({}), forms.clone(), Null::Allowed);
        forms.push(json!({"type": "array", "items": members, "minItems": 1}));
    } else if let Some(Field { shape: shape @ (Shape::Words(_) | Shape::Names(_)), .. }) = shorthand(table) {
        forms.push(list(value::of(shape)));
    }
    forms
}

/// The principal field, if it can replace the whole block because no other field is required.
fn shorthand(table: &Table) -> Option<&'static Field> {
    let principal = table.principal_field()?;
    let is_alone =
        table.fields.iter().filter(|field| is_required(field)).all(|field| field.name == principal.name);
    is_alone.then_some(principal)
}

fn is_required(field: &Field) -> bool {
    field.presence == Presence::Required
}

/// A list. A member may be null, which means that it is absent.
fn list(member: Value) -> Value {
    json!({"type": "array", "items": alternatives(json!({}), vec![member], Null::Allowed), "minItems": 1})
}

/// Adds the possible forms of a value to its description.
fn alternatives(head: Value, mut forms: Vec<Value>, null: Null) -> Value {
    if let [only] = forms.as_mut_slice() {
        return with(head, if null == Null::Allowed { or_null(only.take()) } else { only.take() });
    }
    forms.extend((null == Null::Allowed).then(|| json!({"type": "null"})));
    with(head, json!({"anyOf": forms}))
}

/// The form, which may also be null.
fn or_null(mut form: Value) -> Value {
    let mut types = match form.get_mut("type").map(Value::take) {
        Some(Value::Array(types)) => types,
        one => one.into_iter().collect(),
    };
    types.push("null".into());
    if let Some(Value::Array(words)) = form.get_mut("enum") {
        words.push(Value::Null);
    }
    with(form, json!({"type": types}))
}

/// Adds the members of an object to another, which they replace.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}
