//! The place of a label in the text of its file: which bytes and lines are marked.

use super::plain::sanitize;
use super::style::Style;
use crate::diag::Label;
use crate::source::{Position, SourceFile, Span};
use std::ops::Range;

/// A mark over more lines than this is printed on its first line only.
const MAX_MARKED_LINES: usize = 6;

/// The role of a label in its finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LabelRole {
    /// The place that is wrong.
    Primary,
    /// A place that shows why.
    Secondary,
}

/// A place in a file with text, adjusted so that its mark is visible.
#[derive(Clone, Debug)]
pub(super) struct MarkedPlace<'a> {
    /// The file.
    pub(super) file: &'a SourceFile,
    /// The marked bytes, trimmed and within the text.
    pub(super) bytes: Range<usize>,
    /// The first and the last marked line, from 0.
    pub(super) lines: (usize, usize),
    /// The text of the label.
    pub(super) text: String,
    /// Primary or secondary.
    pub(super) role: LabelRole,
}

impl<'a> MarkedPlace<'a> {
    /// The place of a label in its file; none if the file has no text.
    pub(super) fn new(label: &Label, file: &'a SourceFile, role: LabelRole, style: Style) -> Option<Self> {
        if file.text().is_empty() {
            return None;
        }
        let bytes = visible(file.text(), label.span);
        let first = line_of(file, bytes.start);
        let last = line_of(file, bytes.end.saturating_sub(1).max(bytes.start));
        let mut place = Self { file, bytes, lines: (first, last), text: label_text(label, style), role };
        if last - first >= MAX_MARKED_LINES {
            place.keep_first_line();
        }
        Some(place)
    }

    /// Line and column where the mark starts.
    pub(super) fn position(&self) -> Position {
        self.file.position(u32::try_from(self.bytes.start).unwrap_or(u32::MAX))
    }

    /// True if the mark is within one line.
    pub(super) fn is_on_one_line(&self) -> bool {
        self.lines.0 == self.lines.1
    }

    fn keep_first_line(&mut self) {
        let (first, last) = self.lines;
        let end = line_start(self.file, first) + line(self.file, first).trim_end().len();
        self.bytes.end = end.max(self.bytes.start);
        self.lines = (first, first);
        let space = if self.text.is_empty() { "" } else { " " };
        self.text = format!("{}{space}(to line {})", self.text, last + 1);
    }
}

/// The sanitized text of a label.
pub(super) fn label_text(label: &Label, style: Style) -> String {
    sanitize(label.text.trim(), style)
}

/// The text of a line (counted from 0) without its line break.
pub(super) fn line(file: &SourceFile, number: usize) -> &str {
    let start = line_start(file, number);
    let next = file.line_starts().get(number + 1).map_or(file.text().len(), |next| *next as usize);
    let text = file.text().get(start..next).unwrap_or_default();
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// The offset of a line (counted from 0).
pub(super) fn line_start(file: &SourceFile, number: usize) -> usize {
    file.line_starts().get(number).map_or(file.text().len(), |start| *start as usize)
}

fn line_of(file: &SourceFile, byte: usize) -> usize {
    file.line_starts().partition_point(|start| *start as usize <= byte).saturating_sub(1)
}

/// The bytes of a span that are visible when underlined. A span on a line break, or after the last newline of the text,
/// is moved to the end of the line before it.
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
