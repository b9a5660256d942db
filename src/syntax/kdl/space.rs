//! Skips separators: whitespace, line breaks, comments and line continuations. Also finds the code points that KDL
//! forbids.

use super::KdlParser;
use crate::syntax::codes;

/// True if an ASCII byte is allowed in a bare word. [`KdlParser::word_end`] handles all other bytes.
fn is_word_byte(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t'
            ..=b'\r' | b'"' | b'#' | b'(' | b')' | b'/' | b';' | b'=' | b'[' | b'\\' | b']' | b'{' | b'}'
    )
}

/// True if a code point that KDL forbids can begin with this byte.
fn may_be_forbidden(byte: u8) -> bool {
    matches!(byte, 0..=8 | 14..=31 | 0x7f | 0xe2 | 0xef)
}

impl KdlParser<'_> {
    /// The length of the line break at `at`, or 0.
    pub(super) fn newline_len(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => 2,
            Some(b'\n' | 0x0b | 0x0c | b'\r') => 1,
            Some(0xc2) if self.byte(at + 1) == Some(0x85) => 2,
            Some(0xe2) if self.starts_with(at, "\u{2028}".as_bytes()) => 3,
            Some(0xe2) if self.starts_with(at, "\u{2029}".as_bytes()) => 3,
            _ => 0,
        }
    }

    /// The length of the whitespace character at `at`, or 0.
    pub(super) fn blank_len(&self, at: usize) -> usize {
        let wide = |second: u8, third: fn(u8) -> bool| {
            let rest = (self.byte(at + 1), self.byte(at + 2));
            if matches!(rest, (Some(b), Some(c)) if b == second && third(c)) { 3 } else { 0 }
        };
        match self.byte(at) {
            Some(b' ' | b'\t') => 1,
            Some(0xc2) if self.byte(at + 1) == Some(0xa0) => 2,
            Some(0xe1) => wide(0x9a, |c| c == 0x80),
            Some(0xe2) => wide(0x80, |c| matches!(c, 0x80..=0x8a | 0xaf)).max(wide(0x81, |c| c == 0x9f)),
            Some(0xe3) => wide(0x80, |c| c == 0x80),
            _ => 0,
        }
    }

    /// The end of the whitespace at `at`, without line breaks.
    pub(super) fn blanks_end(&self, mut at: usize) -> usize {
        loop {
            match self.blank_len(at) {
                0 => return at,
                len => at += len,
            }
        }
    }

    /// The end of the bare word at `at`. Returns `at` if there is no word.
    pub(super) fn word_end(&self, mut at: usize) -> usize {
        while let Some(byte) = self.byte(at) {
            if byte < 0x80 {
                if !is_word_byte(byte) {
                    break;
                }
            } else if self.blank_len(at) + self.newline_len(at) > 0 {
                break;
            }
            at += 1;
        }
        at
    }

    /// The end of the line that contains `at`, without its line break.
    pub(super) fn line_end(&self, mut at: usize) -> usize {
        while let Some(byte) = self.byte(at) {
            if matches!(byte, 0x0a..=0x0d | 0xc2 | 0xe2) && self.newline_len(at) > 0 {
                break;
            }
            at += 1;
        }
        at
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
        let finding = codes::KDL_SYNTAX.at(
            self.span(open, open + 2),
            "opened here",
            "this comment is never closed: expected `*/`",
        );
        let nested = first_close.map(|_| "close it with `*/`; each `/*` inside a comment also needs a `*/`");
        self.report(finding.help(nested.unwrap_or("close it with `*/`")));
    }

    /// Reports the first forbidden code point of each line. The other parser functions treat these code points as
    /// letters.
    pub(super) fn report_forbidden_code_points(&mut self) {
        const CHUNK: usize = 4096;
        let mut at = 0;
        while let Some(chunk) = self.bytes.get(at..self.bytes.len().min(at + CHUNK)) {
            if chunk.is_empty() {
                return;
            }
            let end = at + chunk.len();
            // The fold has no branches, so it is very fast on ordinary text.
            if chunk.iter().fold(false, |seen, byte| seen | may_be_forbidden(*byte)) {
                while at < end {
                    at = self.check_code_point(at);
                }
            } else {
                at = end;
            }
        }
    }

    /// Checks one position. Returns the next position to check.
    fn check_code_point(&mut self, at: usize) -> usize {
        let Some(byte) = self.byte(at).filter(|byte| may_be_forbidden(*byte)) else { return at + 1 };
        let len = match (byte, self.byte(at + 1), self.byte(at + 2)) {
            (0xe2, Some(0x80), Some(0x8e | 0x8f | 0xaa..=0xae)) | (0xe2, Some(0x81), Some(0xa6..=0xa9)) => 3,
            (0xef, Some(0xbb), Some(0xbf)) if at > 0 => 3,
            (0xe2 | 0xef, ..) => 0,
            _ => 1,
        };
        let Some(found) = self.slice(at, at + len).chars().next() else { return at + 1 };
        let code = format!("U+{:04X}", u32::from(found));
        let help = format!("write `{}` inside quotes, or remove it", found.escape_unicode());
        let message = format!("the code point {code} is not allowed in KDL text");
        let label = "this character is invisible or changes how the text is displayed";
        self.report(codes::KDL_SYNTAX.at(self.span(at, at + len), label, message).help(help));
        self.line_end(at)
    }
}
