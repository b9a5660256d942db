//! Name tables: resolve names to ids, suggest similar names, and record which names are used.

use super::unread_names::UnreadNames;
use crate::diag::{Diagnostic, Diagnostics, suggest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Arena, Id, ItemKind, Presence, Text};
use crate::source::{Span, Spanned};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The items of one kind with their name table.
pub(super) struct NamedItems<T> {
    pub(super) arena: Arena<T>,
    pub(super) names: Names<T>,
}

/// The name table of one kind. An item that could not be read has an entry without an id, so that its name is not
/// reported as unknown.
pub(super) struct Names<T> {
    kind: &'static str,
    entries: BTreeMap<Box<str>, NameEntry<T>>,
    words_outside_items: Arc<BTreeSet<Box<str>>>,
    /// True if an unknown name of this kind has no suggestion. Then the name may mean any item.
    all_may_be_used: Cell<bool>,
}

/// Name table entry.
struct NameEntry<T> {
    id: Option<Id<T>>,
    used: Cell<bool>,
}

impl<T> NamedItems<T> {
    /// An empty table. A name among the words outside items may belong to an item that could not be parsed.
    pub(super) fn new(kind: &'static str, words_outside_items: &Arc<BTreeSet<Box<str>>>) -> Self {
        let names = Names {
            kind,
            entries: BTreeMap::new(),
            words_outside_items: Arc::clone(words_outside_items),
            all_may_be_used: Cell::new(false),
        };
        Self { arena: Arena::default(), names }
    }

    /// Adds an item under its name; `None` if it could not be read.
    pub(super) fn add(&mut self, name: &str, item: Option<T>) {
        let id = item.map(|item| self.arena.add(item));
        self.names.entries.insert(name.into(), NameEntry { id, used: Cell::new(false) });
    }
}

impl<T> Names<T> {
    /// Finds the item of a name, and reports an unknown name.
    pub(super) fn find(
        &self,
        name: &Text,
        owner: &ItemRef,
        findings: &mut Diagnostics,
    ) -> Option<Spanned<Id<T>>> {
        match self.resolve(name) {
            Some(id) => id.map(|id| Spanned::new(id, name.span)),
            None => {
                self.report_unknown(name, owner, findings);
                None
            }
        }
    }

    /// Finds the item of a name and marks it as used. Returns `None` for an unknown name (which is not reported), and
    /// `Some(None)` if the item could not be read.
    pub(super) fn resolve(&self, name: &str) -> Option<Option<Id<T>>> {
        match self.entries.get(name) {
            Some(entry) => {
                entry.used.set(true);
                Some(entry.id)
            }
            None => self.words_outside_items.contains(name).then_some(None),
        }
    }

    /// Marks the suggested item as used. Without a suggestion, any item may be used.
    pub(super) fn mark_maybe_used(&self, suggestion: Option<&str>) {
        match suggestion {
            Some(name) => {
                self.resolve(name);
            }
            None => self.all_may_be_used.set(true),
        }
    }

    /// The items that nothing uses, except those that unparsed text may name.
    pub(super) fn unused(&self, unread_names: &UnreadNames) -> Vec<Id<T>> {
        if self.all_may_be_used.get() {
            return Vec::new();
        }
        let may_be_used =
            |name: &str| unread_names.may_name(self.kind, name) || self.words_outside_items.contains(name);
        let candidates = self.entries.iter().filter(|(_, entry)| !entry.used.get());
        let mut unused: Vec<Id<T>> =
            candidates.filter(|(name, _)| !may_be_used(name)).filter_map(|(_, entry)| entry.id).collect();
        unused.sort_unstable();
        unused
    }

    /// The name of the only item, if there is exactly one.
    pub(super) fn only(&self) -> Option<&str> {
        let mut all = self.all();
        all.next().filter(|_| all.next().is_none())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// True if there is no item, and the words outside items do not contain the kind.
    pub(super) fn is_none_declared(&self) -> bool {
        let may_be_unparsed =
            self.words_outside_items.iter().any(|word| word.trim_end_matches('s') == self.kind);
        self.entries.is_empty() && !may_be_unparsed
    }

    /// All names, in byte order.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(AsRef::as_ref)
    }

    fn report_unknown(&self, name: &Text, owner: &ItemRef, findings: &mut Diagnostics) {
        let suggestion = suggest(name, self.all());
        let near = suggestion.map(|suggestion| suggestion.name);
        self.mark_maybe_used(near);
        let label = format!("no {} has this name", self.kind);
        let message =
            format!("{} uses {} {}, which is not declared", owner.describe(), self.kind, words::quoted(name));
        let finding = UNKNOWN_NAME.at_unknown(name.span, (suggestion, &label), message);
        owner.report(finding.help(self.unknown_name_help(name, near)), findings);
    }

    fn unknown_name_help(&self, name: &str, near: Option<&str>) -> String {
        let declare = format!("declare {} {}{}", self.kind, words::quoted(name), required_fields(self.kind));
        match near {
            Some(near) => format!("write `{near}`, or {declare}"),
            None if self.entries.is_empty() => format!("{declare} (no {} is declared yet)", self.kind),
            None if self.entries.len() <= 8 => {
                let all: Vec<String> = self.all().map(words::quoted).collect();
                format!("write {}, or {declare}", words::any_of(&all))
            }
            None => format!("{declare}, or write one of the {} that exist", self.entries.len()),
        }
    }
}

/// The required fields of a kind, as the end of a help: `` with `title` and `start` ``.
fn required_fields(kind: &str) -> String {
    let fields = ItemKind::of_word(kind).map(|kind| kind.table.fields).unwrap_or_default();
    let required = fields.iter().filter(|field| field.presence == Presence::Required);
    let names: Vec<String> = required.map(|field| format!("`{}`", field.name)).collect();
    if names.is_empty() { String::new() } else { format!(" with {}", words::all_of(&names)) }
}

/// The item that a finding is about, with the place of its name.
#[derive(Clone, Copy)]
pub(super) struct ItemRef<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) place: Span,
}

impl<'a> ItemRef<'a> {
    /// Refers to an item by kind and name.
    pub(super) fn new(kind: &'static str, name: &'a Text) -> Self {
        Self { kind, name, place: name.span }
    }

    /// For example ``role `frontdoor` ``, or `this role` if the name could not be read.
    pub(super) fn describe(&self) -> String {
        match self.name {
            "" => format!("this {}", self.kind),
            name => format!("{} {}", self.kind, words::quoted(name)),
        }
    }

    /// Reports a finding about the item.
    pub(super) fn report(&self, finding: Diagnostic, findings: &mut Diagnostics) {
        findings.report(if self.name.is_empty() { finding } else { finding.about((self.kind, self.name)) });
    }
}
