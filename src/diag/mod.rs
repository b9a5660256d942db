//! How a finding is said: codes with their pages, findings as plain values, one sink, and the formats they are shown in.

#[macro_use]
mod code;
mod baseline;
pub mod codes;
mod diagnostic;
mod fingerprint;
mod fix;
mod level;
mod lexicon;
pub mod page;
pub mod report;
mod silence;
mod sink;
mod suggest;
pub mod words;

pub use crate::source::Digest;
pub use baseline::{Baseline, Reach};
pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Subject};
pub use fingerprint::{Fingerprint, Known, known};
pub use fix::{Change, Edit, Fix, ProposedFix, Safety};
pub use level::{Level, Levels};
pub use lexicon::Lexicon;
pub use silence::{Silence, Silenced};
pub use sink::{Diagnostics, NotChecked, Reported, Summary};
pub use suggest::{Likeness, Near, near, nearest};
