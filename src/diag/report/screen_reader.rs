//! The report for screen readers: plain lines of text instead of excerpts with marks.

use super::human::head;
use super::place::{LabelRole, MarkedPlace, label_text, line, line_start};
use super::plain::sanitize;
use super::style::Style;
use super::window::{Focus, truncate};
use crate::diag::{Diagnostic, Label};
use crate::source::SourceMap;

/// The lines of a finding, without marks, colors or wrapping.
pub(super) fn describe_finding(finding: &Diagnostic, map: &SourceMap, style: Style) -> Vec<String> {
    let mut lines = vec![head(finding, style)];
    push_place(&mut lines, LabelRole::Primary, &finding.primary, map, style);
    for label in &finding.secondary {
        push_place(&mut lines, LabelRole::Secondary, label, map, style);
    }
    for (word, texts) in [("note", &finding.notes), ("help", &finding.help)] {
        for text in texts {
            for (n, line) in text.lines().enumerate() {
                let prefix = if n == 0 { format!("  {word}: ") } else { " ".repeat(word.len() + 4) };
                lines.push(prefix + &sanitize(line, style));
            }
        }
    }
    lines
}

fn push_place(lines: &mut Vec<String>, role: LabelRole, label: &Label, map: &SourceMap, style: Style) {
    let Some(file) = map.get(label.span.file) else { return };
    let word = if role == LabelRole::Primary { "at" } else { "see" };
    let name = sanitize(file.name(), style);
    let Some(place) = MarkedPlace::new(label, file, role, style) else {
        lines.push(format!("  {word} {name}{}", after_colon(&label_text(label, style))));
        return;
    };
    let (number, column) = (place.position().line, place.position().column);
    lines.push(format!("  {word} {name} line {number} column {column}{}", after_colon(&place.text)));
    let from = place.bytes.start.saturating_sub(line_start(file, place.lines.0));
    let focus = Focus { from, width: style.width / 2 };
    let shown = truncate(line(file, place.lines.0), focus, style.width, style);
    lines.push(format!("    line {number} reads: {}", shown.text().trim()));
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
