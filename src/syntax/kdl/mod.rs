//! Reads KDL 2.0: a text to nodes, values and places in one pass, without recursion and without copying.
//!
//! | file | reads |
//! |---|---|
//! | `mod.rs` | blocks: the stack of open nodes, and what stands between nodes |
//! | `node.rs`, `misplaced.rs` | one node: name, values, properties; and what does not belong in it |
//! | `value.rs`, `string.rs`, `lines.rs`, `number.rs` | one value |
//! | `space.rs` | what separates them: blanks, line breaks, comments, continued lines |
//! | `spell.rs` | nothing: it writes a word |
//! | `recover.rs` | where reading goes on after a fault, and the words for what was found |
//!
//! A reader never stops at a fault: it says one finding and goes on at the next line, `;` or brace. Where braces do
//! not pair up, the text is read a second time with its indentation as witness, and the reading with fewer
//! findings is taken.

mod lines;
mod misplaced;
mod node;
mod number;
mod recover;
mod space;
pub(super) mod spell;
mod string;
mod value;

use super::{Document, Language, Node};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::codes;
use std::borrow::Cow;

/// The deepest block that is read; deeper ones are skipped.
const MAX_DEPTH: usize = 64;
/// Findings of one file after which the rest of it is not read: a file with more is not KDL at all.
const MAX_FINDINGS: usize = 1000;

/// Reads a text; what is not well formed is said and left out.
pub fn parse<'a>(file: FileId, text: &'a str, findings: &mut Diagnostics) -> Document<'a> {
    let mut read = Reader::new(file, text, Witness::Braces).read();
    if read.unbalanced {
        let by_indent = Reader::new(file, text, Witness::Indent).read();
        if by_indent.findings.len() <= read.findings.len() {
            read = by_indent;
        }
    }
    for finding in read.findings {
        findings.report(finding);
    }
    Document { file, language: Language::Kdl, nodes: read.top }
}

/// One reading of one text.
struct Reader<'a> {
    file: FileId,
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte to be read.
    pos: usize,
    witness: Witness,
    findings: Vec<Diagnostic>,
    /// Whether faults are passed over in silence, because the text around them was said to be wrong.
    muted: bool,
    top: Vec<Node<'a>>,
    stack: Vec<Frame<'a>>,
    /// Whether a brace has no partner.
    unbalanced: bool,
    /// Whether the end of the text was swallowed, so that braces without a partner mean nothing.
    lost: bool,
    /// One from where the text was said to be KDL 1.
    version: Version,
    /// How often a delimiter without a partner was looked for up to the end; bounds the work on hostile text.
    searches: u8,
}

/// A block that is open.
struct Frame<'a> {
    owner: Draft<'a>,
    brace: usize,
    /// What becomes of its nodes.
    fate: Fate,
}

/// A node that is being read.
struct Draft<'a> {
    node: Node<'a>,
    fate: Fate,
    stage: Stage,
    /// The indentation of its line where it is the first thing there; known only when reading by indentation.
    indent: Option<usize>,
}

/// What says where a block ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Witness {
    /// Its brace.
    Braces,
    /// Its brace, or a line that is indented no more than the block's own.
    Indent,
}

/// The version of KDL that a text is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What becomes of a part that was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    /// It stands behind `/-`, by itself or with a block around it, or has no name.
    Dropped,
}

/// What a node may still be given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Anything.
    Entries,
    /// A block, since there was one behind `/-`.
    BlockOnly,
    /// Nothing but further blocks behind `/-`.
    Done,
}

impl<'a> Reader<'a> {
    fn new(file: FileId, text: &'a str, witness: Witness) -> Self {
        Self {
            file,
            text,
            bytes: text.as_bytes(),
            pos: 0,
            witness,
            findings: Vec::new(),
            muted: false,
            top: Vec::new(),
            stack: Vec::new(),
            unbalanced: false,
            lost: false,
            version: Version::Two,
            searches: 0,
        }
    }

    fn read(mut self) -> Self {
        self.refuse_code_points();
        self.preamble();
        loop {
            self.line_space();
            match self.peek() {
                None => break,
                Some(b'}') => {
                    if let Some(owner) = self.close() {
                        self.entries(owner);
                    }
                }
                Some(_) => self.node(),
            }
        }
        self.close_at_end();
        self
    }

