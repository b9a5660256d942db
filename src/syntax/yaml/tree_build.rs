//! Builds a [`Tree`] from tokens: aliases, merge keys, and the limits of size and depth.

use super::diagnose::{self, ErrorContext, LastToken};
use super::events::{ScalarStyle, Token, TokenKind, Tokens};
use super::lines;
use super::tree::{Tree, TreeEntry, TreeFile, TreeKind, TreeProblem, TreeScalar};
use super::tree_lines::{LineStarts, text_lines};
use crate::source::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum nesting depth.
const MAX_DEPTH: usize = 64;
/// The maximum number of values that are written in a file.
const MAX_VALUES: usize = 2_000_000;
/// The maximum number of values that aliases copy. Each 64 bytes of text count as one more value.
const MAX_COPIES: usize = 500_000;
/// The maximum number of problems that are reported.
const MAX_PROBLEMS: usize = 100;

/// Reads the first document of a text.
pub(super) fn read(text: &str) -> TreeFile {
    let mut builder = TreeBuilder {
        text,
        starts: LineStarts::new(text),
        found: TreeFile::default(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        values: 0,
        copies: 0,
        last: None,
        documents: 0,
    };
    let mut tokens = Tokens::new(FileId(0), text, 0);
    while let Some(token) = tokens.next() {
        let may_continue = match token {
            Ok(token) => builder.process(token),
            Err(error) => {
                let diagnosis = diagnose::diagnose(text, &error, &builder.error_context());
                let found = text.get(diagnosis.range.clone()).unwrap_or_default();
                let message = format!("the file is not valid YAML: {}", diagnosis.kind.headline(found));
                builder.fail(diagnosis.range.start, message)
            }
        };
        if !may_continue {
            break;
        }
    }
    builder.found
}

struct TreeBuilder<'a> {
    text: &'a str,
    starts: LineStarts,
    found: TreeFile,
    open: Vec<Frame<'a>>,
    anchors: BTreeMap<&'a str, Tree>,
    values: usize,
    copies: usize,
    last: Option<LastToken>,
    documents: usize,
}

/// A collection that has begun and not ended.
struct Frame<'a> {
    start: Span,
    is_flow: bool,
    is_map: bool,
    last_line: u32,
    anchor: Option<&'a str>,
    tag: Option<Box<str>>,
    items: Vec<Tree>,
    entries: Vec<TreeEntry>,
    merges: Vec<Tree>,
    key: Option<FrameKey>,
}

enum FrameKey {
    Named(String, u32),
    Merge,
    Bad,
}

impl Frame<'_> {
    /// An empty list.
    fn new(start: Span) -> Self {
        Self {
            start,
            is_flow: false,
            is_map: false,
            last_line: 0,
            anchor: None,
            tag: None,
            items: Vec::new(),
            entries: Vec::new(),
            merges: Vec::new(),
            key: None,
        }
    }
}

