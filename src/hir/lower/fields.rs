//! Reads the fields of a node by a table. Reports fields that are unknown, missing, duplicate or of the wrong type.

use super::names::ItemRef;
use super::record::Record;
use super::scalar::{self, FieldRef};
use super::typed_value::TypedValue;
use crate::diag::{Diagnostics, suggest, words};
use crate::hir::codes::UNKNOWN_FIELD;
use crate::hir::shape::{ALLOW, Bare};
use crate::hir::{Field, Presence, Shape, Table, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Language, Node, Scalar, Value};
use std::borrow::Cow;

/// Reads the fields of one item, and of the blocks in it.
pub(super) struct FieldReader<'a> {
    pub(super) owner: ItemRef<'a>,
    pub(super) language: Language,
    pub(super) findings: &'a mut Diagnostics,
    /// The enclosing blocks, outermost first.
    pub(super) path: Vec<&'static str>,
    /// True if a syntax error affects the item, so that fields may only seem to be missing.
    pub(super) is_damaged: bool,
}

/// The node of an item or a block.
#[derive(Clone, Copy)]
pub(super) struct NodeInput<'n, 'd> {
    /// The node. Read `args` instead of the arguments of the node.
    pub(super) node: &'n Node<'d>,
    /// The arguments, without the name of an item.
    pub(super) args: &'n [Scalar<'d>],
    /// Where to report a missing field.
    pub(super) place: Span,
}

/// Which fields a table allows and requires.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TableMode {
    /// An item: also allows the field `allow`.
    Item,
    /// A block of an item.
    Block,
    /// The `defaults` of the stack: also allows `store`. A role requires no field.
    Defaults,
}

/// A node to read, with its table.
#[derive(Clone, Copy)]
struct ReadTask<'n, 'd> {
    input: NodeInput<'n, 'd>,
    table: &'static Table,
    mode: TableMode,
}

/// A record under construction, and all fields that are present, readable or not.
#[derive(Default)]
struct RecordBuilder {
    record: Record,
    seen: Vec<SeenField>,
}

/// A field that is present. `is_child` is true if it is written inside the braces of a KDL node.
struct SeenField {
    field: &'static Field,
    span: Span,
    is_child: bool,
}

