//! Findings as SARIF 2.1.0, for GitHub code scanning and other readers.

use super::run::{ReportInput, notes_and_help, severity_word};
use crate::diag::{Code, FingerprintedFinding, Fix, Label, Severity, fingerprinted};
use crate::source::{SourceFile, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The maximum number of results per run that GitHub accepts. Further results are omitted and counted.
const MAX_RESULTS: usize = 25_000;

/// The maximum number of related locations per result that GitHub accepts.
const MAX_RELATED_PLACES: usize = 999;

/// The maximum number of characters of a description that GitHub accepts.
const MAX_DESCRIPTION_CHARS: usize = 1024;

/// One log with one run: all codes are rules, and all findings are results. Silenced findings have suppressions.
pub fn sarif(run: ReportInput) -> String {
    let index: BTreeMap<u16, usize> =
        run.codes.iter().enumerate().map(|(at, code)| (code.number, at)).collect();
    let mut all = fingerprinted(run.findings, run.map);
    let omitted = all.len().saturating_sub(MAX_RESULTS);
    if omitted > 0 {
        all.sort_by_key(|one| (one.silence.is_some(), one.finding.severity));
        all.truncate(MAX_RESULTS);
        all.sort_by(|a, b| a.finding.order(b.finding));
    }
    let results: Vec<Value> = all.iter().map(|one| result(one, run, &index)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "orchgen",
                "informationUri": PACKAGE,
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": run.codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "orchgen/"},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": omission_note(omitted)}],
            "results": results,
        }],
    });
    format!("{log}\n")
}

/// The package URL of orchgen.
const PACKAGE: &str = concat!("pkg:cargo/orchgen@", env!("CARGO_PKG_VERSION"));

/// The base of relative paths.
const ROOT: &str = "%SRCROOT%";

/// A note about omitted results, if there are any.
fn omission_note(omitted: usize) -> Vec<Value> {
    let text = format!(
        "{omitted} results omitted: a run may have at most {MAX_RESULTS}. The most severe are listed."
    );
    let note = json!({"level": "warning", "message": {"text": text}});
    if omitted > 0 { vec![note] } else { Vec::new() }
}

fn rule(code: &Code) -> Value {
    let page = code.text();
    let help = page.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n");
    json!({
        "id": code.to_string(),
        "name": pascal(code.name),
        "shortDescription": {"text": sentence(&without_braces(&code.summary()))},
        "fullDescription": {"text": description(&page)},
        "help": {"text": help, "markdown": page},
        "defaultConfiguration": {"level": level(code.severity)},
        "properties": {
            "tags": [category(code.number)],
            "precision": "very-high",
            "problem.severity": severity_word(code.severity, ["error", "warning", "recommendation"]),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    severity_word(severity, ["error", "warning", "note"])
}

/// The category of a code, by the hundreds digit of its number.
fn category(number: u16) -> &'static str {
    match number {
        ..200 => "text",
        200..300 => "shape",
        300..400 | 500..600 => "meaning",
        _ => "output",
    }
}

/// `port-conflict` as `PortConflict`.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>())
    };
    name.split('-').filter_map(word).collect()
}

/// The paragraphs of a page before its example.
fn description(page: &str) -> String {
    let text = page.lines().take_while(|line| !matches!(*line, "## Example" | "## Instead"));
    let text = text.filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    let text = without_braces(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if text.chars().count() <= MAX_DESCRIPTION_CHARS {
        return text;
    }
    text.chars().take(MAX_DESCRIPTION_CHARS - 1).chain(['…']).collect()
}

/// Replaces braces, because validators report them as unfilled placeholders.
fn without_braces(text: &str) -> String {
    text.replace('{', "(").replace('}', ")")
}

fn sentence(text: &str) -> String {
    let first = text.split_inclusive(". ").next().unwrap_or(text).trim_end();
    if first.ends_with('.') { first.to_owned() } else { format!("{}.", first.trim_end_matches([':', ';'])) }
}

fn result(one: &FingerprintedFinding, run: ReportInput, index: &BTreeMap<u16, usize>) -> Value {
    let finding = one.finding;
    let fingerprint = one.fingerprint.to_string();
    let mut value = json!({
        "ruleId": finding.code.to_string(),
        "level": level(finding.severity),
        "message": {"text": format!("{}.{}", finding.message, notes_and_help(one))},
        "locations": [place(&finding.primary, run)],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "orchgen/v1": fingerprint},
        "suppressions": suppressions(one),
    });
    if let Some(at) = index.get(&finding.code.number) {
        set(&mut value, "ruleIndex", json!(at));
    }
    if !finding.secondary.is_empty() {
        let related = finding.secondary.iter().take(MAX_RELATED_PLACES).map(|label| place(label, run));
        set(&mut value, "relatedLocations", related.collect());
    }
    if !finding.fixes.is_empty() {
        set(&mut value, "fixes", finding.fixes.iter().map(|one| fix(one, run)).collect());
    }
    value
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), to);
    }
}

/// The suppressions of a result. SARIF requires the property on either all or none of the results, so it may be empty.
fn suppressions(one: &FingerprintedFinding) -> Vec<Value> {
    let kind = |word| if word == "allow" { "inSource" } else { "external" };
    let suppression = one.silence.map(|why| json!({"kind": kind(why.word()), "justification": why.reason()}));
    suppression.into_iter().collect()
}

fn place(label: &Label, run: ReportInput) -> Value {
    let mut place = json!({"physicalLocation": {
        "artifactLocation": artifact(label.span, run),
        "region": region(label.span, run),
    }});
    if !label.text.is_empty() {
        set(&mut place, "message", json!({"text": label.text}));
    }
    place
}

/// A path relative to the root of the repository, or an absolute `file:` URI.
fn artifact(span: Span, run: ReportInput) -> Value {
    let name = run.places.name(span.file, run.map);
    let path = percent_encoded(name.strip_prefix("./").unwrap_or(name));
    if path.starts_with('/') {
        json!({"uri": format!("file://{path}")})
    } else {
        json!({"uri": path, "uriBaseId": ROOT})
    }
}

fn percent_encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn region(span: Span, run: ReportInput) -> Value {
    let ((line, column), (end_line, end_column)) = match run.map.get(span.file) {
        Some(file) => (utf16_position(file, span.start), utf16_position(file, span.end)),
        None => ((1, 1), (1, 1)),
    };
    json!({"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column})
}

/// The line, and the column in UTF-16 code units, both from 1.
fn utf16_position(file: &SourceFile, byte: u32) -> (u32, usize) {
    let at = file.position(byte);
    let start = at.line.checked_sub(1).and_then(|line| file.line_starts().get(line as usize)).copied();
    let before = file.text().get(start.unwrap_or(0) as usize..at.byte as usize).unwrap_or_default();
    (at.line, before.chars().map(char::len_utf16).sum::<usize>() + 1)
}

/// A fix, with its edits grouped by file.
fn fix(fix: &Fix, run: ReportInput) -> Value {
    let mut files: BTreeMap<u32, (Value, Vec<Value>)> = BTreeMap::new();
    for edit in &fix.edits {
        let entry = files.entry(edit.span.file.0).or_insert_with(|| (artifact(edit.span, run), Vec::new()));
        entry.1.push(json!({
            "deletedRegion": region(edit.span, run),
            "insertedContent": {"text": edit.text},
        }));
    }
    let changes: Vec<Value> = (files.into_values())
        .map(|(file, replacements)| json!({"artifactLocation": file, "replacements": replacements}))
        .collect();
    json!({"description": {"text": fix.title}, "artifactChanges": changes})
}
