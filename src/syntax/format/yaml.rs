//! The layout of YAML: two spaces for each level, one space between the parts of a line. Lists below a key keep their
//! level: that of the key, or one more.
//!
//! In block style, the column of the first piece of a line decides which collection it belongs to, as in a YAML parser.

use super::block_scalar::BlockScalar;
use super::column;
use super::lines::{Comment, Lines};
use crate::syntax::yaml::{Piece, PieceKind, pieces, same_content};

/// The number of spaces for each level.
const INDENT: usize = 2;
/// The number of spaces before a comment at the end of a line. Linters of YAML require two.
const COMMENT_GAP: usize = 2;

/// Formats a text. `None` if it has a syntax error.
pub(super) fn format(text: &str) -> Option<String> {
    let pieces = pieces(text)?;
    let lines: Vec<&[Piece]> = pieces.split(|piece| piece.kind == PieceKind::Newline).collect();
    let mut next = vec![None; lines.len()];
    let mut found = None;
    for (line, next) in lines.iter().zip(&mut next).rev() {
        *next = found;
        found = line.first().copied().filter(|first| first.kind != PieceKind::Comment).or(found);
    }
    let mut formatter = YamlFormatter {
        text,
        lines: Lines::new(COMMENT_GAP, text.len()),
        blocks: Vec::new(),
        flows: Vec::new(),
        awaits_value: false,
        code: String::new(),
    };
    for (line, next) in lines.into_iter().zip(next) {
        formatter.line(line, next);
    }
    Some(formatter.lines.finish())
}

/// True if both texts have the same values and the same comments.
pub(super) fn is_same(old: &str, new: &str) -> bool {
    let comments = |text| {
        let comments = pieces(text)?.into_iter().filter(|piece| piece.kind == PieceKind::Comment);
        Some(comments.map(|piece| slice(text, piece).to_owned()).collect::<Vec<_>>())
    };
    same_content(old, new) && comments(old) == comments(new)
}

fn slice(text: &str, piece: Piece) -> &str {
    text.get(piece.range()).unwrap_or_default()
}

/// An open collection in block style.
#[derive(Clone, Copy)]
struct Block {
    kind: BlockKind,
    /// The column of its entries in the source.
    old: usize,
    /// Their new column.
    new: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockKind {
    List,
    Map,
}

struct YamlFormatter<'a> {
    text: &'a str,
    lines: Lines,
    blocks: Vec<Block>,
    /// For each open bracket or brace, the indentation of its line.
    flows: Vec<usize>,
    /// True if the last line ended with an indicator or a property, or opened a bracket: its value may follow.
    awaits_value: bool,
    /// The code of the current line, without its indentation.
    code: String,
}

impl<'a> YamlFormatter<'a> {
    /// Formats a line. `next` is the first piece of the next line that is not a comment.
    fn line(&mut self, line: &[Piece], next: Option<Piece>) {
        let Some(first) = line.first().copied() else {
            self.lines.blank();
            return;
        };
        if first.kind == PieceKind::Comment {
            let indent = self.comment_indent(first, next);
            let comment = self.comment(first);
            if next.is_some_and(|next| column(self.text, next.range().start) == comment.column) {
                // It belongs to the next item, not to a comment at the end of the line above.
                self.lines.code(indent, comment.text, None);
            } else {
                self.lines.comment(indent, comment);
            }
            return;
        }
        if first.kind == PieceKind::Close || self.awaits_value && self.is_inner(first) {
            self.lines.no_blank();
        }
        let (body, line) = match line.split_last() {
            Some((last, line)) if last.kind == PieceKind::Body => (Some(*last), line),
            _ => (None, line),
        };
        let (comment, pieces) = match line.split_last() {
            Some((last, pieces)) if last.kind == PieceKind::Comment => (Some(self.comment(*last)), pieces),
            _ => (None, line),
        };
        self.code.clear();
        let indent = if self.flows.is_empty() { self.block_line(pieces) } else { self.flow_line(pieces) };
        self.lines.code(indent, &self.code, comment);
        if let (Some(body), Some(header)) = (body, pieces.last()) {
            self.block_scalar(*header, body);
        }
        self.awaits_value = pieces.last().is_some_and(|last| {
            use PieceKind::{Colon, Dash, Marker, Open, Property, Question};
            matches!(last.kind, Colon | Dash | Question | Property | Marker | Open)
        });
    }

