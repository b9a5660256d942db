//! The items of all files, by kind, before names are resolved.

use super::record::Record;
use super::unread_names::UnreadNames;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::codes::DUPLICATE_NAME;
use crate::hir::kind::Naming;
use crate::hir::role::COMMAND;
use crate::hir::{Head, ItemKind, Text};
use crate::source::{FileId, Span};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The port that a help offers if no item has one.
pub(super) const USUAL_PORT: u64 = 8080;

/// The items of all files, by kind, before names are resolved.
#[derive(Debug)]
pub struct Items {
    kinds: BTreeMap<&'static str, Vec<Item>>,
    declared: BTreeMap<(&'static str, Arc<str>), Span>,
    seen_kinds: BTreeSet<&'static str>,
    outside_words: Arc<BTreeSet<Arc<str>>>,
    pub(super) unread_names: UnreadNames,
    pub(super) start: Span,
    /// True if a file has a syntax error, so that any item may be missing.
    pub(super) is_damaged: bool,
}

/// One item: its name, its place and its fields.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: &'static str,
    pub(super) name: Text,
    pub(super) span: Span,
    pub(super) record: Record,
}

impl Item {
    /// The parts that every item has.
    pub(super) fn head(&mut self) -> Head {
        let allow = self.record.allowances();
        Head { kind: self.kind, name: self.name.clone(), span: self.span, allow }
    }
}

impl Default for Items {
    fn default() -> Self {
        Self {
            kinds: BTreeMap::new(),
            declared: BTreeMap::new(),
            seen_kinds: BTreeSet::new(),
            outside_words: Arc::default(),
            unread_names: UnreadNames::default(),
            start: Span::new(FileId(0), 0, 0),
            is_damaged: false,
        }
    }
}

impl Items {
    /// Records that an item of the kind is declared.
    pub(super) fn mark_seen(&mut self, kind: &ItemKind) {
        self.seen_kinds.insert(kind.word);
    }

    /// True if an item of the kind is declared, readable or not.
    pub(super) fn has_seen(&self, kind: &str) -> bool {
        self.seen_kinds.contains(kind)
    }

    /// Adds the items of a later file, and reports duplicate names.
    pub fn join(&mut self, later: Self, findings: &mut Diagnostics) {
        self.seen_kinds.extend(later.seen_kinds);
        self.is_damaged |= later.is_damaged;
        self.add_words_outside_items(Arc::unwrap_or_clone(later.outside_words));
        self.unread_names.join(later.unread_names);
        if !later.declared.keys().any(|name| self.declared.contains_key(name)) {
            self.declared.extend(later.declared);
            for (word, items) in later.kinds {
                self.kinds.entry(word).or_default().extend(items);
            }
            return;
        }
        for (word, items) in later.kinds {
            let Some(kind) = ItemKind::of_word(word) else { continue };
            for item in items {
                if item.record.is_unread() {
                    self.add_unread(kind, item.name);
                } else {
                    self.add(kind, item, findings);
                }
            }
        }
    }

    /// Adds words of unparsed text outside all items.
    pub(super) fn add_words_outside_items(&mut self, words: BTreeSet<Arc<str>>) {
        if !words.is_empty() {
            Arc::make_mut(&mut self.outside_words).extend(words);
        }
    }

    /// Words of unparsed text outside all items. They may include names of items that could not be parsed.
    pub(super) fn words_outside_items(&self) -> &Arc<BTreeSet<Arc<str>>> {
        &self.outside_words
    }

    /// The number of items of the kind.
    pub(super) fn len(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, Vec::len)
    }

    /// True if other programs than engines serve all roles, and there is at least one.
    pub(super) fn serve_only_programs(&self) -> bool {
        let roles = self.kinds.get("role").map_or(&[][..], Vec::as_slice);
        let has = |field| move |item: &Item| item.record.has_or_reported(field);
        let is_ready = |item: &Item| has(COMMAND)(item) || has("shares")(item);
        roles.iter().any(has(COMMAND)) && roles.iter().all(is_ready)
    }

    /// The port after the largest one of all items, or the usual one of llama-server if none has a port.
    pub(super) fn free_port(&self) -> u64 {
        let items = ["role", "service", "gateway"].iter().filter_map(|kind| self.kinds.get(kind)).flatten();
        let mut largest = None;
        for item in items {
            item.record.each_port(&mut |port| largest = largest.max(Some(port)));
        }
        largest.filter(|port| *port < u16::MAX).map_or(USUAL_PORT, |port| u64::from(port) + 1)
    }

    /// Removes all items of a kind and returns them in the order of declaration.
    pub(super) fn take(&mut self, kind: &str) -> Vec<Item> {
        self.kinds.remove(kind).unwrap_or_default()
    }

    /// Adds an item. Reports a duplicate name and drops the item.
    pub(super) fn add(&mut self, kind: &ItemKind, item: Item, findings: &mut Diagnostics) {
        if self.claim(kind, &item.name, findings) {
            self.kinds.entry(kind.word).or_default().push(item);
        } else {
            self.unread_names.add_record(&item.record);
        }
    }

    /// Adds the name of an item that cannot be read, so that the name is not reported as unknown.
    pub(super) fn add_unread(&mut self, kind: &ItemKind, name: Text) {
        self.mark_seen(kind);
        if let Entry::Vacant(free) = self.declared.entry((kind.word, name_key(kind, &name))) {
            free.insert(name.span);
            let item = Item { kind: kind.word, span: name.span, name, record: Record::unread() };
            self.kinds.entry(kind.word).or_default().push(item);
        }
    }

    /// Claims a name. Reports a duplicate, and returns false.
    fn claim(&mut self, kind: &ItemKind, name: &Text, findings: &mut Diagnostics) -> bool {
        if kind.naming == Naming::None {
            return true;
        }
        let Some(first) = self.declared.insert((kind.word, name_key(kind, name)), name.span) else {
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
        let finding = finding.about((kind.word, &*name.value)).help("rename one of them");
        findings.report(finding.remedy("or remove this one", Change::remove(name.span)));
        self.declared.insert((kind.word, name_key(kind, name)), first);
        false
    }
}

/// The key of a name. It is empty for a kind with a single item, so that a second item is a duplicate.
fn name_key(kind: &ItemKind, name: &Text) -> Arc<str> {
    if kind.naming == Naming::One { Arc::default() } else { name.value.clone() }
}
