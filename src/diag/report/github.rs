//! Findings as workflow commands, which GitHub draws beside the lines of a pull request.

use super::run::{Run, advice, of_severity};
use crate::diag::{Known, words};
use std::fmt::Write;

/// A line for each finding, the most severe first, since only the first ten of a step are drawn.
pub fn github(run: Run) -> String {
    let mut out = String::new();
    for one in run.worst_first() {
        let kind = of_severity(one.finding.severity, ["error", "warning", "notice"]);
        let title = format!("{} {}", one.finding.code, one.finding.code.name);
        let text = format!("{}{}", one.finding.message, advice(&one));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "::{kind} {}title={}::{}", place(&one, run), property(&title), data(&text));
    }
    out
}

/// The properties of a place. Columns are drawn only within one line; a file of which there is no text has no lines.
fn place(one: &Known, run: Run) -> String {
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

/// What stands after `::`, as the runner decodes it.
fn data(text: &str) -> String {
    harmless(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands after `=`, as the runner decodes it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The text with what could steer a terminal spelled out: the log of a workflow is read in one.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if words::steers(c) && !matches!(c, '\n' | '\r') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