impl FieldReader<'_> {
    /// Reads an item.
    pub(super) fn read_item(&mut self, input: NodeInput, table: &'static Table) -> Record {
        self.read_record(ReadTask { input, table, mode: TableMode::Item })
    }

    fn read_record(&mut self, task: ReadTask) -> Record {
        let ReadTask { input, table, .. } = task;
        let mut builder = RecordBuilder::default();
        if let (Some(principal), Some(first)) = (table.principal_field(), input.args.first())
            && !is_null(input.args)
        {
            builder.seen.push(SeenField { field: principal, span: first.span, is_child: false });
            // Name a bare argument by its block (`draft`), not by the principal field (`draft.model`).
            let path = if self.path.is_empty() {
                Cow::Borrowed(principal.name)
            } else {
                Cow::Owned(self.path.join("."))
            };
            self.read_args(&mut builder.record, (principal, &path), input.args);
        }
        for node in &input.node.fields {
            match task.field(&node.key) {
                Some(field) => self.read_known(&mut builder, field, node, task),
                None => self.report_unknown(&mut builder.record, node, task),
            }
        }
        let RecordBuilder { mut record, seen } = builder;
        let required = || table.fields.iter().filter(|field| field.presence == Presence::Required);
        let missing = required().filter(|field| !seen.iter().any(|seen| seen.field.name == field.name));
        let is_empty = self.report_if_empty(input.node, missing, |fields| task.describe(&fields.owner));
        if is_empty && input.node.fields.is_empty() && input.args.is_empty() {
            return Record::unread();
        }
        for SeenField { field, .. } in seen {
            if record.place(field.name).is_none() {
                record.mark_reported(field.name);
            }
        }
        if self.is_damaged {
            record.mark_damaged();
            return record;
        }
        for field in required() {
            if record.place(field.name).is_none() {
                record.mark_incomplete();
                if !record.is_reported(field.name) && !is_empty {
                    self.report_missing(field, &task.describe(&self.owner), task.input.place);
                }
            }
        }
        record.shrink();
        record
    }

    fn read_known(
        &mut self,
        builder: &mut RecordBuilder,
        field: &'static Field,
        node: &Node,
        task: ReadTask,
    ) {
        if is_null(&node.args) && is_bare(node) {
            return;
        }
        let is_child = task.input.node.block.is_some_and(|block| is_inside(node, block));
        let may_repeat = |first: &SeenField| match (field.presence, self.language) {
            (Presence::Required | Presence::Optional, _) => false,
            // Children may repeat. A property may not, and it excludes children of its name.
            (Presence::Repeated | Presence::Distinct, Language::Kdl) => first.is_child && is_child,
            // The members of one list have the same key span.
            (Presence::Repeated | Presence::Distinct, Language::Yaml) => first.span == node.key_span,
        };
        let first = builder.seen.iter().find(|seen| seen.field.name == field.name);
        if let Some(first) = first.filter(|first| !may_repeat(first)) {
            let first = first.span;
            return self.report_duplicate(
                &words::quoted(&node.key),
                (node.key_span, first),
                &task.describe(&self.owner),
            );
        }
        builder.seen.push(SeenField { field, span: node.key_span, is_child });
        self.read_value(&mut builder.record, field, node);
    }

    /// Reports an unknown field. The suggested field does not count as missing.
    fn report_unknown(&mut self, record: &mut Record, node: &Node, task: ReadTask) {
        let suggestion = suggest(&node.key, task.names());
        let near = suggestion.map(|suggestion| suggestion.name);
        if let Some(near) = near {
            record.mark_reported(near);
        }
        let label = near.map_or_else(|| "unknown field".to_owned(), |near| format!("did you mean `{near}`?"));
        let known: Vec<String> = task.names().map(|name| format!("`{name}`")).collect();
        let help = match near {
            Some(near) => format!("write `{near}`"),
            None => format!("the fields here are {}", words::all_of(&known)),
        };
        let owner = task.describe(&self.owner);
        let message = format!("{owner} has an unknown field {}", words::quoted(&node.key));
        let finding = UNKNOWN_FIELD.at(node.key_span, label, message).help(help);
        // If the suggested field is already present, the fix would duplicate it.
        let is_free = !task.input.node.fields.iter().any(|field| Some(&*field.key) == near);
        self.report(finding.suggest(suggestion.filter(|_| is_free), node.key_span));
    }

    fn read_value(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Shape::Block(table) = &field.shape {
            self.read_block(record, field, table, node);
        } else if field.shape == Shape::Map || field.shape == Shape::Defaults {
            self.read_fields_only(record, field, node);
        } else if field.shape == Shape::Flag && node.args.is_empty() && is_bare(node) {
            record.add(field.name, Spanned::new(TypedValue::Flag(true), node.span));
        } else if !node.fields.is_empty() {
            self.report_block(field.name, node);
        } else if !self.report_if_empty(node, [], |fields| fields.field_of(field.name)) {
            match node.args.as_slice() {
                [] => self.report_no_value(field.name, Some(field.doc), node),
                args => self.read_args(record, (field, &self.path_to(field.name)), args),
            }
        }
    }

    /// Reads a field that expects a block without arguments.
    fn read_fields_only(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Some(first) = node.args.first() {
            self.read_scalar(&self.path_to(field.name), first, &field.shape);
        } else if node.fields.is_empty() {
            if !self.report_if_empty(node, [], |fields| fields.field_of(field.name)) {
                self.report_no_value(field.name, Some(field.doc), node);
            }
        } else {
            let value = if field.shape == Shape::Defaults {
                let input = NodeInput { node, args: &[], place: node.key_span };
                TypedValue::Block(Box::new(self.read_record(ReadTask {
                    input,
                    table: &role::TABLE,
                    mode: TableMode::Defaults,
                })))
            } else {
                TypedValue::Map(self.read_map(field.name, node))
            };
            record.add(field.name, Spanned::new(value, node.span));
        }
    }

    fn read_block(&mut self, record: &mut Record, field: &'static Field, table: &'static Table, node: &Node) {
        let input = NodeInput { node, args: &node.args, place: node.key_span };
        match node.args.as_slice() {
            [Scalar { value: Value::Bool(true), .. }] if table.bare == Bare::Allowed => {
                self.add_block(record, field, table, NodeInput { args: &[], ..input });
            }
            [Scalar { value: Value::Bool(false), .. }] if table.bare == Bare::Allowed && is_bare(node) => {}
            [] if is_bare(node) && table.bare == Bare::Refused => {
                self.report_no_value(field.name, Some(field.doc), node);
            }
            [first, ..] if table.principal.is_none() => {
                self.read_scalar(&self.path_to(field.name), first, &field.shape);
            }
            several @ [_, _, ..] if field.presence.is_several() && !takes_many(table) && is_bare(node) => {
                for one in several {
                    self.add_block(
                        record,
                        field,
                        table,
                        NodeInput { args: std::slice::from_ref(one), ..input },
                    );
                }
            }
            _ => self.add_block(record, field, table, input),
        }
    }

    fn add_block(&mut self, record: &mut Record, field: &Field, table: &'static Table, input: NodeInput) {
        self.path.push(field.name);
        let read = self.read_record(ReadTask { input, table, mode: TableMode::Block });
        self.path.pop();
        let is_new = field.presence != Presence::Distinct || self.check_distinct(record, field, table, &read);
        // An `allow` without a readable reason still silences its code, so that one mistake gives one finding.
        if is_new && (!read.is_incomplete() || field.name == ALLOW.name) {
            record.add(field.name, Spanned::new(TypedValue::Block(Box::new(read)), input.node.span));
        }
    }

    /// True if no block of the field has the same principal field. Reports a duplicate.
    fn check_distinct(&mut self, record: &Record, field: &Field, table: &Table, read: &Record) -> bool {
        let principal = |block: &Record| block.peek(table.principal?).cloned();
        let Some(own) = principal(read) else { return true };
        let first = record.blocks(field.name).filter_map(principal).find(|other| *other == own);
        if let Some(first) = &first {
            let what = format!("the same {}", words::quoted(&self.path_to(field.name)));
            self.report_duplicate(&what, (own.span, first.span), &self.owner.describe());
        }
        first.is_none()
    }

    /// Reads the arguments of a field (at least one). `path` names the field in findings.
    fn read_args(&mut self, record: &mut Record, (field, path): (&'static Field, &str), args: &[Scalar]) {
        let is_list = matches!(field.shape, Shape::Words(_) | Shape::Names(_));
        if let [_, second, ..] = args
            && !is_list
            && !field.presence.is_several()
        {
            return self.report_several_values(&self.with_owner(path), args.len(), second.span);
        }
        let mut read: Vec<Spanned<TypedValue>> = Vec::with_capacity(args.len());
        for one in args {
            let value = self.read_scalar(path, one, &field.shape);
            read.extend(value.map(|value| Spanned::new(value, one.span)));
        }
        match read.first().map(|first| first.span) {
            Some(span) if is_list => record.add(field.name, Spanned::new(TypedValue::List(read), span)),
            _ => read.into_iter().for_each(|value| record.add(field.name, value)),
        }
    }

    pub(super) fn read_scalar(&mut self, path: &str, one: &Scalar, shape: &Shape) -> Option<TypedValue> {
        scalar::read(one, shape, &FieldRef { owner: &self.owner, path }, self.findings)
    }
}

