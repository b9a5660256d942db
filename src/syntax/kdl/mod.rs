//! Parses KDL 2.0 into nodes and values with spans, in one pass, without recursion and without copying text.
//!
//! | file | content |
//! |---|---|
//! | `mod.rs` | blocks: the stack of open blocks, and the text between nodes |
//! | `node.rs`, `misplaced.rs` | one node: name, values and properties; tokens that are not allowed in it |
//! | `value.rs`, `string.rs`, `multiline.rs`, `number.rs` | one value |
//! | `space.rs` | separators: whitespace, line breaks, comments, line continuations |
//! | `recover.rs` | error recovery, and the description of unexpected text |
//! | `tokens.rs` | tokens for the formatter |
//!
//! The parser does not stop at a syntax error: it reports one finding and continues at the next line, `;` or brace. If
//! braces do not match, nodes that are not indented are items of the top level, and indented nodes belong to the item
//! above them.

mod misplaced;
mod multiline;
mod node;
mod number;
mod recover;
mod space;
mod string;
mod tokens;
mod value;

pub(super) use tokens::{KdlToken, KdlTokenKind, tokens};
pub(super) use value::reserved_word;

use super::{Document, Language, Node};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::codes;
use std::borrow::Cow;

/// The maximum nesting depth.
const MAX_DEPTH: usize = 64;
/// The maximum number of findings per file. Parsing stops at this number: such a file is probably not KDL.
const MAX_FINDINGS: usize = 1000;

/// Parses a text. Reports syntax errors and omits the parts that have them.
pub fn parse<'a>(file: FileId, text: &'a str, findings: &mut Diagnostics) -> Document<'a> {
    let mut parser = KdlParser::new(file, text);
    parser.run();
    for finding in parser.findings {
        findings.report(finding);
    }
    Document { file, language: Language::Kdl, nodes: parser.top_level }
}

/// The parser of one text.
struct KdlParser<'a> {
    file: FileId,
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte to parse.
    pos: usize,
    findings: Vec<Diagnostic>,
    /// True while findings are suppressed, because the surrounding text already has one.
    muted: bool,
    top_level: Vec<Node<'a>>,
    /// The index of the last node of the top level that is not indented.
    last_item: usize,
    stack: Vec<OpenBlock<'a>>,
    /// True if an unclosed construct or the limit of findings consumed the rest of the text. Unclosed blocks are then
    /// not reported.
    rest_consumed: bool,
    /// True once KDL 1 was reported.
    is_version_1: bool,
    /// The position of the first conflict marker of git, which was reported.
    first_conflict: Option<usize>,
    /// How many searches for a closing delimiter reached the end of the text. Bounds the work on malicious text.
    failed_searches: u8,
}

/// An open block.
struct OpenBlock<'a> {
    owner: PartialNode<'a>,
    brace: usize,
    /// The brace of an inner block that probably took the `}` of this block: the node of the inner block is indented,
    /// and the `}` is not.
    unclosed: Option<usize>,
    /// Keep or discard the nodes of the block.
    retention: Retention,
}

/// A node that is being parsed.
struct PartialNode<'a> {
    node: Node<'a>,
    retention: Retention,
    stage: NodeStage,
}

/// Keep or discard a parsed part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retention {
    Keep,
    /// The part or a block around it follows `/-`, or the node has no name.
    Discard,
}

/// Which parts may still follow in a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NodeStage {
    /// All parts.
    Entries,
    /// Only blocks: a block after `/-` was already parsed.
    BlockOnly,
    /// Only blocks after `/-`.
    Done,
}

