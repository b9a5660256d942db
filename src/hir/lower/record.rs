//! The fields of an item or a block, read by its table.

use super::typed_value::{FromTypedValue, TypedValue};
use crate::diag::Literal;
use crate::hir::{Allow, Text};
use crate::source::{Span, Spanned};
use std::sync::Arc;

/// The fields of an item or a block, in the order of the text.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::hir) struct Record {
    entries: Vec<(&'static str, Spanned<TypedValue>)>,
    reported: Vec<&'static str>,
    /// The fields that have a key and no value: rarely any, so without spare capacity.
    empty: Box<[EmptyField]>,
    unread: bool,
    incomplete: bool,
}

/// A field that has a key and no value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct EmptyField {
    pub(super) name: &'static str,
    /// The place of the key, or of a `~`.
    pub(super) place: Span,
    /// A value that the field could have.
    pub(super) example: Option<Literal>,
}

impl Record {
    /// A placeholder for fields that could not be read (already reported). It counts every missing field as reported.
    pub(super) fn unread() -> Self {
        Self { unread: true, incomplete: true, ..Self::default() }
    }

    /// True if its fields could not be read reliably (already reported).
    pub(super) fn is_unread(&self) -> bool {
        self.unread
    }

    /// Frees spare capacity, because a large registry has many records.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.reported.shrink_to_fit();
    }

    /// Marks that a syntax error affects the record (already reported).
    pub(super) fn mark_damaged(&mut self) {
        self.unread = true;
        self.incomplete = true;
    }

    /// Adds a field.
    pub(super) fn add(&mut self, field: &'static str, value: Spanned<TypedValue>) {
        self.entries.push((field, value));
    }

    /// Marks a field that could not be read, or whose name was misspelt: do not also report it as missing.
    pub(super) fn mark_reported(&mut self, field: &'static str) {
        self.reported.push(field);
    }

    /// Marks a field that has a key and no value.
    pub(super) fn mark_empty(&mut self, field: EmptyField) {
        let empty = std::mem::take(&mut self.empty).into_iter().chain([field]);
        self.empty = empty.collect();
    }

    /// The key of a field that has no value.
    pub(super) fn empty_field(&self, field: &str) -> Option<EmptyField> {
        self.empty.iter().find(|empty| empty.name == field).cloned()
    }

    /// True if a finding already explains why the field is missing.
    pub(super) fn is_reported(&self, field: &str) -> bool {
        self.unread || self.reported.contains(&field)
    }

    /// True if the field is present, or a finding already explains why it is missing.
    pub(super) fn has_or_reported(&self, field: &str) -> bool {
        self.place(field).is_some() || self.is_reported(field)
    }

    /// The blocks of a field.
    pub(super) fn blocks(&self, field: &str) -> impl Iterator<Item = &Self> {
        let named = self.entries.iter().filter(move |(name, _)| *name == field);
        named.filter_map(
            |(_, value)| if let TypedValue::Block(block) = &value.value { Some(&**block) } else { None },
        )
    }

    /// Drops a field whose value refers to nothing (already reported).
    pub(super) fn discard(&mut self, field: &'static str) {
        self.entries.retain(|(name, _)| *name != field);
        self.mark_reported(field);
    }

    /// A field, without removing it.
    pub(super) fn peek(&self, field: &str) -> Option<&Spanned<TypedValue>> {
        self.entries.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// Marks that something required is missing (already reported).
    pub(super) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// True if something required is missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// The place of a field, if it is present.
    pub(super) fn place(&self, field: &str) -> Option<Span> {
        self.peek(field).map(|value| value.span)
    }

    /// The names and places of all fields.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'static str, Span)> {
        self.entries.iter().map(|(name, value)| (*name, value.span))
    }

    /// Calls `each` with every text in its fields and blocks.
    pub(super) fn each_text(&self, each: &mut impl FnMut(&str)) {
        for (_, value) in &self.entries {
            visit_texts(&value.value, each);
        }
    }

    /// True if a text is among the values of a field.
    pub(super) fn has_text(&self, field: &str, text: &str) -> bool {
        let mut found = false;
        for (_, value) in self.entries.iter().filter(|(name, _)| *name == field) {
            visit_texts(&value.value, &mut |one| found |= one == text);
        }
        found
    }

    /// Calls `each` with every port in its fields.
    pub(super) fn each_port(&self, each: &mut impl FnMut(u16)) {
        for (name, value) in &self.entries {
            if let TypedValue::Ports(ports) = &value.value {
                each(ports.last);
            } else if let TypedValue::Count(port) = &value.value
                && *name == "port"
            {
                each(u16::try_from(*port).unwrap_or_default());
            }
        }
    }

    /// Removes the first value of a field and returns it.
    pub(super) fn take_first(&mut self, field: &str) -> Option<Spanned<TypedValue>> {
        let at = self.entries.iter().position(|(name, _)| *name == field)?;
        Some(self.entries.remove(at).1)
    }

    /// Removes a field and returns it.
    pub(super) fn take<T: FromTypedValue>(&mut self, field: &str) -> Option<Spanned<T>> {
        let Spanned { value, span } = self.take_first(field)?;
        T::from_value(value).map(|value| Spanned::new(value, span))
    }

    /// Removes all fields of a name and returns them in the order of the text.
    pub(super) fn take_all<T: FromTypedValue>(&mut self, field: &str) -> Vec<Spanned<T>> {
        let values = self.take_values(field).into_iter();
        values.filter_map(|Spanned { value, span }| Some(Spanned::new(T::from_value(value)?, span))).collect()
    }

    /// Removes a text field and returns it.
    pub(super) fn text(&mut self, field: &str) -> Option<Text> {
        self.take(field)
    }

    /// Removes all values of a field and returns them in the order of the text.
    pub(super) fn take_values(&mut self, field: &str) -> Vec<Spanned<TypedValue>> {
        self.entries.extract_if(.., |(name, _)| *name == field).map(|(_, value)| value).collect()
    }

    /// All values, in the order of the text.
    pub(super) fn into_values(self) -> impl Iterator<Item = Spanned<TypedValue>> {
        self.entries.into_iter().map(|(_, value)| value)
    }

    /// A text field, without removing it.
    pub(super) fn peek_text(&self, field: &str) -> Option<Text> {
        self.peek(field).cloned().and_then(Spanned::<TypedValue>::into_text)
    }

    /// Removes a map and returns its entries.
    pub(super) fn map(&mut self, field: &str) -> Vec<(Text, Text)> {
        match self.take_values(field).pop() {
            Some(Spanned { value: TypedValue::Map(entries), .. }) => entries,
            _ => Vec::new(),
        }
    }

    /// Removes the `allow` blocks, which every item may have, and returns them.
    pub(super) fn allowances(&mut self) -> Vec<Allow> {
        let blocks = self.take_all::<Record>("allow").into_iter();
        blocks
            .filter_map(|mut block| {
                let code = block.value.text("code")?;
                let because = block.value.text("because");
                Some(Allow { because: because.unwrap_or_else(|| code.clone().map(|_| Arc::default())), code })
            })
            .collect()
    }

    /// The fields and their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = &(&'static str, Spanned<TypedValue>)> {
        self.entries.iter()
    }

    /// Adds an entry to a map. `place` is the place of the map if the record has none.
    pub(super) fn add_to_map(&mut self, field: &'static str, entry: (Text, Text), place: Span) {
        let map = self.entries.iter_mut().find(|(name, _)| *name == field);
        match map.map(|(_, value)| &mut value.value) {
            Some(TypedValue::Map(entries)) => entries.push(entry),
            _ => self.add(field, Spanned::new(TypedValue::Map(vec![entry]), place)),
        }
    }

    /// Adds a field to a block. `place` is the place of the block if the record has none.
    pub(super) fn add_to_block(
        &mut self,
        field: &'static str,
        (name, value): (&'static str, Spanned<TypedValue>),
        place: Span,
    ) {
        let block = self.entries.iter_mut().find(|(name, _)| *name == field);
        match block.map(|(_, value)| &mut value.value) {
            Some(TypedValue::Block(block)) => block.add(name, value),
            _ => {
                let mut block = Self::default();
                block.add(name, value);
                self.add(field, Spanned::new(TypedValue::Block(Box::new(block)), place));
            }
        }
    }

    /// Also counts the missing fields of another record as reported that were reported there.
    pub(super) fn join_reported(&mut self, other: &Self) {
        self.reported.extend(&other.reported);
        self.unread |= other.unread;
    }
}

fn visit_texts(value: &TypedValue, each: &mut impl FnMut(&str)) {
    if let TypedValue::Text(text) = value {
        each(text);
    } else if let TypedValue::List(list) = value {
        for one in list {
            visit_texts(&one.value, each);
        }
    } else if let TypedValue::Block(block) = value {
        block.each_text(each);
    }
}
