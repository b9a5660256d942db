//! The style of the human-readable report.

/// The style of a report. It depends on nothing else, neither on the terminal nor on the environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch on the command line")]
pub struct Style {
    /// The width in columns, clamped to 40 to 200.
    pub width: usize,
    /// True to use colors.
    pub color: bool,
    /// True to use box-drawing characters, false for ASCII only.
    pub unicode: bool,
    /// True to list what was not checked, false to only count it.
    pub verbose: bool,
    /// The maximum number of findings to print; the most severe are chosen.
    pub max_findings: usize,
    /// True to print plain lines for screen readers instead of excerpts with marks. Findings are then not colored.
    pub screen_reader: bool,
    /// The address of the pages of codes, if codes are links: `{code}` is replaced with the code, or the code follows.
    /// Printable ASCII without blanks.
    pub links: Option<&'static str>,
}

impl Default for Style {
    /// ASCII without color, 80 columns wide; safe for every terminal and every file.
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            unicode: false,
            verbose: false,
            max_findings: usize::MAX,
            screen_reader: false,
            links: None,
        }
    }
}
