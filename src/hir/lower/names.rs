//! Name tables: resolve names to ids, suggest similar names, and record which names are used.

use super::scope::{HOT, WARM};
use super::unread_names::UnreadNames;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, Safety, Suggestion, suggest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::schema::example_text;
use crate::hir::{Arena, Field, Id, ItemKind, Presence, Shape, Start, Text};
use crate::source::{Span, Spanned};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The maximum number of labeled places of an unknown name.
const MAX_LABELS: usize = 6;

/// The maximum number of names that a help offers.
const MAX_OFFERED: usize = 8;

/// The items of one kind with their name table.
pub(super) struct NamedItems<T> {
    pub(super) arena: Arena<T>,
    pub(super) names: Names<T>,
}

/// The name table of one kind. An item that could not be read has an entry without an id, so that its name is not
/// reported as unknown.
pub(super) struct Names<T> {
    kind: &'static str,
    entries: BTreeMap<Arc<str>, NameEntry<T>>,
    words_outside_items: Arc<BTreeSet<Arc<str>>>,
    /// True if an unknown name of this kind has no suggestion. Then the name may mean any item.
    all_may_be_used: Cell<bool>,
    /// The unknown names, each with all its places. One name has one cause, so it gets one finding.
    unknown: RefCell<BTreeMap<Arc<str>, UnknownName>>,
}

/// The places of a name that is not declared, each with the kind and the name of the item.
type UnknownName = BTreeMap<Span, (&'static str, String)>;

/// Name table entry.
struct NameEntry<T> {
    id: Option<Id<T>>,
    used: Cell<bool>,
    /// True if the registry declares no item of its kind, and this one is used instead.
    is_implied: bool,
}

impl<T> NamedItems<T> {
    /// An empty table. A name among the words outside items may belong to an item that could not be parsed.
    pub(super) fn new(kind: &'static str, words_outside_items: &Arc<BTreeSet<Arc<str>>>) -> Self {
        let names = Names {
            kind,
            entries: BTreeMap::new(),
            words_outside_items: Arc::clone(words_outside_items),
            all_may_be_used: Cell::new(false),
            unknown: RefCell::default(),
        };
        Self { arena: Arena::default(), names }
    }

    /// Adds an item under its name; `None` if it could not be read.
    pub(super) fn add(&mut self, name: &str, item: Option<T>) {
        let id = item.map(|item| self.arena.add(item));
        self.names.entries.insert(name.into(), NameEntry { id, used: Cell::new(false), is_implied: false });
    }

    /// Adds an item for a registry that declares none of its kind.
    pub(super) fn imply(&mut self, name: &str, item: T) {
        let id = Some(self.arena.add(item));
        self.names.entries.insert(name.into(), NameEntry { id, used: Cell::new(false), is_implied: true });
    }
}

/// An item that has a text in another field than its name.
#[derive(Clone, Copy)]
struct Meant<'n> {
    name: &'n str,
    field: &'static str,
}

impl<T> NamedItems<T> {
    /// Reports the unknown names, each once. `texts` returns the fields of an item that users write instead of its name.
    pub(super) fn report_unknown<'n>(
        &'n self,
        texts: impl Fn(&'n T) -> Vec<(&'static str, &'n str)>,
        findings: &mut Diagnostics,
    ) {
        if self.names.unknown.borrow().is_empty() {
            return;
        }
        // A text of several items means none of them.
        let mut by_text: BTreeMap<&str, Option<Meant>> = BTreeMap::new();
        for (name, entry) in &self.names.entries {
            let texts = entry.id.map(|id| texts(self.arena.get(id))).unwrap_or_default();
            for (field, text) in texts {
                let one = by_text.entry(text).or_insert(Some(Meant { name, field }));
                *one = one.filter(|one| *one.name == **name);
            }
        }
        self.names.report_unknown(|text| by_text.get(text).copied().flatten(), findings);
    }
}

