//! Severities of codes that the user changes for one run.

use super::{Code, Severity};
use std::collections::BTreeMap;

/// The severity that the user gives to a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// An error: the run exits with 1 and writes nothing.
    Error,
    /// A warning.
    Warning,
    /// Not reported.
    Ignored,
}

/// The severities that the user sets. If a code is given twice, the last wins.
#[derive(Clone, Default, Debug)]
pub struct Levels {
    default: Option<Level>,
    codes: BTreeMap<u16, Level>,
}

impl Levels {
    /// Sets the level of all codes and discards earlier settings.
    pub fn set_all(&mut self, level: Level) {
        self.codes.clear();
        self.default = Some(level);
    }

    /// Sets the level of one code.
    pub fn set(&mut self, code: &Code, level: Level) {
        self.codes.insert(code.number, level);
    }

    /// True if findings of the code are not reported.
    pub fn ignores(&self, code: &Code) -> bool {
        self.severity(code, code.severity).is_none()
    }

    /// The severity of a finding in this run; none if it is ignored. Errors stay errors, because
    /// [`Checked`](crate::check::Checked) guarantees that there are no errors.
    pub(super) fn severity(&self, code: &Code, declared: Severity) -> Option<Severity> {
        if declared == Severity::Error {
            return Some(declared);
        }
        match self.codes.get(&code.number).copied().or(self.default) {
            Some(Level::Error) => Some(Severity::Error),
            Some(Level::Warning) => Some(Severity::Warning),
            Some(Level::Ignored) => None,
            None => Some(declared),
        }
    }
}
