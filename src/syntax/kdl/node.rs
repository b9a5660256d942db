//! Parses one node: name, values and properties, up to its block or the end of its line.

use super::value::ExpectedPart;
use super::{KdlParser, NodeStage, PartialNode, Retention};
use crate::diag::Change;
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Node, Scalar, Value, codes};
use std::borrow::Cow;

const NAME: ExpectedPart = ExpectedPart::name("the name of a node", "a node begins with its name");
const NAME_AFTER_SLASHDASH: ExpectedPart =
    ExpectedPart::name("a node after `/-`", "`/-` comments out the next node");
const TYPE: ExpectedPart =
    ExpectedPart::name("the name of a type", "a type annotation is one word in parentheses");
const ENTRY: ExpectedPart = ExpectedPart::value("a value", "only a value or `key=value` is allowed here");
const ANNOTATED_VALUE: ExpectedPart =
    ExpectedPart::value("a value after the type annotation", "a value must follow the annotation");
const PROPERTY_VALUE: ExpectedPart =
    ExpectedPart::value("a value after the `=`", "the value of the property");

/// The next part of a node.
enum NodePart {
    /// The node ends before this position.
    End,
    /// The node ends with the `;` here.
    Semicolon,
    Block,
    /// A `/-`.
    Slashdash,
    /// An `=` without a key.
    Equals,
    /// A value, a property or unexpected text.
    Entry,
}

impl<'a> KdlParser<'a> {
    /// Parses the node at this position.
    pub(super) fn parse_node(&mut self) {
        let mut expected = &NAME;
        let mut retention = self.retention();
        if self.starts_with(self.pos, b"/-") {
            (expected, retention) = (&NAME_AFTER_SLASHDASH, Retention::Discard);
            self.pos += 2;
            self.skip_line_space();
        }
        let named = self.parse_annotation().and_then(|annotation| {
            let name = self.parse_name(expected)?;
            self.report_annotation(annotation, retention);
            Some(name)
        });
        let partial = match named {
            Some((name, span)) => PartialNode::new(name, span, retention),
            // Parse the rest to report its errors, but discard it.
            None => PartialNode::new(Cow::Borrowed(""), self.span(self.pos, self.pos), Retention::Discard),
        };
        self.parse_entries(partial);
    }

    fn parse_name(&mut self, expected: &ExpectedPart) -> Option<(Cow<'a, str>, Span)> {
        let start = self.pos;
        if self.peek() == Some(b'#') && !self.at_raw_string() && !self.at_keyword() {
            self.report_hash_comment();
            return None;
        }
        if self.at_number() || self.at_keyword() {
            self.report_unexpected(expected.what, expected.label);
            return None;
        }
        let value = self.parse_value(expected)?;
        match value.value {
            Value::String(name) => Some((name, self.span(start, self.pos))),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
        }
    }

    /// Parses the parts after the name of a node or after one of its blocks, then adds the node to its parent.
    pub(super) fn parse_entries(&mut self, mut partial: PartialNode<'a>) {
        let mut has_space = self.skip_node_space();
        loop {
            match self.next_part() {
                NodePart::End => break,
                NodePart::Semicolon => {
                    self.pos += 1;
                    break;
                }
                NodePart::Block => return self.open(partial, Retention::Keep),
                NodePart::Slashdash => match self.slashdash(partial) {
                    Some((back, space)) => (partial, has_space) = (back, space),
                    None => return,
                },
                NodePart::Equals => has_space = self.recover_from_equals(&mut partial),
                NodePart::Entry if partial.stage == NodeStage::Done => {
                    if self.recover_after_block() {
                        break;
                    }
                    has_space = true;
                }
                NodePart::Entry if has_space => {
                    self.check_entry_position(&partial);
                    has_space = self.parse_entry(&mut partial, Retention::Keep);
                }
                NodePart::Entry => has_space = self.recover_missing_space(&mut partial),
            }
        }
        self.attach(partial);
    }

    fn next_part(&self) -> NodePart {
        match self.peek() {
            None | Some(b'}') => NodePart::End,
            Some(b';') => NodePart::Semicolon,
            Some(b'{') => NodePart::Block,
            Some(b'=') => NodePart::Equals,
            Some(b'/') => match self.byte(self.pos + 1) {
                Some(b'/') => NodePart::End,
                Some(b'-') => NodePart::Slashdash,
                _ => NodePart::Entry,
            },
            Some(_) if self.newline_len(self.pos) > 0 => NodePart::End,
            Some(_) => NodePart::Entry,
        }
    }

    /// Parses the part after a `/-`, to discard it. None if the part is a block, which is open then.
    fn slashdash(&mut self, mut partial: PartialNode<'a>) -> Option<(PartialNode<'a>, bool)> {
        let start = self.pos;
        self.pos += 2;
        self.skip_line_space();
        match self.next_part() {
            NodePart::Block => {
                self.open(partial, Retention::Discard);
                None
            }
            NodePart::Entry => {
                self.check_entry_position(&partial);
                let has_space = self.parse_entry(&mut partial, Retention::Discard);
                Some((partial, has_space))
            }
            NodePart::End | NodePart::Semicolon | NodePart::Slashdash | NodePart::Equals => {
                let message = format!(
                    "expected a node, a value, a property or a block after `/-`, found {}",
                    self.describe_found()
                );
                let help = "remove the `/-`, or write it directly before the part to comment out";
                self.error(start..start + 2, "comments out nothing", message, help);
                self.pos += if self.starts_with(self.pos, b"/-") { 2 } else { 0 };
                Some((partial, true))
            }
        }
    }

