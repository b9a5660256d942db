//! The parts of files that a finding shows: runs of lines with marks that do not get in each other's way.

use super::place::{Place, Role, line, line_start, words};
use super::plain::{clean, columns, wrap};
use super::style::Style;
use super::window::{Cut, Focus, cut};
use crate::diag::{Diagnostic, Label};
use crate::source::SourceMap;
use std::ops::Range;

/// Lines without a mark that may stand between two marks of one excerpt.
const GAP: usize = 2;

/// Columns between a mark and the words under it.
const HOOK: usize = 4;

/// Columns in which words can be wrapped and still be read; a line is not cut to give them more.
const WORDS: usize = 24;

/// Columns that line numbers and brackets take at the most.
const GUTTER: usize = 12;

/// What is shown of one place or of several.
#[derive(Debug)]
pub(super) enum Shown {
    /// Lines with marks.
    Lines(Excerpt),
    /// A file of which there is no text, and what is said of it.
    File {
        /// Its name.
        name: String,
        /// The words of the label.
        text: String,
    },
}

/// A run of lines as they are drawn, with the marks in it.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The name of the file.
    pub(super) name: String,
    /// The number of the first line, from 1.
    pub(super) line: usize,
    /// Line and column, from 1, that the heading names.
    pub(super) at: (usize, usize),
    /// The lines, harmless and cut. Each ends with a blank, to have something to mark at its end.
    pub(super) text: String,
    /// What is marked, in the order of the text.
    pub(super) marks: Vec<Mark>,
}

/// A part of an excerpt with its words.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// The bytes of the excerpt.
    pub(super) range: Range<usize>,
    /// The words, wrapped to fit.
    pub(super) text: String,
    /// What it shows.
    pub(super) role: Role,
}

