//! How findings are drawn for people.

/// How a report is drawn. Nothing else decides it: not the terminal, not the environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Style {
    /// Columns to draw in: less than 40 is read as 40, more than 200 as 200.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
    /// Whether to draw with box characters, or with ASCII alone.
    pub unicode: bool,
    /// Whether to list what was not checked, or only to count it.
    pub verbose: bool,
    /// How many findings are drawn at the most, the most severe of them.
    pub most: usize,
    /// Whether to say in sentences what is else drawn, for screen readers; colour is left out then.
    pub narrated: bool,
}

impl Default for Style {
    /// ASCII without colour, 80 columns wide: what every terminal and every file can take.
    fn default() -> Self {
        Self { width: 80, colour: false, unicode: false, verbose: false, most: usize::MAX, narrated: false }
    }
}