    fn comment(&self, piece: Piece) -> Comment<'a> {
        let text = self.text;
        Comment { text: slice(text, piece), column: column(text, piece.range().start) }
    }

    /// The indentation of the value of the innermost entry, if it begins on a separate line.
    fn value_indent(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.new + INDENT)
    }

    /// True if a line with this first piece belongs to a value of the last line.
    fn is_inner(&self, first: Piece) -> bool {
        let at = column(self.text, first.range().start);
        !self.flows.is_empty()
            || self.blocks.last().is_none_or(|block| {
                at > block.old
                    || at == block.old && block.kind == BlockKind::Map && first.kind == PieceKind::Dash
            })
    }

    /// The indentation of a comment on a separate line: that of the collection whose column it has.
    fn comment_indent(&mut self, comment: Piece, next: Option<Piece>) -> usize {
        let opens = self.awaits_value && next.is_none_or(|next| self.is_inner(next));
        if opens {
            self.lines.no_blank();
        }
        if let Some(indent) = self.flows.last() {
            return indent + INDENT;
        }
        let at = column(self.text, comment.range().start);
        let is_deeper = self.blocks.last().is_none_or(|block| block.old < at);
        if let Some(next) = next.filter(|_| opens && is_deeper) {
            return self.inner_indent(next);
        }
        self.blocks.iter().rev().find(|block| block.old <= at).map_or(0, |block| block.new)
    }

    /// The indentation of a line that belongs to a value of the last line.
    fn inner_indent(&self, first: Piece) -> usize {
        let at = column(self.text, first.range().start);
        let same = self.blocks.last().filter(|block| block.old == at && first.kind == PieceKind::Dash);
        same.map_or_else(|| self.value_indent(), |block| block.new)
    }

    /// Formats a line that begins in block style. Returns its indentation.
    fn block_line(&mut self, line: &[Piece]) -> usize {
        let Some(first) = line.first().copied() else { return 0 };
        if matches!(first.kind, PieceKind::Marker | PieceKind::Directive) {
            self.blocks.clear();
            self.pieces(line, 0, 0);
            return 0;
        }
        let at = column(self.text, first.range().start);
        let Some(kind) = entry(line) else {
            // In the first column, a text that begins as a marker would be one.
            let is_marker = ["---", "..."].iter().any(|mark| slice(self.text, first).starts_with(mark));
            let indent = self.value_indent().max(if is_marker { INDENT } else { 0 });
            self.pieces(line, indent, indent);
            return indent;
        };
        let indent = self.enter(kind, at);
        let mut rest = line;
        while let [indicator, inner @ ..] = rest
            && matches!(indicator.kind, PieceKind::Dash | PieceKind::Question | PieceKind::Colon)
            && let (Some(kind), Some(start)) = (entry(inner), inner.first())
        {
            // A collection that begins after the indicator, such as `- a: 1`.
            let old = at + start.range().start - first.range().start;
            let outer = self.blocks.last().map_or(0, |block| block.new);
            self.code.extend([slice(self.text, *indicator), " "]);
            self.blocks.push(Block { kind, old, new: outer + INDENT });
            rest = inner;
        }
        let block = self.blocks.last().map_or(0, |block| match block.kind {
            BlockKind::Map => block.new,
            BlockKind::List => block.new + INDENT,
        });
        self.pieces(rest, block, self.value_indent());
        indent
    }

    /// Closes the collections that end before an entry, and opens that of the entry. Returns its column.
    fn enter(&mut self, kind: BlockKind, at: usize) -> usize {
        while let Some(last) = self.blocks.last() {
            let ends =
                last.old > at || last.old == at && last.kind == BlockKind::List && kind == BlockKind::Map;
            if !ends {
                break;
            }
            self.blocks.pop();
        }
        let new = match self.blocks.last() {
            Some(last) if last.old == at && last.kind == kind => return last.new,
            Some(last) if last.old == at => last.new,
            _ => self.value_indent(),
        };
        self.blocks.push(Block { kind, old: at, new });
        new
    }

    /// Formats a line inside of brackets or braces. Returns its indentation.
    fn flow_line(&mut self, line: &[Piece]) -> usize {
        let closed = line.iter().take_while(|piece| piece.kind == PieceKind::Close).count();
        let outermost = self.flows.len().saturating_sub(closed);
        let indent = match self.flows.get(outermost) {
            Some(indent) => *indent,
            None => self.flows.last().map_or(0, |indent| indent + INDENT),
        };
        self.pieces(line, indent, indent + INDENT);
        indent
    }

    /// Appends pieces to the line. `indent` is the indentation of brackets in it, and `continued` that of further lines of a
    /// scalar.
    fn pieces(&mut self, line: &[Piece], indent: usize, continued: usize) {
        let mut before: Option<Piece> = None;
        for piece in line {
            if before.is_some_and(|before| is_separate(before, *piece)) {
                self.code.push(' ');
            }
            if piece.kind == PieceKind::Open {
                self.flows.push(indent);
            } else if piece.kind == PieceKind::Close {
                self.flows.pop();
            }
            if piece.kind == PieceKind::Scalar {
                let continued = if self.flows.is_empty() { continued.max(INDENT) } else { indent + INDENT };
                self.scalar(slice(self.text, *piece), continued);
            } else {
                self.code.push_str(slice(self.text, *piece));
            }
            before = Some(*piece);
        }
    }

    /// Appends a scalar, which may have several lines. The whitespace around their line breaks is not part of the value.
    fn scalar(&mut self, scalar: &str, continued: usize) {
        let mut lines = scalar.split('\n').peekable();
        let mut is_first = true;
        while let Some(line) = lines.next() {
            let blanks = [' ', '\t'];
            let line = if is_first { line } else { line.trim_start_matches(blanks) };
            // In quotes, a `\` escapes the space after it.
            let trimmed = line.trim_end_matches(blanks);
            let line = if lines.peek().is_none() || trimmed.ends_with('\\') { line } else { trimmed };
            if !is_first {
                self.code.push('\n');
                if !line.is_empty() {
                    self.code.extend(std::iter::repeat_n(' ', continued));
                }
            }
            self.code.push_str(line);
            is_first = false;
        }
    }

    fn block_scalar(&mut self, header: Piece, body: Piece) {
        let parent = self.blocks.last().map(|block| (block.old, block.new));
        let scalar = BlockScalar { header: slice(self.text, header), body: slice(self.text, body), parent };
        let moved = scalar.moved(INDENT);
        self.lines.verbatim(&moved.text);
        if moved.has_blank_after {
            self.lines.blank();
        }
    }
}

