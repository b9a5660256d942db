//! Findings as a code quality report, which GitLab shows in a merge request.

use super::run::{ReportInput, notes_and_help, severity_word};
use crate::diag::{FingerprintedFinding, fingerprinted};
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

/// An array with one finding per line, or `[]`.
pub fn gitlab(run: ReportInput) -> String {
    let all = fingerprinted(run.findings, run.map).into_iter().filter(|one| one.silence.is_none());
    // Serialization fails only for maps with non-string keys, and an issue has no map.
    let lines: Vec<String> =
        all.map(|one| serde_json::to_string(&issue(&one, run)).unwrap_or_default()).collect();
    if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

fn issue<'a>(one: &FingerprintedFinding, run: ReportInput<'a>) -> Issue<'a> {
    let span = one.finding.primary.span;
    let line = |byte| run.map.get(span.file).map_or(1, |file: &SourceFile| file.position(byte).line);
    Issue {
        description: format!("{}{}", one.finding.message, notes_and_help(one)),
        check_name: one.finding.code.name,
        fingerprint: one.fingerprint.to_string(),
        severity: severity_word(one.finding.severity, ["critical", "minor", "info"]),
        location: Location {
            path: run.places.name(span.file, run.map),
            lines: Lines { begin: line(span.start), end: line(span.end) },
        },
    }
}
