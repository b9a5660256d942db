//! Builds nodes from tokens.

use super::anchors::{AliasTarget, AnchorTable, merge};
use super::diagnose::{ErrorContext, LastToken};
use super::events::{ScalarStyle, Token, TokenKind};
use super::value::{CollectionKind, MapKey, OpenCollection, YamlValue, nested_list, not_a_mapping};
use super::{lines, scalar};
use crate::diag::words::quoted;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::codes::{BAD_ALIAS, NESTING_TOO_DEEP, TYPE_ANNOTATION, UNEXPECTED_SHAPE};
use crate::syntax::{Node, Scalar, Value};
use std::borrow::Cow;

/// The maximum nesting depth of mappings and lists.
pub(super) const MAX_DEPTH: usize = 64;

/// Builds nodes from tokens. After a syntax error, it can continue with the tokens of a later part of the text.
pub(super) struct NodeBuilder<'a, 'd> {
    /// The sink for findings.
    pub(super) findings: &'d mut Diagnostics,
    /// True if too deep nesting was reported.
    pub(super) depth_reported: bool,
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) merges: Vec<Vec<Node<'a>>>,
    pub(super) open: Vec<OpenCollection<'a>>,
    /// The number of open collections beyond [`MAX_DEPTH`]. Their content is skipped.
    skipped_depth: usize,
    pub(super) anchors: AnchorTable<'a>,
    /// The finding for a root that is not a mapping. It is reported at the end of the document, because a syntax error
    /// would explain the problem better.
    pub(super) root_finding: Option<Diagnostic>,
    pub(super) root: Option<u32>,
    last: Option<LastToken>,
}

impl<'a, 'd> NodeBuilder<'a, 'd> {
    /// Creates a builder without nodes.
    pub(super) fn new(file: FileId, text: &'a str, findings: &'d mut Diagnostics) -> Self {
        Self {
            findings,
            depth_reported: false,
            file,
            text,
            nodes: Vec::new(),
            merges: Vec::new(),
            open: Vec::new(),
            skipped_depth: 0,
            anchors: AnchorTable::new(text),
            root_finding: None,
            root: None,
            last: None,
        }
    }

