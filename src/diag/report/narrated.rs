//! A finding for a screen reader: sentences instead of a drawing.

use super::human::head;
use super::place::{Place, Role, line, line_start, words};
use super::plain::clean;
use super::style::Style;
use super::window::{Focus, cut};
use crate::diag::{Diagnostic, Label};
use crate::source::SourceMap;

/// A finding line by line; nothing is drawn, coloured or wrapped.
pub(super) fn tell(finding: &Diagnostic, map: &SourceMap, style: Style) -> Vec<String> {
    let mut lines = vec![head(finding, style)];
    tell_place(&mut lines, Role::Primary, &finding.primary, map, style);
    for label in &finding.secondary {
        tell_place(&mut lines, Role::Secondary, label, map, style);
    }
    for (word, texts) in [("note", &finding.notes), ("help", &finding.help)] {
        for text in texts {
            for (n, line) in text.lines().enumerate() {
                let lead = if n == 0 { format!("  {word}: ") } else { " ".repeat(word.len() + 4) };
                lines.push(lead + &clean(line, style));
            }
        }
    }
    lines
}

fn tell_place(lines: &mut Vec<String>, role: Role, label: &Label, map: &SourceMap, style: Style) {
    let Some(file) = map.get(label.span.file) else { return };
    let word = if role == Role::Primary { "at" } else { "see" };
    let name = clean(file.name(), style);
    let Some(place) = Place::new(label, file, role, style) else {
        lines.push(format!("  {word} {name}{}", after_colon(&words(label, style))));
        return;
    };
    let (number, column) = (place.position().line, place.position().column);
    lines.push(format!("  {word} {name} line {number} column {column}{}", after_colon(&place.text)));
    let from = place.bytes.start.saturating_sub(line_start(file, place.lines.0));
    let focus = Focus { from, reach: style.width / 2 };
    let seen = cut(line(file, place.lines.0), focus, style.width, style);
    lines.push(format!("    line {number} reads: {}", seen.text().trim()));
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
