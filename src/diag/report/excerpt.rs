//! Excerpts: the lines of a file that a finding shows, with marks that do not overlap.

use super::place::{LabelRole, MarkedPlace, label_text, line, line_start};
use super::plain::{columns, sanitize, wrap};
use super::style::Style;
use super::window::{Focus, TruncatedLine, truncate};
use crate::diag::{Diagnostic, Label};
use crate::source::SourceMap;
use std::ops::Range;

/// The maximum number of unmarked lines between two marks of one excerpt.
const MAX_GAP: usize = 2;

/// Columns between a mark and the label under it.
const LABEL_INDENT: usize = 4;

/// The columns that a label needs to be readable when wrapped. Lines are not truncated to give it more.
const LABEL_WIDTH: usize = 24;

/// The maximum number of columns for line numbers and brackets.
const GUTTER: usize = 12;

/// The lines that a report prints for one or more places.
#[derive(Debug)]
pub(super) enum PlaceView {
    /// Lines with marks.
    Lines(Excerpt),
    /// A file without text, with its label.
    File {
        /// The name of the file.
        name: String,
        /// The text of the label.
        text: String,
    },
}

/// Consecutive lines as printed, with their marks.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The name of the file.
    pub(super) name: String,
    /// The number of the first line, from 1.
    pub(super) line: usize,
    /// Line and column of the heading, from 1.
    pub(super) heading: (usize, usize),
    /// The lines, sanitized and truncated. Each ends with a space, so that a mark at its end has a character.
    pub(super) text: String,
    /// The marks, in text order.
    pub(super) marks: Vec<Mark>,
}

/// A marked part of an excerpt, with its label.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// The byte range in the excerpt.
    pub(super) range: Range<usize>,
    /// The label, wrapped to fit.
    pub(super) text: String,
    /// Primary or secondary.
    pub(super) role: LabelRole,
}

