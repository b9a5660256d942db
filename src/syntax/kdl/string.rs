//! Parses quoted strings: single-line or multi-line, with escapes or raw. A string without escapes borrows from the
//! text.

use super::KdlParser;
use super::space::{is_newline, is_space};
use crate::diag::words::quoted;
use crate::syntax::windows::linux_path;
use std::borrow::Cow;

/// How many lines and bytes to search for the closing quote of a string that does not end on its line.
const LOOK_AHEAD: (usize, usize) = (64, 4096);

impl<'a> KdlParser<'a> {
    /// The end of the `#` characters at `at`.
    pub(super) fn hashes_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| **byte == b'#').count()
    }

    /// Parses the string that begins here, with the given number of `#`. A string without `#` has escapes.
    pub(super) fn parse_string(&mut self, hashes: usize) -> Cow<'a, str> {
        let open = self.pos;
        if self.starts_with(open + hashes, b"\"\"\"") {
            return self.parse_multiline_string(hashes);
        }
        let start = open + hashes + 1;
        let (mut end, mut has_escapes) = (start, false);
        loop {
            end = self.find_end(end, |c| matches!(c, '"' | '\\') || is_newline(c));
            match self.byte(end) {
                Some(b'\\') if hashes == 0 => {
                    has_escapes = true;
                    end = self.escape_end(end);
                }
                Some(b'"') if self.hashes_end(end + 1) > end + hashes => break,
                Some(b'"' | b'\\') => end += 1,
                _ => return self.recover_unclosed_string(open, hashes, end),
            }
        }
        self.pos = end + 1 + hashes;
        let body = self.slice(start, end);
        if !has_escapes {
            return Cow::Borrowed(body);
        }
        let mut out = String::with_capacity(body.len());
        self.unescape(body, start, &mut out, &mut false);
        Cow::Owned(out)
    }

    /// The end of the escape that begins with the `\` at `at`. Escaped whitespace is one escape.
    pub(super) fn escape_end(&self, at: usize) -> usize {
        at + 1 + parse_escape(self.rest(at + 1)).1
    }

    /// Appends a text to `out` with its escapes resolved. Reports the first bad escape of the string, which is kept as it
    /// is written.
    pub(super) fn unescape(&mut self, text: &str, base: usize, out: &mut String, reported: &mut bool) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let (escape, len) = parse_escape(after);
            let (written, next) = after.split_at_checked(len).unwrap_or((after, ""));
            match escape {
                Escape::Char(c) => out.push(c),
                Escape::Whitespace => {}
                bad @ (Escape::Unknown | Escape::IncompleteCode | Escape::BadCode) => {
                    out.extend(["\\", written]);
                    if !std::mem::replace(reported, true) {
                        self.report_bad_escape(&bad, base + text.len() - after.len() - 1, written);
                    }
                }
            }
            rest = next;
        }
        out.push_str(rest);
    }

    /// Reports a bad escape. It is at the position `from`, or after it if escaped whitespace comes before the escape.
    fn report_bad_escape(&mut self, escape: &Escape, from: usize, written: &str) {
        let whole = format!("\\{written}");
        let (message, label, help) = match escape {
            Escape::BadCode => (
                format!("no character has the code point {}", written.trim_matches(['u', '{', '}'])),
                "expected the code point of a Unicode character",
                "",
            ),
            Escape::IncompleteCode => (
                "incomplete escape `\\u`".to_owned(),
                "expected 1 to 6 hexadecimal digits in braces after this",
                "write the code point in braces, such as `\\u{e9}`",
            ),
            // KDL 1 has the escape `\/`, and KDL 1 is already reported.
            _ if self.is_version_1 => return,
            Escape::Char(_) | Escape::Whitespace | Escape::Unknown => (
                format!("unknown escape {}", quoted(&whole)),
                "expected one of n r t b f s u \\ \" after the `\\`",
                "write `\\\\` for a backslash, or use a raw string: `#\"..\"#`",
            ),
        };
        // In a multi-line string, the position can be inside a character before the escape.
        let from = (0..=from).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default();
        let found = self.rest(from).find(&whole).map(|at| from + at..from + at + whole.len());
        let place = found.unwrap_or(from..from);
        let help = match self.windows_path_at(place.start) {
            Some(path) => format!("write `\"{path}\"` in WSL; otherwise the path on the Linux host"),
            None => help.to_owned(),
        };
        self.error(place, label, message, help);
    }

    /// The Linux path for a path of Windows in quotes around a position.
    fn windows_path_at(&self, at: usize) -> Option<String> {
        let start = self.slice(0, at).rfind('"')? + 1;
        let inner = self.rest(start);
        linux_path(inner.get(..inner.find(['"', '\n'])?)?)
    }

    /// Reports a string that does not end on its line, and returns its most likely content.
    fn recover_unclosed_string(&mut self, open: usize, hashes: usize, line_end: usize) -> Cow<'a, str> {
        let start = open + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        if let Some(end) = self.closing_quote_below(line_end, &close) {
            self.pos = end + close.len();
            if !self.is_version_1 {
                let message = "a single-line string contains a line break";
                let help = "put `\"\"\"` on separate lines around multi-line text, or write `\\n` for the line break";
                self.error(open..start, "opened here", message, help);
            }
            return Cow::Borrowed(self.slice(start, end));
        }
        let end = self.end_of_unclosed(start, line_end);
        self.pos = end;
        let message = format!("this string is never closed: expected {} on the same line", quoted(&close));
        self.error(open..start, "opened here", message, format!("add `{close}` where the text ends"));
        Cow::Borrowed(self.slice(start, end).trim_end())
    }

    /// Where a string without a closing quote ends: at the end of its line, or before the braces there.
    fn end_of_unclosed(&self, start: usize, line_end: usize) -> usize {
        let mut line = self.slice(start, line_end).trim_end();
        if let Some(before) = line.strip_suffix('{') {
            return start + before.len();
        }
        let open = self.stack.iter().rev().take_while(|block| self.line_end(block.brace) >= start).count();
        for _ in 0..open {
            match line.strip_suffix('}') {
                Some(before) => line = before.trim_end().trim_end_matches(';').trim_end(),
                None => break,
            }
        }
        start + line.len()
    }

    /// The quote on a later line that closes the string: the first quote after the line of the string, if it looks like
    /// a closing quote and not like an opening quote.
    fn closing_quote_below(&self, line_end: usize, close: &str) -> Option<usize> {
        let mut lines = self.lines_below(line_end).take(LOOK_AHEAD.0);
        let line = lines.find(|line| self.slice(line.start, line.end).contains('"'))?;
        if line.end - line_end > LOOK_AHEAD.1 {
            return None;
        }
        let (before, after) = self.slice(line.start, line.end).split_once('"')?;
        let after = after.strip_prefix(close.get(1..)?)?;
        let ends = after.is_empty() || after.starts_with([' ', '\t', ';', '}']);
        let opens = before.ends_with([' ', '\t', '=', '(']) && !before.trim().is_empty();
        (ends && !opens && !after.contains('"')).then_some(line.start + before.len())
    }
}

