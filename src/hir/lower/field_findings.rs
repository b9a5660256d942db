//! Findings about fields.

use super::fields::{FieldReader, is_inside};
use super::guess::quantity::guess;
use super::habits::literal_of;
use super::quantity_form::QuantityForm;
use super::record::{EmptyField, Record};
use crate::diag::{Change, Diagnostic, Edit, Fix, Line, Literal, Safety, words};
use crate::hir::codes::{DUPLICATE_FIELD, EMPTY_BLOCK, MISSING_FIELD, WRONG_TYPE};
use crate::hir::{Field, Shape, Table, role};
use crate::source::Span;
use crate::syntax::{Language, Node, Scalar, Value, write_literal};
use std::borrow::Cow;

impl FieldReader<'_> {
    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.owner.report(finding, self.findings);
    }

    /// The path of a field, for example `draft.max`.
    pub(super) fn path_to<'f>(&self, field: &'f str) -> Cow<'f, str> {
        if self.path.is_empty() {
            return Cow::Borrowed(field);
        }
        let parts: Vec<&str> = self.path.iter().copied().chain([field]).collect();
        Cow::Owned(parts.join("."))
    }

    /// The path of a field with its item, for example `` `draft.max` of role `frontdoor` ``.
    pub(super) fn field_of(&self, field: &str) -> String {
        self.with_owner(&self.path_to(field))
    }

    pub(super) fn with_owner(&self, path: &str) -> String {
        format!("{} of {}", words::quoted(path), self.owner.describe())
    }

    /// Reports a missing field of the item or block at `item`.
    pub(super) fn report_missing(
        &mut self,
        (field, empty): (&'static Field, Option<EmptyField>),
        owner: &str,
        (item, place): (Span, Span),
    ) {
        let what = lower_first(field.doc);
        let value = self.value_for(field);
        let line = value.map(|value| Line::of(field.name, value)).ok_or(field.name);
        // The line has the example.
        let what = what.split(", such as `").next().filter(|_| line.is_ok()).unwrap_or(&what);
        self.report(missing((line, empty), (owner, place), what, item));
    }

    /// A value for a missing field: the name of the item for its title, otherwise an example.
    fn value_for(&self, field: &Field) -> Option<Literal> {
        match (field.name, self.owner.name) {
            ("title", name) if !name.is_empty() && self.path.is_empty() => Some(Literal::from(name)),
            _ => example(field),
        }
    }

    pub(super) fn report_duplicate(&mut self, what: &str, (span, first): (Span, Span), owner: &str) {
        let message = format!("{owner} has {what} twice");
        let finding = DUPLICATE_FIELD.at(span, "repeated here", message).also(first, "first written here");
        self.report(finding.help("keep one of them").remedy("remove `{}`", Change::remove(span)));
    }

    /// True if the block of a node is empty. Reports it; the help names the missing required fields.
    pub(super) fn report_if_empty<'f>(
        &mut self,
        node: &Node,
        missing: impl IntoIterator<Item = &'f Field>,
        owner: impl Fn(&Self) -> String,
    ) -> bool {
        let Some(block) = node.block else { return false };
        let is_empty = match self.language {
            _ if self.is_damaged => false,
            Language::Kdl => !node.fields.iter().any(|field| is_inside(field, block)),
            Language::Yaml => node.fields.is_empty(),
        };
        if is_empty {
            let message = format!("the block of {} is empty", owner(self));
            let finding = EMPTY_BLOCK.at(block, "empty block", message);
            let missing: Vec<&Field> = missing.into_iter().collect();
            let names: Vec<String> = missing.iter().map(|field| format!("`{}`", field.name)).collect();
            let set =
                |field: &&Field| Some(Change::set(node.span, Line::of(field.name, self.value_for(field)?)));
            self.report(match missing.iter().map(set).collect::<Option<Vec<_>>>() {
                _ if missing.is_empty() => {
                    let remove = Change::Text { span: block, text: String::new() };
                    finding.help("add fields").remedy("or remove the empty block", remove)
                }
                Some(lines) => finding.remedy("add `{}`", Change::All(lines)),
                None => finding.help(format!("write {} into the block", words::all_of(&names))),
            });
        }
        is_empty
    }

    /// True if no block of the field has the same principal field. Reports a duplicate.
    pub(super) fn check_distinct(
        &mut self,
        record: &Record,
        field: &Field,
        table: &Table,
        read: &Record,
    ) -> bool {
        let principal = |block: &Record| block.peek(table.principal?).cloned();
        let Some(own) = principal(read) else { return true };
        let first = record.blocks(field.name).filter_map(principal).find(|other| *other == own);
        if let Some(first) = &first {
            let what = format!("the same {}", words::quoted(&self.path_to(field.name)));
            self.report_duplicate(&what, (own.span, first.span), &self.owner.describe());
        }
        first.is_none()
    }

    /// Reports several values where one is expected. The help has the one text that means all of them, if there is one.
    pub(super) fn report_several_values(&mut self, (row, path): (&'static Field, &str), args: &[Scalar]) {
        let field = self.with_owner(path);
        let Some([first, second]) = args.get(..2).filter(|_| !self.is_damaged) else { return };
        let finding = several_values(&field, args.len(), second.span);
        let texts = args.iter().map(|arg| literal_of(arg, self.text).map(Literal::into_text));
        let joined: Option<Vec<String>> = texts.collect();
        let shape = if row.shape == Shape::CpuSet {
            &Shape::Cpus
        } else if path == "port" {
            &Shape::Ports
        } else {
            &row.shape
        };
        let form = QuantityForm::of(shape).zip(joined).and_then(|(form, texts)| {
            let is_valid = |text: &str| (form.parse)(text).is_some();
            guess(&texts.join(";"), shape, is_valid).forms.into_iter().next()
        });
        let name = if row.shape == Shape::Port && form.is_some() { "ports" } else { row.name };
        let finding = match (form, literal_of(first, self.text)) {
            (Some(form), _) => self.write_one(finding, "write", (name, Literal::Text(form)), args),
            (None, Some(one)) => self.write_one(finding, "keep one value, such as", (name, one), args),
            (None, None) => finding.help("keep one value"),
        };
        self.report(finding);
    }

    /// Reports the types of both caches as values: `cache-type "q8_0" "f16"`.
    pub(super) fn report_cache_types(&mut self, node: &Node, types: [&Scalar; 2]) {
        let finding = several_values(&self.field_of(&node.key), 2, types[1].span);
        let lines = types.map(|one| literal_of(one, self.text)).into_iter().zip(["k", "v"]);
        let lines = lines.filter_map(|(value, part)| Some(Line::of(part, value?)));
        let change = Change::rewrite(node.key_span, Line::new(node.key.as_ref()).with_each(lines));
        self.report(finding.remedy("write `{}`: the types of keys and of values", change));
    }

    /// The help that writes one value instead of several.
    fn write_one(
        &self,
        finding: Diagnostic,
        verb: &str,
        (name, value): (&str, Literal),
        args: &[Scalar],
    ) -> Diagnostic {
        let code = write_literal(self.language, &value);
        let separator = if self.language == Language::Yaml { ":" } else { "" };
        let title = format!("{verb} {}", words::quoted(&format!("{name}{separator} {code}")));
        let finding = finding.help(title.clone());
        let (Some(first), Some(last)) = (args.first(), args.last()) else { return finding };
        let (start, end) = (first.span.range().start, last.span.range().end);
        let before = self.text.get(..start).unwrap_or_default().trim_end();
        let after = self.text.get(end..).unwrap_or_default();
        let gap = after.len() - after.trim_start().len();
        // The brackets of a list belong to its value. The edit cannot change the name of the field.
        let in_brackets = before.ends_with('[') && after.trim_start().starts_with(']');
        let is_possible = self.language == Language::Kdl || in_brackets;
        let key = before.trim_end_matches(['[', ' ', ':']);
        if !is_possible || !key.ends_with(name) {
            return finding;
        }
        let span = if in_brackets && self.language == Language::Yaml {
            Span::new(first.span.file, before.len() - 1, end + gap + 1)
        } else {
            first.span.to(last.span)
        };
        finding.fix(Fix { title, safety: Safety::Manual, edits: vec![Edit { span, text: code }] })
    }

    pub(super) fn report_block(&mut self, field: &str, node: &Node) {
        let message = format!("{} is a block, not one value", self.field_of(field));
        let span = node.block.unwrap_or(node.span);
        let finding = WRONG_TYPE.at(span, "expected one value", message);
        let parts = node
            .fields
            .iter()
            .flat_map(|one| if one.fields.is_empty() { vec![one] } else { one.fields.iter().collect() });
        if field == role::UNSET.name && self.path.is_empty() {
            let line = parts.fold(Line::new(field), |line, one| line.value(&*one.key));
            let change = Change::Rewrite { place: node.key_span, line };
            return self.report(finding.remedy("write `{}`", change));
        }
        let names_item = self.path.is_empty()
            && role::TABLE.field(field).is_some_and(|field| matches!(field.shape, Shape::Name(_)));
        let only = match node.fields.as_slice() {
            // `gateway: {front: {port: 8000}}`
            [inner] if names_item && !inner.fields.is_empty() => Some(Literal::from(&*inner.key)),
            [inner] => inner.args.first().and_then(|arg| literal_of(arg, self.text)),
            _ => None,
        };
        self.report(match only {
            Some(value) => {
                let change = Change::Rewrite { place: node.key_span, line: Line::of(field, value) };
                finding.remedy("write `{}`", change)
            }
            None => finding.help("replace the block with one value"),
        });
    }

    /// Reports a block as the value of an option: `chat-template-kwargs: {enable_thinking: false}`.
    pub(super) fn report_option_block(&mut self, node: &Node) {
        let Some(json) = json_of(&node.fields) else { return self.report_block(&node.key, node) };
        let message = format!("{} is a block, not one value", self.field_of(&node.key));
        let span = node.block.unwrap_or(node.span);
        let finding = WRONG_TYPE.at(span, "expected one value", message);
        let change = Change::Rewrite { place: node.key_span, line: Line::of(&*node.key, json) };
        self.report(finding.remedy("write `{}`, if its value is JSON", change));
    }

    pub(super) fn report_no_value(&mut self, field: &str, doc: Option<&str>, node: &Node) {
        if self.is_damaged {
            return;
        }
        let message = format!("{} has no value", self.field_of(field));
        let finding = WRONG_TYPE.at(node.key_span, "missing value", message);
        self.report(finding.help(match doc {
            Some(doc) => format!("add a value: {}", lower_first(doc)),
            None => "add a value, a string in quotes".to_owned(),
        }));
    }
}

