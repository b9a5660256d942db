//! Error recovery: where to continue after a syntax error, missing braces found by indentation, and descriptions of
//! unexpected text.

use super::{KdlParser, MAX_FINDINGS};
use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::syntax::codes;

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

    /// Skips a block with all nested blocks, at any depth.
    pub(super) fn skip_block(&mut self) {
        let muted = std::mem::replace(&mut self.muted, true);
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'/' if self.starts_with(self.pos, b"//") => self.pos = self.line_end(self.pos),
                b'/' | b'"' | b'#' => {
                    self.skip_token();
                    continue;
                }
                _ => {}
            }
            self.pos += usize::from(self.peek().is_some());
            if depth == 0 {
                break;
            }
        }
        self.rest_consumed |= depth > 0;
        self.muted = muted;
    }

    /// The indentation of this position, if only whitespace is before it on its line.
    pub(super) fn indent_here(&self) -> Option<usize> {
        let before = self.bytes.get(..self.pos).unwrap_or_default();
        let indent = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let first = before.len() == indent
            || before.iter().nth_back(indent).is_some_and(|b| matches!(b, b'\n' | b'\r'));
        first.then_some(indent)
    }

    /// Before a node: reports and closes the unclosed blocks that end before it, as its indentation shows.
    pub(super) fn close_blocks_before_node(&mut self, indent: Option<usize>) {
        while let (Some(indent), Some(block)) = (indent, self.stack.last()) {
            if block.owner.indent.is_none_or(|block_indent| block_indent < indent) {
                break;
            }
            self.close_unclosed_block(block.brace);
        }
    }

    /// At a `}`: finds the block with the same indentation, and reports and closes the unclosed blocks inside it. False
    /// if the brace is indented deeper than the innermost block; it is then reported and skipped.
    pub(super) fn match_brace_by_indent(&mut self) -> bool {
        let Some(indent) = self.indent_here() else { return true };
        while let Some(block) = self.stack.last() {
            match block.owner.indent {
                Some(block_indent) if block_indent > indent => self.close_unclosed_block(block.brace),
                Some(block_indent) if block_indent < indent => {
                    self.report_unmatched_brace();
                    self.pos += usize::from(self.peek() == Some(b'}'));
                    return false;
                }
                _ => break,
            }
        }
        true
    }

    fn close_unclosed_block(&mut self, brace: usize) {
        self.report_unclosed_block(brace);
        let end = self.slice(0, self.pos).trim_end().len();
        if let Some(owner) = self.pop(end) {
            self.attach(owner);
        }
    }

    /// The end of the text that looks like one word to a user: at whitespace, a brace, a `;` or a line break, or after
    /// [`MAX_LOOSE_WORD`] bytes.
    pub(super) fn loose_word_end(&self, start: usize) -> usize {
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let stops = matches!(byte, b';' | b'{' | b'}' | b' ' | b'\t'..=b'\r');
            let ends = |at| at - start > MAX_LOOSE_WORD || self.blank_len(at) + self.newline_len(at) > 0;
            if stops
                || (byte >= 0x80 || at - start > MAX_LOOSE_WORD) && self.text.is_char_boundary(at) && ends(at)
            {
                break;
            }
            at += 1;
        }
        at
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
        let (end, help) = match self.peek() {
            None => (start, None),
            Some(_) if self.newline_len(start) > 0 || comment => (start, None),
            Some(b'[') => {
                (start + 1, Some("write the values one after another, without brackets".to_owned()))
            }
            Some(b'\\') => (start + 1, Some("end the line after `\\`, or put the text in quotes".to_owned())),
            Some(b'{' | b'}' | b';' | b'=' | b']' | b'(' | b')') => (start + 1, None),
            Some(b'/') => {
                let end = self.loose_word_end(start);
                (end, Some(format!("put the text in quotes: `\"{}\"`", self.slice(start, end))))
            }
            Some(_) => (self.loose_word_end(start), None),
        };
        self.report(codes::KDL_SYNTAX.at(self.span(start, end), label, message).maybe_help(help));
        if self.peek() == Some(b'/') {
            self.pos = end;
        }
        self.recover();
    }

    /// Reports a `#` that was written as a comment, and skips the line.
    pub(super) fn report_hash_comment(&mut self) {
        let span = self.span(self.pos, self.pos + 1);
        let finding = codes::KDL_SYNTAX
            .at(span, "begins a keyword or a raw string", "`#` does not begin a comment")
            .help("write `//` before a comment");
        self.report(finding);
        self.pos = self.line_end(self.pos);
    }
}