impl<'a> KdlParser<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        Self {
            file,
            text,
            bytes: text.as_bytes(),
            pos: 0,
            findings: Vec::new(),
            muted: false,
            top_level: Vec::new(),
            last_item: 0,
            stack: Vec::new(),
            rest_consumed: false,
            is_version_1: false,
            first_conflict: None,
            failed_searches: 0,
        }
    }

    fn run(&mut self) {
        self.report_forbidden_code_points();
        self.parse_preamble();
        loop {
            self.skip_line_space();
            match self.peek() {
                None => break,
                Some(b'}') => {
                    if let Some(owner) = self.close() {
                        self.parse_entries(owner);
                    }
                }
                Some(b'<' | b'=' | b'>' | b'|') if self.skip_conflict_marker() => {}
                Some(_) => self.parse_node(),
            }
        }
        self.close_at_end();
    }

    /// Reports a conflict marker of git once, and skips the second version. False if there is no marker here.
    fn skip_conflict_marker(&mut self) -> bool {
        let line = self.line_at(self.pos);
        let marks = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
        let Some(mark) = marks.iter().find(|mark| line.starts_with(**mark)) else { return false };
        let end = self.pos + line.trim_end().len();
        if self.first_conflict.replace(self.pos).is_none() {
            let help = "keep one of the two versions, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`";
            self.error(self.pos..end, "a conflict marker of git", "unresolved merge conflict", help);
        }
        let last = self.rest(end).find("\n>>>>>>>").map(|at| end + at + 1);
        let resume = last.filter(|_| matches!(*mark, "|||||||" | "=======")).unwrap_or(self.pos);
        self.pos = self.line_end(resume);
        true
    }

    /// Skips a byte order mark and reports the version marker of KDL 1. Other markers are skipped as nodes after `/-`.
    fn parse_preamble(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.pos = '\u{feff}'.len_utf8();
        }
        let line = self.line_at(self.pos);
        let mut words = line.strip_prefix("/-").unwrap_or_default().split_whitespace();
        if (words.next(), words.next(), words.next()) == (Some("kdl-version"), Some("1"), None) {
            let span = self.span(self.pos, self.pos + line.trim_end().len());
            let finding = codes::KDL_VERSION_1
                .at(span, "the version marker of KDL 1", "the file declares KDL 1; registries are KDL 2.0")
                .help("write `/- kdl-version 2`, or remove the line");
            self.is_version_1 = true;
            self.report(finding);
        }
    }

    /// Opens the block of a node at `{`. If it is too deep, the rest of the text is not parsed.
    fn open(&mut self, owner: PartialNode<'a>, retention: Retention) {
        let brace = self.pos;
        if retention == Retention::Keep && owner.stage == NodeStage::Done {
            let message = "a node can have only one block, found another one";
            let help = "move these nodes into the first block, or into a separate node";
            self.error(brace..brace + 1, "the second block", message, help);
        }
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("blocks are nested more than {MAX_DEPTH} levels deep");
            let span = self.span(brace, brace + 1);
            let label = "the file is not read from here on";
            self.report(codes::NESTING_TOO_DEEP.at(span, label, message));
            self.pos = self.bytes.len();
            self.rest_consumed = true;
            return;
        }
        self.pos += 1;
        self.stack.push(OpenBlock { owner, brace, unclosed: None, retention });
    }

    /// Closes a block at `}`. Returns the node of the block, which may continue after the brace.
    fn close(&mut self) -> Option<PartialNode<'a>> {
        let Some(brace) = self.stack.last().map(|block| block.brace) else {
            self.report_unmatched_brace();
            return None;
        };
        let here = self.span(self.pos, self.pos + 1);
        self.pos += 1;
        let owner = self.pop(self.pos)?;
        if let Some(outer) = self.stack.last_mut()
            && begins_line(self.text, here)
            && !begins_line(self.text, owner.node.key_span)
        {
            outer.unclosed.get_or_insert(brace);
        }
        Some(owner)
    }

    /// Pops the innermost block; it ends at `end`. Returns the node of the block.
    fn pop(&mut self, end: usize) -> Option<PartialNode<'a>> {
        let OpenBlock { mut owner, brace, retention, .. } = self.stack.pop()?;
        owner.record_block(retention);
        if retention == Retention::Keep {
            let block = self.span(brace, end);
            owner.node.block = Some(owner.node.block.map_or(block, |first| first.to(block)));
            owner.node.span = owner.node.span.to(block);
        }
        Some(owner)
    }

    /// Adds a complete node to the innermost open block, or to the top level.
    fn attach(&mut self, partial: PartialNode<'a>) {
        if partial.retention == Retention::Discard {
            return;
        }
        match self.stack.last_mut() {
            Some(block) => block.owner.node.fields.push(partial.node),
            None => {
                if begins_line(self.text, partial.node.key_span) {
                    self.last_item = self.top_level.len();
                }
                self.top_level.push(partial.node);
            }
        }
    }

    /// Keep or discard the nodes of the current block.
    fn retention(&self) -> Retention {
        self.stack.last().map_or(Retention::Keep, |block| block.owner.retention.or(block.retention))
    }

    /// At the end of the text: reports unclosed blocks and keeps their nodes. A block ends before the first node that is
    /// not indented; this node and the following ones are items of the top level.
    fn close_at_end(&mut self) {
        let text = self.text;
        let mut end = text.trim_end().len();
        let mut outside = Vec::new();
        let mut is_innermost = true;
        while let Some(block) = self.stack.last_mut() {
            let OpenBlock { brace, unclosed, .. } = *block;
            let is_outside =
                |node: &Node| node.span.range().start > brace && begins_line(text, node.key_span);
            let fields = &mut block.owner.node.fields;
            let mut moved = fields.split_off(fields.iter().position(is_outside).unwrap_or(fields.len()));
            let next = moved.first().map(|node| node.key_span);
            if let Some(next) = next {
                end = self.slice(0, next.range().start).trim_end().len();
            }
            if (is_innermost || next.is_some()) && !self.rest_consumed {
                let line =
                    self.slice(0, unclosed.map_or(end, |inner| self.line_end(inner))).matches('\n').count()
                        + 1;
                let close = vec!["}"; if unclosed.is_some() { 1 } else { self.stack.len() }].join(" ");
                let help = format!("add `{close}` at the end of line {line}");
                self.report_unclosed_block(unclosed.unwrap_or(brace), next, help);
            }
            if let Some(owner) = self.pop(end) {
                self.attach(owner);
            }
            moved.append(&mut outside);
            outside = moved;
            is_innermost = false;
        }
        self.top_level.append(&mut outside);
    }

    fn report_unclosed_block(&mut self, brace: usize, next: Option<Span>, help: String) {
        let mut finding = codes::KDL_SYNTAX
            .at(self.span(brace, brace + 1), "opened here", "this block is never closed: expected `}`")
            .help(help);
        if let Some(next) = next {
            finding = finding.also(next, "the block ends above this line, which is not indented");
        }
        self.report(finding);
    }

    /// Reports a `}` without a `{`. Indented nodes before it are children of the item above them.
    fn report_unmatched_brace(&mut self) {
        let here = self.span(self.pos, self.pos + 1);
        let finding = codes::KDL_SYNTAX.at(here, "no matching `{`", "unexpected `}`: no block is open here");
        let mut finding = finding.help("remove it, or remove an extra `}` above");
        let first_child = (self.last_item + 1).min(self.top_level.len());
        let children = self.top_level.split_off(first_child);
        if let Some(item) = self.top_level.last_mut().filter(|_| !children.is_empty()) {
            finding = match item.block {
                Some(block) => finding.also(Span { start: block.end - 1, ..block }, "this closes the block"),
                None => {
                    finding.also(item.key_span, "this item has no `{`").help("or add a `{` to the item above")
                }
            };
            let block = item.block.or(children.first().map(|child| child.span)).unwrap_or(here);
            item.fields.extend(children);
            item.block = Some(block.to(here));
            item.span = item.span.to(here);
        }
        self.report(finding);
        // Several in a row are one mistake.
        while self.peek() == Some(b'}') && self.stack.is_empty() {
            self.pos += 1;
            self.skip_line_space();
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The text from `at` to the end; empty if `at` is not on a character boundary.
    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// The text from `start` to `end`; empty if the range is not valid.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn starts_with(&self, at: usize, what: &[u8]) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(what))
    }
}

impl Retention {
    /// Discard if either is discarded.
    fn or(self, other: Self) -> Self {
        if self == Self::Discard { self } else { other }
    }
}

impl<'a> PartialNode<'a> {
    fn new(key: Cow<'a, str>, key_span: Span, retention: Retention) -> Self {
        let (args, fields) = (Vec::new(), Vec::new());
        let node = Node { key, key_span, args, fields, block: None, span: key_span };
        Self { node, retention, stage: NodeStage::Entries }
    }

    /// Records that a block was parsed.
    fn record_block(&mut self, retention: Retention) {
        self.stage = match retention {
            Retention::Keep => NodeStage::Done,
            Retention::Discard => self.stage.max(NodeStage::BlockOnly),
        };
    }
}

/// True if the place begins a line: it is not indented.
fn begins_line(text: &str, place: Span) -> bool {
    let before = text.get(..place.range().start).unwrap_or_default();
    before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}'])
}
