//! The fields of an item or a block, read by its table.

use super::typed_value::{FromTypedValue, TypedValue};
use crate::hir::{Allow, Text};
use crate::source::{Span, Spanned};

/// The fields of an item or a block, in the order of the text.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Record {
    entries: Vec<(&'static str, Spanned<TypedValue>)>,
    reported: Vec<&'static str>,
    unread: bool,
    incomplete: bool,
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

    /// Removes a field and returns it.
    pub(super) fn take<T: FromTypedValue>(&mut self, field: &str) -> Option<Spanned<T>> {
        let at = self.entries.iter().position(|(name, _)| *name == field)?;
        let Spanned { value, span } = self.entries.remove(at).1;
        T::from_value(value).map(|value| Spanned::new(value, span))
    }

    /// Removes all fields of a name and returns them in the order of the text.
    pub(super) fn take_all<T: FromTypedValue>(&mut self, field: &str) -> Vec<Spanned<T>> {
        let mut values = Vec::new();
        for (_, Spanned { value, span }) in self.entries.extract_if(.., |(name, _)| *name == field) {
            values.extend(T::from_value(value).map(|value| Spanned::new(value, span)));
        }
        values
    }

    /// Removes a text field and returns it.
    pub(super) fn text(&mut self, field: &str) -> Option<Text> {
        self.take(field)
    }

    /// Removes a word and returns its meaning.
    pub(super) fn word<T: Copy>(&mut self, field: &str, meanings: &[(&str, T)]) -> Option<Spanned<T>> {
        let word: Spanned<&'static str> = self.take(field)?;
        meaning(*word, meanings).map(|value| Spanned::new(value, word.span))
    }

    /// Removes a list of words and returns their meanings.
    pub(super) fn words<T: Copy>(&mut self, field: &str, meanings: &[(&str, T)]) -> Vec<Spanned<T>> {
        let words = self.take::<Vec<Spanned<TypedValue>>>(field).map(|list| list.value).unwrap_or_default();
        let values = words.into_iter().filter_map(|word| {
            let text = <&'static str>::from_value(word.value)?;
            meaning(text, meanings).map(|value| Spanned::new(value, word.span))
        });
        values.collect()
    }

    /// Removes a list of texts and returns it.
    pub(super) fn texts(&mut self, field: &str) -> Vec<Text> {
        let list = self.take::<Vec<Spanned<TypedValue>>>(field).map(|list| list.value).unwrap_or_default();
        list.into_iter()
            .filter_map(|item| Box::<str>::from_value(item.value).map(|text| Spanned::new(text, item.span)))
            .collect()
    }

    /// Removes the `allow` blocks, which every item may have, and returns them.
    pub(super) fn allowances(&mut self) -> Vec<Allow> {
        let blocks = self.take_all::<Record>("allow").into_iter();
        blocks
            .filter_map(|mut block| {
                let code = block.value.text("code")?;
                let because = block.value.text("because");
                Some(Allow { because: because.unwrap_or_else(|| code.clone().map(|_| "".into())), code })
            })
            .collect()
    }

    /// Copies the wanted fields of another record that this one lacks, unless their absence is already reported.
    pub(super) fn fill_from(&mut self, other: &Self, is_wanted: impl Fn(&str) -> bool) {
        let is_missing = |name: &str| !self.has_or_reported(name) && is_wanted(name);
        let missing: Vec<_> = other.entries.iter().filter(|(name, _)| is_missing(name)).cloned().collect();
        self.entries.extend(missing);
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

fn meaning<T: Copy>(word: &str, meanings: &[(&str, T)]) -> Option<T> {
    meanings.iter().find(|(text, _)| *text == word).map(|(_, value)| *value)
}
