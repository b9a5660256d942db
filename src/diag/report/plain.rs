//! Text from anywhere, made harmless for a terminal, measured and wrapped.

use super::style::Style;
use crate::diag::words::steers;

/// Columns from one tab stop to the next.
pub(super) const TAB: usize = 4;

/// What is drawn for a character that could steer a terminal: one column, like the character it hides.
pub(super) fn stand_in(c: char, style: Style) -> Option<char> {
    if !steers(c) {
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

/// The text as one harmless line: line ends become stand-ins too.
pub(super) fn clean(text: &str, style: Style) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            '…' if !style.unicode => out.push_str("..."),
            _ => out.push(stand_in(c, style).unwrap_or(c)),
        }
    }
    out
}

/// The columns that a character takes; the few blocks that matter, since only room is reckoned with it: what stands
/// under what is the affair of the library that draws.
pub(super) fn columns_of(c: char) -> usize {
    match c {
        '\t' => TAB,
        '\u{300}'..='\u{36f}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{20d0}'..='\u{20f0}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The columns that a text takes, counted no further than just beyond `limit`: a line may be as long as its file.
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

/// The lines of a text, each broken at blanks to fit `width`. A word that is too long stays whole, so that it can be
/// copied, as does what stands between backticks; a line that begins with a blank is laid out by hand and kept.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
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
    let (mut current, mut used) = (String::new(), 0);
    for word in words(line, width) {
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

/// The pieces of a line between which it may be broken.
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

/// Where a word ends that may hold a backtick quote with blanks in it; none if that is too far to stay whole.
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

/// Adds `lines` with `lead` before the first and blanks of the same width before the others.
pub(super) fn hang(out: &mut String, lead: &str, indent: usize, lines: &[String]) {
    for (n, line) in lines.iter().enumerate() {
        if n == 0 {
            out.push_str(lead);
        } else if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}
