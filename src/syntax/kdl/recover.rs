//! Error recovery: where to continue after a syntax error, and descriptions of unexpected text.

use super::space::is_space;
use super::{KdlParser, MAX_FINDINGS};
use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::syntax::codes;
use std::ops::Range;

/// The maximum length in bytes of text without whitespace that counts as one word.
const MAX_LOOSE_WORD: usize = 4096;
/// The maximum number of searches for a closing delimiter that reach the end of the text.
const MAX_FAILED_SEARCHES: u8 = 16;

impl KdlParser<'_> {
    /// Records a finding. At [`MAX_FINDINGS`], skips the rest of the text.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        if self.muted {
            return;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
        if self.findings.len() == MAX_FINDINGS {
            let note = format!("after {MAX_FINDINGS} syntax errors the rest of the file was not read");
            if let Some(last) = self.findings.last_mut().filter(|last| last.notes.is_empty()) {
                last.notes.push(note);
            }
            self.pos = self.bytes.len();
            self.rest_consumed = true;
        }
    }

    /// Reports a syntax error. No help if it is empty.
    pub(super) fn error(
        &mut self,
        place: Range<usize>,
        label: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.report(codes::KDL_SYNTAX.at(self.span(place.start, place.end), label, message).maybe_help(help));
    }

    /// True if a search to the end of the text is still allowed.
    pub(super) fn may_search(&self) -> bool {
        self.failed_searches < MAX_FAILED_SEARCHES
    }

    /// Skips to the next brace, `;` or end of the line, where parsing of the node can continue.
    pub(super) fn recover(&mut self) {
        let muted = std::mem::replace(&mut self.muted, true);
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'}' | b';' => break,
                b'/' if self.starts_with(self.pos, b"//") => break,
                _ if self.newline_len(self.pos) > 0 => break,
                b'/' | b'"' | b'#' => self.skip_token(),
                b'\\' => {
                    if !self.skip_node_space() {
                        self.pos += 1;
                    }
                }
                _ => self.pos += 1,
            }
        }
        self.muted = muted;
    }

    /// Skips a comment, a string or one byte.
    fn skip_token(&mut self) {
        if self.starts_with(self.pos, b"/*") {
            self.skip_block_comment();
        } else if self.peek() == Some(b'"') {
            self.parse_string(0);
        } else {
            let quote = self.hashes_end(self.pos);
            if self.byte(quote) == Some(b'"') && quote > self.pos {
                self.parse_string(quote - self.pos);
            } else {
                self.pos = quote.max(self.pos + 1);
            }
        }
    }

    /// The end of the text that looks like one word to a user: at whitespace, a brace, a `;` or a line break, or after
    /// [`MAX_LOOSE_WORD`] bytes.
    pub(super) fn loose_word_end(&self, start: usize) -> usize {
        let rest = self.rest(start);
        let ends =
            |(n, c): &(usize, char)| matches!(c, ';' | '{' | '}') || is_space(*c) || *n > MAX_LOOSE_WORD;
        start + rest.char_indices().find(ends).map_or(rest.len(), |(n, _)| n)
    }

    /// Describes the text at this position, for "expected a value, found ..".
    pub(super) fn describe_found(&self) -> String {
        match self.peek() {
            None => "the end of the file".to_owned(),
            Some(b'{' | b'}' | b';' | b'=' | b'[' | b']' | b'(' | b')' | b'\\') => {
                quoted(self.slice(self.pos, self.pos + 1))
            }
            Some(_) if self.newline_len(self.pos) > 0 => "the end of the line".to_owned(),
            Some(b'/') if self.starts_with(self.pos, b"//") => "a comment".to_owned(),
            Some(b'/') if self.starts_with(self.pos, b"/-") => "`/-`".to_owned(),
            Some(_) => quoted(self.slice(self.pos, self.loose_word_end(self.pos))),
        }
    }

    /// Reports unexpected text at this position and skips the rest of the line.
    pub(super) fn report_unexpected(&mut self, expected: &str, label: &str) {
        let message = format!("expected {expected}, found {}", self.describe_found());
        let start = self.pos;
        let comment = self.starts_with(start, b"//") || self.starts_with(start, b"/-");
        let word = self.slice(start, self.loose_word_end(start));
        let (len, help) = match self.peek() {
            None => (0, String::new()),
            Some(_) if self.newline_len(start) > 0 || comment => (0, String::new()),
            Some(b'[') => (1, "write the values one after another, without brackets".to_owned()),
            Some(b'\\') => (1, "end the line after `\\`, or put the text in quotes".to_owned()),
            Some(b'{' | b'}' | b';' | b'=' | b']' | b'(' | b')') => (1, String::new()),
            Some(b'/') => (word.len(), format!("put the text in quotes: `\"{word}\"`")),
            Some(_) => (word.len(), String::new()),
        };
        let end = start + len;
        self.error(start..end, label, message, help);
        if self.peek() == Some(b'/') {
            self.pos = end;
        }
        self.recover();
    }

    /// Reports a `#` that was written as a comment, and skips the line.
    pub(super) fn report_hash_comment(&mut self) {
        let (label, message) = ("begins a keyword or a raw string", "`#` does not begin a comment");
        self.error(self.pos..self.pos + 1, label, message, "write `//` before a comment");
        self.pos = self.line_end(self.pos);
    }
}