impl ReadTask<'_, '_> {
    fn field(self, key: &str) -> Option<&'static Field> {
        self.table.field(key).or_else(|| self.extra().filter(|field| field.name == key))
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        self.table.fields.iter().chain(self.extra()).map(|field| field.name)
    }

    fn extra(self) -> Option<&'static Field> {
        match self.mode {
            TableMode::Item => Some(&ALLOW),
            TableMode::Defaults => Some(&role::DEFAULT_STORE),
            TableMode::Block => None,
        }
    }

    /// For example ``role `frontdoor` ``, or `` `draft` of role `frontdoor` ``.
    fn describe(self, owner: &ItemRef) -> String {
        match self.mode {
            TableMode::Item => owner.describe(),
            TableMode::Block | TableMode::Defaults => {
                format!("{} of {}", words::quoted(&self.input.node.key), owner.describe())
            }
        }
    }
}

/// True if the only argument is null. Such a field counts as missing.
pub(super) fn is_null(args: &[Scalar]) -> bool {
    matches!(args, [Scalar { value: Value::Null, .. }])
}

/// True if a node has no fields and no block.
pub(super) fn is_bare(node: &Node) -> bool {
    node.fields.is_empty() && node.block.is_none()
}

pub(super) fn is_inside(field: &Node, block: Span) -> bool {
    field.span.start >= block.start && field.span.end <= block.end
}

fn takes_many(table: &Table) -> bool {
    table.principal_field().is_some_and(|field| matches!(field.shape, Shape::Words(_) | Shape::Names(_)))
}
