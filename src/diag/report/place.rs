//! A label with its lines: where exactly it is marked in the text of its file.

use super::plain::clean;
use super::style::Style;
use crate::diag::Label;
use crate::source::{Position, SourceFile, Span};
use std::ops::Range;

/// A mark over more lines than this is drawn on its first line alone.
const MOST_LINES: usize = 6;

/// What a place shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Where it is wrong.
    Primary,
    /// Why it is wrong.
    Secondary,
}

/// A place of a file that has text, put where it can be seen.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// The file.
    pub(super) file: &'a SourceFile,
    /// The bytes that are marked: no blanks at either end, and not beyond the text.
    pub(super) bytes: Range<usize>,
    /// The lines that they lie on, from 0, the last one included.
    pub(super) lines: (usize, usize),
    /// The words that are drawn there.
    pub(super) text: String,
    /// What it shows.
    pub(super) role: Role,
}

impl<'a> Place<'a> {
    /// The place of a label in its file; none where the file has no text to mark.
    pub(super) fn new(label: &Label, file: &'a SourceFile, role: Role, style: Style) -> Option<Self> {
        if file.text().is_empty() {
            return None;
        }
        let bytes = visible(file.text(), label.span);
        let first = line_of(file, bytes.start);
        let last = line_of(file, bytes.end.saturating_sub(1).max(bytes.start));
        let mut place = Self { file, bytes, lines: (first, last), text: words(label, style), role };
        if last - first >= MOST_LINES {
            place.keep_first_line();
        }
        Some(place)
    }

    /// Line and column where the mark starts.
    pub(super) fn position(&self) -> Position {
        self.file.position(u32::try_from(self.bytes.start).unwrap_or(u32::MAX))
    }

    /// Whether the mark begins and ends on one line.
    pub(super) fn is_on_one_line(&self) -> bool {
        self.lines.0 == self.lines.1
    }

    fn keep_first_line(&mut self) {
        let (first, last) = self.lines;
        let end = line_start(self.file, first) + line(self.file, first).trim_end().len();
        self.bytes.end = end.max(self.bytes.start);
        self.lines = (first, first);
        let blank = if self.text.is_empty() { "" } else { " " };
        self.text = format!("{}{blank}(to line {})", self.text, last + 1);
    }
}

/// The words of a label, harmless.
pub(super) fn words(label: &Label, style: Style) -> String {
    clean(label.text.trim(), style)
}

/// The text of a line, from 0, without its end.
pub(super) fn line(file: &SourceFile, number: usize) -> &str {
    let start = line_start(file, number);
    let next = file.line_starts().get(number + 1).map_or(file.text().len(), |next| *next as usize);
    let text = file.text().get(start..next).unwrap_or_default();
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// The first byte of a line, from 0.
pub(super) fn line_start(file: &SourceFile, number: usize) -> usize {
    file.line_starts().get(number).map_or(file.text().len(), |start| *start as usize)
}

fn line_of(file: &SourceFile, byte: usize) -> usize {
    file.line_starts().partition_point(|start| *start as usize <= byte).saturating_sub(1)
}

/// The bytes of a span that can be seen when they are underlined. The end of a text, after its last newline, is no line
/// of its own: what is missing there is marked at the end of the last line, as is what is marked on a line's end.
fn visible(text: &str, span: Span) -> Range<usize> {
    let range = span.range();
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end).max(start);
    let marked = text.get(start..end).unwrap_or_default();
    let body = marked.trim();
    if !body.is_empty() {
        let start = start + (marked.len() - marked.trim_start().len());
        return start..start + body.len();
    }
    let (before, after) = text.split_at(start);
    let above = if after.is_empty() { before.strip_suffix('\n') } else { None };
    let within = if after.starts_with('\n') { Some(before) } else { above };
    if let Some(line) = within {
        let at = line.strip_suffix('\r').unwrap_or(line).len();
        return at..at;
    }
    start..marked.find(['\r', '\n']).map_or(end, |at| start + at)
}
