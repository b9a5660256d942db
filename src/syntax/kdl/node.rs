//! One node: its name, its values and properties, up to its block or the end of its line.

use super::value::Wanted;
use super::{Draft, Fate, Reader, Stage, Witness};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Node, Scalar, Value, codes};
use std::borrow::Cow;

const NAME: Wanted = Wanted { what: "the name of a node", label: "a node begins with its name", name: true };
const NAME_LEFT_OUT: Wanted =
    Wanted { what: "a node after `/-`", label: "`/-` leaves out what follows it", name: true };
const TYPE: Wanted =
    Wanted { what: "the name of a type", label: "a type annotation is one word in parentheses", name: true };
const ENTRY: Wanted = Wanted { what: "a value", label: "a value or `key=value` may stand here", name: false };
const ANNOTATED: Wanted =
    Wanted { what: "a value after the type annotation", label: "what has this type", name: false };
const PROPERTY: Wanted =
    Wanted { what: "a value after the `=`", label: "the value of the property", name: false };

/// What comes next in a node.
enum Part {
    /// The node ends before this place.
    End,
    /// The node ends with the `;` here.
    Semicolon,
    Block,
    /// A `/-`.
    Slashdash,
    /// An `=` that no key stands before.
    Equals,
    /// A value, a property, or something that is neither.
    Entry,
}

impl<'a> Reader<'a> {
    /// Reads the node that begins here.
    pub(super) fn node(&mut self) {
        let by_indent = self.witness == Witness::Indent;
        let indent = if by_indent { self.indent_here() } else { None };
        if by_indent {
            self.heed_indent_of_node(indent);
        }
        let mut wanted = &NAME;
        let mut fate = self.fate();
        if self.starts_with(self.pos, b"/-") {
            (wanted, fate) = (&NAME_LEFT_OUT, Fate::Dropped);
            self.pos += 2;
            self.line_space();
        }
        let named = self.annotation().and_then(|annotation| {
            let name = self.name(wanted)?;
            self.refuse_annotation(annotation, fate);
            Some(name)
        });
        let draft = match named {
            Some((name, span)) => Draft::new(name, span, fate, indent),
            // What follows is read for its faults, and belongs to nothing.
            None => Draft::new(Cow::Borrowed(""), self.span(self.pos, self.pos), Fate::Dropped, indent),
        };
        self.entries(draft);
    }

    fn name(&mut self, wanted: &Wanted) -> Option<(Cow<'a, str>, Span)> {
        let start = self.pos;
        if self.peek() == Some(b'#') && !self.at_raw_string() && !self.at_keyword() {
            self.hash_comment();
            return None;
        }
        if self.at_number() || self.at_keyword() {
            self.unexpected(wanted.what, wanted.label);
            return None;
        }
        let value = self.value(wanted)?;
        match value.value {
            Value::String(name) => Some((name, self.span(start, self.pos))),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
        }
    }

    /// Reads what follows the name of a node, or one of its blocks, and puts the node where it belongs.
    pub(super) fn entries(&mut self, mut draft: Draft<'a>) {
        let mut spaced = self.node_space();
        loop {
            match self.part() {
                Part::End => break,
                Part::Semicolon => {
                    self.pos += 1;
                    break;
                }
                Part::Block => match self.open(draft, Fate::Kept) {
                    Some(back) => {
                        draft = back;
                        spaced = self.node_space();
                    }
                    None => return,
                },
                Part::Slashdash => match self.slashdash(draft) {
                    Some((back, space)) => (draft, spaced) = (back, space),
                    None => return,
                },
                Part::Equals => spaced = self.equals(&mut draft),
                Part::Entry if draft.stage == Stage::Done => {
                    if self.behind_block() {
                        break;
                    }
                    spaced = true;
                }
                Part::Entry if spaced => {
                    self.entries_before_blocks(&draft);
                    spaced = self.entry(&mut draft, Fate::Kept);
                }
                Part::Entry => spaced = self.glued(&mut draft),
            }
        }
        self.attach(draft);
    }

    fn part(&self) -> Part {
        match self.peek() {
            None | Some(b'}') => Part::End,
            Some(b';') => Part::Semicolon,
            Some(b'{') => Part::Block,
            Some(b'=') => Part::Equals,
            Some(b'/') => match self.byte(self.pos + 1) {
                Some(b'/') => Part::End,
                Some(b'-') => Part::Slashdash,
                _ => Part::Entry,
            },
            Some(_) if self.newline_len(self.pos) > 0 => Part::End,
            Some(_) => Part::Entry,
        }
    }

    /// Reads what a `/-` leaves out; none where that is a block, which is open now.
    fn slashdash(&mut self, mut draft: Draft<'a>) -> Option<(Draft<'a>, bool)> {
        let start = self.pos;
        self.pos += 2;
        self.line_space();
        match self.part() {
            Part::Block => {
                let back = self.open(draft, Fate::Dropped)?;
                Some((back, self.node_space()))
            }
            Part::Entry => {
                self.entries_before_blocks(&draft);
                let spaced = self.entry(&mut draft, Fate::Dropped);
                Some((draft, spaced))
            }
            Part::End | Part::Semicolon | Part::Slashdash | Part::Equals => {
                let message = format!("expected something to leave out after `/-`, found {}", self.found());
                let finding = codes::KDL_SYNTAX
                    .at(self.span(start, start + 2), "leaves out nothing", message)
                    .help("remove the `/-`, or write it before a node, a value, a property or a block");
                self.report(finding);
                self.pos += if self.starts_with(self.pos, b"/-") { 2 } else { 0 };
                Some((draft, true))
            }
        }
    }

