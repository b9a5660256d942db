//! The lines of a scalar: for each part of its text, the line of the source on which it is written.

use super::events::ScalarStyle;
use std::iter::Peekable;
use std::str::Chars;

/// The byte offsets at which lines begin.
pub(super) struct LineStarts(Vec<u32>);

impl LineStarts {
    pub(super) fn new(text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
        Self(std::iter::once(0).chain(starts).collect())
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        u32::try_from(self.0.partition_point(|start| *start <= at)).unwrap_or(u32::MAX).max(1)
    }
}

/// The byte offsets in `text` at which a line begins, with the lines. `source` is the scalar as written, from the line `first` on.
///
/// Folding changes only blanks and line ends. So the other characters of both texts are compared one by one, without blanks.
pub(super) fn text_lines(source: &str, first: u32, text: &str, style: ScalarStyle) -> Vec<(usize, u32)> {
    let quote = source.chars().next().filter(|_| style == ScalarStyle::Quoted);
    let mut found: Vec<(usize, u32)> = Vec::new();
    let mut line = first;
    let mut targets = text.char_indices().filter(|(_, c)| !is_blank(*c));
    let mut written = source.chars().peekable();
    while let Some(c) = written.next() {
        let counts = match c {
            '\n' => {
                line += 1;
                false
            }
            '\\' if quote == Some('"') => skip_escape(&mut written, &mut line),
            '"' if quote == Some('"') => false,
            '\'' if quote == Some('\'') => written.next_if_eq(&'\'').is_some(),
            c => !is_blank(c),
        };
        let target = if counts { targets.next() } else { None };
        if let Some((at, _)) = target.filter(|_| found.last().is_none_or(|(_, last)| *last != line)) {
            found.push((at, line));
        }
    }
    found
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Skips the rest of an escape in double quotes. True if its character is no blank.
fn skip_escape(written: &mut Peekable<Chars<'_>>, line: &mut u32) -> bool {
    let digits = match written.next() {
        Some('\n') => {
            *line += 1;
            return false;
        }
        Some('n' | 't' | 'r' | ' ' | '\t' | '\r') | None => return false,
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(_) => return true,
    };
    let digits: String = written.by_ref().take(digits).collect();
    let decoded = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    !decoded.is_some_and(is_blank)
}
