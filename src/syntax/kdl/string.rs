//! Strings between quotes: on one line or several, with escapes or raw. Borrowed from the text where nothing is escaped.

use super::{Reader, Version};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::codes;
use std::borrow::Cow;

/// How many lines, and bytes, a string without a partner on its line is looked ahead for the quote that ends it.
const LOOK_AHEAD: (usize, usize) = (64, 4096);

impl<'a> Reader<'a> {
    /// The end of the `#`s that begin at a place.
    pub(super) fn hashes_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| **byte == b'#').count()
    }

    /// Reads the string that begins here with that many `#`; one without `#` has escapes.
    pub(super) fn string(&mut self, hashes: usize) -> Cow<'a, str> {
        if self.starts_with(self.pos + hashes, b"\"\"\"") {
            self.lines(hashes)
        } else if hashes > 0 {
            self.raw(hashes)
        } else {
            self.quoted()
        }
    }

    fn quoted(&mut self) -> Cow<'a, str> {
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
        self.unclosed_line(open, 0, at)
    }

    fn raw(&mut self, hashes: usize) -> Cow<'a, str> {
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
        self.unclosed_line(open, hashes, at)
    }

    /// A raw string of KDL 1, which begins with `r` and may have line breaks in it.
    pub(super) fn raw_of_version_1(&mut self) -> Cow<'a, str> {
        let hashes = self.hashes_end(self.pos + 1) - self.pos - 1;
        let start = self.pos + hashes + 2;
        let close = format!("\"{}", "#".repeat(hashes));
        let rest = if self.may_search() { self.slice(start, self.bytes.len()) } else { "" };
        if let Some(len) = rest.find(&close) {
            self.pos = start + len + close.len();
            return Cow::Borrowed(self.slice(start, start + len));
        }
        self.searches = self.searches.saturating_add(1);
        self.pos += 1;
        self.unclosed_line(self.pos, hashes, self.line_end(start))
    }

    /// The place behind the escape that begins with the `\` at `at`; of escaped blanks, behind all of them.
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

    /// Adds a text with its escapes resolved; the first one that does not exist is said.
    pub(super) fn unescape(&mut self, text: &str, base: usize, out: &mut String, said: &mut bool) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let escape = base + text.len() - after.len() - 1;
            let mut behind = after.chars();
            match behind.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('b') => out.push('\u{8}'),
                Some('f') => out.push('\u{c}'),
                Some('s') => out.push(' '),
                Some(c @ ('\\' | '"')) => out.push(c),
                Some('u') => {
                    rest = self.unicode(behind.as_str(), escape, out, said);
                    continue;
                }
                Some(c) if is_blank(c) || is_newline(c) => {
                    rest = after.trim_start_matches(|c| is_blank(c) || is_newline(c));
                    continue;
                }
                other => self.unknown_escape(escape, other, out, said),
            }
            rest = behind.as_str();
        }
        out.push_str(rest);
    }

    fn unknown_escape(&mut self, escape: usize, found: Option<char>, out: &mut String, said: &mut bool) {
        out.push('\\');
        out.extend(found);
        // A `\/` is an escape of KDL 1, which was said.
        if std::mem::replace(said, true) || self.version == Version::One {
            return;
        }
        let written: String = ['\\'].into_iter().chain(found).collect();
        let message = format!("unknown escape {}", quoted(&written));
        let finding = codes::KDL_SYNTAX
            .at(
                self.place_of(escape, &written),
                "expected one of n r t b f s u \\ \" after the `\\`",
                message,
            )
            .help("write `\\\\` for a backslash, or take a raw string: `#\"..\"#`");
        self.report(finding);
    }

    /// Where an escape stands: at the place that was reckoned, or behind it where blanks before it were escaped.
    fn place_of(&self, reckoned: usize, written: &str) -> Span {
        let mut rest = self.bytes.get(reckoned..).unwrap_or_default().windows(written.len());
        let start = reckoned + rest.position(|part| part == written.as_bytes()).unwrap_or(0);
        self.span(start, start + written.len())
    }

    /// Resolves `\u{..}`, of which `rest` stands behind the `u`; gives the text behind it.
    fn unicode<'t>(&mut self, rest: &'t str, escape: usize, out: &mut String, said: &mut bool) -> &'t str {
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let written = |digits: &str| {
            (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let Some((digits, behind)) = inside.filter(|(digits, _)| written(digits)) else {
            if !std::mem::replace(said, true) {
                let finding = codes::KDL_SYNTAX
                    .at(
                        self.place_of(escape, "\\u"),
                        "expected 1 to 6 hexadecimal digits in braces behind this",
                        "unfinished escape `\\u`",
                    )
                    .help("write the number of a character, as `\\u{e9}`");
                self.report(finding);
            }
            out.push_str("\\u");
            return rest;
        };
        match u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
            Some(found) => out.push(found),
            None if std::mem::replace(said, true) => {}
            None => {
                let span = self.place_of(escape, &format!("\\u{{{digits}}}"));
                let message = format!("no character has the number {digits}");
                self.report(codes::KDL_SYNTAX.at(
                    span,
                    "expected the number of a Unicode character",
                    message,
                ));
            }
        }
        behind
    }

    /// Says that a string does not end on its line, and takes what was most likely meant by it.
    fn unclosed_line(&mut self, open: usize, hashes: usize, line_end: usize) -> Cow<'a, str> {
        let start = open + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        let here = self.span(open, start);
        if let Some(end) = self.closing_quote_below(line_end, &close) {
            let finding = codes::KDL_SYNTAX
                .at(here, "opened here", "a string in single quotes has a line break in it")
                .help("put `\"\"\"` on lines of their own around text of several lines, or write `\\n`");
            self.pos = end + close.len();
            if self.version == Version::Two {
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
                .help(format!("write `{close}` where the text ends")),
        );
        Cow::Borrowed(self.slice(start, end).trim_end())
    }

    /// Where a text ends that lacks its quote: with the line, or before the braces at its end.
    fn end_of_unclosed(&self, start: usize, line_end: usize) -> usize {
        let mut line = self.slice(start, line_end).trim_end();
        if let Some(before) = line.strip_suffix('{') {
            return start + before.len();
        }
        let open = self.stack.iter().rev().take_while(|frame| self.line_end(frame.brace) >= start).count();
        for _ in 0..open {
            match line.strip_suffix('}') {
                Some(before) => line = before.trim_end().trim_end_matches(';').trim_end(),
                None => break,
            }
        }
        start + line.len()
    }

    /// The quote on a later line that ends a string with line breaks: the first quote after the string's line, if it
    /// stands as an end and not as a beginning.
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

/// Whether a character is a blank to KDL.
pub(super) fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether a character ends a line, or is the first of two that do.
pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
