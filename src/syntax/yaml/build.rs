//! Nodes from tokens: what a mapping, a list and a scalar are in the language.

use super::anchors::{AnchorId, Anchors, Found, merge};
use super::events::{Style, Token, What};
use super::fault::{Around, Last};
use super::frame::{Frame, Item, Key, Kind, nested, no_mapping, shape};
use super::{lines, scalar};
use crate::diag::words::quoted;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::codes::{BAD_ALIAS, NESTING_TOO_DEEP, TYPE_ANNOTATION};
use crate::syntax::{Node, Scalar, Value};
use std::borrow::Cow;

/// The most blocks that may be open at once.
pub(super) const MAX_DEPTH: usize = 64;

/// Takes tokens and makes nodes. After a fault it may be given those of another stretch of the text.
pub(super) struct Builder<'a, 'd> {
    /// Where findings go.
    pub(super) findings: &'d mut Diagnostics,
    /// Whether it was said that blocks are nested too deep.
    pub(super) deep_said: bool,
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) merges: Vec<Vec<Node<'a>>>,
    pub(super) frames: Vec<Frame<'a>>,
    /// Blocks that are open below the limit of depth; nothing is kept of them.
    sunk: usize,
    pub(super) anchors: Anchors<'a>,
    /// Said at the end of the document, as a fault may be the better explanation.
    pub(super) root_shape: Option<Diagnostic>,
    pub(super) root: Option<u32>,
    last: Option<Last>,
}

impl<'a, 'd> Builder<'a, 'd> {
    /// A builder that has read nothing.
    pub(super) fn new(file: FileId, text: &'a str, findings: &'d mut Diagnostics) -> Self {
        Self {
            findings,
            deep_said: false,
            file,
            text,
            nodes: Vec::new(),
            merges: Vec::new(),
            frames: Vec::new(),
            sunk: 0,
            anchors: Anchors::default(),
            root_shape: None,
            root: None,
            last: None,
        }
    }

