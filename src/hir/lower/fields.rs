//! Fields of a node by a table: what is unknown, missing, twice or of the wrong type is said, and the rest is read.

use super::datum::Datum;
use super::names::By;
use super::record::Record;
use super::scalar::{self, Asked};
use crate::diag::{Diagnostics, nearest, words};
use crate::hir::codes::{DUPLICATE_FIELD, EMPTY_BLOCK, MISSING_FIELD, UNKNOWN_FIELD, WRONG_TYPE};
use crate::hir::shape::{ALLOW, Bare};
use crate::hir::{Field, Presence, Shape, Table, Text, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Language, Node, Scalar, Value};

/// Reads the fields of one item, and of the blocks in it.
pub(super) struct Fields<'a> {
    pub(super) by: By<'a>,
    pub(super) language: Language,
    pub(super) findings: &'a mut Diagnostics,
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

impl Fields<'_> {
    /// Reads an item whose name has been read; `place` is where a missing field is said.
    pub(super) fn item(&mut self, node: &Node, place: Span, table: &'static Table) -> Record {
        self.record(node, place, table, Hold::Item)
    }

    fn record(&mut self, node: &Node, place: Span, table: &'static Table, hold: Hold) -> Record {
        let mut record = Record::default();
        let mut seen: Vec<(&'static Field, Span)> = Vec::new();
        if let (Some(principal), Some(first)) =
            (table.principal.and_then(|name| table.field(name)), node.args.first())
        {
            seen.push((principal, first.span));
            self.args(&mut record, principal, node, &node.args);
        }
        for field in &node.fields {
            match find(table, hold, &field.key) {
                Some(known) => self.known(&mut record, &mut seen, known, field),
                None => {
                    nearest(&field.key, names(table, hold))
                        .into_iter()
                        .for_each(|meant| record.mark_spoken(meant));
                    self.say_unknown(field, table, hold);
                }
            }
        }
        let empty = self.say_empty(node);
        for (field, _) in seen {
            if record.place(field.name).is_none() {
                record.mark_spoken(field.name);
            }
        }
        for field in table.fields.iter().filter(|f| f.presence == Presence::Required && hold != Hold::Part) {
            if record.place(field.name).is_none() {
                record.mark_incomplete();
                if !record.is_spoken(field.name) && !empty {
                    self.say_missing(field, place, node);
                }
            }
        }
        record
    }

    fn known(
        &mut self,
        record: &mut Record,
        seen: &mut Vec<(&'static Field, Span)>,
        field: &'static Field,
        node: &Node,
    ) {
        if let [Scalar { value: Value::Null, .. }] = node.args.as_slice() {
            return;
        }
        let first = seen.iter().find(|(known, _)| *known == field).map(|(_, span)| *span);
        let again = match (field.presence, self.language) {
            (Presence::Repeated, Language::Kdl) => None,
            (Presence::Repeated, Language::Yaml) => first.filter(|span| *span != node.key_span),
            (Presence::Required | Presence::Optional, _) => first,
        };
        if let Some(first) = again {
            return self.say_twice(&node.key, node.key_span, first);
        }
        seen.push((field, node.key_span));
        self.value(record, field, node);
    }

    fn value(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        match &field.shape {
            Shape::Block(table) => self.block(record, field, table, node),
            Shape::Defaults => {
                let read = self.record(node, node.key_span, &role::TABLE, Hold::Part);
                record.add(field.name, Spanned::new(Datum::Block(read), node.span));
            }
            Shape::Map => self.map(record, field, node),
            Shape::Flag if node.args.is_empty() && node.block.is_none() && node.fields.is_empty() => {
                record.add(field.name, Spanned::new(Datum::Flag(true), node.span));
            }
            _ if node.fields.is_empty() && node.block.is_none() => self.args(record, field, node, &node.args),
            _ if node.fields.is_empty() => {
                self.say_empty(node);
            }
            _ => self.say_block(field, node),
        }
    }

    fn block(&mut self, record: &mut Record, field: &'static Field, table: &'static Table, node: &Node) {
        let alone = node.fields.is_empty() && node.block.is_none();
        match node.args.as_slice() {
            [Scalar { value: Value::Bool(present), .. }] if table.bare == Bare::Means => {
                if *present {
                    let read = self.record(
                        &Node { args: Vec::new(), ..node.clone() },
                        node.key_span,
                        table,
                        Hold::Block,
                    );
                    record.add(field.name, Spanned::new(Datum::Block(read), node.span));
                }
            }
            [] if alone && table.bare == Bare::Refused => self.say_no_value(field, node),
            [first, ..] if table.principal.is_none() => {
                let asked = Asked { by: &self.by, field: field.name };
                scalar::read(first, &field.shape, &asked, self.findings);
            }
            several @ [_, _, ..] if field.presence == Presence::Repeated && !takes_many(table) && alone => {
                for one in several {
                    let single = Node { args: vec![one.clone()], ..node.clone() };
                    self.add_block(record, field, table, &single);
                }
            }
            _ => self.add_block(record, field, table, node),
        }
    }

    fn add_block(&mut self, record: &mut Record, field: &'static Field, table: &'static Table, node: &Node) {
        let read = self.record(node, node.key_span, table, Hold::Block);
        if !read.is_incomplete() {
            record.add(field.name, Spanned::new(Datum::Block(read), node.span));
        }
    }

    fn args(&mut self, record: &mut Record, field: &'static Field, node: &Node, args: &[Scalar]) {
        let asked = Asked { by: &self.by, field: field.name };
        match (&field.shape, field.presence, args) {
            (_, _, []) => self.say_no_value(field, node),
            (Shape::Words(_) | Shape::Names(_), _, all) => {
                let mut list = Vec::with_capacity(all.len());
                for one in all {
                    let read = scalar::read(one, &field.shape, &asked, self.findings);
                    list.extend(read.map(|datum| Spanned::new(datum, one.span)));
                }
                let span = all.iter().fold(node.key_span, |_, last| last.span);
                if !list.is_empty() {
                    record.add(field.name, Spanned::new(Datum::List(list), span));
                }
            }
            (shape, Presence::Repeated, all) => {
                for one in all {
                    if let Some(datum) = scalar::read(one, shape, &asked, self.findings) {
                        record.add(field.name, Spanned::new(datum, one.span));
                    }
                }
            }
            (shape, _, [one]) => {
                if let Some(datum) = scalar::read(one, shape, &asked, self.findings) {
                    record.add(field.name, Spanned::new(datum, one.span));
                }
            }
            (_, _, [_, second, ..]) => {
                let message = format!("`{}` of {} has {} values", field.name, self.by.words(), args.len());
                self.findings.say(
                    WRONG_TYPE
                        .at(second.span, "expected one value", message)
                        .about(self.by.kind, self.by.name),
                );
            }
        }
    }

    fn map(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        if let Some(first) = node.args.first() {
            let asked = Asked { by: &self.by, field: field.name };
            scalar::read(first, &field.shape, &asked, self.findings);
            return;
        }
        if self.say_empty(node) {
            return;
        }
        let mut entries: Vec<(Text, Text)> = Vec::new();
        for entry in &node.fields {
            let first = entries.iter().find(|(name, _)| *name.value == *entry.key).map(|(name, _)| name.span);
            if let Some(first) = first {
                self.say_twice(&entry.key, entry.key_span, first);
                continue;
            }
            entries.extend(self.entry(entry));
        }
        record.add(field.name, Spanned::new(Datum::Map(entries), node.span));
    }

    fn entry(&mut self, entry: &Node) -> Option<(Text, Text)> {
        static VALUE: Field = Field::optional("env", Shape::Text, "");
        let mut read = Record::default();
        if let [Scalar { value: Value::Null, .. }] = entry.args.as_slice() {
            return None;
        }
        let sound = entry.key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !sound {
            let message =
                format!("{} sets an environment variable {}", self.by.words(), words::quoted(&entry.key));
            let label = "expected letters, digits and `_`, beginning with a letter";
            self.findings.say(
                crate::hir::codes::BAD_NAME
                    .at(entry.key_span, label, message)
                    .about(self.by.kind, self.by.name),
            );
            return None;
        }
        if let [Scalar { value: Value::String(text), span }] = entry.args.as_slice()
            && text.is_empty()
        {
            return Some((
                Spanned::new(entry.key.as_ref().into(), entry.key_span),
                Spanned::new("".into(), *span),
            ));
        }
        self.value(&mut read, &VALUE, entry);
        let value = read.text("env")?;
        Some((Spanned::new(entry.key.as_ref().into(), entry.key_span), value))
    }
}

/// The findings that this room can say.
impl Fields<'_> {
    fn say_unknown(&mut self, field: &Node, table: &'static Table, hold: Hold) {
        let near = nearest(&field.key, names(table, hold));
        let label = near.map_or_else(|| "not a field".to_owned(), |near| format!("did you mean `{near}`?"));
        let known: Vec<String> = names(table, hold).take(12).map(|name| format!("`{name}`")).collect();
        let help = near.is_none().then(|| format!("the fields here are {}", words::all_of(&known)));
        let message = format!("{} has an unknown field {}", self.by.words(), words::quoted(&field.key));
        self.findings.say(
            UNKNOWN_FIELD
                .at(field.key_span, label, message)
                .about(self.by.kind, self.by.name)
                .maybe_help(help),
        );
    }

    fn say_missing(&mut self, field: &Field, place: Span, node: &Node) {
        let block = (place == node.key_span && *node.key != *self.by.name && *node.key != *self.by.kind)
            .then(|| format!("`{}` of ", words::printable(&node.key)))
            .unwrap_or_default();
        let message = format!("{block}{} has no `{}`", self.by.words(), field.name);
        let finding = MISSING_FIELD.at(place, format!("`{}` is missing", field.name), message);
        self.findings.say(finding.about(self.by.kind, self.by.name).help(format!(
            "add `{}`: {}",
            field.name,
            lower_first(field.doc)
        )));
    }

    fn say_twice(&mut self, key: &str, span: Span, first: Span) {
        let message = format!("{} has {} twice", self.by.words(), words::quoted(key));
        let finding = DUPLICATE_FIELD.at(span, "here again", message).also(first, "first written here");
        self.findings.say(finding.about(self.by.kind, self.by.name).help("remove one of them"));
    }

    /// Whether a block was written with nothing in it, which is said.
    fn say_empty(&mut self, node: &Node) -> bool {
        let Some(block) = node.block else { return false };
        let inside = |field: &Node| field.span.start >= block.start && field.span.end <= block.end;
        let empty = match self.language {
            Language::Kdl => !node.fields.iter().any(inside),
            Language::Yaml => node.fields.is_empty(),
        };
        if empty {
            let message = format!("the block of `{}` is empty", words::printable(&node.key));
            let finding = EMPTY_BLOCK.at(block, "nothing in it", message).about(self.by.kind, self.by.name);
            self.findings.say(finding.help("write its fields, or leave it out"));
        }
        empty
    }

    fn say_block(&mut self, field: &Field, node: &Node) {
        let message = format!("`{}` of {} is a block, not one value", field.name, self.by.words());
        let span = node.block.unwrap_or(node.span);
        self.findings
            .say(WRONG_TYPE.at(span, "expected one value", message).about(self.by.kind, self.by.name));
    }

    fn say_no_value(&mut self, field: &Field, node: &Node) {
        let message = format!("`{}` of {} has no value", field.name, self.by.words());
        let finding =
            WRONG_TYPE.at(node.key_span, "a value is missing", message).about(self.by.kind, self.by.name);
        self.findings.say(finding.help(format!("write one: {}", lower_first(field.doc))));
    }
}

fn find(table: &'static Table, hold: Hold, key: &str) -> Option<&'static Field> {
    let extra = extra(hold).filter(|field| field.name == key);
    table.field(key).or(extra)
}

fn extra(hold: Hold) -> Option<&'static Field> {
    match hold {
        Hold::Item => Some(&ALLOW),
        Hold::Part => Some(&role::DEFAULT_STORE),
        Hold::Block => None,
    }
}

fn names(table: &'static Table, hold: Hold) -> impl Iterator<Item = &'static str> {
    table.fields.iter().chain(extra(hold)).map(|field| field.name)
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
