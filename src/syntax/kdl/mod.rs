//! Parses KDL 2.0 into nodes and values with spans, in one pass, without recursion and without copying text.
//!
//! | file | content |
//! |---|---|
//! | `mod.rs` | blocks: the stack of open blocks, and the text between nodes |
//! | `node.rs`, `misplaced.rs` | one node: name, values and properties; tokens that are not allowed in it |
//! | `value.rs`, `string.rs`, `multiline.rs`, `number.rs` | one value |
//! | `space.rs` | separators: whitespace, line breaks, comments, line continuations |
//! | `quote.rs` | writes a string as KDL |
//! | `recover.rs` | error recovery, and the description of unexpected text |
//!
//! The parser does not stop at a syntax error: it reports one finding and continues at the next line, `;` or brace. If
//! braces do not match, it parses the text again and ends blocks by indentation. The pass with fewer findings wins; if
//! both have the same number, the second pass wins.

mod misplaced;
mod multiline;
mod node;
mod number;
pub(super) mod quote;
mod recover;
mod space;
mod string;
mod value;

use super::{Document, Language, Node};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::codes;
use std::borrow::Cow;

/// The maximum nesting depth; deeper blocks are skipped.
const MAX_DEPTH: usize = 64;
/// The maximum number of findings per file. Parsing stops at this number: such a file is probably not KDL.
const MAX_FINDINGS: usize = 1000;

/// Parses a text. Reports syntax errors and omits the parts that have them.
pub fn parse<'a>(file: FileId, text: &'a str, findings: &mut Diagnostics) -> Document<'a> {
    let mut pass = KdlParser::new(file, text, BlockEndRule::Brace).run();
    if pass.unbalanced {
        let by_indent = KdlParser::new(file, text, BlockEndRule::Indentation).run();
        if by_indent.findings.len() <= pass.findings.len() {
            pass = by_indent;
        }
    }
    for finding in pass.findings {
        findings.report(finding);
    }
    Document { file, language: Language::Kdl, nodes: pass.top_level }
}

/// One parser pass over one text.
struct KdlParser<'a> {
    file: FileId,
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte to parse.
    pos: usize,
    block_end_rule: BlockEndRule,
    findings: Vec<Diagnostic>,
    /// True while findings are suppressed, because the surrounding text already has one.
    muted: bool,
    top_level: Vec<Node<'a>>,
    stack: Vec<OpenBlock<'a>>,
    /// True if an unmatched brace was found.
    unbalanced: bool,
    /// True if an unclosed construct or the limit of findings consumed the rest of the text. Unclosed blocks are then
    /// not reported.
    rest_consumed: bool,
    /// [`KdlVersion::One`] once KDL 1 was reported.
    version: KdlVersion,
    /// How many searches for a closing delimiter reached the end of the text. Bounds the work on malicious text.
    failed_searches: u8,
}

/// An open block.
struct OpenBlock<'a> {
    owner: PartialNode<'a>,
    brace: usize,
    /// Keep or discard the nodes of the block.
    retention: Retention,
}

/// A node that is being parsed.
struct PartialNode<'a> {
    node: Node<'a>,
    retention: Retention,
    stage: NodeStage,
    /// The indentation of the node if it is the first on its line. Only set under [`BlockEndRule::Indentation`].
    indent: Option<usize>,
}

/// The rule that decides where a block ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockEndRule {
    /// At its closing brace.
    Brace,
    /// At its closing brace, or before a line that is not indented deeper than the line of the block.
    Indentation,
}

