//! The report formats. Only `human.rs` uses miette.

pub mod concise;
mod excerpt;
mod footer;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
mod link;
mod place;
mod plain;
mod run;
pub mod sarif;
mod screen_reader;
mod style;
mod window;

pub use link::linked;
pub use plain::{hanging, hanging_words, sanitize, width, wrap};
pub use run::ReportInput;
pub use style::Style;

use super::Diagnostics;
use crate::source::{SourceMap, Span};
use std::borrow::Cow;

/// The source texts with secrets redacted. Reports print only these, so a secret is hidden in the excerpts of all
/// findings.
pub fn redact_secrets<'m>(findings: &Diagnostics, map: &'m SourceMap) -> Cow<'m, SourceMap> {
    let secrets: Vec<Span> = findings.findings().iter().filter_map(|finding| finding.concealed).collect();
    if secrets.is_empty() { Cow::Borrowed(map) } else { Cow::Owned(map.redacted(&secrets)) }
}
