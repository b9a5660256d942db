//! Findings for people. The one file that knows the library that draws.

use crate::diag::Diagnostics;
use crate::source::SourceMap;

/// How a report is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Columns to draw in; at least 40.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
    /// Whether to draw with box characters, or with ASCII alone.
    pub unicode: bool,
}

/// All findings, then one line that sums up.
pub fn human(findings: &Diagnostics, map: &SourceMap, style: Style) -> String {
    let _ = (map, style);
    format!("{:?}", findings.summary())
}