    /// Parses a value or a property. True if whitespace follows it.
    pub(super) fn parse_entry(&mut self, partial: &mut PartialNode<'a>, retention: Retention) -> bool {
        let retention = retention.or(partial.retention);
        let Some(annotation) = self.parse_annotation() else { return self.skip_space_after_error() };
        let expected = if annotation.is_some() { &ANNOTATED_VALUE } else { &ENTRY };
        let Some(value) = self.parse_value(expected) else {
            return self.skip_space_after_error();
        };
        let has_space = self.skip_node_space();
        if self.peek() == Some(b'=') {
            return self.parse_property(partial, value, annotation, retention);
        }
        self.report_annotation(annotation, retention);
        partial.node.span = partial.node.span.to(value.span);
        if retention == Retention::Keep {
            // Nearly every node has one value. The default capacity of four would take most of the memory.
            partial.node.args.reserve_exact(usize::from(partial.node.args.is_empty()));
            partial.node.args.push(value);
        }
        has_space
    }

    /// Skips whitespace after an error. Always true: the next part then needs no whitespace before it.
    pub(super) fn skip_space_after_error(&mut self) -> bool {
        self.skip_node_space();
        true
    }

    /// Parses a property from its `=`.
    fn parse_property(
        &mut self,
        partial: &mut PartialNode<'a>,
        key: Scalar<'a>,
        before_key: Option<Span>,
        retention: Retention,
    ) -> bool {
        let equals = self.pos;
        self.pos += 1;
        self.skip_node_space();
        let key_span = key.span;
        let key = self.key_from_value(key, before_key);
        if !matches!(self.next_part(), NodePart::Entry) {
            let written = self.slice(key_span.range().start, equals + 1);
            let message =
                format!("expected a value after {}, found {}", quoted(written), self.describe_found());
            let help = format!("write a value directly after the `=`, such as `{written}\"..\"`");
            self.error(key_span.range().start..equals + 1, "this property has no value", message, help);
            self.recover();
            return self.skip_space_after_error();
        }
        let Some(annotation) = self.parse_annotation() else { return self.skip_space_after_error() };
        let Some(value) = self.parse_value(&PROPERTY_VALUE) else {
            return self.skip_space_after_error();
        };
        self.report_annotation(annotation, retention);
        partial.node.span = partial.node.span.to(value.span);
        if let (Some(key), Retention::Keep) = (key, retention) {
            let span = key_span.to(value.span);
            let (args, fields) = (vec![value], Vec::new());
            partial.node.fields.reserve_exact(usize::from(partial.node.fields.is_empty()));
            partial.node.fields.push(Node { key, key_span, args, fields, block: None, span });
        }
        self.skip_node_space()
    }

    /// Converts the value before an `=` to a key. Reports a value that cannot be a key and returns none.
    fn key_from_value(&mut self, key: Scalar<'a>, annotation: Option<Span>) -> Option<Cow<'a, str>> {
        let written = self.slice(key.span.range().start, key.span.range().end);
        if let Some(span) = annotation {
            let message = "a key cannot have a type annotation";
            self.error(span.range(), "only allowed before values", message, "remove it");
        }
        match key.value {
            Value::String(key) => Some(key),
            value @ (Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_)) => {
                let message = format!("expected a name before `=`, found {}", quoted(written));
                let label = format!("{} cannot be a key", value.noun());
                let help = format!("write the key in quotes: `\"{written}\"=`");
                self.error(key.span.range(), label, message, help);
                None
            }
        }
    }

    /// Parses a type annotation, if there is one. The outer none means that it has a syntax error, which was reported.
    #[expect(clippy::option_option, reason = "a syntax error, no annotation, an annotation")]
    fn parse_annotation(&mut self) -> Option<Option<Span>> {
        if self.peek() != Some(b'(') {
            return Some(None);
        }
        let start = self.pos;
        self.pos += 1;
        self.skip_node_space();
        if self.at_number() || self.at_keyword() {
            self.report_unexpected(TYPE.what, TYPE.label);
            return None;
        }
        self.parse_value(&TYPE)?;
        self.skip_node_space();
        if self.peek() != Some(b')') {
            self.report_unexpected("`)` after the name of a type", TYPE.label);
            return None;
        }
        self.pos += 1;
        let span = self.span(start, self.pos);
        self.skip_node_space();
        Some(Some(span))
    }

    /// Reports a type annotation: KDL allows it, registries do not.
    fn report_annotation(&mut self, annotation: Option<Span>, retention: Retention) {
        let Some(span) = annotation.filter(|_| retention == Retention::Keep) else { return };
        let written = self.slice(span.range().start, span.range().end);
        let message = format!("registries have no type annotations, found {}", quoted(written));
        let finding = codes::TYPE_ANNOTATION.at(span, "the field decides the type", message);
        let change = Change::Text { span: finding.primary.span, text: String::new() };
        self.report(finding.remedy(format!("remove `{written}`"), change));
    }
}
