//! Silenced findings and the reason for each.

use super::Diagnostic;

/// A finding that is silenced.
#[derive(Clone, Debug)]
pub struct SilencedFinding {
    /// The finding.
    pub finding: Diagnostic,
    /// Why it is silenced.
    pub why: SilenceReason,
}

/// Why a finding is silenced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SilenceReason {
    /// Its item has an `allow` for it.
    Allowed {
        /// The `because` of the `allow`.
        because: String,
    },
    /// It is listed in a baseline file.
    Baseline {
        /// The file, as given on the command line.
        file: String,
    },
}

impl SilenceReason {
    /// The feature that silences it: `allow` or `baseline`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allow",
            Self::Baseline { .. } => "baseline",
        }
    }

    /// The reason, as a sentence without a full stop.
    pub fn reason(&self) -> String {
        match self {
            Self::Allowed { because } => because.clone(),
            Self::Baseline { file } => format!("listed in baseline {file}"),
        }
    }
}
