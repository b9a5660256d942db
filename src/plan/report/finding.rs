//! The findings of the report. The pipeline fills them in: this room does not know how a finding is reported.

use serde::Serialize;

/// The maximum number of findings, and of checks that could not run, that the page lists.
pub const MAX_LISTED: usize = 200;

/// The findings of a run.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// The findings, the most severe first, at most [`MAX_LISTED`].
    pub listed: Vec<Finding>,
    /// The checks that could not run, at most [`MAX_LISTED`].
    pub unchecked: Vec<UncheckedItem>,
    /// The severity and the item of each further finding, in the same order.
    pub unlisted: Vec<(&'static str, Option<Subject>)>,
    /// The items of further checks that could not run.
    pub unlisted_unchecked: Vec<Subject>,
    /// The number of errors.
    pub errors: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// The number of notes.
    pub notes: usize,
    /// The number of checks that could not run.
    pub not_checked: usize,
}

/// A finding.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The number of its code.
    pub code: String,
    /// The name of its code.
    pub name: &'static str,
    /// The headline.
    pub message: String,
    /// The item that it is about.
    pub subject: Option<Subject>,
    /// The places, the primary one first.
    pub places: Vec<FindingPlace>,
    /// Details.
    pub details: Vec<String>,
    /// The instructions for users.
    pub help: Vec<String>,
}

/// An item of the registry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Subject {
    /// The kind, as written in a registry.
    pub kind: &'static str,
    /// The name.
    pub name: String,
}

/// A place in a file.
#[derive(Debug, Serialize)]
pub struct FindingPlace {
    /// The name of the file below the folder of the registry.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The text at the place.
    pub label: String,
    /// The lines around the place. Empty for a file without text.
    pub lines: Vec<ExcerptLine>,
}

/// A line of a file, in three parts.
#[derive(Debug, Serialize)]
pub struct ExcerptLine {
    /// Its number, from 1.
    pub number: usize,
    /// The text before the mark.
    pub before: String,
    /// The marked text. Empty for a line without a mark.
    pub marked: String,
    /// The text after the mark.
    pub after: String,
}

/// A check that could not run.
#[derive(Debug, Serialize)]
pub struct UncheckedItem {
    /// The name of the code.
    pub check: &'static str,
    /// The item.
    pub subject: Subject,
    /// The unknown fact.
    pub why: String,
}

impl Findings {
    /// The number of findings that the page does not list.
    pub fn omitted(&self) -> usize {
        (self.errors + self.warnings + self.notes).saturating_sub(self.listed.len())
    }

    /// True if the item of each finding is known. A run with very many findings only counts the last ones.
    pub fn is_complete(&self) -> bool {
        self.omitted() == self.unlisted.len()
    }
}
