//! One line of a file as printed: sanitized, without tabs, and truncated to the available columns.

use super::plain::{TAB, columns, columns_of, replacement};
use super::style::Style;

/// The part of a line that must be visible.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Focus {
    /// The byte offset of the first mark.
    pub(super) from: usize,
    /// The columns needed from there for the marks and their labels.
    pub(super) width: usize,
}

/// A truncated line, with a mapping from the bytes of the original line.
#[derive(Default, Debug)]
pub(super) struct TruncatedLine {
    text: String,
    cells: Vec<CharCell>,
    /// The byte offset in `text` after the last character of the line.
    end: usize,
    column: usize,
}

/// A character: its byte offset in the original line, its byte offset in the printed text, and its first column.
#[derive(Clone, Copy, Debug)]
struct CharCell {
    original: usize,
    printed: usize,
    column: usize,
}

impl TruncatedLine {
    /// The text to print.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The offset in the printed text of a byte of the original line. For truncated parts: the nearest printed offset.
    pub(super) fn offset(&self, original: usize) -> usize {
        let after = self.cells.partition_point(|cell| cell.original < original);
        self.cells.get(after).map_or(self.end, |cell| cell.printed)
    }

    /// The column of a byte of the original line, from 0.
    pub(super) fn column(&self, original: usize) -> usize {
        let after = self.cells.partition_point(|cell| cell.original < original);
        self.cells.get(after).map_or(self.column, |cell| cell.column)
    }

    fn push(&mut self, original: usize, c: char, style: Style) {
        self.cells.push(CharCell { original, printed: self.text.len(), column: self.column });
        if c == '\t' {
            let width = TAB - self.column % TAB;
            self.text.extend(std::iter::repeat_n(' ', width));
            self.column += width;
        } else {
            let shown = replacement(c, style).unwrap_or(c);
            self.text.push(shown);
            self.column += columns_of(shown);
        }
    }

    fn shorten_to(&mut self, column: usize) {
        while self.column > column {
            let Some(cell) = self.cells.pop() else { break };
            self.text.truncate(cell.printed);
            self.column = cell.column;
        }
    }
}

/// The part of `line` around its focus that fits `area` columns, with an ellipsis for omitted parts. Reads only this
/// part, because a line may be as long as its file.
pub(super) fn truncate(line: &str, focus: Focus, area: usize, style: Style) -> TruncatedLine {
    let ellipsis = if style.unicode { "…" } else { "..." };
    let ellipsis_width = ellipsis.chars().count();
    let start = first_visible(line, focus, area, ellipsis_width);
    let mut shown = TruncatedLine::default();
    if start > 0 {
        shown.text.push_str(ellipsis);
        shown.column = ellipsis_width;
    }
    let mut is_complete = true;
    for (at, c) in line.get(start..).unwrap_or_default().char_indices() {
        shown.push(start + at, c, style);
        if shown.column > area {
            is_complete = false;
            break;
        }
    }
    if !is_complete {
        shown.shorten_to(area.saturating_sub(ellipsis_width));
    }
    shown.end = shown.text.len();
    if !is_complete {
        shown.text.push_str(ellipsis);
    }
    shown
}

/// The first visible byte. This is the start of the line if the focus is then visible. Otherwise it leaves as much text
/// before the focus as fits, and about a third of the area if the line continues after the focus.
fn first_visible(line: &str, focus: Focus, area: usize, ellipsis_width: usize) -> usize {
    let (before, after) = line.split_at_checked(focus.from).unwrap_or((line, ""));
    let spare = area.saturating_sub(focus.width);
    let available = spare.min(area.saturating_sub(columns(after, area)).max(area / 3));
    if columns(before, area) <= available {
        return 0;
    }
    let mut left = available.saturating_sub(ellipsis_width);
    let mut start = before.len();
    for (at, c) in before.char_indices().rev() {
        let width = columns_of(c);
        if width > left {
            break;
        }
        left -= width;
        start = at;
    }
    start
}
