//! What codes count as in one run, where the user says otherwise than they do themselves.

use super::{Code, Severity};
use std::collections::BTreeMap;

/// What a code counts as, by the user's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// An error: it ends the run with 1, and nothing is written.
    Error,
    /// A warning.
    Warning,
    /// Nothing: it is not said.
    Ignored,
}

/// What the user says of codes; of two words about one code the later counts.
#[derive(Clone, Default, Debug)]
pub struct Levels {
    rest: Option<Level>,
    codes: BTreeMap<u16, Level>,
}

impl Levels {
    /// Says it of every code, whatever was said before.
    pub fn set_all(&mut self, level: Level) {
        self.codes.clear();
        self.rest = Some(level);
    }

    /// Says it of one code.
    pub fn set(&mut self, code: &Code, level: Level) {
        self.codes.insert(code.number, level);
    }

    /// Whether findings of the code are left out.
    pub fn ignores(&self, code: &Code) -> bool {
        self.severity(code, code.severity).is_none()
    }

    /// What a finding of the code counts as; none where it is left out. The one place that decides it: what is an error by
    /// itself stays one, since [`Checked`](crate::check::Checked) promises that there is none.
    pub(super) fn severity(&self, code: &Code, declared: Severity) -> Option<Severity> {
        if declared == Severity::Error {
            return Some(declared);
        }
        match self.codes.get(&code.number).copied().or(self.rest) {
            Some(Level::Error) => Some(Severity::Error),
            Some(Level::Warning) => Some(Severity::Warning),
            Some(Level::Ignored) => None,
            None => Some(declared),
        }
    }
}
