//! Sanitizes, measures and wraps text for a terminal.

use super::style::Style;
use crate::diag::words::is_control_like;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns from one tab stop to the next.
pub(super) const TAB: usize = 4;

/// The visible replacement of a control character, one column wide; none for other characters.
pub(super) fn replacement(c: char, style: Style) -> Option<char> {
    if !is_control_like(c) {
        None
    } else if !style.unicode {
        Some('?')
    } else {
        match c {
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
            '\u{7f}' => Some('\u{2421}'),
            _ => Some('\u{fffd}'),
        }
    }
}

/// The text as one line, with control characters (also line breaks) replaced.
pub fn sanitize(text: &str, style: Style) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            '…' if !style.unicode => out.push_str("..."),
            _ => out.push(replacement(c, style).unwrap_or(c)),
        }
    }
    out
}

/// The width of a character in columns.
pub(super) fn columns_of(c: char) -> usize {
    if c == '\t' { TAB } else { c.width().unwrap_or(1) }
}

/// The width of a text in columns, for its alignment. Sequences of characters, for example of an emoji, count once.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The width of a text in columns. Stops counting just above `limit`, because a line may be as long as its file.
pub(super) fn columns(text: &str, limit: usize) -> usize {
    let mut sum = 0;
    for c in text.chars() {
        sum += columns_of(c);
        if sum > limit {
            break;
        }
    }
    sum
}

/// Wraps each line of a text at spaces to fit `width`. Long words and text in backquotes stay whole, so that they can
/// be copied. A line that starts with a space is preformatted and is not wrapped.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            lines.push(line.to_owned());
        } else {
            wrap_line(line, width, &mut lines);
        }
    }
    lines
}

fn wrap_line(line: &str, width: usize, lines: &mut Vec<String>) {
    fill(words(line, width), width, lines);
}

/// Joins words to lines that fit `width`. A longer word has its own line.
fn fill<'w>(words: impl IntoIterator<Item = &'w str>, width: usize, lines: &mut Vec<String>) {
    let (mut current, mut used) = (String::new(), 0);
    for word in words {
        let wide = columns(word, width);
        if !current.is_empty() && used + 1 + wide > width {
            lines.push(std::mem::take(&mut current));
            used = 0;
        }
        if !current.is_empty() {
            current.push(' ');
            used += 1;
        }
        current.push_str(word);
        used += wide;
    }
    lines.push(current);
}

/// A text after a prefix. If it is wider than `width` columns, it is wrapped, and the other lines are indented by the
/// prefix.
pub fn hanging(prefix: &str, text: &str, width: usize) -> String {
    hanging_words(prefix, words(text, width), width)
}

/// Like [`hanging`], for words that stay whole.
pub fn hanging_words<'w>(prefix: &str, words: impl IntoIterator<Item = &'w str>, width: usize) -> String {
    let indent = columns(prefix, width);
    let (mut out, mut lines) = (String::new(), Vec::new());
    if indent + LEAST_WRAPPED <= width {
        fill(words, width - indent, &mut lines);
        push_indented(&mut out, prefix, indent, &lines);
    } else {
        // The text begins below the prefix.
        fill(words, width.saturating_sub(DEEP_INDENT), &mut lines);
        lines.insert(0, prefix.trim_end().to_owned());
        push_indented(&mut out, "", DEEP_INDENT, &lines);
    }
    out
}

/// The least columns for a text after its prefix.
const LEAST_WRAPPED: usize = 24;
/// The indentation of a text below its prefix.
const DEEP_INDENT: usize = 6;

/// The parts of a line between which it may be wrapped.
fn words(line: &str, width: usize) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let simple = rest.find(' ').unwrap_or(rest.len());
        let end = quoted_end(rest, width).unwrap_or(simple);
        let (word, after) = rest.split_at(end);
        found.push(word);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    found
}

/// The end of a word that may contain spaces in backquotes; none if the word is longer than `width`.
fn quoted_end(text: &str, width: usize) -> Option<usize> {
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if at > width => return None,
            '`' => inside = !inside,
            ' ' if !inside => return Some(at),
            _ => {}
        }
    }
    (!inside).then_some(text.len())
}

/// Appends `lines` with `prefix` before the first and `indent` spaces before the others.
pub(super) fn push_indented(out: &mut String, prefix: &str, indent: usize, lines: &[String]) {
    for (n, line) in lines.iter().enumerate() {
        if n == 0 {
            out.push_str(prefix);
        } else if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}
