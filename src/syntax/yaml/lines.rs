//! Lines of YAML text: where a section begins, and what stands around a place.

use std::ops::Range;

/// The start of the line that a byte lies in.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The end of the line that a byte lies in, without its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// What stands on the line before a byte.
pub(super) fn before(text: &str, at: usize) -> &str {
    text.get(line_start(text, at)..at).unwrap_or_default().trim_start_matches('\u{feff}')
}

/// The blanks before a key, if there is nothing else before it.
pub(super) fn margin(text: &str, at: usize) -> Option<usize> {
    let before = before(text, at);
    before.bytes().all(|byte| byte == b' ').then_some(before.len())
}

/// From a byte to the end of its line without trailing blanks; at least one character where there is one.
pub(super) fn rest_of_line(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..line_end(text, at)).unwrap_or_default().trim_end();
    at..at + rest.len().max(char_len(text, at))
}

/// The word that begins at a byte; at least one character where there is one.
pub(super) fn word(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..line_end(text, at)).unwrap_or_default();
    let ends = |(n, c): (usize, char)| {
        let colon = c == ':' && matches!(rest.as_bytes().get(n + 1), None | Some(b' ' | b'\t'));
        c.is_whitespace() || colon || matches!(c, ',' | '[' | ']' | '{' | '}')
    };
    let length = rest.char_indices().find(|found| ends(*found)).map_or(rest.len(), |(n, _)| n);
    at..at + length.max(char_len(text, at))
}

/// The character at a byte.
pub(super) fn character(text: &str, at: usize) -> Range<usize> {
    at..at + char_len(text, at)
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8)
}

/// The start of the first line after the one of `after` that begins a section or a document.
pub(super) fn next_section(text: &str, after: usize, margin: usize) -> Option<usize> {
    let mut start = after + text.get(after..)?.find('\n')? + 1;
    for line in text.get(start..)?.split_inclusive('\n') {
        if is_marker(line) || is_section(line, margin) {
            return Some(start);
        }
        start += line.len();
    }
    None
}

/// Whether the line is `---` or `...`, with or without something behind it.
fn is_marker(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether the first thing from the start of a line on is a bracket.
pub(super) fn begins_with_bracket(text: &str, start: usize) -> bool {
    let rest = text.get(start..).unwrap_or_default().trim_start_matches('\u{feff}');
    let mut lines = rest.lines().map(|line| line.strip_prefix("---").unwrap_or(line).trim_start());
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', '%']));
    first.is_some_and(|line| line.starts_with(['{', '[']))
}

/// Whether the line is a key with its colon, at the margin.
fn is_section(line: &str, margin: usize) -> bool {
    let Some((blanks, rest)) = line.split_at_checked(margin) else { return false };
    let begins = |c: char| !c.is_whitespace() && !c.is_control() && !"#-[]{},|>@`%?:*!=\u{feff}".contains(c);
    blanks.bytes().all(|byte| byte == b' ') && rest.starts_with(begins) && has_colon(rest)
}

/// Whether there is a `:` with a blank or nothing behind it, before any comment.
fn has_colon(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default();
    line.match_indices(':')
        .any(|(n, _)| matches!(line.as_bytes().get(n + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n')))
}

/// The marks that git leaves in a file with a merge conflict.
pub(super) fn is_conflict(text: &str, at: usize) -> bool {
    let start = line_start(text, at);
    let line = text.get(start..).unwrap_or_default();
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}
