//! Findings as SARIF 2.1.0, as code scanning of GitHub and other readers want it.

use super::run::{Run, advice, of_severity};
use crate::diag::{Code, Fix, Known, Label, Severity, known};
use crate::source::{SourceFile, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Results of one run that GitHub takes; the rest is left out and counted.
const MOST_RESULTS: usize = 25_000;

/// Places beside a result that GitHub takes.
const MOST_PLACES: usize = 999;

/// Characters of a description that GitHub takes.
const MOST_DESCRIBED: usize = 1024;

/// One log with one run: all codes as rules, all findings as results, those that do not count with their reasons.
pub fn sarif(run: Run) -> String {
    let index: BTreeMap<u16, usize> =
        run.codes.iter().enumerate().map(|(at, code)| (code.number, at)).collect();
    let mut all = known(run.findings, run.map);
    let left = all.len().saturating_sub(MOST_RESULTS);
    if left > 0 {
        all.sort_by_key(|one| (one.silence.is_some(), one.finding.severity));
        all.truncate(MOST_RESULTS);
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
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": cut(left)}],
            "results": results,
        }],
    });
    format!("{log}\n")
}

/// Where the program is to be had, as package managers write it.
const PACKAGE: &str = concat!("pkg:cargo/orchgen@", env!("CARGO_PKG_VERSION"));

/// What relative paths are seen from.
const ROOT: &str = "%SRCROOT%";

/// What is said where results were left out.
fn cut(left: usize) -> Vec<Value> {
    let text =
        format!("{left} results are left out: a run may have {MOST_RESULTS}. The most severe stand here.");
    let note = json!({"level": "warning", "message": {"text": text}});
    if left > 0 { vec![note] } else { Vec::new() }
}

fn rule(code: &Code) -> Value {
    let page = code.text();
    let help = page.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n");
    json!({
        "id": code.to_string(),
        "name": pascal(code.name),
        "shortDescription": {"text": sentence(&plain(&code.summary()))},
        "fullDescription": {"text": described(&page)},
        "help": {"text": help, "markdown": page},
        "defaultConfiguration": {"level": level(code.severity)},
        "properties": {
            "tags": [family(code.number)],
            "precision": "very-high",
            "problem.severity": of_severity(code.severity, ["error", "warning", "recommendation"]),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    of_severity(severity, ["error", "warning", "note"])
}

/// The hundred that a code belongs to, as a word.
fn family(number: u16) -> &'static str {
    match number {
        ..200 => "text",
        200..300 => "shape",
        300..400 => "meaning",
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

/// The first paragraphs of a page, up to its example.
fn described(page: &str) -> String {
    let text = page.lines().take_while(|line| !matches!(*line, "## Example" | "## Instead"));
    let text = text.filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    let text = plain(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if text.chars().count() <= MOST_DESCRIBED {
        return text;
    }
    text.chars().take(MOST_DESCRIBED - 1).chain(['…']).collect()
}

/// Braces look like places that nobody filled in, to readers and checkers of rules.
fn plain(text: &str) -> String {
    text.replace('{', "(").replace('}', ")")
}

fn sentence(text: &str) -> String {
    let first = text.split_inclusive(". ").next().unwrap_or(text).trim_end();
    if first.ends_with('.') { first.to_owned() } else { format!("{}.", first.trim_end_matches([':', ';'])) }
}

fn result(one: &Known, run: Run, index: &BTreeMap<u16, usize>) -> Value {
    let finding = one.finding;
    let fingerprint = one.fingerprint.to_string();
    let mut value = json!({
        "ruleId": finding.code.to_string(),
        "level": level(finding.severity),
        "message": {"text": format!("{}.{}", finding.message, advice(one))},
        "locations": [place(&finding.primary, run)],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "orchgen/v1": fingerprint},
        "suppressions": suppressions(one),
    });
    if let Some(at) = index.get(&finding.code.number) {
        set(&mut value, "ruleIndex", json!(at));
    }
    if !finding.secondary.is_empty() {
        let beside = finding.secondary.iter().take(MOST_PLACES).map(|label| place(label, run));
        set(&mut value, "relatedLocations", beside.collect());
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

/// A list of its own for each result, since a run has it for all or for none.
fn suppressions(one: &Known) -> Vec<Value> {
    let kind = |word| if word == "allow" { "inSource" } else { "external" };
    let said = one.silence.map(|why| json!({"kind": kind(why.word()), "justification": why.reason()}));
    said.into_iter().collect()
}

fn place(label: &Label, run: Run) -> Value {
    let mut place = json!({"physicalLocation": {
        "artifactLocation": artifact(label.span, run),
        "region": region(label.span, run),
    }});
    if !label.text.is_empty() {
        set(&mut place, "message", json!({"text": label.text}));
    }
    place
}

/// A relative path from the root, or a whole one that says where it is by itself.
fn artifact(span: Span, run: Run) -> Value {
    let name = run.places.name(span.file, run.map);
    let path = encoded(name.strip_prefix("./").unwrap_or(name));
    if path.starts_with('/') {
        json!({"uri": format!("file://{path}")})
    } else {
        json!({"uri": path, "uriBaseId": ROOT})
    }
}

fn encoded(path: &str) -> String {
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

fn region(span: Span, run: Run) -> Value {
    let ((line, column), (end_line, end_column)) = match run.map.get(span.file) {
        Some(file) => (units(file, span.start), units(file, span.end)),
        None => ((1, 1), (1, 1)),
    };
    json!({"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column})
}

/// The line from 1, and the column from 1 in units of UTF-16.
fn units(file: &SourceFile, byte: u32) -> (u32, usize) {
    let at = file.position(byte);
    let start = at.line.checked_sub(1).and_then(|line| file.line_starts().get(line as usize)).copied();
    let before = file.text().get(start.unwrap_or(0) as usize..at.byte as usize).unwrap_or_default();
    (at.line, before.chars().map(char::len_utf16).sum::<usize>() + 1)
}

/// A fix, with the changes of each file together.
fn fix(fix: &Fix, run: Run) -> Value {
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
