//! Maps of names to settings: `options` and `overrides`. Each entry is an item of `option` or `override`.

use super::fields::{FieldReader, is_bare};
use super::habits::literal_of;
use super::pair::pairs;
use super::record::Record;
use super::scalar::ValueForm;
use super::typed_value::TypedValue;
use crate::diag::{Change, Line, Literal, Safety, words};
use crate::hir::codes::WRONG_TYPE;
use crate::hir::{Field, Shape, Table, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Node, Scalar, Value};
use std::collections::BTreeMap;

impl FieldReader<'_> {
    /// Reads a map, and adds its entries to the field `target`.
    pub(super) fn read_entries(
        &mut self,
        record: &mut Record,
        (field, target): (&'static Field, &'static str),
        node: &Node,
    ) {
        let Some(row) = role::TABLE.field(target) else { return };
        let Shape::Block(table) = &row.shape else { return };
        if let Some(first) = node.args.first() {
            record.mark_reported(field.name);
            return self.report_listed_entries(field, node, first);
        }
        if node.fields.is_empty() {
            if !self.report_if_empty(node, [], |fields| fields.field_of(field.name)) {
                self.report_no_value(field.name, Some(field.doc), node);
            }
            return;
        }
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for entry in &node.fields {
            // The members of a list in YAML have the place of their key.
            match *seen.entry(&entry.key).or_insert(entry.key_span) {
                first if first == entry.key_span => {
                    self.read_setting_entry(record, (field, row, table), entry);
                }
                first => self.report_duplicate(
                    &words::quoted(&entry.key),
                    (entry.key_span, first),
                    &self.field_of(field.name),
                ),
            }
        }
    }

    fn read_setting_entry(
        &mut self,
        record: &mut Record,
        (field, row, table): (&'static Field, &'static Field, &'static Table),
        entry: &Node,
    ) {
        let (Some(principal), Some(value_row)) = (table.principal, table.value_field()) else { return };
        if !is_bare(entry) && row.name == "option" {
            return self.report_option_block(entry);
        }
        if !is_bare(entry) {
            return self.report_block(&entry.key, entry);
        }
        let path = format!("{}.{}", field.name, entry.key);
        let name = || Spanned::new(TypedValue::Text(entry.key.as_ref().into()), entry.key_span);
        let is_null = matches!(entry.args.as_slice(), [] | [Scalar { value: Value::Null, .. }]);
        if is_null && row.name == "override" {
            return self.report_no_value(&entry.key, None, entry);
        }
        let joined = entry.args.get(1).and_then(|_| self.joined_values_of(&entry.key, &entry.args));
        let values = joined.as_ref().map_or(entry.args.as_slice(), std::slice::from_ref);
        let values = if is_null { &[] } else { values };
        if values.is_empty() {
            let mut block = Record::default();
            block.add(principal, name());
            record.add(row.name, Spanned::new(TypedValue::Block(Box::new(block)), entry.span));
        }
        if let (Some(second), "override") = (values.get(1), row.name) {
            let finding = super::field_findings::several_values(&path, values.len(), second.span);
            return self.report(finding.help("keep one value"));
        }
        for one in values {
            let Some(value) = self.read_scalar((value_row, &path), one, ValueForm::Alone) else { continue };
            let mut block = Record::default();
            block.add(principal, name());
            block.add(value_row.name, Spanned::new(value, one.span));
            record.add(row.name, Spanned::new(TypedValue::Block(Box::new(block)), entry.span));
        }
    }

    /// The values of one option that takes several, such as `option "control-vector-layer-range" 1 20`, in one string.
    pub(super) fn joined_values<'d>(&self, name: &Scalar, values: &[Scalar<'d>]) -> Option<Scalar<'d>> {
        let Value::String(name) = &name.value else { return None };
        self.joined_values_of(name, values)
    }

    fn joined_values_of<'d>(&self, name: &str, values: &[Scalar<'d>]) -> Option<Scalar<'d>> {
        let [first, .., last] = values else { return None };
        if (self.engine.arity)(name) != values.len() {
            return None;
        }
        let texts: Option<Vec<String>> =
            values.iter().map(|value| literal_of(value, self.text).map(Literal::into_text)).collect();
        Some(Scalar { value: Value::String(texts?.join(" ").into()), span: first.span.to(last.span) })
    }

    /// Reports values where a map is expected: `options: --temp 0.7 --top-k 40`.
    fn report_listed_entries(&mut self, field: &'static Field, node: &Node, first: &Scalar) {
        let message =
            format!("{} is {}, not names with values", self.field_of(field.name), first.value.noun());
        let finding = WRONG_TYPE.at(first.span, "expected names with values", message);
        let words: Option<Vec<String>> =
            node.args.iter().map(|arg| literal_of(arg, self.text).map(Literal::into_text)).collect();
        let lines = words.and_then(|words| {
            let text = words.join(" ");
            let all = pairs(&text).unwrap_or_else(|| {
                text.split_whitespace()
                    .map(|name| (Literal::from(name.trim_start_matches('-')), None))
                    .collect()
            });
            let line = |(name, value): (Literal, Option<Literal>)| {
                Line::of(name.into_text(), value.unwrap_or(Literal::Flag(true)))
            };
            Some(all.into_iter().map(line).fold(Line::new(field.name), Line::with))
                .filter(|line| !line.fields.is_empty())
        });
        self.report(match lines {
            Some(line) => {
                let change = Change::Rewrite { place: node.key_span, line };
                finding.remedy_as(Safety::Safe, "write `{}`", change)
            }
            None => finding.help("write a name with a value for each, such as `temp` and `0.7`"),
        });
    }
}

/// True if the principal field of a block is a list.
pub(super) fn takes_many(table: &Table) -> bool {
    table.principal_field().is_some_and(|field| matches!(field.shape, Shape::Words(_) | Shape::Names(_)))
}