impl<'a> TreeBuilder<'a> {
    /// Processes a token. False at the end of the document.
    fn process(&mut self, token: Token<'a>) -> bool {
        let start = token.span.start as usize;
        self.values += 1;
        if self.values > MAX_VALUES {
            return self.fail(start, format!("the file has more than {MAX_VALUES} values"));
        }
        let (anchor, tag) = (token.anchor.map(|span| self.name(span)), self.tag(token.tag));
        match token.kind {
            TokenKind::DocumentStart { .. } => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report(start, "the file has a second document, which is not read".to_owned());
                    return false;
                }
            }
            TokenKind::DocumentEnd => {}
            TokenKind::Scalar { text, style } => {
                let tree = self.scalar_tree(&text, style, token.span, tag);
                self.last = Some(LastToken { span: token.span, style: Some(style) });
                self.close(tree, anchor);
            }
            TokenKind::Alias => {
                let tree = self.alias(token.span);
                self.last = Some(LastToken { span: token.span, style: None });
                match tree {
                    Some(tree) => self.insert(tree, self.starts.line(start)),
                    None => return false,
                }
            }
            TokenKind::ListStart { flow } => {
                return self.begin(Frame { is_flow: flow, anchor, tag, ..Frame::new(token.span) });
            }
            TokenKind::MapStart { flow } => {
                let frame = Frame { is_flow: flow, is_map: true, anchor, tag, ..Frame::new(token.span) };
                return self.begin(frame);
            }
            TokenKind::ListEnd | TokenKind::MapEnd => self.end(token.span),
        }
        true
    }

    fn name(&self, span: Span) -> &'a str {
        self.text.get(span.range()).and_then(|token| token.get(1..)).unwrap_or_default()
    }

    fn tag(&self, span: Option<Span>) -> Option<Box<str>> {
        let text = self.text.get(span?.range()).unwrap_or_default();
        Some(text.into())
    }

    fn scalar_tree(&self, text: &str, style: ScalarStyle, span: Span, tag: Option<Box<str>>) -> Tree {
        let source = self.text.get(span.range()).unwrap_or_default();
        let written = source.trim_end();
        let is_missing = written.is_empty() && style == ScalarStyle::Plain;
        let from = if is_missing { self.last.map_or(0, |last| last.span.end) } else { span.start };
        let first = self.starts.line(from as usize);
        let lines = if written.contains('\n') { text_lines(written, first, text, style) } else { Vec::new() };
        let line = lines.first().map_or(first, |(_, line)| *line);
        let last_line = if is_missing { line } else { self.starts.line(span.start as usize + written.len()) };
        let is_string = tag.as_deref() == Some("!!str");
        let text = if is_missing { String::new() } else { text.to_owned() };
        let scalar = TreeScalar { text, is_plain: style == ScalarStyle::Plain && !is_string, lines };
        let kind = TreeKind::Scalar(scalar);
        Tree { kind, line, last_line: last_line.max(line), tag, is_anchored: false }
    }

    /// A copy of the value of an anchor.
    fn alias(&mut self, span: Span) -> Option<Tree> {
        let name = self.name(span);
        let Some(tree) = self.anchors.get(name) else {
            self.fail(span.start as usize, format!("no value above has the anchor `{name}`"));
            return None;
        };
        self.copies += tree.size();
        if self.copies > MAX_COPIES {
            self.fail(span.start as usize, format!("aliases copy more than {MAX_COPIES} values"));
            return None;
        }
        if self.open.len() + tree.depth() > MAX_DEPTH {
            self.fail(span.start as usize, too_deep());
            return None;
        }
        let mut tree = tree.clone();
        tree.is_anchored = false;
        Some(tree)
    }

    fn begin(&mut self, mut frame: Frame<'a>) -> bool {
        let start = frame.start;
        if self.open.len() >= MAX_DEPTH {
            return self.fail(start.start as usize, too_deep());
        }
        self.last = Some(LastToken { span: start, style: None });
        frame.last_line = self.starts.line(start.start as usize);
        self.open.push(frame);
        true
    }

    fn end(&mut self, span: Span) {
        let Some(mut frame) = self.open.pop() else { return };
        if frame.is_flow {
            frame.last_line = self.starts.line(span.start as usize);
            self.last = Some(LastToken { span, style: None });
        }
        let kind = if frame.is_map {
            self.remove_duplicates(&mut frame.entries);
            self.merge(&mut frame);
            TreeKind::Map(frame.entries)
        } else {
            TreeKind::List(frame.items)
        };
        let line = self.starts.line(frame.start.start as usize);
        let tree =
            Tree { kind, line, last_line: frame.last_line.max(line), tag: frame.tag, is_anchored: false };
        self.close(tree, frame.anchor);
    }

    /// Keeps the first entry of each key, and reports the others.
    fn remove_duplicates(&mut self, entries: &mut Vec<TreeEntry>) {
        let mut known = BTreeSet::new();
        let is_new: Vec<bool> = entries.iter().map(|entry| known.insert(entry.key.as_str())).collect();
        if is_new.iter().all(|is_new| *is_new) {
            return;
        }
        let mut is_new = is_new.into_iter();
        let mut repeated = Vec::new();
        entries.retain(|entry| {
            let keep = is_new.next().unwrap_or(true);
            if !keep {
                repeated.push((
                    entry.line,
                    format!("the key `{}` is written twice; the first counts", entry.key),
                ));
            }
            keep
        });
        for (line, message) in repeated {
            self.add_problem(line, message);
        }
    }

    /// Appends merged entries. The first value of a key wins.
    fn merge(&mut self, frame: &mut Frame<'a>) {
        if frame.merges.is_empty() {
            return;
        }
        let mut known: BTreeSet<String> = frame.entries.iter().map(|entry| entry.key.clone()).collect();
        for merged in std::mem::take(&mut frame.merges) {
            let line = merged.line;
            let maps = match merged.kind {
                TreeKind::List(items) => items,
                kind @ (TreeKind::Map(_) | TreeKind::Scalar(_)) => {
                    vec![Tree { kind, line, ..Tree::default() }]
                }
            };
            for map in maps {
                let TreeKind::Map(entries) = map.kind else {
                    self.add_problem(line, "a merge key `<<` needs a mapping".to_owned());
                    continue;
                };
                let new = entries.into_iter().filter(|entry| known.insert(entry.key.clone()));
                frame.entries.extend(new);
            }
        }
    }

    /// Registers the anchor of a complete value, and inserts the value.
    fn close(&mut self, mut tree: Tree, anchor: Option<&'a str>) {
        if let Some(name) = anchor {
            self.copies += tree.size();
            if self.copies <= MAX_COPIES {
                self.anchors.insert(name, tree.clone());
            } else {
                self.anchors.remove(name);
            }
            tree.is_anchored = true;
        }
        let last_line = tree.last_line;
        self.insert(tree, last_line);
    }

    /// Inserts a value whose text ends on `last_line`.
    fn insert(&mut self, tree: Tree, last_line: u32) {
        let Some(frame) = self.open.last_mut() else {
            self.found.root.get_or_insert(tree);
            return;
        };
        frame.last_line = frame.last_line.max(last_line);
        if !frame.is_map {
            frame.items.push(tree);
            return;
        }
        match frame.key.take() {
            Some(FrameKey::Named(key, line)) => frame.entries.push(TreeEntry { key, line, value: tree }),
            Some(FrameKey::Merge) => frame.merges.push(tree),
            Some(FrameKey::Bad) => {}
            None => {
                let is_scalar = tree.scalar().is_some();
                frame.key = Some(match tree.kind {
                    TreeKind::Scalar(key) if key.is_plain && key.text == "<<" => FrameKey::Merge,
                    TreeKind::Scalar(key) => FrameKey::Named(key.text, tree.line),
                    TreeKind::List(_) | TreeKind::Map(_) => FrameKey::Bad,
                });
                if !is_scalar {
                    self.add_problem(
                        tree.line,
                        "a list or a mapping is a key, so its value is not read".to_owned(),
                    );
                }
            }
        }
    }

    fn error_context(&self) -> ErrorContext {
        let flows = self.open.iter().filter(|frame| frame.is_flow).map(|frame| frame.start.start as usize);
        let root = self.open.first().map(|frame| frame.is_flow);
        let flow_root = root.unwrap_or_else(|| lines::begins_with_bracket(self.text, 0));
        ErrorContext { start: 0, last: self.last, flows: flows.collect(), flow_root, margin: 0 }
    }

    fn report(&mut self, at: usize, message: String) {
        let line = self.starts.line(at);
        self.add_problem(line, message);
    }

    fn add_problem(&mut self, line: u32, message: String) {
        if self.found.problems.len() < MAX_PROBLEMS {
            self.found.problems.push(TreeProblem { line, message });
        }
    }

    /// Reports a problem after which nothing can be read. Always false.
    fn fail(&mut self, at: usize, message: String) -> bool {
        self.found.root = None;
        self.report(at, message);
        false
    }
}

fn too_deep() -> String {
    format!("values are nested more than {MAX_DEPTH} levels deep")
}
