//! Splits KDL text without syntax errors into tokens, for the formatter.

use super::KdlParser;
use super::space::is_space;
use crate::source::FileId;
use std::ops::Range;

/// A token. Whitespace without line breaks is between tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) struct KdlToken {
    /// The kind.
    pub(in crate::syntax) kind: KdlTokenKind,
    start: u32,
    end: u32,
}

/// The kind of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) enum KdlTokenKind {
    /// A word, a string, a number or a keyword.
    Atom,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `=`
    Equals,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `;`
    Semicolon,
    /// `/-`
    Slashdash,
    /// `// ..`, without the line break.
    LineComment,
    /// `/* .. */`, with the comments inside.
    BlockComment,
    /// The `\` at the end of a line.
    Continuation,
    /// A line break outside of strings and comments.
    Newline,
}

impl KdlToken {
    /// The bytes of the token.
    pub(in crate::syntax) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The tokens of a text without syntax errors.
pub(in crate::syntax) fn tokens(text: &str) -> Vec<KdlToken> {
    let mut scanner = KdlParser::new(FileId(0), text);
    let mut tokens = Vec::new();
    loop {
        scanner.pos = scanner.blanks_end(scanner.pos);
        let start = scanner.pos;
        let Some(kind) = scanner.scan_token() else { return tokens };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        tokens.push(KdlToken { kind, start: offset(start), end: offset(scanner.pos) });
    }
}

impl KdlParser<'_> {
    /// Moves behind the token at this position. `None` at the end of the text.
    fn scan_token(&mut self) -> Option<KdlTokenKind> {
        let newline = self.newline_len(self.pos);
        if newline > 0 {
            self.pos += newline;
            return Some(KdlTokenKind::Newline);
        }
        let (kind, length) = match (self.peek()?, self.byte(self.pos + 1)) {
            (b'/', Some(b'/')) => (KdlTokenKind::LineComment, self.line_end(self.pos) - self.pos),
            (b'/', Some(b'*')) => {
                self.skip_block_comment();
                (KdlTokenKind::BlockComment, 0)
            }
            (b'/', Some(b'-')) => (KdlTokenKind::Slashdash, 2),
            (b'(', _) => (KdlTokenKind::OpenParen, 1),
            (b')', _) => (KdlTokenKind::CloseParen, 1),
            (b'=', _) => (KdlTokenKind::Equals, 1),
            (b'{', _) => (KdlTokenKind::OpenBrace, 1),
            (b'}', _) => (KdlTokenKind::CloseBrace, 1),
            (b';', _) => (KdlTokenKind::Semicolon, 1),
            (b'\\', _) => (KdlTokenKind::Continuation, 1),
            _ => {
                self.scan_atom();
                (KdlTokenKind::Atom, 0)
            }
        };
        self.pos += length;
        Some(kind)
    }

    fn scan_atom(&mut self) {
        let start = self.pos;
        let quote = self.hashes_end(start);
        if self.byte(quote) == Some(b'"') {
            self.parse_string(quote - start);
        } else {
            self.pos = self.word_end(quote);
        }
        if self.pos == start {
            // Not possible without a syntax error, but each call must make progress.
            self.pos = self.find_end(start + 1, |c| c.is_ascii() || is_space(c));
        }
    }
}
