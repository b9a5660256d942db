//! Everything that was gathered from documents, by kind; names are not resolved yet.

use super::heard::Heard;
use super::record::Record;
use crate::diag::{Diagnostics, words};
use crate::hir::codes::DUPLICATE_NAME;
use crate::hir::kind::Naming;
use crate::hir::{Head, Kind, Text};
use crate::source::{FileId, Span};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that was gathered from documents, by kind; names are not resolved yet.
#[derive(Debug)]
pub struct Items {
    kinds: BTreeMap<&'static str, Vec<Item>>,
    taken: BTreeMap<(&'static str, Box<str>), Span>,
    seen: BTreeSet<&'static str>,
    lost: Arc<BTreeSet<Box<str>>>,
    pub(super) heard: Heard,
    pub(super) start: Span,
}

/// One item: its name, its place and its fields.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Text,
    pub(super) span: Span,
    pub(super) record: Record,
}

impl Item {
    /// What every item has.
    pub(super) fn head(&mut self) -> Head {
        Head { name: self.name.clone(), span: self.span, allow: self.record.allowances() }
    }
}

impl Default for Items {
    fn default() -> Self {
        Self {
            kinds: BTreeMap::new(),
            taken: BTreeMap::new(),
            seen: BTreeSet::new(),
            lost: Arc::default(),
            heard: Heard::default(),
            start: Span::new(FileId(0), 0, 0),
        }
    }
}

impl Items {
    /// Takes note that an item of the kind was declared.
    pub(super) fn see(&mut self, kind: &Kind) {
        self.seen.insert(kind.word);
    }

    /// Whether an item of the kind was declared, readable or not.
    pub(super) fn has_seen(&self, kind: &str) -> bool {
        self.seen.contains(kind)
    }

    /// Takes in what was gathered from later files; names that are taken are said.
    pub fn join(&mut self, later: Self, findings: &mut Diagnostics) {
        self.seen.extend(later.seen);
        self.lose(Arc::unwrap_or_clone(later.lost));
        self.heard.join(later.heard);
        if !later.taken.keys().any(|name| self.taken.contains_key(name)) {
            self.taken.extend(later.taken);
            for (word, items) in later.kinds {
                self.kinds.entry(word).or_default().extend(items);
            }
            return;
        }
        for (word, items) in later.kinds {
            let Some(kind) = Kind::of_word(word) else { continue };
            for item in items {
                if item.record.is_unread() {
                    self.add_unread(kind, item.name);
                } else {
                    self.add(kind, item, findings);
                }
            }
        }
    }

    /// Takes note of words that were lost with text that could not be read.
    pub(super) fn lose(&mut self, words: BTreeSet<Box<str>>) {
        if !words.is_empty() {
            Arc::make_mut(&mut self.lost).extend(words);
        }
    }

    /// The words that were lost: a name among them may be that of an item that nobody could read.
    pub(super) fn lost(&self) -> &Arc<BTreeSet<Box<str>>> {
        &self.lost
    }

    /// Whether no item of the kind is left.
    pub(super) fn is_empty(&self, kind: &str) -> bool {
        self.kinds.get(kind).is_none_or(Vec::is_empty)
    }

    /// Takes all items of a kind out, in the order of declaration.
    pub(super) fn take(&mut self, kind: &str) -> Vec<Item> {
        self.kinds.remove(kind).unwrap_or_default()
    }

    /// Takes an item in; a name that is taken is said, and the item left out.
    pub(super) fn add(&mut self, kind: &Kind, item: Item, findings: &mut Diagnostics) {
        if self.claim(kind, &item.name, findings) {
            self.kinds.entry(kind.word).or_default().push(item);
        } else {
            self.heard.hear_record(&item.record);
        }
    }

    /// Takes in a name whose item cannot be read, so that nobody says that it is unknown.
    pub(super) fn add_unread(&mut self, kind: &Kind, name: Text) {
        self.see(kind);
        if let Entry::Vacant(free) = self.taken.entry((kind.word, taken_as(kind, &name))) {
            free.insert(name.span);
            let item = Item { span: name.span, name, record: Record::unread() };
            self.kinds.entry(kind.word).or_default().push(item);
        }
    }

    /// Whether the name is free; a taken one is said.
    fn claim(&mut self, kind: &Kind, name: &Text, findings: &mut Diagnostics) -> bool {
        if kind.naming == Naming::None {
            return true;
        }
        let Some(first) = self.taken.insert((kind.word, taken_as(kind, name)), name.span) else {
            return true;
        };
        let message = match kind.naming {
            Naming::One => format!("a second {} is declared", kind.word),
            Naming::Word | Naming::Text | Naming::None => {
                format!("{} {} is declared twice", kind.word, words::quoted(name))
            }
        };
        let finding =
            DUPLICATE_NAME.at(name.span, "declared again here", message).also(first, "first declared here");
        findings.report(finding.about(kind.word, &*name.value).help("rename or remove one of them"));
        self.taken.insert((kind.word, taken_as(kind, name)), first);
        false
    }
}

/// The name under which an item is taken: of a kind of which there is one, every item has the same.
fn taken_as(kind: &Kind, name: &Text) -> Box<str> {
    if kind.naming == Naming::One { "".into() } else { name.value.clone() }
}
