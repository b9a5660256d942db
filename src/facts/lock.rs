//! `registry.lock`: the facts of all models, as text that people review and programs read.
//!
//! JSON, sorted, a line for each fact, so that a change of a file is a readable difference. Reading keeps where each fact
//! stands, for findings to point at. The machine that compiles needs no models: it reads this.

use super::{Difference, Facts, Tokens};
use crate::diag::{Diagnostics, words};
use crate::source::{FileId, Span};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

mod codes;
mod write;

pub use codes::{
    ALL as CODES, DAMAGED_LOCK, MISSING_MODEL, STALE_LOCK, UNKNOWN_LOCK_FORMAT, UNREADABLE_MODEL,
};

/// The version of the format.
pub const FORMAT_VERSION: u64 = 1;

/// What was read of all models, by their names in the registry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lock {
    /// Models.
    pub models: BTreeMap<Box<str>, Locked>,
    /// Projectors, by the names of their models.
    pub projectors: BTreeMap<Box<str>, Locked>,
    /// Where vocabularies part that an engine would compare, in order.
    pub differences: Vec<Difference>,
    /// Where each of them stands; empty where they stand nowhere.
    difference_places: Vec<Span>,
    /// Where the text begins; none where there is no lock.
    pub place: Option<Span>,
    /// Whether something of it could not be read, which was said.
    pub is_damaged: bool,
}

/// The facts of one file, and where they stand.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The facts.
    pub facts: Facts,
    /// Its name in the text; none for facts that were read of a file just now.
    place: Option<Span>,
    /// The values in the text, by key, those within a block as `parameters.block_count`.
    places: BTreeMap<String, Span>,
}

/// Places are no facts.
impl PartialEq for Locked {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

#[derive(Deserialize)]
struct Version {
    format_version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'t> {
    #[serde(rename = "format_version")]
    _format_version: u64,
    #[serde(borrow, default)]
    models: BTreeMap<Cow<'t, str>, &'t RawValue>,
    #[serde(borrow, default)]
    projectors: BTreeMap<Cow<'t, str>, &'t RawValue>,
    #[serde(borrow, default)]
    vocabulary_differences: Vec<&'t RawValue>,
}

impl From<Facts> for Locked {
    fn from(facts: Facts) -> Self {
        Self { facts, place: None, places: BTreeMap::new() }
    }
}

impl Locked {
    /// Where a fact stands; the entry where that fact is not in it, none where it stands nowhere.
    pub fn place(&self, key: &str) -> Option<Span> {
        self.places.get(key).copied().or(self.place)
    }
}

impl Lock {
    /// What stands for a lock of a file that is no text, which was said.
    pub fn unreadable(file: FileId) -> Self {
        Self { place: Some(Span::new(file, 0, 0)), is_damaged: true, ..Self::default() }
    }

    /// Reads a lock; an entry that cannot be read is said and left out.
    pub fn read(file: FileId, text: &str, findings: &mut Diagnostics) -> Self {
        let mut reading = Reading { file, text, findings, is_damaged: false };
        let damaged = Self::unreadable(file);
        match serde_json::from_str::<Version>(text) {
            Ok(Version { format_version: FORMAT_VERSION }) => {}
            Ok(Version { format_version }) => {
                reading.say_version(format_version);
                return damaged;
            }
            Err(error) => {
                reading.report(0, text, &error);
                return damaged;
            }
        }
        let parsed: File<'_> = match serde_json::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                reading.report(0, text, &error);
                return damaged;
            }
        };
        let mut lock = Self { is_damaged: false, ..damaged };
        lock.models = reading.entries(parsed.models);
        lock.projectors = reading.entries(parsed.projectors);
        let differences = parsed.vocabulary_differences.into_iter();
        let read = differences.filter_map(|raw| Some((reading.value(raw)?, reading.first_line(raw))));
        let mut read: Vec<(Difference, Span)> = read.collect();
        read.sort();
        (lock.differences, lock.difference_places) = read.into_iter().unzip();
        lock.is_damaged = reading.is_damaged;
        lock
    }

    /// The text of the lock.
    pub fn write(&self) -> String {
        write::text(self)
    }

    /// Where two vocabularies part, where the lock says.
    pub fn difference(&self, one: &Tokens, other: &Tokens) -> Option<&Difference> {
        Difference::of(&self.differences, one, other)
    }

    /// Where that stands.
    pub fn difference_place(&self, one: &Tokens, other: &Tokens) -> Option<Span> {
        let difference = self.difference(one, other)?;
        let at = self.differences.binary_search(difference).ok()?;
        self.difference_places.get(at).copied()
    }
}

