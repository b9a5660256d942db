//! The fields of an item or a block, read by its table.

use super::datum::{Datum, Holds};
use crate::hir::{Allow, Text};
use crate::source::{Span, Spanned};

/// The fields of an item or a block, in the order of the text.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Record {
    entries: Vec<(&'static str, Spanned<Datum>)>,
    spoken: Vec<&'static str>,
    unread: bool,
    incomplete: bool,
}

impl Record {
    /// What stands for fields that nobody could read, which was said: no absence is news.
    pub(super) fn unread() -> Self {
        Self { unread: true, incomplete: true, ..Self::default() }
    }

    /// Whether nothing of it could be read for sure, which was said.
    pub(super) fn is_unread(&self) -> bool {
        self.unread
    }

    /// Gives back memory that was kept for fields that did not come: a large registry has many records.
    pub(super) fn pack(&mut self) {
        self.entries.shrink_to_fit();
        self.spoken.shrink_to_fit();
    }

    /// Marks that part of the text could not be read, which was said.
    pub(super) fn mark_torn(&mut self) {
        self.unread = true;
        self.incomplete = true;
    }

    /// Takes a field in.
    pub(super) fn add(&mut self, field: &'static str, value: Spanned<Datum>) {
        self.entries.push((field, value));
    }

    /// Marks a field that stands and could not be read, or that a misspelt one was meant to be: its absence is no news.
    pub(super) fn mark_spoken(&mut self, field: &'static str) {
        self.spoken.push(field);
    }

    /// Whether a field's absence is no news.
    pub(super) fn is_spoken(&self, field: &str) -> bool {
        self.unread || self.spoken.contains(&field)
    }

    /// Whether a field stands, or its absence is no news.
    pub(super) fn speaks_of(&self, field: &str) -> bool {
        self.place(field).is_some() || self.is_spoken(field)
    }

    /// The blocks of a name, left where they are.
    pub(super) fn blocks(&self, field: &str) -> impl Iterator<Item = &Self> {
        let named = self.entries.iter().filter(move |(name, _)| *name == field);
        named.filter_map(
            |(_, value)| if let Datum::Block(block) = &value.value { Some(&**block) } else { None },
        )
    }

    /// Drops a field whose value leads nowhere, which was said.
    pub(super) fn forget(&mut self, field: &'static str) {
        self.entries.retain(|(name, _)| *name != field);
        self.mark_spoken(field);
    }

    /// A field, left where it is.
    pub(super) fn peek(&self, field: &str) -> Option<&Spanned<Datum>> {
        self.entries.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// Marks that something that has to be there is not, which was said.
    pub(super) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether something that has to be there is not.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// The place of a field, where it stands.
    pub(super) fn place(&self, field: &str) -> Option<Span> {
        self.peek(field).map(|value| value.span)
    }

    /// The names and places of all fields.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'static str, Span)> {
        self.entries.iter().map(|(name, value)| (*name, value.span))
    }

    /// Reads every text of its fields and blocks.
    pub(super) fn each_text(&self, each: &mut impl FnMut(&str)) {
        for (_, value) in &self.entries {
            text_of(&value.value, each);
        }
    }

    /// Takes a field out.
    pub(super) fn take<T: Holds>(&mut self, field: &str) -> Option<Spanned<T>> {
        let at = self.entries.iter().position(|(name, _)| *name == field)?;
        let Spanned { value, span } = self.entries.remove(at).1;
        T::of(value).map(|value| Spanned::new(value, span))
    }

    /// Takes all fields of a name out, in the order of the text.
    pub(super) fn take_all<T: Holds>(&mut self, field: &str) -> Vec<Spanned<T>> {
        let mut taken = Vec::new();
        for (_, Spanned { value, span }) in self.entries.extract_if(.., |(name, _)| *name == field) {
            taken.extend(T::of(value).map(|value| Spanned::new(value, span)));
        }
        taken
    }

    /// Takes a text out.
    pub(super) fn text(&mut self, field: &str) -> Option<Text> {
        self.take(field)
    }

    /// Takes a word out as what it means.
    pub(super) fn word<T: Copy>(&mut self, field: &str, meanings: &[(&str, T)]) -> Option<Spanned<T>> {
        let word: Spanned<&'static str> = self.take(field)?;
        meaning(*word, meanings).map(|value| Spanned::new(value, word.span))
    }

    /// Takes a list of words out as what they mean.
    pub(super) fn words<T: Copy>(&mut self, field: &str, meanings: &[(&str, T)]) -> Vec<Spanned<T>> {
        let words = self.take::<Vec<Spanned<Datum>>>(field).map(|list| list.value).unwrap_or_default();
        let meant = words.into_iter().filter_map(|word| {
            let said = <&'static str>::of(word.value)?;
            meaning(said, meanings).map(|value| Spanned::new(value, word.span))
        });
        meant.collect()
    }

    /// Takes a list of texts out.
    pub(super) fn texts(&mut self, field: &str) -> Vec<Text> {
        let list = self.take::<Vec<Spanned<Datum>>>(field).map(|list| list.value).unwrap_or_default();
        list.into_iter()
            .filter_map(|item| Box::<str>::of(item.value).map(|text| Spanned::new(text, item.span)))
            .collect()
    }

    /// Takes the allowances out that every item may have.
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

    /// Takes over what another record says and this one does not speak of, as far as it is wanted.
    pub(super) fn fill_from(&mut self, other: &Self, is_wanted: impl Fn(&str) -> bool) {
        let silent = |name: &str| !self.speaks_of(name) && is_wanted(name);
        let missing: Vec<_> = other.entries.iter().filter(|(name, _)| silent(name)).cloned().collect();
        self.entries.extend(missing);
        self.spoken.extend(&other.spoken);
        self.unread |= other.unread;
    }
}

fn text_of(datum: &Datum, each: &mut impl FnMut(&str)) {
    if let Datum::Text(text) = datum {
        each(text);
    } else if let Datum::List(list) = datum {
        for one in list {
            text_of(&one.value, each);
        }
    } else if let Datum::Block(block) = datum {
        block.each_text(each);
    }
}

fn meaning<T: Copy>(word: &str, meanings: &[(&str, T)]) -> Option<T> {
    meanings.iter().find(|(said, _)| *said == word).map(|(_, meant)| *meant)
}
