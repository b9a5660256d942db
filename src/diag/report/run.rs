//! The input of the reports for programs.

use crate::diag::{Code, Diagnostics, FingerprintedFinding, Severity, fingerprinted};
use crate::source::{ReportPaths, SourceMap};

/// The results of a run.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// The findings.
    pub findings: &'a Diagnostics,
    /// The source texts.
    pub map: &'a SourceMap,
    /// The paths of the source files.
    pub places: &'a ReportPaths,
    /// All codes.
    pub codes: &'a [&'static Code],
}

impl<'a> ReportInput<'a> {
    /// All findings that are not silenced: the most severe first, then in text order.
    pub(super) fn worst_first(self) -> Vec<FingerprintedFinding<'a>> {
        let mut all: Vec<_> =
            fingerprinted(self.findings, self.map).into_iter().filter(|one| one.silence.is_none()).collect();
        all.sort_by_key(|one| one.finding.severity);
        all
    }
}

/// The notes and helps of a finding, one per line, to append to its headline.
pub(super) fn notes_and_help(one: &FingerprintedFinding) -> String {
    let mut text = String::new();
    for (word, lines) in [("note", &one.finding.notes), ("help", &one.finding.help)] {
        for line in lines {
            text.extend(["\n", word, ": ", line]);
        }
    }
    text
}

/// Selects the word of a severity from the three words of a format.
pub(super) fn severity_word(severity: Severity, words: [&'static str; 3]) -> &'static str {
    let [error, warning, note] = words;
    match severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Note => note,
    }
}