/// A text that is being read.
struct Reading<'r> {
    file: FileId,
    text: &'r str,
    findings: &'r mut Diagnostics,
    is_damaged: bool,
}

impl<'r> Reading<'r> {
    fn entries(&mut self, raw: BTreeMap<Cow<'r, str>, &'r RawValue>) -> BTreeMap<Box<str>, Locked> {
        let entries = raw.into_iter().filter_map(|(name, raw)| {
            let facts: Facts = self.value(raw)?;
            let mut places = BTreeMap::new();
            self.places("", raw, &mut places);
            Some((name.into_owned().into(), Locked { facts, place: Some(self.first_line(raw)), places }))
        });
        entries.collect()
    }

    fn value<T: Deserialize<'r>>(&mut self, raw: &'r RawValue) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(self.start(raw), raw.get(), &error);
                None
            }
        }
    }

    /// The places of the values of an object, and of those of the objects in it.
    fn places(&self, prefix: &str, raw: &'r RawValue, into: &mut BTreeMap<String, Span>) {
        let members: BTreeMap<Cow<'r, str>, &'r RawValue> =
            serde_json::from_str(raw.get()).unwrap_or_default();
        for (key, value) in members {
            let key = format!("{prefix}{key}");
            let start = self.start(value);
            if prefix.is_empty() && value.get().starts_with('{') {
                self.places(&format!("{key}."), value, into);
            }
            into.insert(key, Span::new(self.file, start, start + value.get().len()));
        }
    }

    /// Where a value begins in the text, of which it is a part.
    fn start(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr()).min(self.text.len())
    }

    fn first_line(&self, raw: &RawValue) -> Span {
        let start = self.start(raw);
        let end = raw.get().find('\n').unwrap_or(raw.get().len());
        Span::new(self.file, start, start + end)
    }

    /// Says where a part of the text, which begins at a byte, cannot be understood.
    fn report(&mut self, start: usize, part: &str, error: &serde_json::Error) {
        let before: usize =
            part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(part.len());
        let at = start + (0..=at).rev().find(|at| part.is_char_boundary(*at)).unwrap_or(0);
        let end = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        let end = if self.text.get(at..end) == Some("\n") { at } else { end };
        let expected = if error.is_data() { "a fact of a model was expected" } else { "it is no JSON here" };
        let span = Span::new(self.file, at, end);
        self.is_damaged = true;
        let finding = DAMAGED_LOCK.at(span, expected, "the lock cannot be read");
        self.findings.report(
            finding.help("run `orchgen lock` where the models are").help(
                "restore it from version control; after a merge, take either side and run `orchgen lock`",
            ),
        );
    }

    fn say_version(&mut self, found: u64) {
        let at = self.text.find("format_version").unwrap_or(0);
        let message =
            format!("the lock is of format {found}, and this orchgen reads format {FORMAT_VERSION}");
        let span = Span::new(self.file, at, at + "format_version".len().min(self.text.len() - at));
        let finding = UNKNOWN_LOCK_FORMAT.at(span, words::printable(&format!("format {found}")), message);
        self.findings
            .report(finding.help("update orchgen, or write the lock with this one by `orchgen lock`"));
    }
}
