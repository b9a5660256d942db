//! Echoes: findings that only follow from another finding. The sink drops them, so that one mistake gives one finding.
//!
//! This is the only mechanism against echoes between findings:
//!
//! - Code that cannot read a whole file reports that, and calls [`Diagnostics::record_unread_file`].
//! - A finding that something is absent has an [`Absence`]: either its code declares one (`declare_code!` with
//!   `absent Item`), or the finding gets one with [`Diagnostic::absent`]. The sink drops the finding if a part that was
//!   not read may contain what is absent.
//! - A finding that repeats an earlier one (place, code, item, message and notes) is dropped. A check of roles can
//!   therefore report a default for each role: the user sees one finding.
//!
//! The sink decides when it receives a finding, and again when it absorbs the sink of parallel work. So record unread
//! parts first, in the sink that absorbs the others.

use super::{Diagnostic, Diagnostics, Severity};

/// The thing that a finding reports as absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    /// An item, or a use of an item. A file that was not read may contain it.
    Item,
    /// Another finding. A part with a syntax or shape error was not checked, so it may have the finding.
    Finding,
}

/// Codes below this number are about syntax, shape and names.
const FIRST_SEMANTIC_CODE: u16 = 300;

impl Diagnostic {
    /// Marks a finding that reports an absence.
    #[must_use]
    pub fn absent(mut self, absence: Absence) -> Self {
        self.absence = Some(absence);
        self
    }

    /// True if part of the registry could not be read because of this finding, so other findings may be missing.
    pub(super) fn hides_findings(&self) -> bool {
        self.severity == Severity::Error && self.code.number < FIRST_SEMANTIC_CODE
    }
}

impl Diagnostics {
    /// Records that a file was not read. It may declare and use any item.
    pub fn record_unread_file(&mut self) {
        self.has_unread_file = true;
    }

    /// True if a finding only follows from an earlier one.
    pub(super) fn is_echo(&self, finding: &Diagnostic) -> bool {
        let is_hidden = match finding.absence {
            None => false,
            Some(Absence::Item) => self.has_unread_file,
            Some(Absence::Finding) => self.hides_findings,
        };
        is_hidden || self.seen.contains(&finding.identity())
    }
}