/// The meaning of an escape.
enum Escape {
    Char(char),
    /// Whitespace after a `\` is removed.
    Whitespace,
    Unknown,
    /// `\u` without one to six hexadecimal digits in braces.
    IncompleteCode,
    /// A code point without a character.
    BadCode,
}

/// Parses the escape at the start of `after`, the text after a `\`. Returns its meaning and its length in bytes.
fn parse_escape(after: &str) -> (Escape, usize) {
    let Some(first) = after.chars().next() else { return (Escape::Unknown, 0) };
    let c = match first {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        's' => ' ',
        '\\' | '"' => first,
        'u' => return parse_unicode_escape(after),
        _ if is_space(first) => {
            return (Escape::Whitespace, after.len() - after.trim_start_matches(is_space).len());
        }
        _ => return (Escape::Unknown, first.len_utf8()),
    };
    (Escape::Char(c), 1)
}

/// Parses `u{..}`.
fn parse_unicode_escape(after: &str) -> (Escape, usize) {
    let inside = after.strip_prefix("u{").and_then(|rest| rest.split_once('}'));
    let is_code_point =
        |digits: &str| (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some((digits, _)) = inside.filter(|(digits, _)| is_code_point(digits)) else {
        return (Escape::IncompleteCode, 1);
    };
    let found = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    (found.map_or(Escape::BadCode, Escape::Char), digits.len() + 3)
}