/// The version of KDL that a text uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KdlVersion {
    One,
    Two,
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
    fn new(file: FileId, text: &'a str, block_end_rule: BlockEndRule) -> Self {
        Self {
            file,
            text,
            bytes: text.as_bytes(),
            pos: 0,
            block_end_rule,
            findings: Vec::new(),
            muted: false,
            top_level: Vec::new(),
            stack: Vec::new(),
            unbalanced: false,
            rest_consumed: false,
            version: KdlVersion::Two,
            failed_searches: 0,
        }
    }

    fn run(mut self) -> Self {
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
                Some(_) => self.parse_node(),
            }
        }
        self.close_at_end();
        self
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
            self.version = KdlVersion::One;
            self.report(finding);
        }
    }

    /// Opens the block of a node at `{`. Returns the node if the block is too deep; the block is then skipped.
    fn open(&mut self, mut owner: PartialNode<'a>, retention: Retention) -> Option<PartialNode<'a>> {
        let brace = self.pos;
        if retention == Retention::Keep && owner.stage == NodeStage::Done {
            let finding = codes::KDL_SYNTAX
                .at(
                    self.span(brace, brace + 1),
                    "the second block",
                    "a node can have only one block, found another one",
                )
                .help("move these nodes into the first block, or into a separate node");
            self.report(finding);
        }
        if self.stack.len() < MAX_DEPTH {
            self.pos += 1;
            self.stack.push(OpenBlock { owner, brace, retention });
            return None;
        }
        let message = format!("blocks are nested more than {MAX_DEPTH} levels deep");
        let span = self.span(brace, brace + 1);
        self.report(codes::NESTING_TOO_DEEP.at(span, "this block is skipped", message));
        self.skip_block();
        owner.record_block(retention);
        Some(owner)
    }

    /// Closes a block at `}`. Returns the node of the block, which may continue after the brace.
    fn close(&mut self) -> Option<PartialNode<'a>> {
        if self.block_end_rule == BlockEndRule::Indentation && !self.match_brace_by_indent() {
            return None;
        }
        if self.stack.is_empty() {
            self.report_unmatched_brace();
            return None;
        }
        self.pos += 1;
        self.pop(self.pos)
    }

    /// Pops the innermost block; it ends at `end`. Returns the node of the block.
    fn pop(&mut self, end: usize) -> Option<PartialNode<'a>> {
        let OpenBlock { mut owner, brace, retention } = self.stack.pop()?;
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
            None => self.top_level.push(partial.node),
        }
    }

    /// Keep or discard the nodes of the current block.
    fn retention(&self) -> Retention {
        self.stack.last().map_or(Retention::Keep, |block| block.owner.retention.or(block.retention))
    }

    /// At the end of the text: reports the innermost unclosed block, and keeps the nodes of all open blocks.
    fn close_at_end(&mut self) {
        if let (Some(innermost), false) = (self.stack.last(), self.rest_consumed) {
            let brace = innermost.brace;
            self.report_unclosed_block(brace);
        }
        let end = self.text.trim_end().len();
        while let Some(owner) = self.pop(end) {
            self.attach(owner);
        }
    }

    fn report_unclosed_block(&mut self, brace: usize) {
        self.unbalanced = true;
        let finding = codes::KDL_SYNTAX
            .at(self.span(brace, brace + 1), "opened here", "this block is never closed: expected `}`")
            .help("add a `}` where the block ends");
        self.report(finding);
    }

    fn report_unmatched_brace(&mut self) {
        self.unbalanced = true;
        let finding = codes::KDL_SYNTAX
            .at(self.span(self.pos, self.pos + 1), "no matching `{`", "unexpected `}`: no block is open here")
            .help("remove it, or remove an extra `}` above");
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
    fn new(key: Cow<'a, str>, key_span: Span, retention: Retention, indent: Option<usize>) -> Self {
        let (args, fields) = (Vec::new(), Vec::new());
        let node = Node { key, key_span, args, fields, block: None, span: key_span };
        Self { node, retention, stage: NodeStage::Entries, indent }
    }

    /// Records that a block was parsed.
    fn record_block(&mut self, retention: Retention) {
        self.stage = match retention {
            Retention::Keep => NodeStage::Done,
            Retention::Discard => self.stage.max(NodeStage::BlockOnly),
        };
    }
}
