//! Text with meanings: colors, and links from codes to their pages.

use crate::diag::Code;
use crate::diag::report::{Style, linked, width, wrap};

/// The meaning of a text, which decides its color. The words have the same meaning, for readers without color.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Neither good nor bad.
    Plain,
    /// A heading, or a total.
    Strong,
    /// Text of a registry or of a shell, which can be copied.
    Code,
    /// Less important: a certainty, a type, where a value is from.
    Detail,
    /// Healthy, loaded or added.
    Good,
    /// Not checked, unknown, different, or may grow.
    Open,
    /// Over a budget, failed, or breaks.
    Bad,
}

impl Tone {
    /// The parameters of the SGR sequence; empty for none.
    fn parameters(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Code => "36",
            Self::Detail => "2",
            Self::Good => "32",
            Self::Open => "33",
            Self::Bad => "31",
        }
    }
}

/// A part of a text with one meaning.
#[derive(Clone, Debug)]
struct Span {
    tone: Tone,
    /// The code whose page the part leads to.
    code: Option<&'static Code>,
    /// True for a path, which is cut in its middle if it is wider than its line.
    is_path: bool,
    text: String,
}

/// A text of one line, without control characters.
#[derive(Clone, Default, Debug)]
pub struct Text(Vec<Span>);

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl Text {
    /// A text with one meaning.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self::default().and(tone, text)
    }

    /// A code, with a link to its page.
    pub fn code(code: &'static Code) -> Self {
        Self(vec![Span { tone: Tone::Plain, code: Some(code), is_path: false, text: code.to_string() }])
    }

    /// A path, which may be cut in its middle.
    pub fn path(text: impl Into<String>) -> Self {
        Self(vec![Span { tone: Tone::Plain, code: None, is_path: true, text: text.into() }])
    }

    /// The text with a part after it.
    #[must_use]
    pub fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Span { tone, code: None, is_path: false, text });
        }
        self
    }

    /// The text with another one after it.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The words alone.
    pub(super) fn words(&self) -> String {
        self.0.iter().map(|span| &*span.text).collect()
    }

    /// The width in columns.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|span| width(&span.text)).sum()
    }

    /// The width of the longest word, without paths.
    pub(super) fn longest_word(&self) -> usize {
        let spans = self.0.iter().filter(|span| !span.is_path);
        spans.flat_map(|span| span.text.split(' ')).map(width).max().unwrap_or(0)
    }

    /// The text on one line.
    pub fn painted(&self, style: Style) -> String {
        self.0.iter().map(|span| span.painted(&span.text, style)).collect()
    }

    /// The text wrapped to a number of columns. Text in backquotes and words stay whole, except paths.
    pub fn lines(&self, columns: usize, style: Style) -> Vec<String> {
        let fitted = self.0.iter().map(|span| span.fitted(columns, style)).collect::<Vec<_>>();
        let words = with_joined_units(&fitted.concat());
        let mut all =
            fitted.iter().zip(&self.0).flat_map(|(text, span)| text.chars().map(move |c| (c, span)));
        wrap(words.trim_start(), columns).iter().map(|line| painted_line(line, &mut all, style)).collect()
    }
}

/// A blank at which no line ends.
const JOINT: char = '\u{a0}';

/// The text with joints between numbers and their units.
fn with_joined_units(text: &str) -> String {
    let mut out = String::new();
    let mut is_number = false;
    for (at, word) in text.split(' ').enumerate() {
        let unit = word.trim_end_matches([',', ';', ':', ')', '.']);
        let is_unit = is_number && ["B", "MB", "GB", "%", "s", "min"].contains(&unit);
        if at > 0 {
            out.push(if is_unit { JOINT } else { ' ' });
        }
        out.push_str(word);
        is_number = word.ends_with(|c: char| c.is_ascii_digit());
    }
    out
}

/// A line of the wrapped text. Only spaces are missing between the lines.
fn painted_line<'s>(line: &str, all: &mut impl Iterator<Item = (char, &'s Span)>, style: Style) -> String {
    let mut out = String::new();
    let mut current: Option<(&Span, String)> = None;
    for c in line.chars() {
        let c = if c == JOINT { ' ' } else { c };
        let Some((_, span)) = all.find(|(other, _)| *other == c) else { break };
        match &mut current {
            Some((same, text)) if std::ptr::eq(*same, span) => text.push(c),
            _ => {
                if let Some((before, text)) = current.replace((span, c.to_string())) {
                    out.push_str(&before.painted(&text, style));
                }
            }
        }
    }
    if let Some((span, text)) = current {
        out.push_str(&span.painted(&text, style));
    }
    out
}

impl Span {
    fn painted(&self, text: &str, style: Style) -> String {
        let text = self.code.map_or_else(|| text.to_owned(), |code| linked(text, code, style));
        match self.tone.parameters() {
            "" => text,
            // Spaces have no color.
            _ if !style.color || style.screen_reader || text.trim().is_empty() => text,
            parameters => format!("\u{1b}[{parameters}m{text}\u{1b}[0m"),
        }
    }

    /// The text, as a path cut to a number of columns.
    fn fitted(&self, columns: usize, style: Style) -> String {
        if self.is_path { cut_middle(&self.text, columns, style) } else { self.text.clone() }
    }
}

/// A text without its middle if it is wider than a number of columns: both ends are more useful.
pub fn cut_middle(text: &str, columns: usize, style: Style) -> String {
    let mark = if style.unicode { "…" } else { "..." };
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let fitting = |chars: &mut dyn Iterator<Item = char>, room: usize| -> Vec<char> {
        let mut used = 0;
        chars
            .take_while(|c| {
                used += width(c.encode_utf8(&mut [0; 4]));
                used <= room
            })
            .collect()
    };
    let start = fitting(&mut text.chars(), room / 2);
    let end = fitting(&mut text.chars().rev(), room - room / 2);
    start.into_iter().chain(mark.chars()).chain(end.into_iter().rev()).collect()
}