/// The collection whose entry begins a line in block style. `None` for other values.
fn entry(line: &[Piece]) -> Option<BlockKind> {
    let properties = line.iter().take_while(|piece| piece.kind == PieceKind::Property).count();
    let key = line.get(properties..)?;
    let first = key.first()?.kind;
    let after = if first == PieceKind::Dash && properties == 0 {
        return Some(BlockKind::List);
    } else if matches!(first, PieceKind::Question | PieceKind::Colon) {
        return Some(BlockKind::Map);
    } else if matches!(first, PieceKind::Scalar | PieceKind::Alias) {
        1
    } else if first == PieceKind::Open {
        flow_length(key)?
    } else {
        return None;
    };
    key.get(after).filter(|after| after.kind == PieceKind::Colon).map(|_| BlockKind::Map)
}

/// The number of pieces of the flow collection at the start of a line. `None` if it ends on another line.
fn flow_length(line: &[Piece]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, piece) in line.iter().enumerate() {
        if piece.kind == PieceKind::Open {
            depth += 1;
        } else if piece.kind == PieceKind::Close {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// True if there is a space between two pieces of a line.
fn is_separate(before: Piece, piece: Piece) -> bool {
    use PieceKind::{Alias, Close, Colon, Comma, Open, Property};
    match (before.kind, piece.kind) {
        // A colon or a comma may be part of a name.
        (Alias | Property, Colon) => true,
        (Alias | Property, Comma | Close) => before.range().end < piece.range().start,
        (Open, _) | (_, Close | Comma | Colon) => false,
        _ => true,
    }
}