impl<T> Names<T> {
    /// Finds the item of a name, and records an unknown name.
    pub(super) fn find(&self, name: &Text, owner: &ItemRef) -> Option<Spanned<Id<T>>> {
        if let Some(id) = self.resolve(name) {
            return id.map(|id| Spanned::new(id, name.span));
        }
        let mut unknown = self.unknown.borrow_mut();
        let places = unknown.entry(name.value.clone()).or_default();
        // An alias of YAML has the place of its anchor.
        places.entry(name.span).or_insert_with(|| (owner.kind, owner.name.to_owned()));
        None
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

    /// True if unparsed text may name the item.
    pub(super) fn is_unread(&self, name: &str, unread_names: &UnreadNames) -> bool {
        unread_names.may_name(self.kind, name) || self.words_outside_items.contains(name)
    }

    /// The items that nothing uses, except those that unparsed text may name.
    pub(super) fn unused(&self, unread_names: &UnreadNames) -> Vec<Id<T>> {
        if self.all_may_be_used.get() {
            return Vec::new();
        }
        let candidates = self.entries.iter().filter(|(_, entry)| !entry.used.get());
        let mut unused: Vec<Id<T>> = candidates
            .filter(|(name, _)| !self.is_unread(name, unread_names))
            .filter_map(|(_, entry)| entry.id)
            .collect();
        unused.sort_unstable();
        unused
    }

    /// The name of the only item, if there is exactly one.
    pub(super) fn only(&self) -> Option<&str> {
        let mut all = self.all();
        all.next().filter(|_| all.next().is_none())
    }

    /// The name of the first item that is used because none is declared.
    pub(super) fn implied(&self) -> Option<&str> {
        self.entries.iter().find(|(_, entry)| entry.is_implied).map(|(name, _)| &**name)
    }

    /// The name of an item that could be read.
    pub(super) fn any(&self) -> Option<&str> {
        self.entries.iter().find(|(_, entry)| entry.id.is_some()).map(|(name, _)| &**name)
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

    /// Reports the unknown names, each once. `meant` finds the item that has such a text in another field.
    fn report_unknown<'n>(&'n self, meant: impl Fn(&str) -> Option<Meant<'n>>, findings: &mut Diagnostics) {
        for (name, uses) in self.unknown.take() {
            let Some((first, (kind, owner))) = uses.first_key_value() else { continue };
            let places: Vec<Span> = uses.keys().copied().collect();
            let owner = ItemRef { kind, name: owner, place: *first };
            let meant = meant(&name);
            let suggestion = suggest(&name, self.all()).filter(|_| meant.is_none());
            let near = meant.map(|meant| meant.name).or(suggestion.map(|suggestion| suggestion.name));
            self.mark_maybe_used(near);
            let label = match (meant, near) {
                (Some(Meant { name, field }), _) => format!("the {field} of {} `{name}`", self.kind),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("no {} has this name", self.kind),
            };
            let (who, quoted) = (owner.describe(), words::quoted(&name));
            let message = format!("{who} uses {} {quoted}, which is not declared", self.kind);
            let others = places.iter().skip(1).take(MAX_LABELS).map(|place| (*place, "also used here"));
            let mut finding = UNKNOWN_NAME.at(*first, label, message).also_each(others);
            if places.len() > MAX_LABELS + 1 {
                let more = words::count(places.len() - MAX_LABELS - 1, "other place");
                finding = finding.note(format!("also used in {more}"));
            }
            if let Some(near) = near {
                let safety = suggestion.and_then(Suggestion::safety).unwrap_or(Safety::Manual);
                finding = finding.remedy_as(safety, "write `{}`", replace_all(near, &places));
            }
            owner.report(self.offer(finding, (&name, near), &places), findings);
        }
    }

    /// Adds the helps: to write another name, or to declare this one.
    fn offer(&self, finding: Diagnostic, (name, near): (&str, Option<&str>), places: &[Span]) -> Diagnostic {
        let fields = required_fields(self.kind);
        let declare = format!("declare {} {}{fields}", self.kind, words::quoted(name));
        if let (Some(line), Some(place)) = (built_in(self.kind, name), places.first()) {
            let add = Change::Add { file: place.file, plural: "residencies", line };
            let title = "declare `{}`, because the residencies that you declare replace `hot` and `warm`";
            return finding.remedy(title, add);
        }
        match near {
            Some(_) => finding.help(format!("or {declare}")),
            None if self.entries.is_empty() => match (example(self.kind, name), places.first()) {
                (Some((plural, line)), Some(place)) => finding.remedy(
                    format!("declare it, with your own values: `{{}}` (no {} is declared yet)", self.kind),
                    Change::Example { file: place.file, plural, line },
                ),
                _ => finding.help(format!("{declare} (no {} is declared yet)", self.kind)),
            },
            None if self.entries.len() <= MAX_OFFERED => {
                let write =
                    |finding: Diagnostic, name: &str| finding.remedy("write `{}`", replace_all(name, places));
                self.all().fold(finding, write).help(format!("or {declare}"))
            }
            None => finding.help(format!("{declare}, or write one of the {} that exist", self.entries.len())),
        }
    }
}

/// The line of a residency that exists if none is declared.
fn built_in(kind: &str, name: &str) -> Option<Line> {
    let start = match (kind, name) {
        ("residency", HOT) => Start::Boot,
        ("residency", WARM) => Start::OnDemand,
        _ => return None,
    };
    Some(Line::of("residency", name).with(Line::of("start", start.word())))
}

/// Replaces a name at all its places.
fn replace_all(name: &str, places: &[Span]) -> Change {
    let replace = |span: &Span| Change::Word { span: *span, replacement: name.to_owned() };
    match places {
        [one] => replace(one),
        several => Change::All(several.iter().map(replace).collect()),
    }
}

/// The fields that a help writes for a new item of a kind: the required ones. An engine needs `bin` or `image`.
fn needed_fields(kind: &'static ItemKind) -> impl Iterator<Item = &'static Field> {
    let is_usual = |field: &Field| kind.word == "engine" && field.name == "bin";
    kind.table.fields.iter().filter(move |field| field.presence == Presence::Required || is_usual(field))
}

/// The required fields of a kind, as the end of a help: `` with `title` and `start` ``.
fn required_fields(kind: &str) -> String {
    let required = ItemKind::of_word(kind).into_iter().flat_map(needed_fields);
    let names: Vec<String> = required.map(|field| format!("`{}`", field.name)).collect();
    if names.is_empty() { String::new() } else { format!(" with {}", words::all_of(&names)) }
}

/// An item with its required fields, and the key of its kind in YAML.
pub(super) fn example(kind: &str, name: &str) -> Option<(&'static str, Line)> {
    let kind = ItemKind::of_word(kind)?;
    let line = needed_fields(kind).fold(Line::of(kind.word, name), |line, field| {
        let text = example_text(field);
        let is_number = matches!(field.shape, Shape::Count(..) | Shape::Port);
        line.with(Line::of(field.name, if is_number { Literal::Number(text) } else { Literal::Text(text) }))
    });
    Some((kind.plural, line))
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
