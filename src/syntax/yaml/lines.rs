//! Finds lines, words and the start of sections in YAML text.

use std::ops::Range;

/// The start of the line that contains the byte `at`.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The end of the line that contains the byte `at`, without its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// The text on the line before the byte `at`.
pub(super) fn before(text: &str, at: usize) -> &str {
    text.get(line_start(text, at)..at).unwrap_or_default().trim_start_matches('\u{feff}')
}

/// The number of spaces before `at` on its line. None if other text is before it.
pub(super) fn margin(text: &str, at: usize) -> Option<usize> {
    let before = before(text, at);
    before.bytes().all(|byte| byte == b' ').then_some(before.len())
}

/// From `at` to the end of its line, without trailing whitespace. At least one character, if there is one.
pub(super) fn rest_of_line(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..line_end(text, at)).unwrap_or_default().trim_end();
    at..at + rest.len().max(char_len(text, at))
}

/// The word at `at`. At least one character, if there is one.
pub(super) fn word(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..line_end(text, at)).unwrap_or_default();
    let ends = |(n, c): (usize, char)| {
        let colon = c == ':' && matches!(rest.as_bytes().get(n + 1), None | Some(b' ' | b'\t'));
        c.is_whitespace() || colon || matches!(c, ',' | '[' | ']' | '{' | '}')
    };
    let length = rest.char_indices().find(|found| ends(*found)).map_or(rest.len(), |(n, _)| n);
    at..at + length.max(char_len(text, at))
}

/// The character at `at`.
pub(super) fn character(text: &str, at: usize) -> Range<usize> {
    at..at + char_len(text, at)
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8)
}

/// The start of the first line after that of `after` that begins a section or a document.
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

/// True if the line begins with a `---` or `...` marker.
fn is_marker(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// True if the first content from `start` is a bracket or a brace.
pub(super) fn begins_with_bracket(text: &str, start: usize) -> bool {
    let rest = text.get(start..).unwrap_or_default().trim_start_matches('\u{feff}');
    let mut lines = rest.lines().map(|line| line.strip_prefix("---").unwrap_or(line).trim_start());
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', '%']));
    first.is_some_and(|line| line.starts_with(['{', '[']))
}

/// True if the line is a key with a colon, indented by `margin`.
fn is_section(line: &str, margin: usize) -> bool {
    let Some((blanks, rest)) = line.split_at_checked(margin) else { return false };
    let begins = |c: char| !c.is_whitespace() && !c.is_control() && !"#-[]{},|>@`%?:*!=\u{feff}".contains(c);
    blanks.bytes().all(|byte| byte == b' ') && rest.starts_with(begins) && has_colon(rest)
}

/// True if the line has a `:`, before any comment, that is followed by whitespace or the end of the line.
fn has_colon(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default();
    line.match_indices(':')
        .any(|(n, _)| matches!(line.as_bytes().get(n + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n')))
}

/// True if the line of `at` is a conflict marker of git.
pub(super) fn is_conflict(text: &str, at: usize) -> bool {
    let start = line_start(text, at);
    let line = text.get(start..).unwrap_or_default();
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}
