//! What was said in items that could not be read as they stand: names among it may be what those items use.

use super::record::Record;
use crate::hir::{Presence, Shape, Table};
use std::collections::BTreeSet;

/// How many words are kept; of a text with more, which is hardly a registry, anything may be named.
const MOST: usize = 10_000;

/// Words of items that something was said about, and the kinds of which they may name any item.
#[derive(Default, Debug)]
pub(super) struct Heard {
    words: BTreeSet<Box<str>>,
    any: BTreeSet<&'static str>,
    is_too_much: bool,
}

impl Heard {
    /// Takes in the words of a text.
    pub(super) fn hear(&mut self, text: &str) {
        for word in words(text) {
            if self.is_too_much {
                return;
            }
            if !self.words.contains(word) {
                self.words.insert(word.into());
                self.limit();
            }
        }
    }

    fn limit(&mut self) {
        if self.words.len() > MOST {
            self.is_too_much = true;
            self.words.clear();
        }
    }

    /// Takes in what an item names that is left out as a whole.
    pub(super) fn hear_record(&mut self, record: &Record) {
        record.each_text(&mut |text| self.hear(text));
    }

    /// Takes note of the fields that stand, or should stand, and name something nobody could read.
    pub(super) fn miss(&mut self, record: &Record, table: &'static Table) {
        for field in table.fields {
            if record.place(field.name).is_none()
                && (record.is_spoken(field.name) || field.presence == Presence::Required)
            {
                self.miss_shape(&field.shape);
            }
        }
    }

    fn miss_shape(&mut self, shape: &Shape) {
        if let Shape::Name(kind) | Shape::Names(kind) = shape {
            self.any.insert(*kind);
        } else if *shape == Shape::Rule {
            self.any.extend(["model", "family"]);
        } else if let Shape::Block(table) = shape {
            for field in table.fields {
                self.miss_shape(&field.shape);
            }
        }
    }

    /// Whether an item of that kind and name may have been meant.
    pub(super) fn may_mean(&self, kind: &str, name: &str) -> bool {
        self.is_too_much || self.any.contains(kind) || self.words.contains(name)
    }

    /// Takes over what was heard elsewhere.
    pub(super) fn join(&mut self, other: Self) {
        self.is_too_much |= other.is_too_much;
        self.any.extend(other.any);
        if !self.is_too_much {
            self.words.extend(other.words);
            self.limit();
        }
    }
}

/// The words of a text that can be names.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.split(move |c| !of_name(c)).filter(|word| !word.is_empty())
}