    /// Passes over a byte order mark, and looks at the version marker, which is else a node behind `/-`.
    fn preamble(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.pos = '\u{feff}'.len_utf8();
        }
        let line = self.line_at(self.pos);
        let mut words = line.strip_prefix("/-").unwrap_or_default().split_whitespace();
        if (words.next(), words.next(), words.next()) == (Some("kdl-version"), Some("1"), None) {
            let span = self.span(self.pos, self.pos + line.trim_end().len());
            let finding = codes::KDL_VERSION_1
                .at(span, "the marker of KDL 1", "the file says that it is KDL 1; registries are KDL 2.0")
                .help("write `/- kdl-version 2`, or remove the line");
            self.version = Version::One;
            self.report(finding);
        }
    }

    /// Opens the block of a node at `{`; gives the node back where the block is too deep and was skipped.
    fn open(&mut self, mut owner: Draft<'a>, fate: Fate) -> Option<Draft<'a>> {
        let brace = self.pos;
        if fate == Fate::Kept && owner.stage == Stage::Done {
            let finding = codes::KDL_SYNTAX
                .at(
                    self.span(brace, brace + 1),
                    "the second block",
                    "a node has one block, found another one",
                )
                .help("move these nodes into the first block, or give them a node of their own");
            self.report(finding);
        }
        if self.stack.len() < MAX_DEPTH {
            self.pos += 1;
            self.stack.push(Frame { owner, brace, fate });
            return None;
        }
        let message = format!("blocks are nested more than {MAX_DEPTH} deep");
        let place = self.span(brace, brace + 1);
        self.report(codes::NESTING_TOO_DEEP.at(place, "what this opens is skipped", message));
        self.skip_block();
        owner.had_block(fate);
        Some(owner)
    }

    /// Closes a block at `}`; gives back the node that it belongs to, which may go on behind it.
    fn close(&mut self) -> Option<Draft<'a>> {
        if self.witness == Witness::Indent && !self.heed_indent_of_brace() {
            return None;
        }
        if self.stack.is_empty() {
            self.stray_brace();
            return None;
        }
        self.pos += 1;
        self.pop(self.pos)
    }

    /// Takes the innermost block off the stack and ends it at `end`.
    fn pop(&mut self, end: usize) -> Option<Draft<'a>> {
        let Frame { mut owner, brace, fate } = self.stack.pop()?;
        owner.had_block(fate);
        if fate == Fate::Kept {
            let block = self.span(brace, end);
            owner.node.block = Some(owner.node.block.map_or(block, |first| first.to(block)));
            owner.node.span = owner.node.span.to(block);
        }
        Some(owner)
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, draft: Draft<'a>) {
        if draft.fate == Fate::Dropped {
            return;
        }
        match self.stack.last_mut() {
            Some(frame) => frame.owner.node.fields.push(draft.node),
            None => self.top.push(draft.node),
        }
    }

    /// What becomes of the nodes that are read now.
    fn fate(&self) -> Fate {
        self.stack.last().map_or(Fate::Kept, |frame| frame.owner.fate.or(frame.fate))
    }

    /// Says which block is not closed at the end of the text, once, and keeps the nodes.
    fn close_at_end(&mut self) {
        if let (Some(innermost), false) = (self.stack.last(), self.lost) {
            let brace = innermost.brace;
            self.unclosed_block(brace);
        }
        let end = self.text.trim_end().len();
        while let Some(owner) = self.pop(end) {
            self.attach(owner);
        }
    }

    fn unclosed_block(&mut self, brace: usize) {
        self.unbalanced = true;
        let finding = codes::KDL_SYNTAX
            .at(self.span(brace, brace + 1), "opened here", "this block is never closed: expected `}`")
            .help("write a `}` where the block ends");
        self.report(finding);
    }

    fn stray_brace(&mut self) {
        self.unbalanced = true;
        let finding = codes::KDL_SYNTAX
            .at(self.span(self.pos, self.pos + 1), "closes nothing", "unexpected `}`: no block is open here")
            .help("remove it, or look above for a `}` too many");
        self.report(finding);
        // Several in a row come from one slip.
        while self.peek() == Some(b'}') && self.stack.is_empty() {
            self.pos += 1;
            self.line_space();
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

    /// The text from `start` to `end`; empty where that is no range of it.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn starts_with(&self, at: usize, what: &[u8]) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(what))
    }
}

impl Fate {
    /// Dropped if either is.
    fn or(self, other: Self) -> Self {
        if self == Self::Dropped { self } else { other }
    }
}

impl<'a> Draft<'a> {
    fn new(key: Cow<'a, str>, key_span: Span, fate: Fate, indent: Option<usize>) -> Self {
        let (args, fields) = (Vec::new(), Vec::new());
        let node = Node { key, key_span, args, fields, block: None, span: key_span };
        Self { node, fate, stage: Stage::Entries, indent }
    }

    /// Takes note of a block that was read.
    fn had_block(&mut self, fate: Fate) {
        self.stage = match fate {
            Fate::Kept => Stage::Done,
            Fate::Dropped => self.stage.max(Stage::BlockOnly),
        };
    }
}
