//! Parses quoted strings: single-line or multi-line, with escapes or raw. A string without escapes borrows from the
//! text.

use super::{KdlParser, KdlVersion};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::codes;
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
        if self.starts_with(self.pos + hashes, b"\"\"\"") {
            self.parse_multiline_string(hashes)
        } else if hashes > 0 {
            self.parse_raw_string(hashes)
        } else {
            self.parse_escaped_string()
        }
    }

    fn parse_escaped_string(&mut self) -> Cow<'a, str> {
        let open = self.pos;
        let start = open + 1;
        let mut at = start;
        let mut escaped = false;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' => {
                    self.pos = at + 1;
                    let body = self.slice(start, at);
                    if !escaped {
                        return Cow::Borrowed(body);
                    }
                    let mut out = String::with_capacity(body.len());
                    self.unescape(body, start, &mut out, &mut false);
                    return Cow::Owned(out);
                }
                b'\\' => {
                    escaped = true;
                    at = self.escape_end(at);
                }
                0x0a..=0x0d | 0xc2 | 0xe2 if self.newline_len(at) > 0 => break,
                _ => at += 1,
            }
        }
        self.recover_unclosed_string(open, 0, at)
    }

    fn parse_raw_string(&mut self, hashes: usize) -> Cow<'a, str> {
        let open = self.pos;
        let start = open + hashes + 1;
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' => {
                    let end = self.hashes_end(at + 1).min(at + 1 + hashes);
                    if end == at + 1 + hashes {
                        self.pos = end;
                        return Cow::Borrowed(self.slice(start, at));
                    }
                    at = end;
                }
                0x0a..=0x0d | 0xc2 | 0xe2 if self.newline_len(at) > 0 => break,
                _ => at += 1,
            }
        }
        self.recover_unclosed_string(open, hashes, at)
    }

    /// Parses a raw string of KDL 1. It begins with `r` and can contain line breaks.
    pub(super) fn parse_raw_string_v1(&mut self) -> Cow<'a, str> {
        let hashes = self.hashes_end(self.pos + 1) - self.pos - 1;
        let start = self.pos + hashes + 2;
        let close = format!("\"{}", "#".repeat(hashes));
        let rest = if self.may_search() { self.slice(start, self.bytes.len()) } else { "" };
        if let Some(len) = rest.find(&close) {
            self.pos = start + len + close.len();
            return Cow::Borrowed(self.slice(start, start + len));
        }
        self.failed_searches = self.failed_searches.saturating_add(1);
        self.pos += 1;
        self.recover_unclosed_string(self.pos, hashes, self.line_end(start))
    }

    /// The end of the escape that begins with the `\` at `at`. Escaped whitespace is one escape.
    pub(super) fn escape_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        loop {
            match self.blank_len(end) + self.newline_len(end) {
                0 => break,
                len => end += len,
            }
        }
        let next = self.text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if end == at + 1 { end + next } else { end }
    }

    /// Appends a text to `out` with its escapes resolved. Reports the first unknown escape of the string.
    pub(super) fn unescape(&mut self, text: &str, base: usize, out: &mut String, reported: &mut bool) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let escape = base + text.len() - after.len() - 1;
            let mut chars = after.chars();
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('b') => out.push('\u{8}'),
                Some('f') => out.push('\u{c}'),
                Some('s') => out.push(' '),
                Some(c @ ('\\' | '"')) => out.push(c),
                Some('u') => {
                    rest = self.parse_unicode_escape(chars.as_str(), escape, out, reported);
                    continue;
                }
                Some(c) if is_blank(c) || is_newline(c) => {
                    rest = after.trim_start_matches(|c| is_blank(c) || is_newline(c));
                    continue;
                }
                other => self.report_unknown_escape(escape, other, out, reported),
            }
            rest = chars.as_str();
        }
        out.push_str(rest);
    }

    fn report_unknown_escape(
        &mut self,
        escape: usize,
        found: Option<char>,
        out: &mut String,
        reported: &mut bool,
    ) {
        out.push('\\');
        out.extend(found);
        // KDL 1 has the escape `\/`, and KDL 1 is already reported.
        if std::mem::replace(reported, true) || self.version == KdlVersion::One {
            return;
        }
        let written: String = ['\\'].into_iter().chain(found).collect();
        let message = format!("unknown escape {}", quoted(&written));
        let finding = codes::KDL_SYNTAX
            .at(
                self.escape_span(escape, &written),
                "expected one of n r t b f s u \\ \" after the `\\`",
                message,
            )
            .help("write `\\\\` for a backslash, or use a raw string: `#\"..\"#`");
        self.report(finding);
    }

    /// The span of an escape: at the computed position, or after it if escaped whitespace comes before the escape.
    fn escape_span(&self, computed: usize, written: &str) -> Span {
        let mut rest = self.bytes.get(computed..).unwrap_or_default().windows(written.len());
        let start = computed + rest.position(|part| part == written.as_bytes()).unwrap_or(0);
        self.span(start, start + written.len())
    }

    /// Resolves `\u{..}`; `rest` is the text after the `u`. Returns the text after the escape.
    fn parse_unicode_escape<'t>(
        &mut self,
        rest: &'t str,
        escape: usize,
        out: &mut String,
        reported: &mut bool,
    ) -> &'t str {
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let is_code_point = |digits: &str| {
            (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let Some((digits, after)) = inside.filter(|(digits, _)| is_code_point(digits)) else {
            if !std::mem::replace(reported, true) {
                let finding = codes::KDL_SYNTAX
                    .at(
                        self.escape_span(escape, "\\u"),
                        "expected 1 to 6 hexadecimal digits in braces after this",
                        "incomplete escape `\\u`",
                    )
                    .help("write the code point in braces, such as `\\u{e9}`");
                self.report(finding);
            }
            out.push_str("\\u");
            return rest;
        };
        match u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
            Some(found) => out.push(found),
            None if std::mem::replace(reported, true) => {}
            None => {
                let span = self.escape_span(escape, &format!("\\u{{{digits}}}"));
                let message = format!("no character has the code point {digits}");
                self.report(codes::KDL_SYNTAX.at(
                    span,
                    "expected the code point of a Unicode character",
                    message,
                ));
            }
        }
        after
    }

    /// Reports a string that does not end on its line, and returns its most likely content.
    fn recover_unclosed_string(&mut self, open: usize, hashes: usize, line_end: usize) -> Cow<'a, str> {
        let start = open + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        let here = self.span(open, start);
        if let Some(end) = self.closing_quote_below(line_end, &close) {
            let finding = codes::KDL_SYNTAX
                .at(here, "opened here", "a single-line string contains a line break")
                .help("put `\"\"\"` on separate lines around multi-line text, or write `\\n` for the line break");
            self.pos = end + close.len();
            if self.version == KdlVersion::Two {
                self.report(finding);
            }
            return Cow::Borrowed(self.slice(start, end));
        }
        let end = self.end_of_unclosed(start, line_end);
        self.pos = end;
        let message = format!("this string is never closed: expected {} on the same line", quoted(&close));
        self.report(
            codes::KDL_SYNTAX
                .at(here, "opened here", message)
                .help(format!("add `{close}` where the text ends")),
        );
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
        let mut at = line_end;
        for _ in 0..LOOK_AHEAD.0 {
            let start = at + self.newline_len(at);
            let end = self.line_end(start);
            if start == at || end - line_end > LOOK_AHEAD.1 {
                return None;
            }
            let line = self.slice(start, end);
            if let Some(len) = line.find('"') {
                let (before, after) = (line.get(..len)?, line.get(len..)?.strip_prefix(close)?);
                let ends = after.is_empty() || after.starts_with([' ', '\t', ';', '}']);
                let opens = before.ends_with([' ', '\t', '=', '(']) && !before.trim().is_empty();
                return (ends && !opens && !after.contains('"')).then_some(start + len);
            }
            at = end;
        }
        None
    }
}

/// True if KDL treats the character as whitespace.
pub(super) fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// True if the character is a line break, or the first of the two characters of one.
pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
