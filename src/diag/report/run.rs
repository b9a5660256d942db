//! What a report for programs is made of.

use crate::diag::{Code, Diagnostics, Known, Severity, known};
use crate::source::{Places, SourceMap};

/// A run as reports for programs see it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What was found.
    pub findings: &'a Diagnostics,
    /// The texts that it was found in.
    pub map: &'a SourceMap,
    /// Where these lie.
    pub places: &'a Places,
    /// Every code there is.
    pub codes: &'a [&'static Code],
}

impl<'a> Run<'a> {
    /// What counts, the most severe first, and of one severity in the order of the text.
    pub(super) fn worst_first(self) -> Vec<Known<'a>> {
        let mut all: Vec<_> =
            known(self.findings, self.map).into_iter().filter(|one| one.silence.is_none()).collect();
        all.sort_by_key(|one| one.finding.severity);
        all
    }
}

/// What to do, line by line, as it stands after a headline where there is no room to draw.
pub(super) fn advice(known: &Known) -> String {
    let mut text = String::new();
    for (word, lines) in [("note", &known.finding.notes), ("help", &known.finding.help)] {
        for line in lines {
            text.extend(["\n", word, ": ", line]);
        }
    }
    text
}

/// The word of a severity among three words of a format.
pub(super) fn of_severity(severity: Severity, words: [&'static str; 3]) -> &'static str {
    let [error, warning, note] = words;
    match severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Note => note,
    }
}
