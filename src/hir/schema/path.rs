//! A path to a kind or a field of the language, such as `role.draft.max`, with an example to write.

use super::{example, shorthand, value};
use crate::diag::{Line, Literal};
use crate::hir::kind::{ItemKind, KINDS, Naming};
use crate::hir::role;
use crate::hir::shape::{ALLOW, Field, Presence, Shape, Table};
use serde_json::{Map, Value, json};

/// A kind, or one of its fields with the blocks around it.
#[derive(Clone, Debug)]
pub struct FieldPath {
    /// The kind.
    pub kind: &'static ItemKind,
    /// The blocks around the field from the outside, then the field. Empty for the kind.
    pub fields: Vec<&'static Field>,
}

/// The value of a field in the example registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExampleValue {
    /// Its example.
    Shown,
    /// A value that differs from its example.
    Changed,
    /// No value.
    Absent,
}

impl FieldPath {
    /// The path of a kind.
    pub fn of(kind: &'static ItemKind) -> Self {
        Self { kind, fields: Vec::new() }
    }

    /// The paths of all fields of a kind with their blocks, in the order of the documentation.
    pub fn fields_of(kind: &'static ItemKind) -> Vec<Self> {
        let mut all = Vec::new();
        Self::of(kind).collect_into(&mut all);
        all.split_off(1)
    }

    /// The kind or the field with this path. The kind may be in the plural.
    pub fn find(path: &str) -> Option<Self> {
        let mut names = path.split('.');
        let word = names.next()?;
        let kind = ItemKind::of_word(word).or_else(|| ItemKind::of_plural(word))?;
        let mut found = Self::of(kind);
        for name in names {
            let field = found.children().into_iter().find(|field| field.name == name)?;
            found.fields.push(field);
        }
        Some(found)
    }

