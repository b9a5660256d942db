//! Skips separators: whitespace, line breaks, comments and line continuations. Also finds the code points that KDL
//! forbids.

use super::KdlParser;
use std::ops::Range;

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

/// True if the character is whitespace or a line break.
pub(super) fn is_space(c: char) -> bool {
    is_blank(c) || is_newline(c)
}

/// True if a bare word cannot contain the character.
#[inline]
fn ends_word(c: char) -> bool {
    matches!(c, '"' | '#' | '(' | ')' | '/' | ';' | '=' | '[' | '\\' | ']' | '{' | '}') || is_space(c)
}

/// True if KDL forbids the code point: control characters, and characters that change the direction of the text.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl KdlParser<'_> {
    /// The length of the line break at `at`, or 0.
    pub(super) fn newline_len(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => 2,
            Some(0x0a..=0x0d | 0x80..) => self.char_len(at, is_newline),
            _ => 0,
        }
    }

    /// The length of the whitespace character at `at`, or 0.
    pub(super) fn blank_len(&self, at: usize) -> usize {
        self.char_len(at, is_blank)
    }

    /// The length of the character at `at` if it is of a kind, or else 0.
    fn char_len(&self, at: usize, is_kind: fn(char) -> bool) -> usize {
        self.rest(at).chars().next().filter(|c| is_kind(*c)).map_or(0, char::len_utf8)
    }

    /// The end of the whitespace at `at`, without line breaks.
    pub(super) fn blanks_end(&self, at: usize) -> usize {
        self.find_end(at, |c| !is_blank(c))
    }

    /// The end of the bare word at `at`. Returns `at` if there is no word.
    pub(super) fn word_end(&self, at: usize) -> usize {
        // Most words are ASCII, which needs no decoding.
        let rest = self.bytes.get(at..).unwrap_or_default();
        let continues = |byte: &&u8| byte.is_ascii() && !ends_word(char::from(**byte));
        let ascii = rest.iter().take_while(continues).count();
        match rest.get(ascii) {
            Some(0x80..) => self.find_end(at + ascii, ends_word),
            _ => at + ascii,
        }
    }

    /// The end of the line that contains `at`, without its line break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.find_end(at, is_newline)
    }

    /// The position of the first character from `at` for which `ends` is true, or the end of the text.
    pub(super) fn find_end(&self, at: usize, ends: impl Fn(char) -> bool) -> usize {
        let rest = self.rest(at);
        at + rest.find(ends).unwrap_or(rest.len())
    }

    /// The lines below the line of `at`, without their line breaks.
    pub(super) fn lines_below(&self, at: usize) -> impl Iterator<Item = Range<usize>> {
        let mut end = self.line_end(at);
        std::iter::from_fn(move || {
            let start = end + self.newline_len(end);
            let has_line = start > end;
            end = self.line_end(start);
            has_line.then_some(start..end)
        })
    }

    /// The text from `at` to the end of its line.
    pub(super) fn line_at(&self, at: usize) -> &str {
        self.slice(at, self.line_end(at))
    }

    /// Skips the separators between the parts of a node. True if there were any.
    pub(super) fn skip_node_space(&mut self) -> bool {
        let start = self.pos;
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.pos += 1,
                Some(b'/') if self.byte(self.pos + 1) == Some(b'*') => self.skip_block_comment(),
                Some(b'\\') => match self.continued_line() {
                    Some(end) => self.pos = end,
                    None => break,
                },
                Some(0x80..) => match self.blank_len(self.pos) {
                    0 => break,
                    len => self.pos += len,
                },
                _ => break,
            }
        }
        self.pos > start
    }

    /// Skips the separators between nodes.
    pub(super) fn skip_line_space(&mut self) {
        loop {
            self.skip_node_space();
            if self.starts_with(self.pos, b"//") {
                self.pos = self.line_end(self.pos);
            }
            match self.newline_len(self.pos) {
                0 => return,
                len => self.pos += len,
            }
        }
    }

    /// The start of the continued line after the `\` at this position. None if no line break follows.
    fn continued_line(&mut self) -> Option<usize> {
        let backslash = self.pos;
        self.pos += 1;
        loop {
            self.pos = self.blanks_end(self.pos);
            if !self.starts_with(self.pos, b"/*") {
                break;
            }
            self.skip_block_comment();
        }
        let comment = self.starts_with(self.pos, b"//");
        let end = if comment { self.line_end(self.pos) } else { self.pos };
        self.pos = backslash;
        let newline = self.newline_len(end);
        (newline > 0 || end >= self.bytes.len()).then_some(end + newline)
    }

    /// Skips a block comment with its nested comments. An unclosed comment ends at the first `*/`, where the user
    /// probably meant it to end, otherwise at the end of the text.
    pub(super) fn skip_block_comment(&mut self) {
        let open = self.pos;
        let (mut depth, mut first_close) = (0usize, None);
        let mut at = if self.may_search() { open } else { self.bytes.len() };
        while let Some(byte) = self.byte(at) {
            match (byte, self.byte(at + 1)) {
                (b'/', Some(b'*')) => depth += 1,
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    first_close.get_or_insert(at + 2);
                }
                _ => {
                    at += 1;
                    continue;
                }
            }
            at += 2;
            if depth == 0 {
                self.pos = at;
                return;
            }
        }
        self.failed_searches = self.failed_searches.saturating_add(1);
        self.rest_consumed |= first_close.is_none();
        self.pos = first_close.unwrap_or(self.bytes.len());
        let nested = first_close.map(|_| "close it with `*/`; each `/*` inside a comment also needs a `*/`");
        let (message, help) =
            ("this comment is never closed: expected `*/`", nested.unwrap_or("close it with `*/`"));
        self.error(open..open + 2, "opened here", message, help);
    }

    /// Reports the first forbidden code point of each line, except a byte order mark at the start. The other parser
    /// functions treat these code points as letters.
    pub(super) fn report_forbidden_code_points(&mut self) {
        let is_plain = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' '..=b'~');
        if self.bytes.iter().all(is_plain) {
            return;
        }
        let mut from = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        while let Some((len, found)) = self.rest(from).char_indices().find(|(_, c)| is_forbidden(*c)) {
            let at = from + len;
            let message = format!("the code point U+{:04X} is not allowed in KDL text", u32::from(found));
            let label = "this character is invisible or changes how the text is displayed";
            let help = format!("write `{}` inside quotes, or remove it", found.escape_unicode());
            self.error(at..at + found.len_utf8(), label, message, help);
            from = self.line_end(at);
        }
    }
}
