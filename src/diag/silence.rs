//! Findings that were made and do not count, and why.

use super::Diagnostic;

/// A finding that does not count.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// The finding.
    pub finding: Diagnostic,
    /// Why it does not count.
    pub why: Silence,
}

/// Why a finding does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Its item allows it.
    Allowed {
        /// The reason that stands there.
        because: String,
    },
    /// It is listed in a file of known findings.
    Baseline {
        /// The file as the user named it.
        file: String,
    },
}

impl Silence {
    /// What of the language or the command line silences: `allow` or `baseline`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allow",
            Self::Baseline { .. } => "baseline",
        }
    }

    /// The reason, as a sentence without an end.
    pub fn reason(&self) -> String {
        match self {
            Self::Allowed { because } => because.clone(),
            Self::Baseline { file } => format!("known: listed in {file}"),
        }
    }
}