    /// All paths, in the order of the documentation, except the fields of `defaults`, which are those of a role.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for kind in KINDS {
            Self::of(kind).collect_into(&mut all);
        }
        all
    }

    fn collect_into(self, all: &mut Vec<Self>) {
        let is_repeated = self.field().is_some_and(|field| field.shape == Shape::Defaults);
        let children = if is_repeated { Vec::new() } else { self.children() };
        let children: Vec<Self> = children.into_iter().map(|field| self.child(field)).collect();
        all.push(self);
        for child in children {
            child.collect_into(all);
        }
    }

    /// The path as text: `role.draft.max`.
    pub fn text(&self) -> String {
        let names = self.fields.iter().map(|field| field.name);
        std::iter::once(self.kind.word).chain(names).collect::<Vec<_>>().join(".")
    }

    /// The field. `None` for a kind.
    pub fn field(&self) -> Option<&'static Field> {
        self.fields.last().copied()
    }

    /// The fields of the kind or the block.
    pub fn children(&self) -> Vec<&'static Field> {
        match self.field().map(|field| &field.shape) {
            None => self.kind.table.fields.iter().chain([&ALLOW]).collect(),
            Some(Shape::Block(table)) => table.fields.iter().collect(),
            Some(Shape::Defaults) => role::TABLE.fields.iter().chain([&role::DEFAULT_STORE]).collect(),
            Some(_) => Vec::new(),
        }
    }

    /// The table of the kind or the block.
    pub fn table(&self) -> Option<&'static Table> {
        match self.field().map(|field| &field.shape) {
            None => Some(self.kind.table),
            Some(Shape::Block(table)) => Some(table),
            Some(_) => None,
        }
    }

    /// The path of a field of the kind or the block.
    #[must_use]
    pub fn child(&self, field: &'static Field) -> Self {
        Self { kind: self.kind, fields: self.fields.iter().copied().chain([field]).collect() }
    }

    /// An example of the item, or of the field in the blocks around it.
    pub fn example(&self) -> Line {
        let Some(outermost) = self.fields.first() else {
            let mut item = block(Line::new(self.kind.word), self.kind.table, &example::item(self.kind));
            if item.values.is_empty() && self.kind.naming != Naming::None {
                item.values.push(self.kind.example.into());
            }
            return item;
        };
        field(outermost, &self.value(ExampleValue::Shown).unwrap_or_default())
    }

    /// The example registry of the schema as JSON, with this value of the field, and of another field of the item.
    pub fn registry(&self, given: ExampleValue, other: Option<(&'static Field, ExampleValue)>) -> Value {
        let mut registry = example::registry();
        let Some(outermost) = self.fields.first() else { return registry };
        let value = self.value(given);
        if let Some(value) = &value {
            declare_names(&outermost.shape, value, &mut registry);
        }
        if let (Shape::Defaults, Some(inner)) = (&outermost.shape, self.fields.get(1))
            && let Some(role) = ItemKind::of_word("role")
                .and_then(|role| registry.get_mut(role.plural)?.get_mut(role.example)?.as_object_mut())
        {
            // The own value of the role would win.
            role.remove(inner.name);
        }
        if self.kind.word == GATEWAY
            && let Some(role) = ItemKind::of_word("role")
                .and_then(|role| registry.get_mut(role.plural)?.get_mut(role.example)?.as_object_mut())
        {
            // A gateway without a role has no effect.
            role.remove("port");
            role.insert(GATEWAY.to_owned(), json!(self.kind.example));
        }
        if self.kind.word == GATEWAY && outermost.name == SET {
            // A set of all roles has no effect.
            let coder = Value::from("coder");
            declare_names(&Shape::Name("role"), &coder, &mut registry);
        }
        let section = registry.get_mut(self.kind.plural);
        let item = match self.kind.naming {
            Naming::Word | Naming::Text => section.and_then(|section| section.get_mut(self.kind.example)),
            Naming::None => section.and_then(|section| section.get_mut(0)),
            Naming::One => section,
        };
        if let Some(item) = item.and_then(Value::as_object_mut) {
            if let Some((other, value)) = other {
                let value = Self { kind: self.kind, fields: vec![other] }.value(value);
                item.remove(other.name);
                item.extend(value.map(|value| (other.name.to_owned(), value)));
            }
            let is_command =
                [role::COMMAND].iter().chain(role::OF_COMMAND).any(|name| *name == outermost.name);
            if let Some(command) =
                role::TABLE.field(role::COMMAND).filter(|_| is_command && self.kind.word == "role")
            {
                item.retain(|name, _| ["tier", "residency", "host", "port"].contains(&name.as_str()));
                item.insert(command.name.to_owned(), example::field(command));
            }
            make_room(self.kind, outermost.name, value.is_some(), item);
            item.remove(outermost.name);
            item.extend(value.map(|value| (outermost.name.to_owned(), value)));
            if self.kind.word == GATEWAY {
                select_program(outermost.name, item);
            }
        }
        if self.kind.word == "role" && outermost.name == BACKEND {
            let hot = ItemKind::of_word("residency")
                .and_then(|kind| registry.get_mut(kind.plural)?.get_mut(kind.example));
            // Only an on-demand role has a backend port.
            hot.and_then(Value::as_object_mut)
                .and_then(|hot| hot.insert("start".to_owned(), "on-demand".into()));
        }
        if self
            .fields
            .iter()
            .any(|field| field.name == GPU || field.hints.needs.is_some_and(|(one, _)| one == GPU))
        {
            declare_gpus(self.kind, &mut registry);
        }
        registry
    }

    /// The value of the outermost field.
    fn value(&self, given: ExampleValue) -> Option<Value> {
        let (last, around) = self.fields.split_last()?;
        let leaf = match given {
            ExampleValue::Shown => Some(example::field(last)),
            ExampleValue::Changed => Some(changed(example::field(last), &last.shape)),
            ExampleValue::Absent => None,
        };
        let inner_first = around.iter().rev().zip(self.fields.iter().rev());
        inner_first.fold(leaf, |inner, (outer, name)| {
            let mut fields = Map::new();
            if let Shape::Block(table) = &outer.shape {
                // A block that names an item needs the name, or a switch that replaces it.
                let is_named = |one: &Field| {
                    table.principal == Some(one.name)
                        && matches!(one.shape, Shape::Name(_))
                        && name.shape != Shape::Flag
                };
                let is_shown = |one: &&Field| {
                    one.presence == Presence::Required || table.value == Some(one.name) || is_named(one)
                };
                fields.extend(
                    table
                        .fields
                        .iter()
                        .filter(is_shown)
                        .map(|one| (one.name.to_owned(), example::field(one))),
                );
            }
            if let Some((needed, text)) = name.hints.needs {
                fields.insert(needed.to_owned(), text.into());
            }
            fields.remove(name.name);
            fields.extend(inner.map(|inner| (name.name.to_owned(), inner)));
            (!fields.is_empty()).then(|| fields.into())
        })
    }
}

/// A field with an example value.
fn field(row: &'static Field, value: &Value) -> Line {
    let empty = Line::new(row.name);
    match (&row.shape, value) {
        (Shape::Block(table), Value::Object(_)) => block(empty, table, value),
        (Shape::Defaults, _) => block(empty, &role::TABLE, value),
        (_, Value::Object(entries)) => {
            entries.iter().fold(empty, |line, (name, text)| line.with(Line::of(name, literal(text))))
        }
        (_, Value::Array(members)) => members.iter().fold(empty, |line, one| line.value(literal(one))),
        (_, one) => empty.value(literal(one)),
    }
}

/// A block or an item with the fields of an example, in the order of the table.
fn block(mut line: Line, table: &'static Table, value: &Value) -> Line {
    let principal = table.principal_field().map(|field| field.name);
    line.principal = principal.unwrap_or_default();
    for row in table.fields {
        match value.get(row.name) {
            Some(value) if principal == Some(row.name) => line.values = field(row, value).values,
            Some(value) => line.fields.push(field(row, value)),
            None => {}
        }
    }
    line
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::String(text) => Literal::Text(text.clone()),
        Value::Bool(flag) => Literal::Flag(*flag),
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
            Literal::Number(value.to_string())
        }
    }
}

