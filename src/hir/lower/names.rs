//! Which names there are, and where they lead.

use super::heard::Heard;
use crate::diag::{Diagnostic, Diagnostics, Lexicon, near, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Arena, Id, Text};
use crate::source::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The items of one kind with the index of their names.
pub(super) struct Named<T> {
    pub(super) arena: Arena<T>,
    pub(super) names: Names<T>,
}

/// The names of one kind. A name whose item could not be read is known and leads nowhere, in silence.
pub(super) struct Names<T> {
    kind: &'static str,
    known: BTreeMap<Box<str>, Known<T>>,
    lost: Arc<BTreeSet<Box<str>>>,
    /// The same names, searched for those that are like a word; made when one is first looked for.
    lexicon: OnceLock<Lexicon>,
    /// Whether somebody named an item that cannot be guessed.
    any_named: AtomicBool,
}

/// A name: where it leads, and whether it was looked up. Roles are read side by side, and none of them asks.
struct Known<T> {
    id: Option<Id<T>>,
    is_named: AtomicBool,
}

impl<T> Named<T> {
    /// No items yet; a name among the lost words may be that of one that could not be read.
    pub(super) fn new(kind: &'static str, lost: &Arc<BTreeSet<Box<str>>>) -> Self {
        let names = Names {
            kind,
            known: BTreeMap::new(),
            lost: Arc::clone(lost),
            lexicon: OnceLock::new(),
            any_named: AtomicBool::new(false),
        };
        Self { arena: Arena::default(), names }
    }

    /// Takes an item in under its name; none where it could not be read.
    pub(super) fn add(&mut self, name: &str, item: Option<T>) {
        let id = item.map(|item| self.arena.add(item));
        self.names.known.insert(name.into(), Known { id, is_named: AtomicBool::new(false) });
        self.names.lexicon.take();
    }
}

impl<T> Names<T> {
    /// The item of a name; says a name that nothing has.
    pub(super) fn find(&self, name: &Text, by: &By, findings: &mut Diagnostics) -> Option<Spanned<Id<T>>> {
        match self.look(name) {
            Some(id) => id.map(|id| Spanned::new(id, name.span)),
            None => {
                self.say_unknown(name, by, findings);
                None
            }
        }
    }

    /// The item of a name that may be of another kind; `Some(None)` where the name is known but its item could not be read.
    pub(super) fn look(&self, name: &str) -> Option<Option<Id<T>>> {
        match self.known.get(name) {
            Some(known) => {
                known.is_named.store(true, Ordering::Relaxed);
                Some(known.id)
            }
            None => self.lost.contains(name).then_some(None),
        }
    }

    /// Takes note of the item that was most likely meant, or that it may be any.
    pub(super) fn guess(&self, meant: Option<&str>) {
        match meant {
            Some(meant) => {
                self.look(meant);
            }
            None => self.any_named.store(true, Ordering::Relaxed),
        }
    }

    /// The items that nothing names, as far as everything could be read.
    pub(super) fn unnamed(&self, heard: &Heard) -> Vec<Id<T>> {
        if self.any_named.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let may_be = |name: &str| heard.may_mean(self.kind, name) || self.lost.contains(name);
        let silent = self.known.iter().filter(|(_, known)| !known.is_named.load(Ordering::Relaxed));
        let mut unnamed: Vec<Id<T>> =
            silent.filter(|(name, _)| !may_be(name)).filter_map(|(_, known)| known.id).collect();
        unnamed.sort_unstable();
        unnamed
    }

    /// The only item there is, by its name.
    pub(super) fn only(&self) -> Option<Option<Id<T>>> {
        let mut all = self.known.values();
        all.next().map(|known| known.id).filter(|_| all.next().is_none())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether there is none, and none that was lost with text that could not be read.
    pub(super) fn is_none_declared(&self) -> bool {
        let is_lost = self.lost.iter().any(|word| word.trim_end_matches('s') == self.kind);
        self.known.is_empty() && !is_lost
    }

    /// All names, in byte order.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(AsRef::as_ref)
    }

    /// The names among which the nearest to a word is.
    pub(super) fn like(&self, word: &str) -> Vec<&str> {
        self.lexicon.get_or_init(|| Lexicon::new(self.all())).like(word)
    }

    fn say_unknown(&self, name: &Text, by: &By, findings: &mut Diagnostics) {
        let meant = near(name, self.like(name));
        let near = meant.map(|near| near.name);
        self.guess(near);
        let label = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("no {} has this name", self.kind),
        };
        let message = format!("{} names the unknown {} {}", by.words(), self.kind, words::quoted(name));
        let finding = UNKNOWN_NAME.at(name.span, label, message).help(self.way_out(near));
        by.report(finding.meant(meant, name.span), findings);
    }

    fn way_out(&self, near: Option<&str>) -> String {
        match near {
            Some(near) => format!("write `{near}`, or declare the {} that you wrote", self.kind),
            None if self.known.is_empty() => format!("declare it: there is no {} yet", self.kind),
            None if self.known.len() <= 8 => {
                let all: Vec<String> = self.all().map(words::quoted).collect();
                format!("declare it, or name one that there is: {}", words::any_of(&all))
            }
            None => format!("declare it, or name one of the {} that there are", self.known.len()),
        }
    }
}

/// The item that speaks, and where its name stands.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) place: Span,
}

impl<'a> By<'a> {
    /// The item of that kind and name.
    pub(super) fn of(kind: &'static str, name: &'a Text) -> Self {
        Self { kind, name, place: name.span }
    }

    /// role `frontdoor`; an item whose name could not be read is `this role`.
    pub(super) fn words(&self) -> String {
        match self.name {
            "" => format!("this {}", self.kind),
            name => format!("{} {}", self.kind, words::quoted(name)),
        }
    }

    /// Says a finding about the item.
    pub(super) fn report(&self, finding: Diagnostic, findings: &mut Diagnostics) {
        findings.report(if self.name.is_empty() { finding } else { finding.about(self.kind, self.name) });
    }
}
