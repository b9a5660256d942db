//! A path to a kind or a field of the language, such as `role.draft.max`, with an example to write.

use super::{example, shorthand};
use crate::diag::{Line, Literal};
use crate::hir::kind::{ItemKind, KINDS, Naming};
use crate::hir::lower::QuantityForm;
use crate::hir::role;
use crate::hir::shape::{ALLOW, Field, Presence, Shape, Table};
use serde_json::{Map, Value};

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

    /// The value of the outermost field.
    pub(super) fn value(&self, given: ExampleValue) -> Option<Value> {
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
            let is_quantity = QuantityForm::of(shape).is_some();
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