    /// Returns the nodes of the document.
    pub(super) fn finish(mut self) -> Vec<Node<'a>> {
        merge(&mut self.nodes, self.merges);
        self.nodes
    }

    /// Processes a scalar, an alias, or the start or end of a collection.
    pub(super) fn process(&mut self, token: Token<'a>) {
        if self.skipped_depth > 0 {
            return self.skip_token(&token.kind);
        }
        if let Some(tag) = token.tag {
            self.report_tag(tag);
        }
        let anchor = token.anchor;
        if let Some(anchor) = anchor {
            self.anchors.open(anchor);
        }
        let (flow, kind) = match token.kind {
            TokenKind::Scalar { text, style } => {
                let prefix_end = [token.anchor, token.tag].into_iter().flatten().map(|span| span.end).max();
                let span = self.exact_span(style, token.span, prefix_end);
                return self.process_scalar(text, style, span, anchor);
            }
            TokenKind::Alias => return self.process_alias(token.span),
            TokenKind::ListStart { flow } => {
                (flow, CollectionKind::List { members: Vec::new(), nested: false })
            }
            TokenKind::MapStart { flow } => {
                (flow, CollectionKind::Map { key: None, fields: Vec::new(), merges: Vec::new() })
            }
            TokenKind::ListEnd | TokenKind::MapEnd => return self.end_collection(token.span),
            TokenKind::DocumentStart { .. } | TokenKind::DocumentEnd => return,
        };
        let (start, end) = (token.span, token.span.end);
        self.begin_collection(OpenCollection {
            start,
            end,
            flow,
            anchor,
            shape_reported: false,
            partial: false,
            kind,
        });
    }

    fn report_tag(&mut self, tag: Span) {
        let name = quoted(self.text.get(tag.range()).unwrap_or_default());
        let finding = TYPE_ANNOTATION
            .at(tag, "a tag", format!("the tag {name} has no meaning in a registry"))
            .help("remove the tag: the field decides the type");
        self.findings.report(finding);
    }

    fn skip_token(&mut self, kind: &TokenKind<'a>) {
        match kind {
            TokenKind::ListStart { .. } | TokenKind::MapStart { .. } => self.skipped_depth += 1,
            TokenKind::ListEnd | TokenKind::MapEnd => {
                self.skipped_depth -= 1;
                if self.skipped_depth == 0 {
                    self.insert(None, None);
                }
            }
            TokenKind::Scalar { .. }
            | TokenKind::Alias
            | TokenKind::DocumentStart { .. }
            | TokenKind::DocumentEnd => {}
        }
    }

    fn begin_collection(&mut self, mut collection: OpenCollection<'a>) {
        let start = collection.start;
        if self.open.len() >= MAX_DEPTH {
            self.report_too_deep(start);
            self.skipped_depth = 1;
            return;
        }
        self.last = Some(LastToken { span: start, style: None });
        collection.shape_reported = self.check_position(&collection.kind, start);
        if self.open.is_empty() {
            self.root.get_or_insert(start.start);
        }
        self.open.push(collection);
    }

    /// True if a collection is not allowed here. Of nested collections, reports only the outermost.
    fn check_position(&mut self, kind: &CollectionKind<'a>, start: Span) -> bool {
        let list = matches!(kind, CollectionKind::List { .. });
        let finding = match self.open.last_mut() {
            Some(collection) if collection.shape_reported => return true,
            Some(OpenCollection { kind: CollectionKind::Map { key: None, .. }, .. }) => {
                UNEXPECTED_SHAPE.at(start, "a mapping or list as a key", "a key must be a word")
            }
            Some(OpenCollection { kind: CollectionKind::List { nested: reported, .. }, .. }) if list => {
                if std::mem::replace(reported, true) {
                    return true;
                }
                nested_list(start, self.outer_key())
            }
            None if list => {
                self.root_finding = Some(not_a_mapping(start, "a list"));
                return true;
            }
            Some(_) | None => return false,
        };
        self.findings.report(finding);
        true
    }

    /// The key of the open list.
    fn outer_key(&self) -> Option<&str> {
        match &self.open.iter().rev().nth(1)?.kind {
            CollectionKind::Map { key: Some(MapKey::Named(name, _)), .. } => Some(name),
            CollectionKind::Map { .. } | CollectionKind::List { .. } => None,
        }
    }

    fn report_too_deep(&mut self, at: Span) {
        if !std::mem::replace(&mut self.depth_reported, true) {
            let message = format!("blocks are nested more than {MAX_DEPTH} levels deep");
            self.findings.report(NESTING_TOO_DEEP.at(at, "this block is too deep", message));
        }
    }

    fn end_collection(&mut self, token: Span) {
        let Some(collection) = self.open.pop() else { return };
        let end = if collection.flow && token.end > token.start { token.end } else { collection.end };
        self.last = Some(LastToken { span: Span { start: end, end, ..collection.start }, style: None });
        if self.open.is_empty() {
            return self.end_root(collection.kind);
        }
        let anchor = collection.anchor;
        let (item, block) = collection.complete(end);
        if let Some(anchor) = anchor {
            self.anchors.close(anchor, item.as_ref());
        }
        self.insert(item, Some(block));
    }

    fn end_root(&mut self, kind: CollectionKind<'a>) {
        if let CollectionKind::Map { fields, merges, .. } = kind {
            if self.nodes.is_empty() {
                self.nodes = fields;
            } else {
                self.nodes.extend(fields);
            }
            self.merges.extend(merges);
        }
    }

    /// The exact span of a scalar. `prefix_end` is the end of its anchor or tag.
    fn exact_span(&self, style: ScalarStyle, at: Span, prefix_end: Option<u32>) -> Span {
        let range = match style {
            ScalarStyle::Block => {
                let before = self.last.map_or(0, |last| last.span.end).max(prefix_end.unwrap_or(0));
                scalar::block_range(self.text, before as usize, at.range())
            }
            ScalarStyle::Plain if at.start == at.end && prefix_end.is_none() => self.missing_value(at),
            ScalarStyle::Plain | ScalarStyle::Quoted => return at,
        };
        Span::new(self.file, range.start, range.end)
    }

    fn process_scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, span: Span, anchor: Option<Span>) {
        let bare = style == ScalarStyle::Plain;
        let text = if bare && span.start == span.end { Cow::Borrowed("") } else { text };
        self.last = Some(LastToken { span, style: Some(style) });
        let key = matches!(
            self.open.last(),
            Some(OpenCollection { kind: CollectionKind::Map { key: None, .. }, .. })
        );
        if key && anchor.is_none() {
            return self.set_key(text, span, style);
        }
        let value = if bare && !key { scalar::resolve(text) } else { Value::String(text) };
        let item = YamlValue::Scalar(Scalar { value, span });
        if let Some(anchor) = anchor {
            self.anchors.close(anchor, Some(&item));
        }
        self.insert(Some(item), Some(span));
    }

    /// The position of a missing value, after the colon of its key. The parser library puts it before the colon.
    fn missing_value(&self, at: Span) -> std::ops::Range<usize> {
        let key = match self.open.last().map(|collection| &collection.kind) {
            Some(CollectionKind::Map { key: Some(MapKey::Named(_, span) | MapKey::Merge(span)), .. }) => {
                *span
            }
            _ => return at.range(),
        };
        let position = scalar::missing_value(self.text, key.end as usize);
        position..position
    }

    /// Sets the key of the next field.
    pub(super) fn set_key(&mut self, text: Cow<'a, str>, span: Span, style: ScalarStyle) {
        let Some(collection) = self.open.last_mut() else { return };
        collection.end = collection.end.max(span.end);
        if let CollectionKind::Map { key, .. } = &mut collection.kind {
            let merges = style == ScalarStyle::Plain && text == "<<";
            *key = Some(if merges { MapKey::Merge(span) } else { MapKey::Named(text, span) });
        }
    }

    fn process_alias(&mut self, at: Span) {
        self.last = Some(LastToken { span: at, style: None });
        let name = self.anchors.name(at);
        if let Some(OpenCollection {
            shape_reported,
            kind: CollectionKind::List { nested: reported, .. },
            ..
        }) = self.open.last_mut()
            && self.anchors.is_list(name)
        {
            if !*shape_reported && !std::mem::replace(reported, true) {
                let finding = nested_list(at, self.outer_key());
                self.findings.report(finding);
            }
            return self.insert(None, Some(at));
        }
        let target = self.anchors.resolve(name, self.open.len());
        let item = self.copy_or_report(target, at, &quoted(name));
        self.insert(item, Some(at));
    }

    fn copy_or_report(&mut self, target: AliasTarget<'a>, at: Span, name: &str) -> Option<YamlValue<'a>> {
        let finding = match target {
            AliasTarget::Copy(item) => return Some(item),
            AliasTarget::Nothing => return None,
            AliasTarget::TooDeep => {
                self.report_too_deep(at);
                return None;
            }
            AliasTarget::Unknown => BAD_ALIAS
                .at(at, "no anchor with this name above", format!("there is no anchor {name}"))
                .help("define the anchor with `&` above this line, or put the value in quotes"),
            AliasTarget::Inside(anchor) => BAD_ALIAS
                .at(at, "inside its own anchor", format!("the alias {name} would contain itself"))
                .also(anchor, "the anchor is defined here"),
            AliasTarget::TooMany(anchor) => BAD_ALIAS
                .at(
                    at,
                    "beyond the limit",
                    format!("alias {name} exceeds the limit of copied nodes per file"),
                )
                .also(anchor, "it copies this anchor")
                .note("this alias and all later aliases are ignored"),
        };
        self.findings.report(finding);
        None
    }

    /// Ends the document and reports a root that is not a mapping.
    pub(super) fn end_document(&mut self) {
        if let Some(finding) = self.root_finding.take() {
            self.findings.report(finding);
            self.findings.record_unread_file();
        }
    }

    /// The context of a syntax error. `start` is the start of the segment with the error.
    pub(super) fn error_context(&self, start: usize) -> ErrorContext {
        let flows = self
            .open
            .iter()
            .filter(|collection| collection.flow)
            .map(|collection| collection.start.start as usize);
        // The parser library reports a bracket late, because it may be the start of a key.
        let root = self.open.first().map(|collection| collection.flow);
        let flow_root = root.unwrap_or_else(|| lines::begins_with_bracket(self.text, start));
        ErrorContext {
            start,
            last: self.last.filter(|last| last.span.end as usize > start),
            flows: flows.collect(),
            flow_root,
            margin: self.root.and_then(|root| lines::margin(self.text, root as usize)).unwrap_or(0),
        }
    }

    /// After a syntax error: keeps the complete items of the section, and skips the text up to `resume`.
    pub(super) fn recover(&mut self, resume: usize) {
        self.root_finding = None;
        self.skipped_depth = 0;
        self.open.truncate(2);
        let from = self.open.last().map_or(0, |collection| collection.start.start);
        if self.open.len() > 1
            && let Some(mut section) = self.open.pop()
        {
            section.partial = true;
            let end = section.end;
            let (item, block) = section.complete(end);
            self.insert(item, Some(block));
        }
        if let Some(root) = self.open.pop() {
            self.end_root(root.kind);
        }
        self.anchors.recover(self.text.get(from as usize..resume).unwrap_or_default());
    }
}
