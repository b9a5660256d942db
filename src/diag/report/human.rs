//! The human-readable report. This is the only file that uses miette.

use super::excerpt::{Excerpt, PlaceView, excerpts};
use super::place::LabelRole;
use super::plain::{push_indented, sanitize, wrap};
use super::style::Style;
use super::{footer, linked, redact_secrets, screen_reader};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::source::SourceMap;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// All findings, each followed by a blank line, then the summary and where to find more information.
pub fn human(findings: &Diagnostics, map: &SourceMap, style: Style) -> String {
    let style = Style { width: style.width.clamp(40, 200), ..style };
    let renderer = Renderer { theme: theme(style), style };
    let map = &*redact_secrets(findings, map);
    let mut out = String::new();
    for finding in most_severe(findings, style.max_findings) {
        if style.screen_reader {
            push_indented(&mut out, "", 0, &screen_reader::describe_finding(finding, map, style));
        } else {
            renderer.push_finding(&mut out, finding, map);
        }
        out.push('\n');
    }
    footer::push_footer(&mut out, findings, style);
    out
}

/// The most severe findings, at most `max`, in text order.
fn most_severe(findings: &Diagnostics, max: usize) -> Vec<&Diagnostic> {
    let mut chosen: Vec<(usize, &Diagnostic)> = findings.findings().iter().enumerate().collect();
    if chosen.len() > max {
        chosen.sort_by_key(|(at, finding)| (finding.severity, *at));
        chosen.truncate(max);
        chosen.sort_by_key(|(at, _)| *at);
    }
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

/// `error[ORC302] port-conflict: message`, on one line.
pub(super) fn head(finding: &Diagnostic, style: Style) -> String {
    let message = sanitize(&finding.message, style);
    format!("{} {}: {message}", severity_and_code(finding), finding.code.name)
}

fn severity_and_code(finding: &Diagnostic) -> String {
    format!("{}[{}]", finding.severity.word(), finding.code)
}

/// All styles, set explicitly so that miette does not detect the terminal.
fn theme(style: Style) -> GraphicalTheme {
    let mut characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    if !style.unicode {
        characters.underbar = '^';
    }
    let mut styles = ThemeStyles::none();
    if style.color {
        let plain = styles.error;
        styles.error = plain.red().bold();
        styles.warning = plain.yellow().bold();
        styles.advice = plain.green().bold();
        styles.help = plain.cyan().bold();
        styles.linum = plain.blue().bold();
    }
    GraphicalTheme { characters, styles }
}

/// Prints findings with miette.
struct Renderer {
    theme: GraphicalTheme,
    style: Style,
}

impl Renderer {
    fn push_finding(&self, out: &mut String, finding: &Diagnostic, map: &SourceMap) {
        self.push_head(out, finding);
        for view in excerpts(finding, map, self.style) {
            match view {
                PlaceView::Lines(excerpt) => self.push_excerpt(out, excerpt, finding.severity),
                PlaceView::File { name, text } => self.push_file(out, &name, &text),
            }
        }
        for note in &finding.notes {
            let lines: Vec<String> = note.lines().map(|line| sanitize(line, self.style)).collect();
            self.push_block(out, "note:", &lines);
        }
        for help in &finding.help {
            let lines: Vec<String> = help.lines().map(|line| sanitize(line, self.style)).collect();
            self.push_block(out, "help:", &wrap(&lines.join("\n"), self.style.width - 8));
        }
    }

    /// The styles for a finding of this severity. The style of `error` is used for all severities.
    fn styles(&self, severity: Severity) -> ThemeStyles {
        let mut styles = self.theme.styles.clone();
        styles.error = match severity {
            Severity::Error => styles.error,
            Severity::Warning => styles.warning,
            Severity::Note => styles.advice,
        };
        styles
    }

    fn push_head(&self, out: &mut String, finding: &Diagnostic) {
        let color = self.styles(finding.severity).error;
        let prefix = severity_and_code(finding);
        let mut lines = wrap(&head(finding, self.style), self.style.width - 4);
        if let Some(first) = lines.first_mut() {
            // The prefix contains no space, so `wrap` never breaks it.
            *first = first.split_off(prefix.len().min(first.len()));
        }
        let code = finding.code.to_string();
        let prefix = prefix.replacen(&code, &linked(&code, finding.code, self.style), 1);
        push_indented(out, &color.style(prefix).to_string(), 4, &lines);
    }

    fn push_file(&self, out: &mut String, name: &str, text: &str) {
        let prefix = format!("  {} ", self.theme.styles.linum.style("-->"));
        push_indented(out, &prefix, 0, &[name.to_owned()]);
        if !text.is_empty() {
            push_indented(out, "      ", 6, &wrap(text, self.style.width - 6));
        }
    }

    fn push_block(&self, out: &mut String, word: &str, lines: &[String]) {
        let prefix = format!("  {} ", self.theme.styles.help.style(word));
        push_indented(out, &prefix, word.len() + 3, lines);
    }

    fn push_excerpt(&self, out: &mut String, excerpt: Excerpt, severity: Severity) {
        let mut theme = self.theme.clone();
        let styles = self.styles(severity);
        let color = |role| if role == LabelRole::Primary { styles.error } else { styles.linum };
        theme.styles.highlights = excerpt.marks.iter().map(|mark| color(mark.role)).collect();
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_context_lines(CONTEXT)
            .with_urls(false)
            .without_cause_chain()
            .without_syntax_highlighting();
        let mut rendered = String::new();
        // Writing to a string cannot fail, and the snippet accepts every span.
        let _ = handler.render_report(&mut rendered, &Snippet(excerpt));
        // miette puts a message into the first line, but `push_head` has already printed it.
        for line in rendered.lines().skip(1) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// The number of context lines that miette requests around a mark. Excerpts already contain their context. The number
/// only distinguishes requests for lines from the request for the heading, which asks for 0.
const CONTEXT: usize = 1;

/// An excerpt as a miette diagnostic without a message.
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
                LabelRole::Primary => LabeledSpan::new_primary_with_span(text, span),
                LabelRole::Secondary => LabeledSpan::new_with_span(text, span),
            }
        });
        Some(Box::new(labels))
    }
}

impl SourceCode for Snippet {
    /// Always returns the whole excerpt. If no context lines are requested, line and column are those of the heading.
    /// The source types of miette would count lines from the start of the file for each mark.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let excerpt = &self.0;
        let (line, column) = if before == CONTEXT { (excerpt.line, 1) } else { excerpt.heading };
        let data = excerpt.text.as_bytes();
        let (name, span) = (excerpt.name.clone(), (0, data.len()).into());
        let count = excerpt.text.lines().count();
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, line - 1, column - 1, count)))
    }
}
