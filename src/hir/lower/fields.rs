//! Fields of a node by a table: what is unknown, missing, twice or of the wrong type is said, and the rest is read.

use super::datum::Datum;
use super::names::By;
use super::record::Record;
use super::scalar::{self, Asked};
use crate::diag::{Diagnostic, Diagnostics, near, words};
use crate::hir::codes::{DUPLICATE_FIELD, EMPTY_BLOCK, MISSING_FIELD, UNKNOWN_FIELD, WRONG_TYPE};
use crate::hir::shape::{ALLOW, Bare};
use crate::hir::{Field, Presence, Shape, Table, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Language, Node, Scalar, Value};
use std::borrow::Cow;

/// Reads the fields of one item, and of the blocks in it.
pub(super) struct Fields<'a> {
    pub(super) by: By<'a>,
    pub(super) language: Language,
    pub(super) findings: &'a mut Diagnostics,
    /// The blocks that are being read, from the outermost.
    pub(super) path: Vec<&'static str>,
    /// Whether part of the text could not be read, so that nothing in it is missing for sure.
    pub(super) is_torn: bool,
}

/// What an item or a block was given.
#[derive(Clone, Copy)]
pub(super) struct Given<'n, 'd> {
    /// The node, whose own arguments do not count.
    pub(super) node: &'n Node<'d>,
    /// The arguments that count: a name is none.
    pub(super) args: &'n [Scalar<'d>],
    /// Where a missing field is said.
    pub(super) place: Span,
}

/// How strictly a table is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// An item: `allow` may stand beside its fields.
    Item,
    /// A block within an item.
    Block,
    /// Defaults: nothing has to be there.
    Part,
}

/// One table over what was given.
#[derive(Clone, Copy)]
struct Frame<'n, 'd> {
    given: Given<'n, 'd>,
    table: &'static Table,
    hold: Hold,
}

/// A record while it is read, with the fields that stand in it, readable or not.
#[derive(Default)]
struct Reading {
    record: Record,
    seen: Vec<Seen>,
}

/// A field that stands, and whether it stands among the children of a block.
struct Seen {
    field: &'static Field,
    span: Span,
    is_child: bool,
}

