//! The findings of a run as the report lists them: with the lines of the files that they are about.

use crate::diag::report::redact_secrets;
use crate::diag::{Diagnostic, Diagnostics, Label, NotChecked};
use crate::plan::report::{ExcerptLine, Finding, FindingPlace, Findings, MAX_LISTED, Subject, UncheckedItem};
use crate::source::{SourceFile, SourceMap};

/// The maximum number of places of a finding.
const MAX_PLACES: usize = 4;

/// The maximum number of lines of a place.
const MAX_LINES: usize = 4;

/// The maximum number of characters of each part of a line.
const MAX_CHARACTERS: usize = 160;

/// The findings for the report, the most severe first.
pub fn listed_findings(findings: &Diagnostics, map: &SourceMap) -> Findings {
    let summary = findings.summary();
    let map = redact_secrets(findings, map);
    let mut sorted: Vec<&Diagnostic> = findings.findings().iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    let unlisted = sorted.iter().skip(MAX_LISTED);
    Findings {
        unlisted: unlisted.map(|one| (one.severity.word(), one.subject.as_ref().map(subject))).collect(),
        listed: sorted.into_iter().take(MAX_LISTED).map(|one| finding(one, &map)).collect(),
        unchecked: findings.not_checked().iter().take(MAX_LISTED).map(unchecked).collect(),
        unlisted_unchecked: findings
            .not_checked()
            .iter()
            .skip(MAX_LISTED)
            .map(|one| subject(&one.subject))
            .collect(),
        errors: summary.errors,
        warnings: summary.warnings,
        notes: summary.notes,
        not_checked: summary.not_checked,
    }
}

fn finding(finding: &Diagnostic, map: &SourceMap) -> Finding {
    let places = std::iter::once(&finding.primary).chain(&finding.secondary);
    Finding {
        severity: finding.severity.word(),
        code: finding.code.to_string(),
        name: finding.code.name,
        message: finding.message.clone(),
        subject: finding.subject.as_ref().map(subject),
        places: places.take(MAX_PLACES).filter_map(|label| place(label, map)).collect(),
        details: finding.notes.clone(),
        help: finding.help.clone(),
    }
}

fn unchecked(entry: &NotChecked) -> UncheckedItem {
    UncheckedItem { check: entry.check, subject: subject(&entry.subject), why: entry.why.clone() }
}

fn subject(subject: &crate::diag::Subject) -> Subject {
    Subject { kind: subject.kind, name: subject.name.clone() }
}

fn place(label: &Label, map: &SourceMap) -> Option<FindingPlace> {
    let file = map.get(label.span.file)?;
    let start = file.position(label.span.start);
    let is_textless = file.text().is_empty();
    Some(FindingPlace {
        // The folder of the registry depends on the machine.
        file: file.name().rsplit('/').next().unwrap_or_default().to_owned(),
        line: start.line,
        column: start.column,
        label: label.text.clone(),
        lines: if is_textless { Vec::new() } else { lines(file, label) },
    })
}

/// The first lines of a place, with the line before them unless it is blank.
fn lines(file: &SourceFile, label: &Label) -> Vec<ExcerptLine> {
    let (start, end) = (label.span.start, label.span.end.max(label.span.start));
    let first = file.position(start).line as usize;
    // A place that ends at the start of a line does not include that line.
    let last = file.position(end.saturating_sub(1).max(start)).line as usize;
    let (start, end) = (start as usize, end as usize);
    let mut lines = Vec::new();
    for number in first.saturating_sub(1).max(1)..=last.min(first + MAX_LINES - 1) {
        let (from, text) = line(file, number);
        let inside = |offset: usize| offset.saturating_sub(from).min(text.len());
        let parts = (|| {
            let (before, rest) = text.split_at_checked(inside(start))?;
            let (marked, after) = rest.split_at_checked(inside(end).saturating_sub(before.len()))?;
            Some((before, marked, after))
        })();
        let (before, marked, after) = parts.unwrap_or((text, "", ""));
        if number >= first || !text.trim().is_empty() {
            lines.push(ExcerptLine {
                number,
                before: tail(before),
                marked: head(marked),
                after: head(after),
            });
        }
    }
    lines
}

/// The offset of a line, and its text without the line break.
fn line(file: &SourceFile, number: usize) -> (usize, &str) {
    let start = |number: usize| file.line_starts().get(number).map(|start| *start as usize);
    let from = start(number - 1).unwrap_or(file.text().len());
    let text = file.text().get(from..start(number).unwrap_or(file.text().len())).unwrap_or_default();
    (from, text.trim_end_matches(['\n', '\r']))
}

/// The first characters of a text.
fn head(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

/// The last characters of a text.
fn tail(text: &str) -> String {
    match text.char_indices().rev().nth(MAX_CHARACTERS) {
        Some((at, c)) => "…".to_owned() + text.get(at + c.len_utf8()..).unwrap_or_default(),
        None => text.to_owned(),
    }
}
