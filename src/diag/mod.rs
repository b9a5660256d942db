//! Findings: their codes and pages, the findings as plain data, the sink that collects them, and the report formats.

#[macro_use]
mod code;
mod baseline;
pub mod codes;
mod diagnostic;
mod echo;
mod fingerprint;
mod fix;
mod json_error;
mod level;
mod line;
pub mod page;
pub mod report;
mod silence;
mod sink;
mod suggest;
pub mod words;

pub use crate::source::Digest;
pub use baseline::{Baseline, BaselineScope};
pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Subject};
pub use echo::Absence;
pub use fingerprint::{Fingerprint, FingerprintedFinding, fingerprinted};
pub use fix::{Change, Edit, Fix, ProposedFix, Safety};
pub use json_error::json_problem;
pub use level::{Level, Levels};
pub use line::{Line, Literal};
pub use silence::{SilenceReason, SilencedFinding};
pub use sink::{Diagnostics, NotChecked, Reported, Summary};
pub use suggest::{Similarity, Suggestion, nearest, suggest};
