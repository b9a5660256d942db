//! Formats the page of a code for a terminal.

use super::plain::{push_indented, sanitize, wrap};
use super::style::Style;
use crate::diag::page::{Part, Section};
use crate::diag::{Code, Severity};

/// Indentation of prose.
const INDENT: usize = 2;
/// Indentation of examples.
const EXAMPLE_INDENT: usize = 4;
/// Wider lines are hard to read.
const MAX_WIDTH: usize = 100;

/// Severity, code and name, then the sections of the page. Prose is wrapped; examples are not.
pub fn page(code: &Code, style: Style) -> String {
    let style = Style { width: style.width.clamp(40, MAX_WIDTH), ..style };
    let severity_and_code = format!("{}[{code}]", code.severity.word());
    let mut out =
        format!("{} {}\n", styled(&severity_and_code, severity_style(code.severity), style), code.name);
    for section in code.sections() {
        out.push('\n');
        push_section(&mut out, &section, style);
    }
    out
}

fn push_section(out: &mut String, section: &Section, style: Style) {
    out.push_str(&styled(&section.title, BOLD, style));
    out.push('\n');
    for (n, part) in section.parts.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let (indent, lines) = match part {
            Part::Prose(lines) => (INDENT, prose(lines, style)),
            Part::Example(example) => {
                let lines = example.text.lines().map(|line| styled(&sanitize(line, style), CYAN, style));
                (EXAMPLE_INDENT, lines.collect())
            }
        };
        push_indented(out, &" ".repeat(indent), indent, &lines);
    }
}

/// Wraps a paragraph. List items and table rows start on new lines.
fn prose(lines: &[String], style: Style) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if !starts_block(line) => text.extend([" ", line.trim_start()]),
            _ => texts.push(line.clone()),
        }
    }
    let mut wrapped = Vec::new();
    for text in texts {
        let is_item = is_list_item(&text);
        for (n, line) in wrap(&sanitize(&text, style), style.width - 2 * INDENT).into_iter().enumerate() {
            wrapped.push(if is_item && n > 0 { format!("  {line}") } else { line });
        }
    }
    wrapped
}

/// True if a line starts a list item or a table row. A line that starts with `--option` or `**bold**` does not.
fn starts_block(line: &str) -> bool {
    is_list_item(line) || line.starts_with('|')
}

fn is_list_item(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("* ")
}

const BOLD: &str = "1";
const CYAN: &str = "36";

fn severity_style(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;32",
    }
}

fn styled(text: &str, ansi: &str, style: Style) -> String {
    if style.color && !text.is_empty() { format!("\u{1b}[{ansi}m{text}\u{1b}[0m") } else { text.to_owned() }
}