impl Fields<'_> {
    /// Reads an item.
    pub(super) fn item(&mut self, given: Given, table: &'static Table) -> Record {
        self.record(Frame { given, table, hold: Hold::Item })
    }

    fn record(&mut self, frame: Frame) -> Record {
        let Frame { given, table, hold } = frame;
        let mut reading = Reading::default();
        let principal = table.principal.and_then(|name| table.field(name));
        if let (Some(principal), Some(first)) = (principal, given.args.first())
            && !is_null(given.args)
        {
            reading.seen.push(Seen { field: principal, span: first.span, is_child: false });
            // A bare argument is the block's, whatever the table calls it.
            let said = if self.path.is_empty() {
                Cow::Borrowed(principal.name)
            } else {
                Cow::Owned(self.path.join("."))
            };
            self.args(&mut reading.record, (principal, &said), given.args);
        }
        for node in &given.node.fields {
            match frame.field(&node.key) {
                Some(field) => self.known(&mut reading, field, node, frame),
                None => self.unknown(&mut reading.record, node, frame),
            }
        }
        let Reading { mut record, seen } = reading;
        let is_empty = self.say_empty(given.node, |fields| frame.owner(&fields.by));
        if is_empty && given.node.fields.is_empty() && given.args.is_empty() {
            return Record::unread();
        }
        for Seen { field, .. } in seen {
            if record.place(field.name).is_none() {
                record.mark_spoken(field.name);
            }
        }
        if self.is_torn {
            record.mark_torn();
            return record;
        }
        for field in table.fields.iter().filter(|f| f.presence == Presence::Required && hold != Hold::Part) {
            if record.place(field.name).is_none() {
                record.mark_incomplete();
                if !record.is_spoken(field.name) && !is_empty {
                    self.say_missing(field, frame);
                }
            }
        }
        record.pack();
        record
    }

    fn known(&mut self, reading: &mut Reading, field: &'static Field, node: &Node, frame: Frame) {
        if is_null(&node.args) && is_bare(node) {
            return;
        }
        let is_child = frame.given.node.block.is_some_and(|block| is_inside(node, block));
        let may_repeat = |first: &Seen| match (field.presence, self.language) {
            (Presence::Required | Presence::Optional, _) => false,
            // Children repeat; a property stands once and not beside them.
            (Presence::Repeated | Presence::Distinct, Language::Kdl) => first.is_child && is_child,
            // The members of one list share its key.
            (Presence::Repeated | Presence::Distinct, Language::Yaml) => first.span == node.key_span,
        };
        let first = reading.seen.iter().find(|seen| seen.field.name == field.name);
        if let Some(first) = first.filter(|first| !may_repeat(first)) {
            let first = first.span;
            return self.say_twice(&node.key, (node.key_span, first), &frame.owner(&self.by));
        }
        reading.seen.push(Seen { field, span: node.key_span, is_child });
        self.value(&mut reading.record, field, node);
    }

    /// Says a field that the table does not have; the one that it was meant to be is not missing.
    fn unknown(&mut self, record: &mut Record, node: &Node, frame: Frame) {
        let meant = near(&node.key, frame.names());
        let near = meant.map(|near| near.name);
        if let Some(meant) = near {
            record.mark_spoken(meant);
        }
        let label = near.map_or_else(|| "not a field".to_owned(), |near| format!("did you mean `{near}`?"));
        let known: Vec<String> = frame.names().map(|name| format!("`{name}`")).collect();
        let help = match near {
            Some(near) => format!("write `{near}`"),
            None => format!("the fields here are {}", words::all_of(&known)),
        };
        let owner = frame.owner(&self.by);
        let message = format!("{owner} has an unknown field {}", words::quoted(&node.key));
        let finding = UNKNOWN_FIELD.at(node.key_span, label, message).help(help);
        // Written once more it would stand twice.
        let is_free = !frame.given.node.fields.iter().any(|field| Some(&*field.key) == near);
        self.report(finding.meant(meant.filter(|_| is_free), node.key_span));
    }

    fn value(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Shape::Block(table) = &field.shape {
            self.block(record, field, table, node);
        } else if field.shape == Shape::Map || field.shape == Shape::Defaults {
            self.fields_alone(record, field, node);
        } else if field.shape == Shape::Flag && node.args.is_empty() && is_bare(node) {
            record.add(field.name, Spanned::new(Datum::Flag(true), node.span));
        } else if !node.fields.is_empty() {
            self.say_block(field.name, node);
        } else if !self.say_empty(node, |fields| fields.field_of(field.name)) {
            match node.args.as_slice() {
                [] => self.say_no_value(field.name, Some(field.doc), node),
                args => self.args(record, (field, &self.path_to(field.name)), args),
            }
        }
    }

    /// A field that holds nothing but fields.
    fn fields_alone(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Some(first) = node.args.first() {
            self.scalar(&self.path_to(field.name), first, &field.shape);
        } else if node.fields.is_empty() {
            if !self.say_empty(node, |fields| fields.field_of(field.name)) {
                self.say_no_value(field.name, Some(field.doc), node);
            }
        } else {
            let datum = if field.shape == Shape::Defaults {
                let given = Given { node, args: &[], place: node.key_span };
                Datum::Block(Box::new(self.record(Frame { given, table: &role::TABLE, hold: Hold::Part })))
            } else {
                Datum::Map(self.map(field.name, node))
            };
            record.add(field.name, Spanned::new(datum, node.span));
        }
    }

    fn block(&mut self, record: &mut Record, field: &'static Field, table: &'static Table, node: &Node) {
        let given = Given { node, args: &node.args, place: node.key_span };
        match node.args.as_slice() {
            [Scalar { value: Value::Bool(true), .. }] if table.bare == Bare::Means => {
                self.add_block(record, field, table, Given { args: &[], ..given });
            }
            [Scalar { value: Value::Bool(false), .. }] if table.bare == Bare::Means && is_bare(node) => {}
            [] if is_bare(node) && table.bare == Bare::Refused => {
                self.say_no_value(field.name, Some(field.doc), node);
            }
            [first, ..] if table.principal.is_none() => {
                self.scalar(&self.path_to(field.name), first, &field.shape);
            }
            several @ [_, _, ..] if field.presence.is_several() && !takes_many(table) && is_bare(node) => {
                for one in several {
                    self.add_block(record, field, table, Given { args: std::slice::from_ref(one), ..given });
                }
            }
            _ => self.add_block(record, field, table, given),
        }
    }

    fn add_block(&mut self, record: &mut Record, field: &Field, table: &'static Table, given: Given) {
        self.path.push(field.name);
        let read = self.record(Frame { given, table, hold: Hold::Block });
        self.path.pop();
        let is_new = field.presence != Presence::Distinct || self.is_new(record, field, table, &read);
        // An allowance whose reason cannot be read holds all the same: what it silences is no second fault.
        if is_new && (!read.is_incomplete() || field.name == ALLOW.name) {
            record.add(field.name, Spanned::new(Datum::Block(Box::new(read)), given.node.span));
        }
    }

    /// Whether no block of the field has the same principal part; the same one again is said.
    fn is_new(&mut self, record: &Record, field: &Field, table: &Table, read: &Record) -> bool {
        let principal = |block: &Record| block.peek(table.principal?).cloned();
        let Some(own) = principal(read) else { return true };
        let Some(first) = record.blocks(field.name).filter_map(principal).find(|other| *other == own) else {
            return true;
        };
        let message =
            format!("{} has one {} twice", self.by.words(), words::quoted(&self.path_to(field.name)));
        let finding =
            DUPLICATE_FIELD.at(own.span, "here again", message).also(first.span, "first written here");
        self.report(finding.help("remove one of them"));
        false
    }

    /// The arguments of a field, of which there is at least one.
    fn args(&mut self, record: &mut Record, (field, said): (&'static Field, &str), args: &[Scalar]) {
        let is_list = matches!(field.shape, Shape::Words(_) | Shape::Names(_));
        if let [_, second, ..] = args
            && !is_list
            && !field.presence.is_several()
        {
            let message = format!("{} has {} values", self.owned(said), args.len());
            let finding = WRONG_TYPE.at(second.span, "expected one value", message);
            return self.report(finding.help("keep one of them"));
        }
        let mut read: Vec<Spanned<Datum>> = Vec::with_capacity(args.len());
        for one in args {
            let datum = self.scalar(said, one, &field.shape);
            read.extend(datum.map(|datum| Spanned::new(datum, one.span)));
        }
        match read.first().map(|first| first.span) {
            Some(span) if is_list => record.add(field.name, Spanned::new(Datum::List(read), span)),
            _ => read.into_iter().for_each(|datum| record.add(field.name, datum)),
        }
    }

    pub(super) fn scalar(&mut self, field: &str, one: &Scalar, shape: &Shape) -> Option<Datum> {
        scalar::read(one, shape, &Asked { by: &self.by, field }, self.findings)
    }
}

