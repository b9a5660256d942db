//! Reads the fields of a node by a table. Reports fields that are unknown, missing, duplicate or of the wrong type.

use super::engine_word::EngineWords;
use super::entries::takes_many;
use super::habits::{is_boolean_word, is_map};
use super::names::ItemRef;
use super::pair::is_scaled;
use super::record::Record;
use super::scalar::{self, FieldRef, ValueForm};
use super::typed_value::TypedValue;
use crate::diag::{Diagnostics, words};
use crate::hir::shape::{ALLOW, Bare};
use crate::hir::{Field, Presence, Shape, Table, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Language, Node, Scalar, Value};
use std::borrow::Cow;

/// Reads the fields of one item, and of the blocks in it.
pub(super) struct FieldReader<'a> {
    pub(super) owner: ItemRef<'a>,
    pub(super) language: Language,
    /// The text of the file.
    pub(super) text: &'a str,
    /// The places of syntax errors in the file.
    pub(super) errors: &'a [Span],
    pub(super) engine: EngineWords,
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
pub(super) struct ReadTask<'n, 'd> {
    pub(super) input: NodeInput<'n, 'd>,
    pub(super) table: &'static Table,
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
        self.read_principal(&mut builder, task);
        let mut nodes = input.node.fields.iter().peekable();
        while let Some(node) = nodes.next() {
            match (task.field(&node.key), nodes.peek()) {
                (Some(field), Some(next)) if self.is_split(node, next) => {
                    self.report_split(&mut builder.record, field, (node, next));
                    nodes.next();
                }
                (Some(field), _) => self.read_known(&mut builder, field, node, task),
                (None, _) => self.report_unknown(&mut builder.record, node, task),
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
                    let places = (task.input.node.span, task.input.place);
                    let empty = record.empty_field(field.name);
                    self.report_missing((field, empty), &task.describe(&self.owner), places);
                }
            }
        }
        record.shrink();
        record
    }

    /// Reads the arguments of an item or a block: the principal field, and in KDL the `value` after it.
    fn read_principal(&mut self, builder: &mut RecordBuilder, ReadTask { input, table, .. }: ReadTask) {
        let (Some(principal), Some(first)) = (table.principal_field(), input.args.first()) else { return };
        if is_null(input.args) {
            return builder.record.mark_empty(self.empty_field(principal, first.span, first));
        }
        builder.seen.push(SeenField { field: principal, span: first.span, is_child: false });
        // Name a bare argument by its block (`draft`), not by the principal field (`draft.model`).
        let path = if self.path.is_empty() {
            Cow::Borrowed(principal.name)
        } else {
            Cow::Owned(self.path.join("."))
        };
        let (first, second) = self.split_values(table, input.args);
        self.read_args(&mut builder.record, (principal, &path), first, ValueForm::Alone);
        if let (Some(field), Some(value)) = (table.value_field(), second.first()) {
            builder.seen.push(SeenField { field, span: value.span, is_child: false });
            let path = self.path_to(field.name).into_owned();
            self.read_args(&mut builder.record, (field, &path), second, ValueForm::Alone);
        }
    }

    fn read_known(
        &mut self,
        builder: &mut RecordBuilder,
        field: &'static Field,
        node: &Node,
        task: ReadTask,
    ) {
        if let [first] = node.args.as_slice()
            && is_null(&node.args)
            && is_bare(node)
        {
            return builder.record.mark_empty(self.empty_field(field, node.key_span, first));
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

    fn read_value(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Shape::Block(table) = &field.shape {
            self.read_block(record, field, table, node);
        } else if field.shape == Shape::Map || field.shape == Shape::Defaults {
            self.read_fields_only(record, field, node);
        } else if let Shape::Entries(target) = field.shape {
            self.read_entries(record, (field, target), node);
        } else if field.shape == Shape::Flag && node.args.is_empty() && is_bare(node) {
            record.add(field.name, Spanned::new(TypedValue::Flag(true), node.span));
        } else if !node.fields.is_empty() {
            self.report_block_for_value(field, node);
        } else if !self.report_without_value(field, node) && !self.report_joined_words(field, node) {
            let form = if node.args.len() > 1 { ValueForm::Alone } else { ValueForm::Keyed };
            self.read_args(record, (field, &self.path_to(field.name)), &node.args, form);
        }
    }

    /// Reads a field that expects a block without arguments.
    fn read_fields_only(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Some(first) = node.args.first() {
            if !self.report_assignments(record, field, node) {
                self.read_scalar((field, &self.path_to(field.name)), first, ValueForm::Keyed);
            }
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
                self.report_not_a_block(record, (field, table), first);
            }
            [name, values @ ..]
                if values.len() > 1 && self.takes_values(table) && field.presence == Presence::Repeated =>
            {
                if let Some(value) = self.joined_values(name, values) {
                    let args = &[name.clone(), value];
                    return self.add_block(record, field, table, NodeInput { args, ..input });
                }
                for value in values {
                    let args = &[name.clone(), value.clone()];
                    self.add_block(record, field, table, NodeInput { args, ..input });
                }
            }
            several @ [_, _, ..]
                if field.presence.is_several()
                    && !takes_many(table)
                    && !self.takes_values(table)
                    && is_bare(node)
                    && !is_scaled(table, several) =>
            {
                for one in several {
                    let args = std::slice::from_ref(one);
                    self.add_block(record, field, table, NodeInput { args, ..input });
                }
            }
            [Scalar { value: Value::String(word), .. }]
                if table.bare == Bare::Allowed && is_bare(node) && is_boolean_word(word) =>
            {
                self.report_boolean_word(record, field, node);
            }
            [] if is_map(field, table, node) => self.report_map(record, (field, table), node),
            _ => self.add_block(record, field, table, input),
        }
    }

    fn add_block(&mut self, record: &mut Record, field: &Field, table: &'static Table, input: NodeInput) {
        if self.report_pair(field, table, input) || self.report_block_values(record, field, input) {
            return;
        }
        self.path.push(field.name);
        let read = self.read_record(ReadTask { input, table, mode: TableMode::Block });
        self.path.pop();
        let is_new = field.presence != Presence::Distinct || self.check_distinct(record, field, table, &read);
        // An `allow` without a readable reason still silences its code, so that one mistake gives one finding.
        if is_new && (!read.is_incomplete() || field.name == ALLOW.name) {
            record.add(field.name, Spanned::new(TypedValue::Block(Box::new(read)), input.node.span));
        }
    }

    /// Reads the arguments of a field (at least one). `path` names the field in findings.
    fn read_args(
        &mut self,
        record: &mut Record,
        (field, path): (&'static Field, &str),
        args: &[Scalar],
        form: ValueForm,
    ) {
        let is_list = matches!(field.shape, Shape::Words(_) | Shape::Names(_));
        if args.len() > 1 && !is_list && !field.presence.is_several() {
            return self.report_several_values((field, path), args);
        }
        let mut read: Vec<Spanned<TypedValue>> = Vec::with_capacity(args.len());
        for one in args {
            let value = self.read_scalar((field, path), one, form);
            read.extend(value.map(|value| Spanned::new(value, one.span)));
        }
        match read.first().map(|first| first.span) {
            Some(span) if is_list => {
                self.report_repeated(path, &read);
                record.add(field.name, Spanned::new(TypedValue::List(read), span));
            }
            _ => read.into_iter().for_each(|value| record.add(field.name, value)),
        }
    }

    /// Reads a value of a field.
    pub(super) fn read_scalar(
        &mut self,
        (row, path): (&'static Field, &str),
        one: &Scalar,
        form: ValueForm,
    ) -> Option<TypedValue> {
        let is_misread = self.errors.iter().any(|error| one.span.range().contains(&error.range().start));
        if is_misread || self.report_marks((row, path), one, form) {
            return None;
        }
        let field = FieldRef { owner: &self.owner, path, row: Some(row), form, text: self.text };
        scalar::read(one, &row.shape, &field, self.findings)
    }

    /// The value of the principal field, and the values after it that mean the `value` of the block.
    fn split_values<'s, 'd>(
        &self,
        table: &Table,
        args: &'s [Scalar<'d>],
    ) -> (&'s [Scalar<'d>], &'s [Scalar<'d>]) {
        let at = if self.takes_values(table) { 1 } else { args.len() };
        args.split_at_checked(at).unwrap_or((args, &[]))
    }

    /// True if a value after the name of a block is its `value`: `option "temp" 0.7`. In YAML it is another name.
    fn takes_values(&self, table: &Table) -> bool {
        self.language == Language::Kdl && table.value_field().is_some()
    }
}

impl ReadTask<'_, '_> {
    pub(super) fn field(self, key: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == key)
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        self.fields().map(|field| field.name)
    }

    fn fields(self) -> impl Iterator<Item = &'static Field> {
        let is_allowed =
            move |field: &&Field| self.mode != TableMode::Defaults || field.name != role::UNSET.name;
        self.table.fields.iter().chain(self.extra()).filter(is_allowed)
    }

    fn extra(self) -> Option<&'static Field> {
        match self.mode {
            TableMode::Item => Some(&ALLOW),
            TableMode::Defaults => Some(&role::DEFAULT_STORE),
            TableMode::Block => None,
        }
    }

    /// True for a role and for the `defaults` of roles.
    pub(super) fn is_role(self) -> bool {
        std::ptr::eq(self.table, &raw const role::TABLE)
    }

    /// For example ``role `frontdoor` ``, or `` `draft` of role `frontdoor` ``.
    pub(super) fn describe(self, owner: &ItemRef) -> String {
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
