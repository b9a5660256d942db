//! Findings as one JSON object, for programs. The shape only grows; `format_version` changes if it ever breaks.

use crate::diag::{Diagnostics, Edit, Fix, Known, Label, Safety, known};
use crate::source::{Position, SourceMap, Span};
use serde::Serialize;

/// The version of the shape.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    format_version: u32,
    findings: Vec<Finding<'a>>,
    not_checked: Vec<Left<'a>>,
    summary: Totals,
    silenced: Vec<Silent<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: String,
    name: &'static str,
    severity: &'static str,
    message: &'a str,
    subject: Item<'a>,
    primary: Place<'a>,
    secondary: Vec<Place<'a>>,
    notes: &'a [String],
    help: &'a [String],
    fixes: Vec<Repair<'a>>,
    fingerprint: String,
}

/// A finding that does not count: what allows or knows it, and the reason.
#[derive(Serialize)]
struct Silent<'a> {
    by: &'static str,
    because: String,
    #[serde(flatten)]
    finding: Finding<'a>,
}

#[derive(Serialize)]
struct Repair<'a> {
    title: &'a str,
    safety: &'static str,
    edits: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
struct Replacement<'a> {
    file: &'a str,
    start: At,
    end: At,
    text: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: At,
    end: At,
    label: &'a str,
}

#[derive(Serialize)]
struct At {
    line: u32,
    column: u32,
    byte: u32,
}

#[derive(Serialize)]
struct Left<'a> {
    check: &'static str,
    subject: Item<'a>,
    why: &'a str,
}

#[derive(Serialize)]
struct Totals {
    errors: usize,
    warnings: usize,
    not_checked: usize,
    notes: usize,
    silenced: usize,
}

/// All findings of a run as one line of JSON that ends with a newline.
pub fn json(findings: &Diagnostics, map: &SourceMap) -> String {
    let summary = findings.summary();
    let (silenced, counted): (Vec<_>, Vec<_>) =
        known(findings, map).into_iter().partition(|one| one.silence.is_some());
    let report = Report {
        format_version: FORMAT_VERSION,
        findings: counted.iter().map(|one| view(one, map)).collect(),
        not_checked: (findings.not_checked().iter())
            .map(|left| Left {
                check: left.check,
                subject: Item { kind: left.subject.kind, name: &left.subject.name },
                why: &left.why,
            })
            .collect(),
        summary: Totals {
            errors: summary.errors,
            warnings: summary.warnings,
            not_checked: summary.not_checked,
            notes: summary.notes,
            silenced: silenced.len(),
        },
        silenced: silenced.iter().filter_map(|one| silent(one, map)).collect(),
    };
    // Only maps with keys that are not strings can fail, and there is none.
    let mut text = serde_json::to_string(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn view<'a>(one: &Known<'a>, map: &'a SourceMap) -> Finding<'a> {
    let finding = one.finding;
    let subject = match &finding.subject {
        Some(subject) => Item { kind: subject.kind, name: &subject.name },
        None => Item { kind: "file", name: file_name(finding.primary.span, map) },
    };
    Finding {
        code: finding.code.to_string(),
        name: finding.code.name,
        severity: finding.severity.word(),
        message: &finding.message,
        subject,
        primary: place(&finding.primary, map),
        secondary: finding.secondary.iter().map(|label| place(label, map)).collect(),
        notes: &finding.notes,
        help: &finding.help,
        fixes: finding.fixes.iter().map(|fix| repair(fix, map)).collect(),
        fingerprint: one.fingerprint.to_string(),
    }
}

fn silent<'a>(one: &Known<'a>, map: &'a SourceMap) -> Option<Silent<'a>> {
    let why = one.silence?;
    Some(Silent { by: why.word(), because: why.reason(), finding: view(one, map) })
}

fn repair<'a>(fix: &'a Fix, map: &'a SourceMap) -> Repair<'a> {
    let change = |edit: &'a Edit| Replacement {
        file: file_name(edit.span, map),
        start: at(edit.span, edit.span.start, map),
        end: at(edit.span, edit.span.end, map),
        text: &edit.text,
    };
    let safety = match fix.safety {
        Safety::Safe => "safe",
        Safety::Unsafe => "unsafe",
    };
    Repair { title: &fix.title, safety, edits: fix.edits.iter().map(change).collect() }
}

fn place<'a>(label: &'a Label, map: &'a SourceMap) -> Place<'a> {
    Place {
        file: file_name(label.span, map),
        start: at(label.span, label.span.start, map),
        end: at(label.span, label.span.end, map),
        label: &label.text,
    }
}

fn at(span: Span, byte: u32, map: &SourceMap) -> At {
    let nowhere = Position { line: 1, column: 1, byte: 0 };
    let position = map.get(span.file).map_or(nowhere, |file| file.position(byte));
    At { line: position.line, column: position.column, byte: position.byte }
}

fn file_name(span: Span, map: &SourceMap) -> &str {
    map.get(span.file).map_or("", |file| file.name())
}
