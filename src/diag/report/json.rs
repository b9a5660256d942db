//! Findings as one JSON object, for programs. Fields may be added; an incompatible change raises `format_version`.

use crate::diag::{
    Diagnostics, FingerprintedFinding, Fix, Label, NotChecked, Safety, Severity, fingerprinted,
};
use crate::source::{Position, SourceMap, Span};
use serde::{Serialize, Serializer};

/// The version of the format.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct JsonReport<'a> {
    format_version: u32,
    findings: JsonFindings<'a>,
    not_checked: &'a [NotChecked],
    summary: JsonSummary,
    silenced: Vec<JsonSilenced<'a>>,
}

/// The findings, serialized one at a time to save memory.
struct JsonFindings<'a>(&'a [FingerprintedFinding<'a>], &'a SourceMap);

impl Serialize for JsonFindings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(findings, map) = self;
        serializer.collect_seq(findings.iter().map(|one| json_finding(one, map)))
    }
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: String,
    name: &'static str,
    severity: Severity,
    message: &'a str,
    subject: JsonSubject<'a>,
    primary: JsonPlace<'a>,
    secondary: Vec<JsonPlace<'a>>,
    notes: &'a [String],
    help: &'a [String],
    fixes: Vec<JsonFix<'a>>,
    fingerprint: String,
}

/// A silenced finding: what silences it, and the reason.
#[derive(Serialize)]
struct JsonSilenced<'a> {
    by: &'static str,
    because: String,
    #[serde(flatten)]
    finding: JsonFinding<'a>,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    safety: Safety,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    #[serde(flatten)]
    span: JsonSpan<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct JsonPlace<'a> {
    #[serde(flatten)]
    span: JsonSpan<'a>,
    label: &'a str,
}

#[derive(Serialize)]
struct JsonSpan<'a> {
    file: &'a str,
    start: JsonPosition,
    end: JsonPosition,
}

#[derive(Serialize)]
struct JsonPosition {
    line: u32,
    column: u32,
    byte: u32,
}

#[derive(Serialize)]
struct JsonSummary {
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
        fingerprinted(findings, map).into_iter().partition(|one| one.silence.is_some());
    let report = JsonReport {
        format_version: FORMAT_VERSION,
        findings: JsonFindings(&counted, map),
        not_checked: findings.not_checked(),
        summary: JsonSummary {
            errors: summary.errors,
            warnings: summary.warnings,
            not_checked: summary.not_checked,
            notes: summary.notes,
            silenced: silenced.len(),
        },
        silenced: silenced.iter().filter_map(|one| json_silenced(one, map)).collect(),
    };
    // Serialization fails only for maps with non-string keys, and the report has no map.
    let mut text = serde_json::to_string(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn json_finding<'a>(one: &FingerprintedFinding<'a>, map: &'a SourceMap) -> JsonFinding<'a> {
    let finding = one.finding;
    let subject = match &finding.subject {
        Some(subject) => JsonSubject { kind: subject.kind, name: &subject.name },
        None => JsonSubject { kind: "file", name: file_name(finding.primary.span, map) },
    };
    JsonFinding {
        code: finding.code.to_string(),
        name: finding.code.name,
        severity: finding.severity,
        message: &finding.message,
        subject,
        primary: json_place(&finding.primary, map),
        secondary: finding.secondary.iter().map(|label| json_place(label, map)).collect(),
        notes: &finding.notes,
        help: &finding.help,
        fixes: finding.fixes.iter().map(|fix| json_fix(fix, map)).collect(),
        fingerprint: one.fingerprint.to_string(),
    }
}

fn json_silenced<'a>(one: &FingerprintedFinding<'a>, map: &'a SourceMap) -> Option<JsonSilenced<'a>> {
    let why = one.silence?;
    Some(JsonSilenced { by: why.word(), because: why.reason(), finding: json_finding(one, map) })
}

fn json_fix<'a>(fix: &'a Fix, map: &'a SourceMap) -> JsonFix<'a> {
    let edits = fix.edits.iter().map(|edit| JsonEdit { span: json_span(edit.span, map), text: &edit.text });
    JsonFix { title: &fix.title, safety: fix.safety, edits: edits.collect() }
}

fn json_place<'a>(label: &'a Label, map: &'a SourceMap) -> JsonPlace<'a> {
    JsonPlace { span: json_span(label.span, map), label: &label.text }
}

fn json_span(span: Span, map: &SourceMap) -> JsonSpan<'_> {
    let [start, end] = [span.start, span.end].map(|byte| json_position(span, byte, map));
    JsonSpan { file: file_name(span, map), start, end }
}

fn json_position(span: Span, byte: u32, map: &SourceMap) -> JsonPosition {
    let nowhere = Position { line: 1, column: 1, byte: 0 };
    let position = map.get(span.file).map_or(nowhere, |file| file.position(byte));
    JsonPosition { line: position.line, column: position.column, byte: position.byte }
}

fn file_name(span: Span, map: &SourceMap) -> &str {
    map.get(span.file).map_or("", |file| file.name())
}
