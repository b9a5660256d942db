//! One line of a file as it is drawn: harmless, without tabs, and cut to the columns there are.

use super::plain::{TAB, columns, columns_of, stand_in};
use super::style::Style;

/// What of a line has to be seen.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Focus {
    /// The byte of the line where the first mark starts.
    pub(super) from: usize,
    /// The columns that are needed from there on, for the marks and for the words under them.
    pub(super) reach: usize,
}

/// A line that is cut, and where its bytes came to lie.
#[derive(Default, Debug)]
pub(super) struct Cut {
    text: String,
    cells: Vec<Cell>,
    /// The byte of `text` after the last character of the line.
    end: usize,
    column: usize,
}

/// A character of the line: its byte there, its byte in the text that is drawn, and the column of its left edge.
#[derive(Clone, Copy, Debug)]
struct Cell {
    raw: usize,
    drawn: usize,
    column: usize,
}

impl Cut {
    /// What is drawn.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a byte of the line is drawn; a place that was cut off is read as the nearest one that was not.
    pub(super) fn offset(&self, raw: usize) -> usize {
        let after = self.cells.partition_point(|cell| cell.raw < raw);
        self.cells.get(after).map_or(self.end, |cell| cell.drawn)
    }

    /// The column that a byte of the line is drawn in, from 0.
    pub(super) fn column(&self, raw: usize) -> usize {
        let after = self.cells.partition_point(|cell| cell.raw < raw);
        self.cells.get(after).map_or(self.column, |cell| cell.column)
    }

    fn push(&mut self, raw: usize, c: char, style: Style) {
        self.cells.push(Cell { raw, drawn: self.text.len(), column: self.column });
        if c == '\t' {
            let wide = TAB - self.column % TAB;
            self.text.extend(std::iter::repeat_n(' ', wide));
            self.column += wide;
        } else {
            let shown = stand_in(c, style).unwrap_or(c);
            self.text.push(shown);
            self.column += columns_of(shown);
        }
    }

    fn shorten_to(&mut self, column: usize) {
        while self.column > column {
            let Some(cell) = self.cells.pop() else { break };
            self.text.truncate(cell.drawn);
            self.column = cell.column;
        }
    }
}

/// The part of `line` around its focus that fits `area` columns, with an ellipsis where something was left out. Looks at
/// no more of the line than that, since a line may be as long as its file.
pub(super) fn cut(line: &str, focus: Focus, area: usize, style: Style) -> Cut {
    let dots = if style.unicode { "…" } else { "..." };
    let dots_wide = dots.chars().count();
    let start = first_shown(line, focus, area, dots_wide);
    let mut cut = Cut::default();
    if start > 0 {
        cut.text.push_str(dots);
        cut.column = dots_wide;
    }
    let mut whole = true;
    for (at, c) in line.get(start..).unwrap_or_default().char_indices() {
        cut.push(start + at, c, style);
        if cut.column > area {
            whole = false;
            break;
        }
    }
    if !whole {
        cut.shorten_to(area.saturating_sub(dots_wide));
    }
    cut.end = cut.text.len();
    if !whole {
        cut.text.push_str(dots);
    }
    cut
}

/// The first byte that is shown: the start of the line if the focus can be seen from there, else as much before the
/// focus as leaves room for it, and a third of the area where the line goes on beyond.
fn first_shown(line: &str, focus: Focus, area: usize, dots: usize) -> usize {
    let (before, after) = line.split_at_checked(focus.from).unwrap_or((line, ""));
    let spare = area.saturating_sub(focus.reach);
    let lead = spare.min(area.saturating_sub(columns(after, area)).max(area / 3));
    if columns(before, area) <= lead {
        return 0;
    }
    let mut left = lead.saturating_sub(dots);
    let mut start = before.len();
    for (at, c) in before.char_indices().rev() {
        let wide = columns_of(c);
        if wide > left {
            break;
        }
        left -= wide;
        start = at;
    }
    start
}