/// The finding for a missing field of the item at `item`, or for a key without a value. `what` describes the value. If
/// no value is a good example, there is only the name of the field instead of a line.
pub(super) fn missing(
    (line, empty): (Result<Line, &str>, Option<EmptyField>),
    (owner, place): (&str, Span),
    what: &str,
    item: Span,
) -> Diagnostic {
    let field = line.as_ref().map_or_else(|field| *field, |line| &line.name);
    let message = format!("{owner} has no `{field}`");
    let Some(EmptyField { place, example, name }) = empty else {
        let finding = MISSING_FIELD.at(place, format!("`{field}` is missing"), message);
        return match line {
            Ok(line) => finding.remedy(format!("add `{{}}`: {what}"), Change::set(item, line)),
            Err(field) => finding.help(format!("add `{field}`: {what}")),
        };
    };
    let message = format!("`{field}` of {owner} has no value");
    let finding = MISSING_FIELD.at(place, "the value is missing: `~` and nothing mean null", message);
    match example {
        Some(example) => {
            let line = Line::of(name, example);
            finding.remedy(format!("write `{{}}`: {what}"), Change::Rewrite { place, line })
        }
        None => finding.help(format!("write {what}")),
    }
}

/// Fields with one value each as a JSON object. `None` for others.
fn json_of(fields: &[Node]) -> Option<String> {
    let entry = |field: &Node| {
        let ([value], []) = (field.args.as_slice(), field.fields.as_slice()) else { return None };
        let value = match &value.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Integer(number) => i64::try_from(*number).ok()?.into(),
            Value::Float(number) => (*number).into(),
            Value::String(text) => (&**text).into(),
        };
        Some((field.key.to_string(), value))
    };
    let object: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(entry).collect::<Option<_>>()?;
    (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
}

