//! What separates the parts: blanks, line breaks, comments, continued lines; and the code points that KDL refuses.

use super::Reader;
use crate::syntax::codes;

/// Whether an ASCII byte may stand in a bare word; of other bytes [`Reader::word_end`] decides.
fn is_word_byte(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t'
            ..=b'\r' | b'"' | b'#' | b'(' | b')' | b'/' | b';' | b'=' | b'[' | b'\\' | b']' | b'{' | b'}'
    )
}

/// Whether a code point that KDL refuses may begin with this byte.
fn may_be_refused(byte: u8) -> bool {
    matches!(byte, 0..=8 | 14..=31 | 0x7f | 0xe2 | 0xef)
}

impl Reader<'_> {
    /// The length of the line break at a place, or 0.
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

    /// The length of the blank at a place, or 0.
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

    /// The end of the blanks that begin at a place.
    pub(super) fn blanks_end(&self, mut at: usize) -> usize {
        loop {
            match self.blank_len(at) {
                0 => return at,
                len => at += len,
            }
        }
    }

    /// The end of the bare word that begins at a place; the place itself where none does.
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

    /// The first place at or after `at` where a line ends.
    pub(super) fn line_end(&self, mut at: usize) -> usize {
        while let Some(byte) = self.byte(at) {
            if matches!(byte, 0x0a..=0x0d | 0xc2 | 0xe2) && self.newline_len(at) > 0 {
                break;
            }
            at += 1;
        }
        at
    }

    /// The text from a place to the end of its line.
    pub(super) fn line_at(&self, at: usize) -> &str {
        self.slice(at, self.line_end(at))
    }

    /// Passes over what may stand between the parts of a node; says whether there was any.
    pub(super) fn node_space(&mut self) -> bool {
        let start = self.pos;
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.pos += 1,
                Some(b'/') if self.byte(self.pos + 1) == Some(b'*') => self.block_comment(),
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

    /// Passes over what may stand between nodes.
    pub(super) fn line_space(&mut self) {
        loop {
            self.node_space();
            if self.starts_with(self.pos, b"//") {
                self.pos = self.line_end(self.pos);
            }
            match self.newline_len(self.pos) {
                0 => return,
                len => self.pos += len,
            }
        }
    }

    /// Where a node goes on after the `\` at this place; none where no line break follows it.
    fn continued_line(&mut self) -> Option<usize> {
        let backslash = self.pos;
        self.pos += 1;
        loop {
            self.pos = self.blanks_end(self.pos);
            if !self.starts_with(self.pos, b"/*") {
                break;
            }
            self.block_comment();
        }
        let comment = self.starts_with(self.pos, b"//");
        let end = if comment { self.line_end(self.pos) } else { self.pos };
        self.pos = backslash;
        let newline = self.newline_len(end);
        (newline > 0 || end >= self.bytes.len()).then_some(end + newline)
    }

    /// Passes over a comment with the comments in it. One that is never closed ends at the first `*/`, since that is
    /// where its author took it to end, else with the text.
    pub(super) fn block_comment(&mut self) {
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
        self.searches = self.searches.saturating_add(1);
        self.lost |= first_close.is_none();
        self.pos = first_close.unwrap_or(self.bytes.len());
        let finding = codes::KDL_SYNTAX.at(
            self.span(open, open + 2),
            "opened here",
            "this comment is never closed: expected `*/`",
        );
        let nested =
            first_close.map(|_| "close it with `*/`; every `/*` inside a comment needs a `*/` of its own");
        self.report(finding.help(nested.unwrap_or("close it with `*/`")));
    }

    /// Says which lines have a code point that may stand nowhere in KDL. To the rest of the reader these are letters.
    pub(super) fn refuse_code_points(&mut self) {
        const CHUNK: usize = 4096;
        let mut at = 0;
        while let Some(chunk) = self.bytes.get(at..self.bytes.len().min(at + CHUNK)) {
            if chunk.is_empty() {
                return;
            }
            let end = at + chunk.len();
            // The fold is free of branches, so that ordinary text costs next to nothing.
            if chunk.iter().fold(false, |seen, byte| seen | may_be_refused(*byte)) {
                while at < end {
                    at = self.refuse_code_point(at);
                }
            } else {
                at = end;
            }
        }
    }

    /// Looks at one place; gives the next one to look at.
    fn refuse_code_point(&mut self, at: usize) -> usize {
        let Some(byte) = self.byte(at).filter(|byte| may_be_refused(*byte)) else { return at + 1 };
        let len = match (byte, self.byte(at + 1), self.byte(at + 2)) {
            (0xe2, Some(0x80), Some(0x8e | 0x8f | 0xaa..=0xae)) | (0xe2, Some(0x81), Some(0xa6..=0xa9)) => 3,
            (0xef, Some(0xbb), Some(0xbf)) if at > 0 => 3,
            (0xe2 | 0xef, ..) => 0,
            _ => 1,
        };
        let Some(found) = self.slice(at, at + len).chars().next() else { return at + 1 };
        let code = format!("U+{:04X}", u32::from(found));
        let help = format!("write `{}` inside quotes, or remove it", found.escape_unicode());
        let message = format!("the code point {code} may not stand in KDL text");
        let label = "this character is invisible or steers the text around it";
        self.report(codes::KDL_SYNTAX.at(self.span(at, at + len), label, message).help(help));
        self.line_end(at)
    }
}
