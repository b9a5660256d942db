//! Reads items and blocks: turns the fields of a record into the types that `declare!` generates.

use super::items::Items;
use super::names::{ItemRef, NamedItems};
use super::record::Record;
use super::scalar;
use super::scope::{Resolvable, Scope};
use super::typed_value::{FromTypedValue, TypedValue};
use crate::diag::Diagnostics;
use crate::hir::{Arena, EntriesOf, Field, Head, Id, ItemKind, Text};
use crate::source::Spanned;

/// The fields of an item or a block, and the items that they may refer to.
pub(in crate::hir) struct Fields<'a> {
    /// The head of the item.
    pub(in crate::hir) head: &'a Head,
    pub(super) record: &'a mut Record,
    pub(super) scope: &'a Scope,
    pub(super) findings: &'a mut Diagnostics,
}

/// An item or a block, read from its fields.
pub(in crate::hir) trait FromFields: Sized {
    /// Reads all fields. `None` if a required one could not be read (already reported).
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// The type of a field: `T`, `Option<T>` or `Vec<T>`.
pub(in crate::hir) trait FieldType: Sized {
    /// Reads a field. `None` if it is required and could not be read (already reported).
    fn from_field(row: &'static Field, fields: &mut Fields) -> Option<Self>;
}

/// The type of one value.
pub(in crate::hir) trait FromValue: Sized {
    /// True for a block. Any other type reads the values in a block that has a single field.
    const IS_BLOCK: bool = false;

    /// Reads a value. `None` if it refers to an unknown name (already reported).
    fn from_value(value: Spanned<TypedValue>, fields: &mut Fields) -> Option<Self>;
}

impl<'a> Fields<'a> {
    /// Reads a field.
    pub(in crate::hir) fn read<T: FieldType>(&mut self, row: &'static Field) -> Option<T> {
        T::from_field(row, self)
    }

    /// Reads the field of the item that has this name.
    pub(super) fn get<T: FieldType>(&mut self, field: &str) -> Option<T> {
        let table = ItemKind::of_word(self.head.kind)?.table;
        self.read(table.field(field)?)
    }

    /// Reads a block.
    pub(in crate::hir) fn block<T: FromFields>(&mut self, value: Spanned<TypedValue>) -> Option<T> {
        let mut record = <Record as FromTypedValue>::from_value(value.value)?;
        let Self { head, scope, .. } = *self;
        T::from_fields(&mut Fields { head, record: &mut record, scope, findings: self.findings })
    }

    /// The item, for findings.
    pub(super) fn owner(&self) -> ItemRef<'a> {
        ItemRef::new(self.head.kind, &self.head.name)
    }

    /// The first value of a field. Reads all, to report their mistakes.
    fn first<T: FromValue>(&mut self, row: &'static Field) -> Option<T> {
        let mut first = None;
        while let Some(value) = self.record.take_first(row.name) {
            let is_list = matches!(value.value, TypedValue::List(_));
            if is_list || !T::IS_BLOCK && matches!(value.value, TypedValue::Block(_)) {
                let mut values = Vec::new();
                unpack::<T>(value, &mut values);
                let read: Vec<T> =
                    values.into_iter().filter_map(|value| T::from_value(value, self)).collect();
                first = first.or_else(|| read.into_iter().next());
            } else {
                let read = T::from_value(value, self);
                first = first.or(read);
            }
        }
        first
    }

    fn values<T: FromValue>(&mut self, row: &'static Field) -> Vec<T> {
        if self.record.peek(row.name).is_none() {
            return Vec::new();
        }
        let mut values = Vec::new();
        for value in self.record.take_values(row.name) {
            unpack::<T>(value, &mut values);
        }
        values.into_iter().filter_map(|value| T::from_value(value, self)).collect()
    }
}

/// Adds the members of a list, and the values of a block unless `T` is a block.
fn unpack<T: FromValue>(value: Spanned<TypedValue>, into: &mut Vec<Spanned<TypedValue>>) {
    match value {
        Spanned { value: TypedValue::List(list), .. } => into.extend(list),
        Spanned { value: TypedValue::Block(block), .. } if !T::IS_BLOCK => {
            block.into_values().for_each(|value| unpack::<T>(value, into));
        }
        other => into.push(other),
    }
}

/// A required field, or one with a default.
impl<T: FromValue> FieldType for T {
    fn from_field(row: &'static Field, fields: &mut Fields) -> Option<Self> {
        fields.first(row).or_else(|| T::from_value(scalar::default_value(row, &fields.owner())?, fields))
    }
}

impl<T: FromValue> FieldType for Option<T> {
    fn from_field(row: &'static Field, fields: &mut Fields) -> Option<Self> {
        Some(fields.first(row))
    }
}

impl<T: FromValue> FieldType for Vec<T> {
    fn from_field(row: &'static Field, fields: &mut Fields) -> Option<Self> {
        Some(fields.values(row))
    }
}

impl FieldType for EntriesOf {
    fn from_field(_: &'static Field, _: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

impl FieldType for Vec<(Text, Text)> {
    fn from_field(row: &'static Field, fields: &mut Fields) -> Option<Self> {
        Some(fields.record.map(row.name))
    }
}

impl<T: FromTypedValue> FromValue for T {
    fn from_value(value: Spanned<TypedValue>, _: &mut Fields) -> Option<Self> {
        FromTypedValue::from_value(value.value)
    }
}

impl<T: FromValue> FromValue for Spanned<T> {
    const IS_BLOCK: bool = T::IS_BLOCK;

    fn from_value(value: Spanned<TypedValue>, fields: &mut Fields) -> Option<Self> {
        let span = value.span;
        T::from_value(value, fields).map(|value| Self::new(value, span))
    }
}

/// The item of a name. Reports an unknown name.
impl<T: Resolvable> FromValue for Id<T> {
    fn from_value(value: Spanned<TypedValue>, fields: &mut Fields) -> Option<Self> {
        let name = value.into_text()?;
        let names = &T::items(fields.scope).names;
        names.find(&name, &fields.owner()).map(|id| id.value)
    }
}

/// Reads all items of a kind, in the order of declaration. `keep` gets each with its name; an item that lacks something
/// required has no value.
pub(super) fn read_items<T>(
    (kind, items, scope): (&'static str, &mut Items, &Scope),
    findings: &mut Diagnostics,
    mut read: impl FnMut(&mut Fields) -> Option<T>,
    mut keep: impl FnMut(Text, Option<T>),
) {
    for mut item in items.take(kind) {
        let head = item.head();
        let value = read(&mut Fields { head: &head, record: &mut item.record, scope, findings });
        keep(item.name, value.filter(|_| !item.record.is_incomplete()));
    }
}

/// Reads all items of a kind. Leaves out those that lack something required.
pub(super) fn read_all<T>(
    kind: &'static str,
    items: &mut Items,
    scope: &Scope,
    findings: &mut Diagnostics,
    read: impl FnMut(&mut Fields) -> Option<T>,
) -> NamedItems<T> {
    let mut named = NamedItems::new(kind, items.words_outside_items());
    named.arena.reserve(items.len(kind));
    read_items((kind, items, scope), findings, read, |name, value| named.add(&name, value));
    named
}

/// Like [`read_all`], for a kind whose items nothing refers to.
pub(super) fn read_list<T>(
    kind: &'static str,
    items: &mut Items,
    scope: &Scope,
    findings: &mut Diagnostics,
    read: impl FnMut(&mut Fields) -> Option<T>,
) -> Arena<T> {
    let mut list = Arena::default();
    read_items((kind, items, scope), findings, read, |_, value| {
        value.map(|value| list.add(value));
    });
    list
}
