//! The layout of KDL: four spaces for each block, one space between the parts of a node.

use super::column;
use super::lines::{Comment, Lines};
use crate::diag::Diagnostics;
use crate::source::FileId;
use crate::syntax::document::same_nodes;
use crate::syntax::kdl::{KdlToken, KdlTokenKind, parse, tokens};

/// The number of spaces for each level.
const INDENT: usize = 4;
/// The number of spaces before a comment at the end of a line.
const COMMENT_GAP: usize = 1;
/// The name of the version marker, which is written with a space after its `/-`.
const VERSION_MARKER: &str = "kdl-version";

/// Formats a text without syntax errors.
pub(super) fn format(text: &str) -> String {
    let tokens = tokens(text);
    let lines = Lines::new(COMMENT_GAP, text.len());
    let mut formatter = KdlFormatter {
        text,
        lines,
        blocks: Vec::new(),
        node_indent: 0,
        continues: false,
        opened: false,
        code: String::new(),
    };
    for line in tokens.split(|token| token.kind == KdlTokenKind::Newline) {
        formatter.line(line);
    }
    formatter.lines.finish()
}

/// True if both texts have the same nodes, the same tokens and the same comments.
pub(super) fn is_same(old: &str, new: &str) -> bool {
    let mut findings = [Diagnostics::default(), Diagnostics::default()];
    let [old_findings, new_findings] = &mut findings;
    let nodes = [parse(FileId(0), old, old_findings).nodes, parse(FileId(0), new, new_findings).nodes];
    let [old_nodes, new_nodes] = &nodes;
    let [old_count, new_count] = findings.each_ref().map(|findings| findings.findings().len());
    old_count == new_count && same_nodes(old_nodes, new_nodes) && words(old).eq(words(new))
}

/// The tokens of a text with their kinds, without line breaks.
fn words(text: &str) -> impl Iterator<Item = (KdlTokenKind, &str)> {
    let tokens = tokens(text).into_iter().filter(|token| token.kind != KdlTokenKind::Newline);
    tokens.map(|token| (token.kind, trimmed(text, token)))
}

/// The text of a token. A comment at the end of a line has no trailing whitespace.
fn trimmed(text: &str, token: KdlToken) -> &str {
    let whole = text.get(token.range()).unwrap_or_default();
    if token.kind == KdlTokenKind::LineComment { whole.trim_end() } else { whole }
}

struct KdlFormatter<'a> {
    text: &'a str,
    lines: Lines,
    /// The indentation of the node of each open block.
    blocks: Vec<usize>,
    /// The indentation of the current node.
    node_indent: usize,
    /// True if the node of the last line continues.
    continues: bool,
    /// True if the last line opened a block at its end.
    opened: bool,
    /// The code of the current line, without its indentation.
    code: String,
}

impl<'a> KdlFormatter<'a> {
    fn line(&mut self, line: &[KdlToken]) {
        let Some(first) = line.first() else {
            self.continues = false;
            self.lines.blank();
            return;
        };
        let closed = line.iter().take_while(|token| token.kind == KdlTokenKind::CloseBrace).count();
        if self.opened || closed > 0 {
            self.lines.no_blank();
        }
        if first.kind == KdlTokenKind::LineComment {
            (self.continues, self.opened) = (false, false);
            self.lines.comment(self.block_indent(), self.comment(*first));
            return;
        }
        let indent = self.indent(closed);
        let (comment, code) = match line.split_last() {
            Some((last, code)) if last.kind == KdlTokenKind::LineComment => (Some(self.comment(*last)), code),
            _ => (None, line),
        };
        self.code.clear();
        for (at, token) in code.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| code.get(before));
            self.token(before.copied(), *token);
        }
        self.lines.code(indent, &self.code, comment);
        self.continues = continues(code);
        self.opened = code.last().is_some_and(|last| last.kind == KdlTokenKind::OpenBrace);
    }

    fn comment(&self, token: KdlToken) -> Comment<'a> {
        Comment { text: trimmed(self.text, token), column: column(self.text, token.range().start) }
    }

    /// The indentation of a new node.
    fn block_indent(&self) -> usize {
        self.blocks.last().map_or(0, |node| node + INDENT)
    }

    /// The indentation of a line that closes a number of blocks at its start.
    fn indent(&mut self, closed: usize) -> usize {
        if closed > 0 {
            let outermost = self.blocks.len().saturating_sub(closed);
            self.node_indent = self.blocks.get(outermost).copied().unwrap_or(0);
        } else if self.continues {
            return self.node_indent + INDENT;
        } else {
            self.node_indent = self.block_indent();
        }
        self.node_indent
    }

    /// Appends a token to the line.
    fn token(&mut self, before: Option<KdlToken>, token: KdlToken) {
        if before.is_some_and(|before| self.is_separate(before, token)) {
            self.code.push(' ');
        }
        self.code.push_str(trimmed(self.text, token));
        if token.kind == KdlTokenKind::OpenBrace {
            self.blocks.push(self.node_indent);
        } else if token.kind == KdlTokenKind::CloseBrace {
            self.blocks.pop();
        }
    }

    /// True if there is a space between two tokens.
    fn is_separate(&self, before: KdlToken, token: KdlToken) -> bool {
        use KdlTokenKind::{
            BlockComment, CloseBrace, CloseParen, Continuation, Equals, OpenBrace, OpenParen, Semicolon,
            Slashdash,
        };
        match (before.kind, token.kind) {
            (Slashdash, BlockComment | Continuation) => true,
            (Slashdash, _) => self.text.get(token.range()) == Some(VERSION_MARKER),
            (OpenBrace, CloseBrace)
            | (OpenParen | CloseParen | Equals, _)
            | (_, CloseParen | Equals | Semicolon) => false,
            _ => true,
        }
    }
}

/// True if the node of a line continues on the next line.
fn continues(code: &[KdlToken]) -> bool {
    match code {
        [.., last] if last.kind == KdlTokenKind::Continuation => true,
        // `/-` before a part of the node, not before the whole node.
        [_, .., last] => last.kind == KdlTokenKind::Slashdash,
        _ => false,
    }
}
