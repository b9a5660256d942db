//! Which names there are, and where they lead.

use crate::diag::{Diagnostics, nearest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Arena, Id, Text};
use crate::source::Spanned;
use std::collections::BTreeMap;

/// The items of one kind with the index of their names.
pub(super) struct Named<T> {
    pub(super) arena: Arena<T>,
    pub(super) names: Names<T>,
}

/// The names of one kind. A name whose item could not be read is known and leads nowhere, in silence.
pub(super) struct Names<T> {
    kind: &'static str,
    known: BTreeMap<Box<str>, Option<Id<T>>>,
}

impl<T> Named<T> {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { arena: Arena::default(), names: Names { kind, known: BTreeMap::new() } }
    }

    /// Takes an item in under its name; none where it could not be read.
    pub(super) fn add(&mut self, name: &str, item: Option<T>) {
        let id = item.map(|item| self.arena.add(item));
        self.names.known.insert(name.into(), id);
    }
}

impl<T> Names<T> {
    /// The item of a name; says a name that nothing has.
    pub(super) fn find(&self, name: &Text, by: &By, findings: &mut Diagnostics) -> Option<Spanned<Id<T>>> {
        match self.known.get(&name.value) {
            Some(id) => id.map(|id| Spanned::new(id, name.span)),
            None => {
                self.say_unknown(name, by, findings);
                None
            }
        }
    }

    /// The item of a name that may be of another kind; `Some(None)` where the name is known but its item could not be read.
    pub(super) fn look(&self, name: &str) -> Option<Option<Id<T>>> {
        self.known.get(name).copied()
    }

    /// The only item there is, by its name.
    pub(super) fn only(&self) -> Option<Option<Id<T>>> {
        let mut all = self.known.values();
        all.next().copied().filter(|_| all.next().is_none())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// All names, in byte order.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(AsRef::as_ref)
    }

    fn say_unknown(&self, name: &Text, by: &By, findings: &mut Diagnostics) {
        let near = nearest(name, self.all());
        let label = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("no {} has this name", self.kind),
        };
        let finding = UNKNOWN_NAME
            .at(
                name.span,
                label,
                format!("{} names the unknown {} {}", by.words(), self.kind, words::quoted(name)),
            )
            .about(by.kind, &*by.name)
            .maybe_help(self.say_known(near));
        findings.say(finding);
    }

    fn say_known(&self, near: Option<&str>) -> Option<String> {
        match near {
            Some(near) => {
                Some(format!("write `{near}`, or declare a {} of the name that you wrote", self.kind))
            }
            None if self.known.is_empty() => Some(format!("declare it: there is no {} yet", self.kind)),
            None if self.known.len() <= 8 => {
                let all: Vec<String> = self.all().map(words::quoted).collect();
                Some(format!("declare it, or name one that there is: {}", words::any_of(&all)))
            }
            None => Some(format!(
                "declare it, or name one of the {} that there are",
                words::count(self.known.len(), self.kind)
            )),
        }
    }
}

/// The item that speaks.
pub(super) struct By<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
}

impl By<'_> {
    /// role `frontdoor`
    pub(super) fn words(&self) -> String {
        format!("{} {}", self.kind, words::quoted(self.name))
    }
}
