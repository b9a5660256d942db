//! Baseline files: accepted findings, so that orchgen can be adopted step by step on an existing registry.
//!
//! A baseline file is JSON with one finding per line, sorted, without file positions. Moving text in the registry
//! therefore does not change it.

use super::codes::STALE_BASELINE;
use super::fingerprint::subject_of;
use super::{
    Diagnostic, Diagnostics, Fingerprint, Severity, SilenceReason, fingerprinted, json_problem, words,
};
use crate::source::{FileId, SourceMap, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The version of the file format.
const FORMAT_VERSION: u32 = 1;

/// A baseline file.
#[derive(Debug)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// The findings that a baseline may silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BaselineScope {
    /// All findings.
    All,
    /// Warnings and notes only: a build cannot continue with an error, even an accepted one.
    BelowErrors,
}

/// An accepted finding. Only the fingerprint is compared; the other fields help to review the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    name: String,
    subject: EntrySubject,
    message: String,
    fingerprint: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct EntrySubject {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineJson {
    format_version: u32,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Parses a baseline file. The error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json: BaselineJson = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
        if json.format_version != FORMAT_VERSION {
            let found = json.format_version;
            return Err(format!("`format_version` is {found}, but only {FORMAT_VERSION} is supported"));
        }
        Ok(Self { entries: json.findings })
    }

    /// A baseline of all findings of a run, except those that an item silences with `allow`.
    pub fn from_findings(findings: &Diagnostics, map: &SourceMap) -> Self {
        let all = fingerprinted(findings, map).into_iter();
        let mut entries: Vec<Entry> = all
            .filter(|one| !matches!(one.silence, Some(SilenceReason::Allowed { .. })))
            .map(|one| entry(one.finding, one.fingerprint, map))
            .collect();
        entries.sort();
        Self { entries }
    }

    /// The text of the file, with a newline at the end.
    pub fn text(&self) -> String {
        let mut text = format!("{{\"format_version\":{FORMAT_VERSION},\"findings\":[");
        for (n, entry) in self.entries.iter().enumerate() {
            // Serialization fails only for maps with non-string keys, and an entry has no map.
            let line = serde_json::to_string(entry).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(text, "{}\n{line}", if n == 0 { "" } else { "," });
        }
        text + "\n]}\n"
    }

    /// The number of findings that `other` does not contain.
    pub fn count_not_in(&self, other: &Self) -> usize {
        let listed: BTreeSet<&str> = other.entries.iter().map(|entry| &*entry.fingerprint).collect();
        self.entries.iter().filter(|entry| !listed.contains(&*entry.fingerprint)).count()
    }

    /// The number of accepted findings.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if no finding is accepted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Silences accepted findings. Returns the indexes of stale entries, which match no finding of this run.
    pub fn silence(
        &self,
        findings: &mut Diagnostics,
        map: &SourceMap,
        (file, scope): (&str, BaselineScope),
    ) -> Vec<usize> {
        findings.sort();
        let all: Vec<(bool, String)> = (fingerprinted(findings, map).into_iter())
            .filter(|one| !matches!(one.silence, Some(SilenceReason::Allowed { .. })))
            .map(|one| (one.silence.is_none(), one.fingerprint.to_string()))
            .collect();
        let listed: BTreeSet<&str> = self.entries.iter().map(|entry| &*entry.fingerprint).collect();
        // `findings.silence` visits the findings in this same order.
        let mut counted = all.iter().filter(|(counts, _)| *counts).map(|(_, fingerprint)| &**fingerprint);
        findings.silence(|finding| {
            let is_listed = counted.next().is_some_and(|fingerprint| listed.contains(fingerprint));
            let may_silence = scope == BaselineScope::All || finding.severity != Severity::Error;
            (is_listed && may_silence).then(|| SilenceReason::Baseline { file: file.to_owned() })
        });
        let found: BTreeSet<&str> = all.iter().map(|(_, fingerprint)| &**fingerprint).collect();
        let stale = |(n, entry): (usize, &Entry)| (!found.contains(&*entry.fingerprint)).then_some(n);
        self.entries.iter().enumerate().filter_map(stale).collect()
    }

    /// Reports the stale entries with these indexes; `text` is the text of the baseline file. Reports nothing if the
    /// registry has syntax or shape errors: the checks that would find the entries again may not have run.
    pub fn report_stale(
        &self,
        stale: &[usize],
        (file, text): (FileId, &str),
        findings: &mut Diagnostics,
        update_command: &str,
    ) {
        if findings.hides_findings {
            return;
        }
        let mut from = 0;
        for (n, entry) in self.entries.iter().enumerate() {
            let found = text.get(from..).and_then(|rest| rest.find(&*entry.fingerprint)).map(|at| from + at);
            let place = found.map_or((0, 0), |at| (at, at + entry.fingerprint.len()));
            from = place.1.max(from);
            if stale.binary_search(&n).is_ok() {
                let EntrySubject { kind, name } = &entry.subject;
                let item = format!("{} {}", words::printable(kind), words::quoted(name));
                let message = format!(
                    "{} of {item} is in the baseline but no longer found",
                    words::quoted(&entry.name)
                );
                let span = Span::new(file, place.0, place.1);
                let finding = STALE_BASELINE.at(span, "no finding has this fingerprint", message);
                findings.report(
                    finding
                        .about(("file", "baseline"))
                        .help(format!("run `{update_command}` and commit the change")),
                );
            }
        }
    }
}

fn entry(finding: &Diagnostic, fingerprint: Fingerprint, map: &SourceMap) -> Entry {
    let (kind, name) = subject_of(finding, map);
    Entry {
        code: finding.code.to_string(),
        name: finding.code.name.to_owned(),
        subject: EntrySubject { kind: kind.to_owned(), name: name.to_owned() },
        message: finding.message.clone(),
        fingerprint: fingerprint.to_string(),
    }
}
