//! Words in unparsed text. Each may be the name of an item that is used there, so it suppresses *unused* warnings.

use super::record::Record;
use crate::hir::{Presence, Shape, Table};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The maximum number of words to keep. Beyond it, any item counts as possibly used.
const MAX_WORDS: usize = 10_000;

/// The items that may be used in text that was not parsed.
#[derive(Default, Debug)]
pub(super) struct UnreadNames {
    /// The words of the text: each may be the name of an item.
    words: BTreeSet<Arc<str>>,
    /// The kinds to which an unreadable or missing field refers: each item of the kind may be used.
    any_of_kind: BTreeSet<&'static str>,
    /// True if the text has too many words: each item may be used.
    may_be_any: bool,
}

impl UnreadNames {
    /// Adds the words of a text.
    pub(super) fn add_text(&mut self, text: &str) {
        for word in possible_names(text) {
            if self.may_be_any {
                return;
            }
            if !self.words.contains(word) {
                self.words.insert(word.into());
                self.enforce_limit();
            }
        }
    }

    fn enforce_limit(&mut self) {
        if self.words.len() > MAX_WORDS {
            self.may_be_any = true;
            self.words.clear();
        }
    }

    /// Adds all texts of an item that is dropped.
    pub(super) fn add_record(&mut self, record: &Record) {
        record.each_text(&mut |text| self.add_text(text));
    }

    /// Adds the kinds that unreadable or missing fields refer to: each of these fields may name any item of the kind.
    pub(super) fn add_missing_fields(&mut self, record: &Record, table: &'static Table) {
        for field in table.fields {
            if record.place(field.name).is_none()
                && (record.is_reported(field.name) || field.presence == Presence::Required)
            {
                self.add_shape(&field.shape);
            }
        }
    }

    fn add_shape(&mut self, shape: &Shape) {
        if let Shape::Name(kind) | Shape::Names(kind) = shape {
            self.any_of_kind.insert(*kind);
        } else if *shape == Shape::Rule {
            self.any_of_kind.extend(["model", "family"]);
        } else if let Shape::Block(table) = shape {
            for field in table.fields {
                self.add_shape(&field.shape);
            }
        }
    }

    /// True if the unparsed text may name the item of this kind and name.
    pub(super) fn may_name(&self, kind: &str, name: &str) -> bool {
        self.may_be_any || self.any_of_kind.contains(kind) || self.words.contains(name)
    }

    /// Merges the words of another file.
    pub(super) fn join(&mut self, other: Self) {
        self.may_be_any |= other.may_be_any;
        self.any_of_kind.extend(other.any_of_kind);
        if !self.may_be_any {
            self.words.extend(other.words);
            self.enforce_limit();
        }
    }
}

/// The words of a text that can be names.
pub(super) fn possible_names(text: &str) -> impl Iterator<Item = &str> {
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.split(move |c| !is_name_char(c)).filter(|word| !word.is_empty())
}