/// The finding for several values where one is expected.
pub(super) fn several_values(field: &str, count: usize, second: Span) -> Diagnostic {
    WRONG_TYPE.at(second, "expected one value", format!("{field} has {count} values"))
}

/// An example value of a field. `None` for paths and texts that only the user knows.
fn example(field: &Field) -> Option<Literal> {
    let in_doc = field.doc.split_once("such as `").and_then(|(_, rest)| rest.split_once('`'));
    let example = field.hints.example.or(in_doc.map(|(example, _)| example));
    let is_unknown = matches!(field.shape, Shape::Path | Shape::File | Shape::Rule | Shape::Block(_));
    let is_number = matches!(
        field.shape,
        Shape::Count(..) | Shape::CountOr(..) | Shape::Port | Shape::Fraction | Shape::Scale
    );
    if let Shape::Name(kind) = field.shape {
        Some(Literal::NameOf(kind))
    } else if let Shape::Word([first, ..]) = field.shape {
        Some(Literal::from(*first))
    } else if is_number {
        example.map(|example| Literal::Number(example.to_owned()))
    } else {
        example.filter(|_| !is_unknown).map(Literal::from)
    }
}

/// A description within a sentence.
pub(super) fn lower_first(doc: &str) -> String {
    let mut letters = doc.chars();
    let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str().trim_end_matches('.'))
}
