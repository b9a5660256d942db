//! Findings as workflow commands, which GitHub shows next to the lines of a pull request.

use super::run::{ReportInput, notes_and_help, severity_word};
use crate::diag::{FingerprintedFinding, words};
use std::fmt::Write;

/// One line per finding, the most severe first, because GitHub shows only the first ten of a step.
pub fn github(run: ReportInput) -> String {
    let mut out = String::new();
    for one in run.worst_first() {
        let kind = severity_word(one.finding.severity, ["error", "warning", "notice"]);
        let title = format!("{} {}", one.finding.code, one.finding.code.name);
        let text = format!("{}{}", one.finding.message, notes_and_help(&one));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "::{kind} {}title={}::{}", place(&one, run), property(&title), data(&text));
    }
    out
}

/// The properties of a place. GitHub supports columns only within one line. A file without text has no line numbers.
fn place(one: &FingerprintedFinding, run: ReportInput) -> String {
    let span = one.finding.primary.span;
    let Some(file) = run.map.get(span.file) else { return String::new() };
    let name = property(run.places.name(span.file, run.map));
    if file.text().is_empty() {
        return format!("file={name},");
    }
    let (start, end) = (file.position(span.start), file.position(span.end));
    let columns = if start.line == end.line {
        format!("col={},endColumn={},", start.column, end.column)
    } else {
        String::new()
    };
    format!("file={name},line={},endLine={},{columns}", start.line, end.line)
}

/// Encodes the text after `::` for the runner.
fn data(text: &str) -> String {
    escape_controls(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Encodes the text after `=` for the runner.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes characters that can control a terminal, because the log of a workflow may be printed in one.
fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if words::is_control_like(c) && !matches!(c, '\n' | '\r') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