/// Everything that a finding shows, the place where it is wrong first.
pub(super) fn excerpts(finding: &Diagnostic, map: &SourceMap, style: Style) -> Vec<Shown> {
    let mut groups: Vec<Vec<Place>> = Vec::new();
    let mut bare = Vec::new();
    let labels = finding.secondary.iter().map(|label| (label, Role::Secondary));
    for (label, role) in std::iter::once((&finding.primary, Role::Primary)).chain(labels) {
        let Some(file) = map.get(label.span.file) else { continue };
        let Some(place) = Place::new(label, file, role, style) else {
            let shown = without_text(label, file.name(), style);
            bare.push((groups.len(), shown));
            continue;
        };
        match groups.iter_mut().find(|group| joins(group, &place, style)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    let mut shown: Vec<Shown> = groups.into_iter().map(|group| Shown::Lines(draw(group, style))).collect();
    for (before, file) in bare.into_iter().rev() {
        shown.insert(before, file);
    }
    shown
}

fn without_text(label: &Label, name: &str, style: Style) -> Shown {
    Shown::File { name: clean(name, style), text: words(label, style) }
}

/// Whether a place can be marked in the excerpt of others: near them, and not in their way.
fn joins(group: &[Place], place: &Place, style: Style) -> bool {
    let near =
        |other: &Place| place.lines.0 <= other.lines.1 + GAP + 1 && other.lines.0 <= place.lines.1 + GAP + 1;
    group.iter().all(|other| std::ptr::eq(other.file, place.file))
        && group.iter().any(near)
        && !group.iter().any(|other| in_the_way(other, place, style))
}

/// Marks that overlap cannot be drawn under one line, nor can those that lie too far apart for one window.
fn in_the_way(a: &Place, b: &Place, style: Style) -> bool {
    match (a.is_on_one_line(), b.is_on_one_line()) {
        (false, false) => a.lines.0 <= b.lines.1 && b.lines.0 <= a.lines.1,
        (true, true) if a.lines.0 == b.lines.0 => {
            let hull = a.bytes.start.min(b.bytes.start)..a.bytes.end.max(b.bytes.end);
            let between = a.file.text().get(hull).unwrap_or_default();
            let overlap = a.bytes.start < b.bytes.end.max(b.bytes.start + 1)
                && b.bytes.start < a.bytes.end.max(a.bytes.start + 1);
            overlap || columns(between, style.width) + GUTTER + HOOK + WORDS > style.width
        }
        _ => false,
    }
}

fn draw(mut group: Vec<Place>, style: Style) -> Excerpt {
    group.sort_by_key(|place| place.bytes.start);
    let (first, last) = with_context(&group);
    let area = area(&group, last + 1, style);
    let heading = group.iter().find(|place| place.role == Role::Primary).or(group.first());
    let mut excerpt = Excerpt {
        name: heading.map_or_else(String::new, |place| clean(place.file.name(), style)),
        line: first + 1,
        at: heading.map_or((1, 1), |place| {
            let position = place.position();
            (position.line as usize, position.column as usize)
        }),
        text: String::new(),
        marks: group.iter().map(unplaced).collect(),
    };
    for number in first..=last {
        draw_line(&mut excerpt, number, &group, area, style);
    }
    excerpt
}

/// The lines of a group, and one on each side unless it is blank.
fn with_context(group: &[Place]) -> (usize, usize) {
    let first = group.iter().map(|place| place.lines.0).min().unwrap_or(0);
    let last = group.iter().map(|place| place.lines.1).max().unwrap_or(0);
    let blank = |number| group.first().is_none_or(|place| line(place.file, number).trim().is_empty());
    let above = if first > 0 && !blank(first - 1) { first - 1 } else { first };
    (above, if blank(last + 1) { last } else { last + 1 })
}

/// The columns that are left for text beside the line numbers and the brackets of marks over several lines.
fn area(group: &[Place], last: usize, style: Style) -> usize {
    let brackets = group.iter().filter(|place| !place.is_on_one_line()).count();
    let gutter = if brackets > 0 { brackets + 3 } else { 0 };
    style.width.saturating_sub(last.to_string().len() + 4 + gutter).max(16)
}

fn unplaced(place: &Place) -> Mark {
    Mark { range: 0..0, text: place.text.clone(), role: place.role }
}

fn draw_line(excerpt: &mut Excerpt, number: usize, group: &[Place], area: usize, style: Style) {
    let Some(file) = group.first().map(|place| place.file) else { return };
    let (content, start) = (line(file, number), line_start(file, number));
    let cut = cut(content, focus(number, group, content, start, area), area, style);
    let base = excerpt.text.len();
    for (place, mark) in group.iter().zip(&mut excerpt.marks) {
        let (from, to) = (place.bytes.start.saturating_sub(start), place.bytes.end.saturating_sub(start));
        if place.lines.0 == number {
            mark.range = base + cut.offset(from)..base + cut.offset(from);
        }
        if place.lines.1 == number {
            mark.range.end = (base + cut.offset(to)).max(mark.range.start);
            let room = if place.is_on_one_line() { area - hook(&cut, from, to).min(area) } else { area };
            mark.text = wrap(&mark.text, room.max(12)).join("\n");
        }
    }
    excerpt.text.push_str(cut.text());
    excerpt.text.push_str(" \n");
}

/// The column where the words of a mark begin.
fn hook(cut: &Cut, from: usize, to: usize) -> usize {
    usize::midpoint(cut.column(from), cut.column(to)) + HOOK
}

/// What of a line has to be seen: the first of its marks, and all of them with their words where that is possible.
fn focus(number: usize, group: &[Place], content: &str, start: usize, area: usize) -> Focus {
    let on_line = group.iter().filter(|place| place.is_on_one_line() && place.lines.0 == number);
    let mut focus: Option<Focus> = None;
    for place in on_line {
        let (from, to) = (place.bytes.start.saturating_sub(start), place.bytes.end.saturating_sub(start));
        let focus = focus.get_or_insert(Focus { from, reach: 0 });
        let width = |range: Range<usize>| columns(content.get(range).unwrap_or_default(), area);
        let words = (columns(&place.text, WORDS).min(WORDS) + HOOK).min(area / 2);
        focus.reach = focus.reach.max(width(focus.from..from) + width(from..to) / 2 + words);
    }
    focus.unwrap_or_default()
}