/// All places of a finding, the primary place first.
pub(super) fn excerpts(finding: &Diagnostic, map: &SourceMap, style: Style) -> Vec<PlaceView> {
    let mut groups: Vec<Vec<MarkedPlace>> = Vec::new();
    let mut textless = Vec::new();
    let labels = finding.secondary.iter().map(|label| (label, LabelRole::Secondary));
    for (label, role) in std::iter::once((&finding.primary, LabelRole::Primary)).chain(labels) {
        let Some(file) = map.get(label.span.file) else { continue };
        let Some(place) = MarkedPlace::new(label, file, role, style) else {
            let view = file_without_text(label, file.name(), style);
            textless.push((groups.len(), view));
            continue;
        };
        match groups.iter_mut().find(|group| fits_group(group, &place, style)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    let mut views: Vec<PlaceView> =
        groups.into_iter().map(|group| PlaceView::Lines(build_excerpt(group, style))).collect();
    for (before, file) in textless.into_iter().rev() {
        views.insert(before, file);
    }
    views
}

fn file_without_text(label: &Label, name: &str, style: Style) -> PlaceView {
    PlaceView::File { name: sanitize(name, style), text: label_text(label, style) }
}

/// True if a place can be marked in the excerpt of a group: it is close enough, and its mark conflicts with no other
/// mark.
fn fits_group(group: &[MarkedPlace], place: &MarkedPlace, style: Style) -> bool {
    let is_close = |other: &MarkedPlace| {
        place.lines.0 <= other.lines.1 + MAX_GAP + 1 && other.lines.0 <= place.lines.1 + MAX_GAP + 1
    };
    group.iter().all(|other| std::ptr::eq(other.file, place.file))
        && group.iter().any(is_close)
        && !group.iter().any(|other| conflicts(other, place, style))
}

/// True if two marks cannot share an excerpt: they overlap, or are too far apart on one line.
fn conflicts(a: &MarkedPlace, b: &MarkedPlace, style: Style) -> bool {
    match (a.is_on_one_line(), b.is_on_one_line()) {
        (false, false) => a.lines.0 <= b.lines.1 && b.lines.0 <= a.lines.1,
        (true, true) if a.lines.0 == b.lines.0 => {
            let hull = a.bytes.start.min(b.bytes.start)..a.bytes.end.max(b.bytes.end);
            let between = a.file.text().get(hull).unwrap_or_default();
            let overlap = a.bytes.start < b.bytes.end.max(b.bytes.start + 1)
                && b.bytes.start < a.bytes.end.max(a.bytes.start + 1);
            overlap || columns(between, style.width) + GUTTER + LABEL_INDENT + LABEL_WIDTH > style.width
        }
        _ => false,
    }
}

fn build_excerpt(mut group: Vec<MarkedPlace>, style: Style) -> Excerpt {
    group.sort_by_key(|place| place.bytes.start);
    let (first, last) = with_context(&group);
    let area = area(&group, last + 1, style);
    let heading = group.iter().find(|place| place.role == LabelRole::Primary).or(group.first());
    let mut excerpt = Excerpt {
        name: heading.map_or_else(String::new, |place| sanitize(place.file.name(), style)),
        line: first + 1,
        heading: heading.map_or((1, 1), |place| {
            let position = place.position();
            (position.line as usize, position.column as usize)
        }),
        text: String::new(),
        marks: group.iter().map(mark_without_range).collect(),
    };
    for number in first..=last {
        push_line(&mut excerpt, number, &group, area, style);
    }
    excerpt
}

/// The first and last line of a group, plus one line on each side unless it is blank.
fn with_context(group: &[MarkedPlace]) -> (usize, usize) {
    let first = group.iter().map(|place| place.lines.0).min().unwrap_or(0);
    let last = group.iter().map(|place| place.lines.1).max().unwrap_or(0);
    let is_blank = |number| group.first().is_none_or(|place| line(place.file, number).trim().is_empty());
    let above = if first > 0 && !is_blank(first - 1) { first - 1 } else { first };
    (above, if is_blank(last + 1) { last } else { last + 1 })
}

/// The columns available for text, next to line numbers and the brackets of multi-line marks.
fn area(group: &[MarkedPlace], last: usize, style: Style) -> usize {
    let brackets = group.iter().filter(|place| !place.is_on_one_line()).count();
    let gutter = if brackets > 0 { brackets + 3 } else { 0 };
    style.width.saturating_sub(last.to_string().len() + 4 + gutter).max(16)
}

fn mark_without_range(place: &MarkedPlace) -> Mark {
    Mark { range: 0..0, text: place.text.clone(), role: place.role }
}

fn push_line(excerpt: &mut Excerpt, number: usize, group: &[MarkedPlace], area: usize, style: Style) {
    let Some(file) = group.first().map(|place| place.file) else { return };
    let (content, start) = (line(file, number), line_start(file, number));
    let shown = truncate(content, focus(number, group, content, start, area), area, style);
    let base = excerpt.text.len();
    for (place, mark) in group.iter().zip(&mut excerpt.marks) {
        let (from, to) = (place.bytes.start.saturating_sub(start), place.bytes.end.saturating_sub(start));
        if place.lines.0 == number {
            mark.range = base + shown.offset(from)..base + shown.offset(from);
        }
        if place.lines.1 == number {
            mark.range.end = (base + shown.offset(to)).max(mark.range.start);
            let width =
                if place.is_on_one_line() { area - label_column(&shown, from, to).min(area) } else { area };
            mark.text = wrap(&mark.text, width.max(12)).join("\n");
        }
    }
    excerpt.text.push_str(shown.text());
    excerpt.text.push_str(" \n");
}

/// The column where the label of a mark begins.
fn label_column(line: &TruncatedLine, from: usize, to: usize) -> usize {
    usize::midpoint(line.column(from), line.column(to)) + LABEL_INDENT
}

/// The part of a line that must be visible: its first mark and, if possible, all its marks and labels.
fn focus(number: usize, group: &[MarkedPlace], content: &str, start: usize, area: usize) -> Focus {
    let on_line = group.iter().filter(|place| place.is_on_one_line() && place.lines.0 == number);
    let mut focus: Option<Focus> = None;
    for place in on_line {
        let (from, to) = (place.bytes.start.saturating_sub(start), place.bytes.end.saturating_sub(start));
        let focus = focus.get_or_insert(Focus { from, width: 0 });
        let width = |range: Range<usize>| columns(content.get(range).unwrap_or_default(), area);
        let label = (columns(&place.text, LABEL_WIDTH).min(LABEL_WIDTH) + LABEL_INDENT).min(area / 2);
        focus.width = focus.width.max(width(focus.from..from) + width(from..to) / 2 + label);
    }
    focus.unwrap_or_default()
}
