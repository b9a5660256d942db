//! `registry.lock`: the facts of all models, as text for review and for programs.
//!
//! The format is sorted JSON with one line per fact, so that changes of model files are readable diffs. Reading keeps
//! the place of each fact for findings. The machine that builds needs no model files, only the lock.

use super::{Facts, VocabularyDifference, VocabularyFacts};
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

/// The facts of all models, by their names in the registry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lock {
    /// Models.
    pub models: BTreeMap<Box<str>, LockEntry>,
    /// Projectors, by the names of their models.
    pub projectors: BTreeMap<Box<str>, LockEntry>,
    /// Adapters (`LoRA`), by the full paths of their files.
    pub adapters: BTreeMap<Box<str>, LockEntry>,
    /// The first differences of the vocabularies that an engine would compare, sorted.
    pub differences: Vec<VocabularyDifference>,
    /// The place of each difference. Empty if the lock was not read from a file.
    difference_places: Vec<Span>,
    /// The start of the text. `None` if there is no lock.
    pub place: Option<Span>,
    /// True if a part of the lock could not be read. This is already reported.
    pub is_damaged: bool,
}

/// The facts of one model or projector, with their places in the lock.
#[derive(Clone, Debug)]
pub struct LockEntry {
    /// The facts.
    pub facts: Facts,
    /// The place of the entry. `None` for facts that were just read from a model file.
    place: Option<Span>,
    /// The places of the values by key. Keys in nested objects look like `parameters.block_count`.
    places: BTreeMap<String, Span>,
}

/// Compares the facts and ignores the places.
impl PartialEq for LockEntry {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

#[derive(Deserialize)]
struct LockVersion {
    format_version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockFile<'t> {
    #[serde(rename = "format_version")]
    _format_version: u64,
    #[serde(borrow, default)]
    models: BTreeMap<Cow<'t, str>, &'t RawValue>,
    #[serde(borrow, default)]
    projectors: BTreeMap<Cow<'t, str>, &'t RawValue>,
    #[serde(borrow, default)]
    adapters: BTreeMap<Cow<'t, str>, &'t RawValue>,
    #[serde(borrow, default)]
    vocabulary_differences: Vec<&'t RawValue>,
}

impl From<Facts> for LockEntry {
    fn from(facts: Facts) -> Self {
        Self { facts, place: None, places: BTreeMap::new() }
    }
}

impl LockEntry {
    /// The place of a fact, or of the whole entry if the fact is missing. `None` for facts that were not read from a
    /// lock.
    pub fn place(&self, key: &str) -> Option<Span> {
        self.places.get(key).copied().or(self.place)
    }
}

impl Lock {
    /// A damaged, empty lock, for a file that is not UTF-8 (already reported).
    pub fn unreadable(file: FileId) -> Self {
        Self { place: Some(Span::new(file, 0, 0)), is_damaged: true, ..Self::default() }
    }

    /// Parses a lock. Reports and omits entries that cannot be read.
    pub fn read(file: FileId, text: &str, findings: &mut Diagnostics) -> Self {
        let mut reader = LockReader { file, text, findings, is_damaged: false };
        let damaged = Self::unreadable(file);
        let parsed = match serde_json::from_str::<LockVersion>(text) {
            Ok(LockVersion { format_version }) if format_version != FORMAT_VERSION => {
                reader.report_unknown_format(format_version);
                return damaged;
            }
            version => version.and_then(|_| serde_json::from_str::<LockFile<'_>>(text)),
        };
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                reader.report(0, (text, "the lock"), &error);
                return damaged;
            }
        };
        let mut lock = Self { is_damaged: false, ..damaged };
        lock.models = reader.entries("model", parsed.models);
        lock.projectors = reader.entries("projector", parsed.projectors);
        lock.adapters = reader.entries("adapter", parsed.adapters);
        let differences = parsed.vocabulary_differences.into_iter();
        let read = differences
            .filter_map(|raw| Some((reader.value(raw, "a vocabulary difference")?, reader.first_line(raw))));
        let mut read: Vec<(VocabularyDifference, Span)> = read.collect();
        read.sort();
        (lock.differences, lock.difference_places) = read.into_iter().unzip();
        lock.is_damaged = reader.is_damaged;
        lock
    }