/// A value of the same type that differs.
fn changed(value: Value, shape: &Shape) -> Value {
    match (shape, value) {
        (Shape::Word(words), Value::String(word)) => {
            words.iter().copied().find(|other| *other != word).unwrap_or_default().into()
        }
        (Shape::Block(table), value) if !value.is_object() => {
            shorthand(table).map_or(value.clone(), |principal| changed(value, &principal.shape))
        }
        (_, Value::Number(number)) => match number.as_u64() {
            Some(whole) => (whole * 2 + 1).into(),
            None => 0.5.into(),
        },
        (_, Value::Bool(flag)) => (!flag).into(),
        (Shape::Names(_) | Shape::Text, Value::Array(mut members)) => {
            if let Some(first) = members.first_mut() {
                *first = changed(first.take(), &Shape::Text);
            }
            members.into()
        }
        (_, Value::String(text)) => {
            let is_quantity = value::unit_of(shape).is_some();
            let digit = |c: char| c.to_digit(9).and_then(|digit| char::from_digit(digit + 1, 10));
            if is_quantity {
                text.chars().map(|c| digit(c).unwrap_or(c)).collect::<String>().into()
            } else {
                format!("{text}-2").into()
            }
        }
        (_, other) => other,
    }
}

/// The kind of gateways, and the field of a role that names one.
const GATEWAY: &str = "gateway";

/// The field of an engine that excludes `bin`.
const IMAGE: &str = "image";

/// The fields that a role needs to share another one, with `shares`.
const OF_SHARING: &[&str] = &["tier", "shares"];

/// The first port of hidden servers: of an on-demand role, or of the models of llama-swap.
const BACKEND: &str = "backend";

/// The sets of roles of llama-swap.
const SET: &str = "set";

/// Removes the fields that exclude another one.
fn make_room(kind: &ItemKind, name: &str, is_given: bool, item: &mut Map<String, Value>) {
    match (kind.word, name) {
        ("engine", IMAGE) if is_given => {
            item.remove("bin");
        }
        ("role", "shares") if is_given => item.retain(|name, _| OF_SHARING.contains(&name.as_str())),
        ("role", GATEWAY) if is_given => {
            item.remove("port");
        }
        _ => {}
    }
}

/// Selects llama-swap for the fields that only it has, with its required field.
fn select_program(name: &str, item: &mut Map<String, Value>) {
    const LLAMA_SWAP: &str = "llama-swap";
    if ["bin", BACKEND, SET].contains(&name) {
        item.insert("kind".to_owned(), LLAMA_SWAP.into());
    }
    if item.get("kind").and_then(Value::as_str) == Some(LLAMA_SWAP) {
        item.entry("bin").or_insert_with(|| "/usr/local/bin/llama-swap".into());
    }
}

/// The field that names GPUs of the host.
const GPU: &str = "gpu";

/// Declares the GPUs that examples name. A field of another kind than roles has an effect only if the role has a GPU.
fn declare_gpus(kind: &ItemKind, registry: &mut Value) {
    let mut example = |word: &str, field: &str, value: Value| {
        let kind = ItemKind::of_word(word)?;
        let item = registry.get_mut(kind.plural)?.get_mut(kind.example)?.as_object_mut()?;
        item.entry(field).or_insert(value);
        Some(())
    };
    if kind.word != "host" {
        example(
            "host",
            GPU,
            json!([{"name": "CUDA0", "memory": "24 GB"}, {"name": "CUDA1", "memory": "24 GB"}]),
        );
    }
    if kind.word == "model" {
        example("role", "placement", json!({"gpu": "CUDA0"}));
    }
}

/// Declares the items that a value names, as copies of the example of their kind.
fn declare_names(shape: &Shape, value: &Value, registry: &mut Value) {
    match (shape, value) {
        (Shape::Name(kind) | Shape::Names(kind), Value::String(name)) => {
            let Some(kind) = ItemKind::of_word(kind) else { return };
            let Some(Value::Object(section)) = registry.get_mut(kind.plural) else { return };
            let copy = section.get(kind.example).cloned();
            if let (Some(mut copy), false) = (copy, section.contains_key(name)) {
                if let Some(file) = copy.get_mut("file") {
                    *file = format!("{name}.gguf").into();
                }
                if let Some(port) = copy.get_mut("port") {
                    *port = (port.as_u64().unwrap_or_default() + 1).into();
                }
                section.insert(name.clone(), copy);
            }
        }
        (Shape::Names(_), Value::Array(names)) => {
            for name in names {
                declare_names(shape, name, registry);
            }
        }
        (Shape::Block(table), Value::Object(fields)) => {
            for (name, value) in fields {
                if let Some(row) = table.field(name) {
                    declare_names(&row.shape, value, registry);
                }
            }
        }
        (Shape::Block(table), value) => {
            if let Some(principal) = shorthand(table) {
                declare_names(&principal.shape, value, registry);
            }
        }
        _ => {}
    }
}