    /// Reads a value or a property; says whether there was space behind it.
    pub(super) fn entry(&mut self, draft: &mut Draft<'a>, fate: Fate) -> bool {
        let fate = fate.or(draft.fate);
        let Some(annotation) = self.annotation() else { return self.node_space_after_fault() };
        let wanted = if annotation.is_some() { &ANNOTATED } else { &ENTRY };
        let Some(value) = self.value(wanted) else {
            return self.node_space_after_fault();
        };
        let spaced = self.node_space();
        if self.peek() == Some(b'=') {
            return self.property(draft, value, annotation, fate);
        }
        self.refuse_annotation(annotation, fate);
        draft.node.span = draft.node.span.to(value.span);
        if fate == Fate::Kept {
            // Nearly every node has one value: room for four would be most of the memory.
            draft.node.args.reserve_exact(usize::from(draft.node.args.is_empty()));
            draft.node.args.push(value);
        }
        spaced
    }

    /// What follows a fault needs no blank before it.
    pub(super) fn node_space_after_fault(&mut self) -> bool {
        self.node_space();
        true
    }

    /// Reads a property from its `=` on.
    fn property(
        &mut self,
        draft: &mut Draft<'a>,
        key: Scalar<'a>,
        before_key: Option<Span>,
        fate: Fate,
    ) -> bool {
        let equals = self.pos;
        self.pos += 1;
        self.node_space();
        let key_span = key.span;
        let key = self.key(key, before_key);
        if matches!(self.part(), Part::End | Part::Semicolon | Part::Block | Part::Slashdash | Part::Equals) {
            let written = self.slice(key_span.range().start, equals + 1);
            let message = format!("expected a value after {}, found {}", quoted(written), self.found());
            let span = key_span.to(self.span(equals, equals + 1));
            let finding = codes::KDL_SYNTAX.at(span, "this property has no value", message);
            self.report(finding.help(format!("write a value right after the `=`, as `{written}\"..\"`")));
            self.recover();
            return self.node_space_after_fault();
        }
        let Some(annotation) = self.annotation() else { return self.node_space_after_fault() };
        let Some(value) = self.value(&PROPERTY) else {
            return self.node_space_after_fault();
        };
        self.refuse_annotation(annotation, fate);
        draft.node.span = draft.node.span.to(value.span);
        if let (Some(key), Fate::Kept) = (key, fate) {
            let span = key_span.to(value.span);
            let (args, fields) = (vec![value], Vec::new());
            draft.node.fields.reserve_exact(usize::from(draft.node.fields.is_empty()));
            draft.node.fields.push(Node { key, key_span, args, fields, block: None, span });
        }
        self.node_space()
    }

    /// The key that a value before `=` is; none where it cannot be one, which is said.
    fn key(&mut self, key: Scalar<'a>, annotation: Option<Span>) -> Option<Cow<'a, str>> {
        let written = self.slice(key.span.range().start, key.span.range().end);
        if let Some(span) = annotation {
            let message = "a type annotation stands before a key";
            let finding = codes::KDL_SYNTAX.at(span, "KDL has these before values only", message);
            self.report(finding.help("remove it"));
        }
        match key.value {
            Value::String(key) => Some(key),
            value @ (Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_)) => {
                let message = format!("expected a name before `=`, found {}", quoted(written));
                let label = format!("{} cannot be a key", value.noun());
                let finding = codes::KDL_SYNTAX.at(key.span, label, message);
                self.report(finding.help(format!("write the key in quotes: `\"{written}\"=`")));
                None
            }
        }
    }

    /// Reads a type annotation where one stands. The outer none says that it has a fault, which was said.
    #[expect(clippy::option_option, reason = "a fault, no annotation, an annotation")]
    fn annotation(&mut self) -> Option<Option<Span>> {
        if self.peek() != Some(b'(') {
            return Some(None);
        }
        let start = self.pos;
        self.pos += 1;
        self.node_space();
        if self.at_number() || self.at_keyword() {
            self.unexpected(TYPE.what, TYPE.label);
            return None;
        }
        self.value(&TYPE)?;
        self.node_space();
        if self.peek() != Some(b')') {
            self.unexpected("`)` after the name of a type", TYPE.label);
            return None;
        }
        self.pos += 1;
        let span = self.span(start, self.pos);
        self.node_space();
        Some(Some(span))
    }

    /// Says that a type annotation, legal in KDL, has no place in a registry.
    fn refuse_annotation(&mut self, annotation: Option<Span>, fate: Fate) {
        let Some(span) = annotation.filter(|_| fate == Fate::Kept) else { return };
        let written = self.slice(span.range().start, span.range().end);
        let message = format!("a registry has no type annotations, found {}", quoted(written));
        let finding = codes::TYPE_ANNOTATION.at(span, "the field alone decides the type", message);
        self.report(finding.help(format!("remove `{written}`")));
    }
}