    /// The text of the lock.
    pub fn write(&self) -> String {
        write::text(self)
    }

    /// The first difference of two vocabularies, if the lock has it.
    pub fn difference(
        &self,
        one: &VocabularyFacts,
        other: &VocabularyFacts,
    ) -> Option<&VocabularyDifference> {
        VocabularyDifference::find(&self.differences, one, other)
    }

    /// The place of [`Lock::difference`].
    pub fn difference_place(&self, one: &VocabularyFacts, other: &VocabularyFacts) -> Option<Span> {
        let difference = self.difference(one, other)?;
        let at = self.differences.binary_search(difference).ok()?;
        self.difference_places.get(at).copied()
    }
}

/// The state of parsing a lock.
struct LockReader<'r> {
    file: FileId,
    text: &'r str,
    findings: &'r mut Diagnostics,
    is_damaged: bool,
}

impl<'r> LockReader<'r> {
    fn entries(
        &mut self,
        kind: &str,
        raw: BTreeMap<Cow<'r, str>, &'r RawValue>,
    ) -> BTreeMap<Box<str>, LockEntry> {
        let entries = raw.into_iter().filter_map(|(name, raw)| {
            let facts: Facts = self.value(raw, &format!("the facts of {kind} {}", words::quoted(&name)))?;
            let mut places = BTreeMap::new();
            self.places("", raw, &mut places);
            Some((name.into_owned().into(), LockEntry { facts, place: Some(self.first_line(raw)), places }))
        });
        entries.collect()
    }

    fn value<T: Deserialize<'r>>(&mut self, raw: &'r RawValue, what: &str) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(self.start(raw), (raw.get(), what), &error);
                None
            }
        }
    }

    /// Collects the places of the values of an object and of its nested objects.
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

    /// The offset of a value in the text. The value borrows from the text.
    fn start(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr()).min(self.text.len())
    }

    fn first_line(&self, raw: &RawValue) -> Span {
        let start = self.start(raw);
        let end = raw.get().find('\n').unwrap_or(raw.get().len());
        Span::new(self.file, start, start + end)
    }

    /// Reports a JSON error in a part of the text that starts at the given offset. `what` describes the part.
    fn report(&mut self, start: usize, (part, what): (&str, &str), error: &serde_json::Error) {
        let before: usize =
            part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(part.len());
        let at = start + (0..=at).rev().find(|at| part.is_char_boundary(*at)).unwrap_or(0);
        let end = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        let end = if self.text.get(at..end) == Some("\n") { at } else { end };
        let expected = if error.is_data() { "expected a fact of a model" } else { "invalid JSON" };
        let span = Span::new(self.file, at, end);
        self.is_damaged = true;
        let finding = DAMAGED_LOCK.at(span, expected, format!("cannot read {what}"));
        self.findings.report(
            finding
                .help(
                    "restore the file from version control; after a merge, keep either side, then run `orchgen lock` on \
                     each host",
                )
                .help("or remove the file, then run `orchgen lock` on each host"),
        );
    }

    fn report_unknown_format(&mut self, found: u64) {
        let at = self.text.find("format_version").unwrap_or(0);
        let message = format!("the lock has format {found}; this orchgen supports format {FORMAT_VERSION}");
        let span = Span::new(self.file, at, at + "format_version".len().min(self.text.len() - at));
        let finding = UNKNOWN_LOCK_FORMAT.at(span, words::printable(&format!("format {found}")), message);
        self.findings.report(finding.help(
            "update orchgen, or remove the file and run `orchgen lock` with this version on each host",
        ));
    }
}
