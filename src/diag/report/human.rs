//! Findings for people. The one file that knows the library that draws.

use super::excerpt::{Excerpt, Shown, excerpts};
use super::place::Role;
use super::plain::{clean, hang, wrap};
use super::style::Style;
use super::{closing, drawable, narrated};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::source::SourceMap;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// All findings with a blank line after each, then one line that sums up, and one that says where to read on.
pub fn human(findings: &Diagnostics, map: &SourceMap, style: Style) -> String {
    let style = Style { width: style.width.clamp(40, 200), ..style };
    let pen = Pen { theme: theme(style), style };
    let map = &*drawable(findings, map);
    let mut out = String::new();
    for finding in worst(findings, style.most) {
        if style.narrated {
            hang(&mut out, "", 0, &narrated::tell(finding, map, style));
        } else {
            pen.draw(&mut out, finding, map);
        }
        out.push('\n');
    }
    closing::close(&mut out, findings, style);
    out
}

/// As many findings as may be drawn, the most severe, in the order of the text.
fn worst(findings: &Diagnostics, most: usize) -> Vec<&Diagnostic> {
    let mut chosen: Vec<(usize, &Diagnostic)> = findings.findings().iter().enumerate().collect();
    if chosen.len() > most {
        chosen.sort_by_key(|(at, finding)| (finding.severity, *at));
        chosen.truncate(most);
        chosen.sort_by_key(|(at, _)| *at);
    }
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

/// `error[ORC302] port-conflict: message`, on one line.
pub(super) fn head(finding: &Diagnostic, style: Style) -> String {
    let message = clean(&finding.message, style);
    format!("{} {}: {message}", lead(finding), finding.code.name)
}

fn lead(finding: &Diagnostic) -> String {
    format!("{}[{}]", finding.severity.word(), finding.code)
}

/// Every style that is used, so that nothing is left to what the library finds out about the terminal.
fn theme(style: Style) -> GraphicalTheme {
    let mut characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    if !style.unicode {
        characters.underbar = '^';
    }
    let mut styles = ThemeStyles::none();
    if style.colour {
        let plain = styles.error;
        styles.error = plain.red().bold();
        styles.warning = plain.yellow().bold();
        styles.advice = plain.green().bold();
        styles.help = plain.cyan().bold();
        styles.linum = plain.blue().bold();
    }
    GraphicalTheme { characters, styles }
}

/// A theme and a width to draw findings with.
struct Pen {
    theme: GraphicalTheme,
    style: Style,
}

impl Pen {
    fn draw(&self, out: &mut String, finding: &Diagnostic, map: &SourceMap) {
        self.draw_head(out, finding);
        for shown in excerpts(finding, map, self.style) {
            match shown {
                Shown::Lines(excerpt) => self.draw_excerpt(out, excerpt, finding.severity),
                Shown::File { name, text } => self.draw_file(out, &name, &text),
            }
        }
        for note in &finding.notes {
            let lines: Vec<String> = note.lines().map(|line| clean(line, self.style)).collect();
            self.draw_block(out, "note:", &lines);
        }
        for help in &finding.help {
            let lines: Vec<String> = help.lines().map(|line| clean(line, self.style)).collect();
            self.draw_block(out, "help:", &wrap(&lines.join("\n"), self.style.width - 8));
        }
    }

    /// The styles for a finding of that severity, where `error` stands for whatever it is.
    fn styles(&self, severity: Severity) -> ThemeStyles {
        let mut styles = self.theme.styles.clone();
        styles.error = match severity {
            Severity::Error => styles.error,
            Severity::Warning => styles.warning,
            Severity::Note => styles.advice,
        };
        styles
    }

    fn draw_head(&self, out: &mut String, finding: &Diagnostic) {
        let tone = self.styles(finding.severity).error;
        let lead = lead(finding);
        let mut lines = wrap(&head(finding, self.style), self.style.width - 4);
        if let Some(first) = lines.first_mut() {
            // The lead has no blank in it and is never broken.
            *first = first.split_off(lead.len().min(first.len()));
        }
        hang(out, &tone.style(lead).to_string(), 4, &lines);
    }

    fn draw_file(&self, out: &mut String, name: &str, text: &str) {
        let lead = format!("  {} ", self.theme.styles.linum.style("-->"));
        hang(out, &lead, 0, &[name.to_owned()]);
        if !text.is_empty() {
            hang(out, "      ", 6, &wrap(text, self.style.width - 6));
        }
    }

    fn draw_block(&self, out: &mut String, word: &str, lines: &[String]) {
        let lead = format!("  {} ", self.theme.styles.help.style(word));
        hang(out, &lead, word.len() + 3, lines);
    }

    fn draw_excerpt(&self, out: &mut String, excerpt: Excerpt, severity: Severity) {
        let mut theme = self.theme.clone();
        let styles = self.styles(severity);
        let colour = |role| if role == Role::Primary { styles.error } else { styles.linum };
        theme.styles.highlights = excerpt.marks.iter().map(|mark| colour(mark.role)).collect();
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_context_lines(CONTEXT)
            .with_urls(false)
            .without_cause_chain()
            .without_syntax_highlighting();
        let mut picture = String::new();
        // Writing to a string cannot fail, and the excerpt gives whatever span it is asked for.
        let _ = handler.render_report(&mut picture, &Snippet(excerpt));
        // The first line is where the library puts a message; ours stands in the head.
        for line in picture.lines().skip(1) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// What the library is told to ask for around a mark. Our excerpts bring their own lines; the number only tells a
/// question about lines from the one about a heading, which asks for none.
const CONTEXT: usize = 1;

/// An excerpt as the library wants it: a finding without words.
#[derive(Debug)]
struct Snippet(Excerpt);

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl miette::Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.0.marks.iter().map(|mark| {
            let text = Some(mark.text.clone()).filter(|text| !text.is_empty());
            let span = mark.range.clone();
            match mark.role {
                Role::Primary => LabeledSpan::new_primary_with_span(text, span),
                Role::Secondary => LabeledSpan::new_with_span(text, span),
            }
        });
        Some(Box::new(labels))
    }
}

impl SourceCode for Snippet {
    /// Always the whole excerpt, for it is what shall be drawn; with the line and the column of the heading where no
    /// lines around are asked for. The library's own texts count lines from the start of the file for each mark.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let excerpt = &self.0;
        let (line, column) = if before == CONTEXT { (excerpt.line, 1) } else { excerpt.at };
        let data = excerpt.text.as_bytes();
        let (name, span) = (excerpt.name.clone(), (0, data.len()).into());
        let count = excerpt.text.lines().count();
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, line - 1, column - 1, count)))
    }
}