    /// The nodes of the document.
    pub(super) fn finish(mut self) -> Vec<Node<'a>> {
        merge(&mut self.nodes, self.merges);
        self.nodes
    }

    /// Takes the start or end of a block, a scalar or an alias.
    pub(super) fn take(&mut self, token: Token<'a>) {
        if self.sunk > 0 {
            return self.sink(&token.what);
        }
        if let Some(tag) = token.tag {
            self.tag(tag);
        }
        let anchor = token.anchor.map(|span| self.anchors.open(self.name(span), span));
        let (flow, kind) = match token.what {
            What::Scalar { text, style } => {
                let given = [token.anchor, token.tag].into_iter().flatten().map(|span| span.end).max();
                let span = self.exact(style, token.span, given);
                return self.scalar(text, style, span, anchor);
            }
            What::Alias => return self.alias(token.span),
            What::ListStart { flow } => (flow, Kind::List { members: Vec::new(), nested: false }),
            What::MapStart { flow } => {
                (flow, Kind::Map { key: None, fields: Vec::new(), merges: Vec::new() })
            }
            What::ListEnd | What::MapEnd => return self.end(token.span),
            What::DocumentStart { .. } | What::DocumentEnd => return,
        };
        let (start, end) = (token.span, token.span.end);
        self.begin(Frame { start, end, flow, anchor, said: false, partial: false, kind });
    }

    fn name(&self, anchor_or_alias: Span) -> &'a str {
        self.text.get(anchor_or_alias.range()).and_then(|token| token.get(1..)).unwrap_or_default()
    }

    fn tag(&mut self, tag: Span) {
        let name = quoted(self.text.get(tag.range()).unwrap_or_default());
        let finding = TYPE_ANNOTATION
            .at(tag, "a tag", format!("the tag {name} has no meaning in a registry"))
            .help("remove the tag: a field's type decides what its value means");
        self.findings.report(finding);
    }

    fn sink(&mut self, what: &What<'a>) {
        match what {
            What::ListStart { .. } | What::MapStart { .. } => self.sunk += 1,
            What::ListEnd | What::MapEnd => {
                self.sunk -= 1;
                if self.sunk == 0 {
                    self.put(None, None);
                }
            }
            What::Scalar { .. } | What::Alias | What::DocumentStart { .. } | What::DocumentEnd => {}
        }
    }

    fn begin(&mut self, mut frame: Frame<'a>) {
        let start = frame.start;
        if self.frames.len() >= MAX_DEPTH {
            self.too_deep(start);
            self.sunk = 1;
            return;
        }
        self.last = Some(Last { span: start, style: None });
        frame.said = self.check_place(&frame.kind, start);
        if self.frames.is_empty() {
            self.root.get_or_insert(start.start);
        }
        self.frames.push(frame);
    }

    /// Whether a block may not begin here; that is said once, and then true of all blocks within.
    fn check_place(&mut self, kind: &Kind<'a>, start: Span) -> bool {
        let list = matches!(kind, Kind::List { .. });
        let wrong = match self.frames.last_mut() {
            Some(frame) if frame.said => return true,
            Some(Frame { kind: Kind::Map { key: None, .. }, .. }) => {
                shape(start, "a key that is a block", "a key must be a word")
            }
            Some(Frame { kind: Kind::List { nested: said, .. }, .. }) if list => {
                if std::mem::replace(said, true) {
                    return true;
                }
                nested(start)
            }
            None if list => {
                self.root_shape = Some(no_mapping(start, "a list"));
                return true;
            }
            Some(_) | None => return false,
        };
        self.findings.report(wrong);
        true
    }

    fn too_deep(&mut self, at: Span) {
        if !std::mem::replace(&mut self.deep_said, true) {
            let message = format!("blocks are nested more than {MAX_DEPTH} deep");
            self.findings.report(NESTING_TOO_DEEP.at(at, "one too many begins here", message));
        }
    }

    fn end(&mut self, token: Span) {
        let Some(frame) = self.frames.pop() else { return };
        let end = if frame.flow && token.end > token.start { token.end } else { frame.end };
        let block = Span { file: self.file, start: frame.start.start, end };
        self.last = Some(Last { span: Span { start: end, ..block }, style: None });
        if self.frames.is_empty() {
            return self.end_root(frame.kind);
        }
        let item = match frame.kind {
            _ if frame.said => None,
            Kind::Map { mut fields, merges, .. } => {
                merge(&mut fields, merges);
                // A large registry has many blocks of one or two fields.
                fields.shrink_to_fit();
                (!frame.partial || !fields.is_empty()).then_some(Item::Map { fields, block })
            }
            Kind::List { members, .. } => {
                (!frame.partial || !members.is_empty()).then_some(Item::List { members, block })
            }
        };
        if let Some(anchor) = frame.anchor {
            self.anchors.close(anchor, item.as_ref());
        }
        self.put(item, Some(block));
    }

    fn end_root(&mut self, kind: Kind<'a>) {
        if let Kind::Map { fields, merges, .. } = kind {
            if self.nodes.is_empty() {
                self.nodes = fields;
            } else {
                self.nodes.extend(fields);
            }
            self.merges.extend(merges);
        }
    }

    /// Where a scalar exactly stands; `given` is the end of its anchor or tag.
    fn exact(&self, style: Style, at: Span, given: Option<u32>) -> Span {
        let range = match style {
            Style::Block => {
                let before = self.last.map_or(0, |last| last.span.end).max(given.unwrap_or(0));
                scalar::block_range(self.text, before as usize, at.range())
            }
            Style::Plain if at.start == at.end && given.is_none() => self.absent(at),
            Style::Plain | Style::Quoted => return at,
        };
        Span::new(self.file, range.start, range.end)
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: Style, span: Span, anchor: Option<AnchorId<'a>>) {
        let bare = style == Style::Plain;
        let text = if bare && span.start == span.end { Cow::Borrowed("") } else { text };
        self.last = Some(Last { span, style: Some(style) });
        let key = matches!(self.frames.last(), Some(Frame { kind: Kind::Map { key: None, .. }, .. }));
        if key && anchor.is_none() {
            return self.key(text, span, style);
        }
        let value = if bare && !key { scalar::resolve(text) } else { Value::String(text) };
        let item = Item::Scalar(Scalar { value, span });
        if let Some(anchor) = anchor {
            self.anchors.close(anchor, Some(&item));
        }
        self.put(Some(item), Some(span));
    }

    /// Where an absent value stands: the parser puts it before the colon of its key.
    fn absent(&self, at: Span) -> std::ops::Range<usize> {
        let key = match self.frames.last().map(|frame| &frame.kind) {
            Some(Kind::Map { key: Some(Key::Named(_, span) | Key::Merge(span)), .. }) => *span,
            _ => return at.range(),
        };
        let place = scalar::absent(self.text, key.end as usize);
        place..place
    }

    /// Takes the name of the next field.
    pub(super) fn key(&mut self, text: Cow<'a, str>, span: Span, style: Style) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.end = frame.end.max(span.end);
        if let Kind::Map { key, .. } = &mut frame.kind {
            let merges = style == Style::Plain && text == "<<";
            *key = Some(if merges { Key::Merge(span) } else { Key::Named(text, span) });
        }
    }

    fn alias(&mut self, at: Span) {
        self.last = Some(Last { span: at, style: None });
        let name = self.name(at);
        if let Some(Frame { said, kind: Kind::List { nested: known, .. }, .. }) = self.frames.last_mut()
            && self.anchors.is_list(name)
        {
            if !*said && !std::mem::replace(known, true) {
                self.findings.report(nested(at));
            }
            return self.put(None, Some(at));
        }
        let found = self.anchors.resolve(name, self.frames.len());
        let item = self.copy(found, at, &quoted(name));
        self.put(item, Some(at));
    }

    fn copy(&mut self, found: Found<'a>, at: Span, name: &str) -> Option<Item<'a>> {
        let finding = match found {
            Found::Copy(item) => return Some(item),
            Found::Nothing => return None,
            Found::TooDeep => {
                self.too_deep(at);
                return None;
            }
            Found::Unknown => {
                BAD_ALIAS.at(at, "no anchor of that name stands before", format!("there is no anchor {name}"))
            }
            Found::Inside(anchor) => BAD_ALIAS
                .at(at, "stands inside its own anchor", format!("the alias {name} would contain itself"))
                .also(anchor, "the anchor is given here"),
            Found::TooMany(anchor) => BAD_ALIAS
                .at(
                    at,
                    "one copy too many",
                    format!("the aliases of this file unfold to too many nodes, at {name}"),
                )
                .also(anchor, "a copy of this")
                .note("this alias and all after it are left out"),
        };
        self.findings.report(finding);
        None
    }

    /// The document has ended: what it is as a whole can be said.
    pub(super) fn end_document(&mut self) {
        if let Some(finding) = self.root_shape.take() {
            self.findings.report(finding);
        }
    }

    /// What a fault is judged by. `start` is where the stretch of text with the fault begins.
    pub(super) fn around(&self, start: usize) -> Around {
        let flows = self.frames.iter().filter(|frame| frame.flow).map(|frame| frame.start.start as usize);
        // The parser holds a bracket back while it may be the start of a key.
        let root = self.frames.first().map(|frame| frame.flow);
        let flow_root = root.unwrap_or_else(|| lines::begins_with_bracket(self.text, start));
        Around {
            start,
            last: self.last.filter(|last| last.span.end as usize > start),
            flows: flows.collect(),
            flow_root,
            margin: self.root.and_then(|root| lines::margin(self.text, root as usize)).unwrap_or(0),
        }
    }

    /// A fault has ended the stretch: keeps what is complete of the section, and passes over the text up to `resume`.
    pub(super) fn abandon(&mut self, resume: usize) {
        self.root_shape = None;
        self.sunk = 0;
        self.frames.truncate(2);
        let section = if self.frames.len() > 1 { self.frames.pop() } else { None };
        let from = section.as_ref().or(self.frames.last()).map_or(0, |frame| frame.start.start);
        if let Some(section) = section {
            let block = Span { file: self.file, start: section.start.start, end: section.end };
            let item = match section.kind {
                _ if section.said => None,
                Kind::Map { mut fields, merges, .. } => {
                    merge(&mut fields, merges);
                    (!fields.is_empty()).then_some(Item::Map { fields, block })
                }
                Kind::List { members, .. } => (!members.is_empty()).then_some(Item::List { members, block }),
            };
            self.put(item, Some(block));
        }
        if let Some(root) = self.frames.pop() {
            self.end_root(root.kind);
        }
        self.anchors.lose(self.text.get(from as usize..resume).unwrap_or_default());
    }
}
