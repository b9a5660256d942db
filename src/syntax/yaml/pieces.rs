//! Splits YAML text without syntax errors into pieces, for the formatter. The parser library finds the scalars; everything
//! between them is indicators, properties, comments and whitespace.

use super::events::{ScalarStyle, Token, TokenKind, Tokens};
use super::lines::line_start;
use crate::source::{FileId, Span};
use std::ops::Range;

/// A part of a text. Whitespace without line breaks is between pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) struct Piece {
    /// The kind.
    pub(in crate::syntax) kind: PieceKind,
    start: u32,
    end: u32,
}

/// The kind of a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) enum PieceKind {
    /// A bare word or text in quotes, which may have several lines.
    Scalar,
    /// `*name`
    Alias,
    /// `&name` or `!tag`
    Property,
    /// `-`
    Dash,
    /// `?`
    Question,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// `[` or `{`
    Open,
    /// `]` or `}`
    Close,
    /// `# ..`
    Comment,
    /// `|` or `>` with its indicators.
    Header,
    /// The lines of a block scalar, with the line breaks after them.
    Body,
    /// `---` or `...`
    Marker,
    /// A line with `%`.
    Directive,
    /// A line break outside of scalars.
    Newline,
}

impl Piece {
    /// The bytes of the piece.
    pub(in crate::syntax) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The pieces of a text. `None` if it has a syntax error.
pub(in crate::syntax) fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut scanner = Scanner { text, pos: 0, pieces: Vec::new() };
    let mut tokens = Tokens::new(FileId(0), text, 0);
    while let Some(token) = tokens.next() {
        let Token { kind, span, anchor, tag } = token.ok()?;
        let mut properties = [anchor, tag];
        properties.sort_by_key(|span| span.map(|span| span.start));
        for property in properties.into_iter().flatten() {
            scanner.known(PieceKind::Property, property);
        }
        match kind {
            TokenKind::Scalar { style: ScalarStyle::Block, .. } => scanner.block_scalar(span.range()),
            TokenKind::Scalar { .. } => scanner.known(PieceKind::Scalar, span),
            TokenKind::Alias => scanner.known(PieceKind::Alias, span),
            TokenKind::DocumentStart { .. }
            | TokenKind::DocumentEnd
            | TokenKind::ListStart { .. }
            | TokenKind::ListEnd
            | TokenKind::MapStart { .. }
            | TokenKind::MapEnd => {}
        }
    }
    scanner.gap(text.len());
    Some(scanner.pieces)
}

struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    pieces: Vec<Piece>,
}

impl Scanner<'_> {
    fn push(&mut self, kind: PieceKind, end: usize) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.pieces.push(Piece { kind, start: offset(self.pos), end: offset(end) });
        self.pos = end;
    }

    fn rest(&self) -> &str {
        self.text.get(self.pos..).unwrap_or_default()
    }

    /// Scans the text before a piece with a known place, then the piece. A missing value is not a piece.
    fn known(&mut self, kind: PieceKind, place: Span) {
        if place.end > place.start {
            self.gap(place.range().start);
            self.push(kind, place.range().end);
        }
    }

    /// Scans the text between two pieces with known places.
    fn gap(&mut self, until: usize) {
        while self.pos < until {
            self.scan();
        }
    }

    /// Scans one piece, or skips one whitespace character.
    fn scan(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        let at_line_start =
            self.text.get(..self.pos).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        let (kind, length) = match first {
            '\n' => (PieceKind::Newline, 1),
            '#' => (PieceKind::Comment, line_length(rest)),
            '%' if at_line_start => (PieceKind::Directive, line_length(rest)),
            '-' | '.' if at_line_start && is_marker(rest) => (PieceKind::Marker, 3),
            '-' => (PieceKind::Dash, 1),
            '?' => (PieceKind::Question, 1),
            ':' => (PieceKind::Colon, 1),
            ',' => (PieceKind::Comma, 1),
            '[' | '{' => (PieceKind::Open, 1),
            ']' | '}' => (PieceKind::Close, 1),
            '|' | '>' => (PieceKind::Header, header_length(rest)),
            _ => {
                self.pos += first.len_utf8();
                return;
            }
        };
        self.push(kind, self.pos + length);
    }

    /// Scans a block scalar: the text up to its header, the header and its lines. `content` starts in the first line that
    /// is not blank and ends after the blank lines that follow.
    fn block_scalar(&mut self, content: Range<usize>) {
        let is_header = |piece: &Piece| piece.kind == PieceKind::Header;
        let before = self.pieces.len();
        while self.pos < self.text.len()
            && !self.pieces.get(before..).is_some_and(|new| new.last().is_some_and(is_header))
        {
            self.scan();
        }
        while self.pos < self.text.len() && !self.rest().starts_with('\n') {
            self.scan();
        }
        let start = (self.pos + 1).min(self.text.len());
        let end = self.lines_end(content.end).max(start);
        self.pos = start;
        self.push(PieceKind::Body, end);
        self.push(PieceKind::Newline, end);
    }

    /// The end of the lines of a block scalar: `at`, or the start of its line if only spaces are before it.
    fn lines_end(&self, at: usize) -> usize {
        let start = line_start(self.text, at);
        let is_indentation = self.text.get(start..at).unwrap_or_default().bytes().all(|byte| byte == b' ');
        if is_indentation && at < self.text.len() { start } else { at }
    }
}

/// The length of the rest of a line, without trailing whitespace.
fn line_length(rest: &str) -> usize {
    rest.split('\n').next().unwrap_or_default().trim_end().len()
}

fn header_length(rest: &str) -> usize {
    let is_indicator = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-');
    rest.char_indices().skip(1).find(|(_, c)| !is_indicator(*c)).map_or(rest.len(), |(at, _)| at)
}

fn is_marker(rest: &str) -> bool {
    let after = rest.strip_prefix("---").or_else(|| rest.strip_prefix("..."));
    after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\n']))
}

/// True if two texts have the same values in the same structure and style, with the same anchors, aliases and tags.
pub(in crate::syntax) fn same_content(one: &str, other: &str) -> bool {
    let [mut ones, mut others] = [one, other].map(|text| Tokens::new(FileId(0), text, 0));
    loop {
        let same = match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(Ok(first)), Some(Ok(second))) => same_token((one, first), (other, second)),
            _ => false,
        };
        if !same {
            return false;
        }
    }
}

fn same_token((one, first): (&str, Token), (other, second): (&str, Token)) -> bool {
    let text = |text: &str, span: Option<Span>| span.map(|span| text.get(span.range()).map(str::to_owned));
    let same_kind = match (&first.kind, &second.kind) {
        (TokenKind::Scalar { text, style }, TokenKind::Scalar { text: other, style: other_style }) => {
            text == other && style == other_style
        }
        (TokenKind::Alias, TokenKind::Alias) => text(one, Some(first.span)) == text(other, Some(second.span)),
        (TokenKind::DocumentStart { has_marker }, TokenKind::DocumentStart { has_marker: other }) => {
            has_marker == other
        }
        (TokenKind::ListStart { flow }, TokenKind::ListStart { flow: other })
        | (TokenKind::MapStart { flow }, TokenKind::MapStart { flow: other }) => flow == other,
        (TokenKind::DocumentEnd, TokenKind::DocumentEnd)
        | (TokenKind::ListEnd, TokenKind::ListEnd)
        | (TokenKind::MapEnd, TokenKind::MapEnd) => true,
        _ => false,
    };
    same_kind
        && text(one, first.anchor) == text(other, second.anchor)
        && text(one, first.tag) == text(other, second.tag)
}