/// The findings that this room can say.
impl Fields<'_> {
    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.by.report(finding, self.findings);
    }

    /// `draft.max`
    fn path_to<'f>(&self, field: &'f str) -> Cow<'f, str> {
        if self.path.is_empty() {
            return Cow::Borrowed(field);
        }
        let parts: Vec<&str> = self.path.iter().copied().chain([field]).collect();
        Cow::Owned(parts.join("."))
    }

    /// `draft.max` of role `frontdoor`
    pub(super) fn field_of(&self, field: &str) -> String {
        self.owned(&self.path_to(field))
    }

    pub(super) fn owned(&self, said: &str) -> String {
        format!("{} of {}", words::quoted(said), self.by.words())
    }

    fn say_missing(&mut self, field: &Field, frame: Frame) {
        let message = format!("{} has no `{}`", frame.owner(&self.by), field.name);
        let finding = MISSING_FIELD.at(frame.given.place, format!("`{}` is missing", field.name), message);
        self.report(finding.help(format!("add `{}`: {}", field.name, lower_first(field.doc))));
    }

    pub(super) fn say_twice(&mut self, key: &str, (span, first): (Span, Span), owner: &str) {
        let message = format!("{owner} has {} twice", words::quoted(key));
        let finding = DUPLICATE_FIELD.at(span, "here again", message).also(first, "first written here");
        self.report(finding.help("remove one of them"));
    }

    /// Whether a block was written with nothing in it, which is said.
    fn say_empty(&mut self, node: &Node, owner: impl Fn(&Self) -> String) -> bool {
        let Some(block) = node.block else { return false };
        let is_empty = match self.language {
            _ if self.is_torn => false,
            Language::Kdl => !node.fields.iter().any(|field| is_inside(field, block)),
            Language::Yaml => node.fields.is_empty(),
        };
        if is_empty {
            let message = format!("the block of {} is empty", owner(self));
            let finding = EMPTY_BLOCK.at(block, "nothing in it", message);
            self.report(finding.help("write its fields, or leave it out"));
        }
        is_empty
    }

    pub(super) fn say_block(&mut self, field: &str, node: &Node) {
        let message = format!("{} is a block, not one value", self.field_of(field));
        let span = node.block.unwrap_or(node.span);
        let finding = WRONG_TYPE.at(span, "expected one value", message);
        self.report(finding.help("write the value alone"));
    }

    pub(super) fn say_no_value(&mut self, field: &str, doc: Option<&str>, node: &Node) {
        let message = format!("{} has no value", self.field_of(field));
        let finding = WRONG_TYPE.at(node.key_span, "a value is missing", message);
        self.report(finding.help(match doc {
            Some(doc) => format!("write one: {}", lower_first(doc)),
            None => "write one, as text between quotes".to_owned(),
        }));
    }
}

