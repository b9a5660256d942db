//! Where reading goes on after a fault, what indentation says about braces, and the words for what was found.

use super::{MAX_FINDINGS, Reader};
use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::syntax::codes;

/// The longest text without a blank, in bytes, that is taken for one word.
const MAX_LUMP: usize = 4096;
/// How often a delimiter without a partner is looked for to the end of the text.
const MAX_SEARCHES: u8 = 16;

impl Reader<'_> {
    /// Takes a finding; with the last one that a file may have, reading ends.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        if self.muted {
            return;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
        if self.findings.len() == MAX_FINDINGS {
            let note = format!("the file has {MAX_FINDINGS} faults; the rest of it was not read");
            if let Some(last) = self.findings.last_mut().filter(|last| last.notes.is_empty()) {
                last.notes.push(note);
            }
            self.pos = self.bytes.len();
            self.lost = true;
        }
    }

    /// Whether it is still worth looking for a partner up to the end of the text.
    pub(super) fn may_search(&self) -> bool {
        self.searches < MAX_SEARCHES
    }

    /// Passes over the rest of a line up to where the node can be taken up again: a brace, a `;`, the line's end.
    pub(super) fn recover(&mut self) {
        let muted = std::mem::replace(&mut self.muted, true);
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'}' | b';' => break,
                b'/' if self.starts_with(self.pos, b"//") => break,
                _ if self.newline_len(self.pos) > 0 => break,
                b'/' | b'"' | b'#' => self.skip_token(),
                b'\\' => {
                    if !self.node_space() {
                        self.pos += 1;
                    }
                }
                _ => self.pos += 1,
            }
        }
        self.muted = muted;
    }

    /// Passes over a comment, a string or one byte.
    fn skip_token(&mut self) {
        if self.starts_with(self.pos, b"/*") {
            self.block_comment();
        } else if self.peek() == Some(b'"') {
            self.string(0);
        } else {
            let quote = self.hashes_end(self.pos);
            if self.byte(quote) == Some(b'"') && quote > self.pos {
                self.string(quote - self.pos);
            } else {
                self.pos = quote.max(self.pos + 1);
            }
        }
    }

    /// Passes over a block with all blocks in it, however deep.
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
        self.lost |= depth > 0;
        self.muted = muted;
    }

    /// The indentation of this place where it is the first thing on its line.
    pub(super) fn indent_here(&self) -> Option<usize> {
        let before = self.bytes.get(..self.pos).unwrap_or_default();
        let indent = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let first = before.len() == indent
            || before.iter().nth_back(indent).is_some_and(|b| matches!(b, b'\n' | b'\r'));
        first.then_some(indent)
    }

    /// Before a node: closes the blocks that its line has left, which nobody closed.
    pub(super) fn heed_indent_of_node(&mut self, indent: Option<usize>) {
        while let (Some(indent), Some(frame)) = (indent, self.stack.last()) {
            if frame.owner.indent.is_none_or(|block| block < indent) {
                break;
            }
            self.close_unclosed(frame.brace);
        }
    }

    /// At a `}`: closes the blocks inside the one that it stands below. False where it stands below none and was said
    /// to close nothing.
    pub(super) fn heed_indent_of_brace(&mut self) -> bool {
        let Some(indent) = self.indent_here() else { return true };
        while let Some(frame) = self.stack.last() {
            match frame.owner.indent {
                Some(block) if block > indent => self.close_unclosed(frame.brace),
                Some(block) if block < indent => {
                    self.stray_brace();
                    self.pos += usize::from(self.peek() == Some(b'}'));
                    return false;
                }
                _ => break,
            }
        }
        true
    }

    fn close_unclosed(&mut self, brace: usize) {
        self.unclosed_block(brace);
        let end = self.slice(0, self.pos).trim_end().len();
        if let Some(owner) = self.pop(end) {
            self.attach(owner);
        }
    }

    /// The end of what a person takes for one word: the next blank, brace, `;` or line break, or a great many bytes.
    pub(super) fn lump_end(&self, start: usize) -> usize {
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let stops = matches!(byte, b';' | b'{' | b'}' | b' ' | b'\t'..=b'\r');
            let ends = |at| at - start > MAX_LUMP || self.blank_len(at) + self.newline_len(at) > 0;
            if stops || (byte >= 0x80 || at - start > MAX_LUMP) && self.text.is_char_boundary(at) && ends(at)
            {
                break;
            }
            at += 1;
        }
        at
    }

    /// What stands here, for "expected a value, found ..".
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the file".to_owned(),
            Some(b'{' | b'}' | b';' | b'=' | b'[' | b']' | b'(' | b')' | b'\\') => {
                quoted(self.slice(self.pos, self.pos + 1))
            }
            Some(_) if self.newline_len(self.pos) > 0 => "the end of the line".to_owned(),
            Some(b'/') if self.starts_with(self.pos, b"//") => "a comment".to_owned(),
            Some(b'/') if self.starts_with(self.pos, b"/-") => "`/-`".to_owned(),
            Some(_) => quoted(self.slice(self.pos, self.lump_end(self.pos))),
        }
    }

    /// Says that something else was expected here, and passes over the rest of the line.
    pub(super) fn unexpected(&mut self, expected: &str, label: &str) {
        let message = format!("expected {expected}, found {}", self.found());
        let start = self.pos;
        let comment = self.starts_with(start, b"//") || self.starts_with(start, b"/-");
        let (end, help) = match self.peek() {
            None => (start, None),
            Some(_) if self.newline_len(start) > 0 || comment => (start, None),
            Some(b'[') => {
                (start + 1, Some("write the values one after another, without brackets".to_owned()))
            }
            Some(b'\\') => (start + 1, Some("end the line after `\\`, or write text in quotes".to_owned())),
            Some(b'{' | b'}' | b';' | b'=' | b']' | b'(' | b')') => (start + 1, None),
            Some(b'/') => {
                let end = self.lump_end(start);
                (end, Some(format!("write text in quotes: `\"{}\"`", self.slice(start, end))))
            }
            Some(_) => (self.lump_end(start), None),
        };
        self.report(codes::KDL_SYNTAX.at(self.span(start, end), label, message).maybe_help(help));
        if self.peek() == Some(b'/') {
            self.pos = end;
        }
        self.recover();
    }

    /// Says that a `#` begins no comment, and passes over the line.
    pub(super) fn hash_comment(&mut self) {
        let span = self.span(self.pos, self.pos + 1);
        let finding = codes::KDL_SYNTAX
            .at(span, "begins a keyword or a raw string", "`#` does not begin a comment")
            .help("write `//` before a comment");
        self.report(finding);
        self.pos = self.line_end(self.pos);
    }
}
