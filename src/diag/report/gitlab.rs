//! Findings as a code quality report, which GitLab shows in a merge request.

use super::run::{Run, advice, of_severity};
use crate::diag::{Known, known};
use crate::source::SourceFile;
use serde::Serialize;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// An array of what was found, one a line; `[]` where nothing was.
pub fn gitlab(run: Run) -> String {
    let all = known(run.findings, run.map).into_iter().filter(|one| one.silence.is_none());
    // Only maps with keys that are not strings can fail, and there is none.
    let lines: Vec<String> =
        all.map(|one| serde_json::to_string(&issue(&one, run)).unwrap_or_default()).collect();
    if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

fn issue<'a>(one: &Known, run: Run<'a>) -> Issue<'a> {
    let span = one.finding.primary.span;
    let line = |byte| run.map.get(span.file).map_or(1, |file: &SourceFile| file.position(byte).line);
    Issue {
        description: format!("{}{}", one.finding.message, advice(one)),
        check_name: one.finding.code.name,
        fingerprint: one.fingerprint.to_string(),
        severity: of_severity(one.finding.severity, ["critical", "minor", "info"]),
        location: Location {
            path: run.places.name(span.file, run.map),
            lines: Lines { begin: line(span.start), end: line(span.end) },
        },
    }
}
