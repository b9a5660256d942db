//! Findings that are known, so that an old registry can be taken in step by step.
//!
//! A file of them has one a line, without places, in an order that does not depend on the text.

use super::codes::STALE_BASELINE;
use super::fingerprint::topic;
use super::{Diagnostic, Diagnostics, Fingerprint, Severity, Silence, known, words};
use crate::source::{FileId, SourceMap, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The version of the shape.
const FORMAT_VERSION: u32 = 1;

/// A file of known findings.
#[derive(Debug)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// Which findings a baseline may silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All.
    All,
    /// Warnings and notes: the run cannot go on with an error, known or not.
    BelowErrors,
}

/// A known finding: the fingerprint counts, the rest is for who reviews the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    name: String,
    subject: Item,
    message: String,
    fingerprint: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Item {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    format_version: u32,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Reads a file of known findings; what keeps it from being one is said with its place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape: Shape = serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            let what = said.rsplit_once(" at line ").map_or(&*said, |(what, _)| what);
            format!("line {}, column {}: {}", error.line(), error.column(), words::printable(what))
        })?;
        if shape.format_version != FORMAT_VERSION {
            let found = shape.format_version;
            return Err(format!("its `format_version` is {found}, and {FORMAT_VERSION} is what is read"));
        }
        Ok(Self { entries: shape.findings })
    }

    /// All findings of a run that no item allows, known or not.
    pub fn of(findings: &Diagnostics, map: &SourceMap) -> Self {
        let all = known(findings, map).into_iter();
        let mut entries: Vec<Entry> = all
            .filter(|one| !matches!(one.silence, Some(Silence::Allowed { .. })))
            .map(|one| entry(one.finding, one.fingerprint, map))
            .collect();
        entries.sort();
        Self { entries }
    }

    /// The text of the file, which ends with a newline.
    pub fn text(&self) -> String {
        let mut text = format!("{{\"format_version\":{FORMAT_VERSION},\"findings\":[");
        for (n, entry) in self.entries.iter().enumerate() {
            // Only maps with keys that are not strings can fail, and there is none.
            let line = serde_json::to_string(entry).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(text, "{}\n{line}", if n == 0 { "" } else { "," });
        }
        text + "\n]}\n"
    }

    /// How many findings there are that the other does not have.
    pub fn beyond(&self, other: &Self) -> usize {
        let theirs: BTreeSet<&str> = other.entries.iter().map(|entry| &*entry.fingerprint).collect();
        self.entries.iter().filter(|entry| !theirs.contains(&*entry.fingerprint)).count()
    }

    /// How many findings are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes known findings out of what counts, and gives the entries that nothing found belongs to, as their numbers.
    pub fn silence(
        &self,
        findings: &mut Diagnostics,
        map: &SourceMap,
        (file, reach): (&str, Reach),
    ) -> Vec<usize> {
        findings.sort();
        let all: Vec<(bool, String)> = (known(findings, map).into_iter())
            .filter(|one| !matches!(one.silence, Some(Silence::Allowed { .. })))
            .map(|one| (one.silence.is_none(), one.fingerprint.to_string()))
            .collect();
        let listed: BTreeSet<&str> = self.entries.iter().map(|entry| &*entry.fingerprint).collect();
        // Findings that count are met in the same order again.
        let mut counted = all.iter().filter(|(counts, _)| *counts).map(|(_, fingerprint)| &**fingerprint);
        findings.silence(|finding| {
            let is_known = counted.next().is_some_and(|fingerprint| listed.contains(fingerprint));
            let yields = reach == Reach::All || finding.severity != Severity::Error;
            (is_known && yields).then(|| Silence::Baseline { file: file.to_owned() })
        });
        let found: BTreeSet<&str> = all.iter().map(|(_, fingerprint)| &**fingerprint).collect();
        let stale = |(n, entry): (usize, &Entry)| (!found.contains(&*entry.fingerprint)).then_some(n);
        self.entries.iter().enumerate().filter_map(stale).collect()
    }

    /// Says the entries of those numbers, in the file whose text it was read from. Silent while an error of text or shape
    /// counts: what belongs to them may then not have been looked for.
    pub fn say_stale(
        &self,
        stale: &[usize],
        (file, text): (FileId, &str),
        findings: &mut Diagnostics,
        cure: &str,
    ) {
        if findings.findings().iter().any(Diagnostic::hides_findings) {
            return;
        }
        let mut from = 0;
        for (n, entry) in self.entries.iter().enumerate() {
            let found = text.get(from..).and_then(|rest| rest.find(&*entry.fingerprint)).map(|at| from + at);
            let place = found.map_or((0, 0), |at| (at, at + entry.fingerprint.len()));
            from = place.1.max(from);
            if stale.binary_search(&n).is_ok() {
                let Item { kind, name } = &entry.subject;
                let item = format!("{} {}", words::printable(kind), words::quoted(name));
                let message =
                    format!("{} of {item} is known, and nothing of it is found", words::quoted(&entry.name));
                let span = Span::new(file, place.0, place.1);
                let finding = STALE_BASELINE.at(span, "nothing found has this fingerprint", message);
                findings.report(
                    finding
                        .about("file", "baseline")
                        .help(format!("run `{cure}` and commit what it changes")),
                );
            }
        }
    }
}

fn entry(finding: &Diagnostic, fingerprint: Fingerprint, map: &SourceMap) -> Entry {
    let (kind, name) = topic(finding, map);
    Entry {
        code: finding.code.to_string(),
        name: finding.code.name.to_owned(),
        subject: Item { kind: kind.to_owned(), name: name.to_owned() },
        message: finding.message.clone(),
        fingerprint: fingerprint.to_string(),
    }
}
