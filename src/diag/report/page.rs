//! The page of a code, laid out for people who read it on a terminal.

use super::plain::{clean, hang, wrap};
use super::style::Style;
use crate::diag::page::{Part, Section};
use crate::diag::{Code, Severity};

/// Blanks before prose.
const INDENT: usize = 2;
/// Blanks before each line of an example.
const EXAMPLE_INDENT: usize = 4;
/// The most columns that are pleasant to read.
const WIDEST: usize = 100;

/// The code as findings show it, then the sections of its page: prose is wrapped, examples are kept as they are.
pub fn page(code: &Code, style: Style) -> String {
    let style = Style { width: style.width.clamp(40, WIDEST), ..style };
    let lead = format!("{}[{code}]", code.severity.word());
    let mut out = format!("{} {}\n", painted(&lead, paint_of(code.severity), style), code.name);
    for section in code.sections() {
        out.push('\n');
        draw(&mut out, &section, style);
    }
    out
}

fn draw(out: &mut String, section: &Section, style: Style) {
    out.push_str(&painted(&section.title, BOLD, style));
    out.push('\n');
    for (n, part) in section.parts.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let (indent, lines) = match part {
            Part::Prose(lines) => (INDENT, prose(lines, style)),
            Part::Example(example) => {
                let lines = example.text.lines().map(|line| painted(&clean(line, style), CYAN, style));
                (EXAMPLE_INDENT, lines.collect())
            }
        };
        hang(out, &" ".repeat(indent), indent, &lines);
    }
}

/// A paragraph as one text; the items of a list and the rows of a table each stand on lines of their own.
fn prose(lines: &[String], style: Style) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if !line.starts_with(['-', '|', '*']) => text.extend([" ", line.trim_start()]),
            _ => texts.push(line.clone()),
        }
    }
    let mut drawn = Vec::new();
    for text in texts {
        let is_item = text.starts_with("- ") || text.starts_with("* ");
        for (n, line) in wrap(&clean(&text, style), style.width - 2 * INDENT).into_iter().enumerate() {
            drawn.push(if is_item && n > 0 { format!("  {line}") } else { line });
        }
    }
    drawn
}

const BOLD: &str = "1";
const CYAN: &str = "36";

fn paint_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;32",
    }
}

fn painted(text: &str, paint: &str, style: Style) -> String {
    if style.colour && !text.is_empty() { format!("\u{1b}[{paint}m{text}\u{1b}[0m") } else { text.to_owned() }
}
