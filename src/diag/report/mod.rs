//! The formats that findings are shown in. `human.rs` alone knows the library that draws.

mod closing;
pub mod concise;
mod excerpt;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
mod narrated;
pub mod page;
mod place;
mod plain;
mod run;
pub mod sarif;
mod style;
mod window;

pub use run::Run;
pub use style::Style;

use super::Diagnostics;
use crate::source::{SourceMap, Span};
use std::borrow::Cow;

/// The texts as formats may draw them: secrets that findings speak of are hidden, also from the findings beside them.
pub(super) fn drawable<'m>(findings: &Diagnostics, map: &'m SourceMap) -> Cow<'m, SourceMap> {
    let secrets: Vec<Span> = findings.findings().iter().filter_map(|finding| finding.concealed).collect();
    if secrets.is_empty() { Cow::Borrowed(map) } else { Cow::Owned(map.without(&secrets)) }
}