impl Frame<'_, '_> {
    fn field(self, key: &str) -> Option<&'static Field> {
        self.table.field(key).or_else(|| self.extra().filter(|field| field.name == key))
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        self.table.fields.iter().chain(self.extra()).map(|field| field.name)
    }

    fn extra(self) -> Option<&'static Field> {
        match self.hold {
            Hold::Item => Some(&ALLOW),
            Hold::Part => Some(&role::DEFAULT_STORE),
            Hold::Block => None,
        }
    }

    /// role `frontdoor`, or `draft` of it.
    fn owner(self, by: &By) -> String {
        match self.hold {
            Hold::Item => by.words(),
            Hold::Block | Hold::Part => format!("{} of {}", words::quoted(&self.given.node.key), by.words()),
        }
    }
}

/// A field that was given null and nothing else was not given.
pub(super) fn is_null(args: &[Scalar]) -> bool {
    matches!(args, [Scalar { value: Value::Null, .. }])
}

/// Whether a node has nothing but its arguments.
pub(super) fn is_bare(node: &Node) -> bool {
    node.fields.is_empty() && node.block.is_none()
}

fn is_inside(field: &Node, block: Span) -> bool {
    field.span.start >= block.start && field.span.end <= block.end
}

fn takes_many(table: &Table) -> bool {
    let principal = table.principal.and_then(|name| table.field(name));
    principal.is_some_and(|field| matches!(field.shape, Shape::Words(_) | Shape::Names(_)))
}

fn lower_first(doc: &str) -> String {
    let mut letters = doc.chars();
    let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str().trim_end_matches('.'))
}
