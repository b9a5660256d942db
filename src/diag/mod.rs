//! How a finding is said: codes with their pages, findings as plain values, one sink, and the formats they are shown in.

#[macro_use]
mod code;
mod diagnostic;
mod fix;
pub mod page;
pub mod report;
mod sink;
mod suggest;
pub mod words;

pub use crate::source::Digest;
pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Subject};
pub use fix::{Change, Cure, Edit, Fix, Safety};
pub use sink::{Diagnostics, NotChecked, Reported, Summary};
pub use suggest::{Likeness, Near, near, nearest};
