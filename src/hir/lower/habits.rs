//! Fields that are written as in other languages: `port: 8080` in KDL, a decimal comma, names as keys of a block.

use super::count::write_flag;
use super::fields::{FieldReader, is_bare, is_null};
use super::gpu::has_form_of_device;
use super::guess::boolean;
use super::record::{EmptyField, Record};
use super::scalar::{self, FieldRef, ValueForm};
use crate::diag::{Change, Diagnostic, Edit, Fix, Line, Literal, Safety, words};
use crate::hir::codes::{UNKNOWN_FIELD, WRONG_TYPE};
use crate::hir::{Field, Shape, Table, role};
use crate::source::Span;
use crate::syntax::{Language, Node, Scalar, Value, write_literal};

/// True for `yes` and `no` in any spelling. A digit is a number.
pub(super) fn is_boolean_word(word: &str) -> bool {
    boolean(word).is_some() && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// True if a block has the names of its items as keys: `option: {temp: 0.7}`. The only item of a block has fields:
/// `draft: {small: {max: 8}}`.
pub(super) fn is_map(field: &Field, table: &Table, node: &Node) -> bool {
    let has_value = |field: &Node| !field.args.is_empty() || !field.fields.is_empty();
    let has_fields = |inner: &Node| {
        let is_known = |one: &Node| table.field(&one.key).is_some();
        inner.args.is_empty() && !inner.fields.is_empty() && inner.fields.iter().all(is_known)
    };
    (field.presence.is_several() || matches!(node.fields.as_slice(), [one] if has_fields(one)))
        && table.principal.is_some()
        && !node.fields.is_empty()
        && node.fields.iter().all(|inner| table.field(&inner.key).is_none() && has_value(inner))
}

/// A value as a line of a help writes it.
pub(super) fn literal_of(scalar: &Scalar, text: &str) -> Option<Literal> {
    match &scalar.value {
        Value::Null => None,
        Value::Bool(flag) => Some(Literal::Flag(*flag)),
        Value::Integer(_) | Value::Float(_) => {
            text.get(scalar.span.range()).map(|raw| Literal::Number(raw.to_owned()))
        }
        Value::String(text) => Some(Literal::Text(text.to_string())),
    }
}

impl FieldReader<'_> {
    /// The field of a key without a value. A `~` alone also means nothing.
    pub(super) fn empty_field(&self, row: &'static Field, key: Span, value: &Scalar) -> EmptyField {
        let place = if value.span.start == value.span.end { key } else { value.span };
        let form = ValueForm::Keyed;
        let field = FieldRef { owner: &self.owner, path: row.name, row: Some(row), form, text: self.text };
        let is_name = matches!(row.shape, Shape::Name(_) | Shape::Names(_) | Shape::Path | Shape::File);
        EmptyField { name: row.name, place, example: field.example().filter(|_| !is_name) }
    }

    /// Reports a word with a comma at its end in KDL, or in typographic quotes. True if there is one.
    pub(super) fn report_marks(
        &mut self,
        (row, path): (&'static Field, &str),
        one: &Scalar,
        form: ValueForm,
    ) -> bool {
        let Value::String(text) = &one.value else { return false };
        if self.text.get(one.span.range()) != Some(&**text) {
            return false;
        }
        let is_quote =
            |c: char| matches!(c, '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '\u{ab}' | '\u{bb}');
        let without_quotes = text.strip_prefix(is_quote).and_then(|text| text.strip_suffix(is_quote));
        let (kept, fault, label) = match (text.strip_suffix(','), without_quotes) {
            (Some(kept), _) if self.language == Language::Kdl => {
                (kept, "with a comma at the end", "KDL separates values with blanks")
            }
            (_, Some(kept)) if row.shape != Shape::Text => {
                (kept, "with quotes of a text processor", "expected `\"` as quotes")
            }
            _ => return false,
        };
        let field = FieldRef { owner: &self.owner, path, row: Some(row), form, text: self.text };
        let message = format!("{} is {}, {fault}", field.describe(), words::quoted(text));
        let kept = match kept.parse::<u64>() {
            Ok(number) => Literal::from(number),
            Err(_) => Literal::from(kept),
        };
        self.report(field.write(WRONG_TYPE.at(one.span, label, message), one.span, kept));
        true
    }

    /// A field whose value is after its name.
    fn keyed<'f>(&'f self, field: &'static Field, path: &'f str) -> FieldRef<'f> {
        FieldRef { owner: &self.owner, path, row: Some(field), form: ValueForm::Keyed, text: self.text }
    }

    /// Reports a word for a boolean where a block may be just its name: `lookup: yes`.
    pub(super) fn report_boolean_word(&mut self, record: &mut Record, field: &'static Field, node: &Node) {
        let Some(one) = node.args.first() else { return };
        record.mark_reported(field.name);
        let path = self.path_to(field.name).into_owned();
        let shown = self.keyed(field, &path);
        let message = format!("{} is {}, not a boolean", shown.describe(), words::quoted(&shown.raw(one)));
        let finding = WRONG_TYPE.at(one.span, "expected `true` or `false`", message);
        let finding = write_flag(finding, one, &shown);
        self.report(finding);
    }

    /// Reports `A=b` where a map is required. True if all values have this form.
    pub(super) fn report_assignments(
        &mut self,
        record: &mut Record,
        field: &'static Field,
        node: &Node,
    ) -> bool {
        let pair = |arg: &Scalar| match &arg.value {
            Value::String(text) => {
                text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
        };
        let Some(pairs) = node.args.iter().map(pair).collect::<Option<Vec<_>>>() else { return false };
        let (Some(first), true) = (node.args.first(), field.shape == Shape::Map) else { return false };
        record.mark_reported(field.name);
        let message = format!("{} has a string for a name and its value", self.field_of(field.name));
        let finding = WRONG_TYPE.at(first.span, "expected a name with a value", message);
        let line = pairs
            .into_iter()
            .fold(Line::new(field.name), |line, (name, value)| line.with(Line::of(name, value)));
        self.report(finding.remedy("write `{}`", Change::Rewrite { place: first.span, line }));
        true
    }

    /// Reports a value where a block is required, and suggests the field of the block that has such values.
    pub(super) fn report_not_a_block(
        &mut self,
        record: &mut Record,
        (field, table): (&'static Field, &'static Table),
        one: &Scalar,
    ) {
        record.mark_reported(field.name);
        let path = self.path_to(field.name).into_owned();
        let shown = self.keyed(field, &path);
        let noun = shown.noun(one);
        let message = format!("{} is {noun}, not a block of fields", shown.describe());
        let finding = WRONG_TYPE.at(one.span, format!("expected a block of fields, found {noun}"), message);
        let is_gpu = matches!(&one.value, Value::String(text) if text.split(',').all(has_form_of_device));
        let inner = table.field("gpu").filter(|_| is_gpu);
        let mut inners = table.fields.iter();
        let inner = inner.or_else(|| inners.find(|inner| scalar::matches(one, &inner.shape, &shown)));
        let finding = match inner.zip(literal_of(one, self.text)) {
            Some((inner, value)) if !matches!(inner.shape, Shape::Block(_)) => {
                let line = Line::new(field.name).with(Line::of(inner.name, value));
                finding.remedy("write `{}`", Change::Rewrite { place: one.span, line })
            }
            _ => {
                let names: Vec<String> =
                    table.fields.iter().map(|field| format!("`{}`", field.name)).collect();
                finding.help(format!("write a block with {}", words::any_of(&names)))
            }
        };
        self.report(finding);
    }

    /// Reports the names of items as keys of a block, and writes the items.
    pub(super) fn report_map(
        &mut self,
        record: &mut Record,
        (field, table): (&'static Field, &'static Table),
        node: &Node,
    ) {
        record.mark_reported(field.name);
        let (Some(principal), Some(first)) = (table.principal, node.fields.first()) else { return };
        let map = role::TABLE.fields.iter().find(|row| row.shape == Shape::Entries(field.name));
        if let Some(map) = map.filter(|_| self.path.is_empty() && node.fields.iter().all(is_bare)) {
            let message = format!("{} has names as keys", self.field_of(field.name));
            let title = format!("write `{}` instead of `{}`", map.name, field.name);
            let finding =
                UNKNOWN_FIELD.at(node.key_span, format!("a map of names is `{}`", map.name), message);
            return self.report(finding.help(title.clone()).fix(Fix::safe(title, node.key_span, map.name)));
        }
        let items: Vec<String> =
            node.fields.iter().map(|inner| self.item_of_entry(field, (table, principal), inner)).collect();
        let (code, place) = match self.language {
            Language::Kdl => (items.join("; "), node.span),
            Language::Yaml => {
                let value = node.block.unwrap_or(node.span);
                let items = items.join(", ");
                (if field.presence.is_several() { format!("[{items}]") } else { items }, value)
            }
        };
        let of_item = if field.presence.is_several() { " of an item" } else { "" };
        let message = format!(
            "{} has {} as a field; it is the `{principal}`{of_item}",
            self.field_of(field.name),
            words::quoted(&first.key)
        );
        let shown =
            if self.language == Language::Yaml { format!("{}: {code}", field.name) } else { code.clone() };
        let title = format!("write `{}`", words::printable(&shown));
        let mut edits = vec![Edit { span: place, text: code }];
        if node.key != field.name && self.language == Language::Yaml {
            edits.insert(0, Edit { span: node.key_span, text: field.name.to_owned() });
        }
        let finding = UNKNOWN_FIELD.at(first.key_span, format!("a {principal}, not a field"), message);
        self.report(finding.help(title.clone()).fix(Fix { title, safety: Safety::Manual, edits }));
    }

    /// An entry of a block with names as keys, as one item: `{name: temp, value: 0.7}` or `option "temp" 0.7`.
    fn item_of_entry(&self, field: &Field, (table, principal): (&Table, &str), entry: &Node) -> String {
        let language = self.language;
        let text = |value: Literal| write_literal(language, &value);
        let is_number = table.field(principal).is_some_and(|field| matches!(field.shape, Shape::Count(..)));
        let key = entry.key.to_string();
        let key = text(if is_number { Literal::Number(key) } else { Literal::Text(key) });
        let value = table.value_field().or_else(|| table.fields.iter().find(|one| one.name != principal));
        let own = entry.args.first().filter(|arg| arg.value != Value::Bool(true));
        let own = own.and_then(|arg| literal_of(arg, self.text)).zip(value);
        let inner = entry
            .fields
            .iter()
            .filter_map(|one| Some((&*one.key, literal_of(one.args.first()?, self.text)?)));
        let parts = own.into_iter().map(|(value, field)| (field.name, value)).chain(inner);
        match language {
            Language::Yaml => {
                let parts = parts.map(|(name, value)| format!(", {name}: {}", text(value)));
                format!("{{{principal}: {key}{}}}", parts.collect::<String>())
            }
            Language::Kdl => {
                let parts = parts.map(|(name, value)| format!(" {name}={}", text(value)));
                format!("{} {key}{}", field.name, parts.collect::<String>())
            }
        }
    }

    /// True if the next key is the rest of a value with a comma: in braces of YAML, `32,768` is a value and a key.
    pub(super) fn is_split(&self, node: &Node, next: &Node) -> bool {
        let [value] = node.args.as_slice() else { return false };
        let between = self.text.get(value.span.range().end..next.key_span.range().start);
        self.language == Language::Yaml
            && next.key.starts_with(|c: char| c.is_ascii_digit())
            && is_null(&next.args)
            && is_bare(next)
            && is_bare(node)
            && between.is_some_and(|between| between.trim_end() == ",")
    }

    /// Reports a value that a comma divides.
    pub(super) fn report_split(
        &mut self,
        record: &mut Record,
        row: &'static Field,
        (node, next): (&Node, &Node),
    ) {
        let Some(first) = node.args.first() else { return };
        record.mark_reported(row.name);
        let span = first.span.to(next.key_span);
        let whole = self.text.get(span.range()).unwrap_or_default();
        let one = Scalar { value: Value::String(whole.into()), span };
        let path = self.path_to(row.name).into_owned();
        let field = FieldRef {
            owner: &self.owner,
            path: &path,
            row: Some(row),
            form: ValueForm::Alone,
            text: self.text,
        };
        let principal = if let Shape::Block(table) = &row.shape { table.principal_field() } else { None };
        let finding = match scalar::check(&one, &principal.unwrap_or(row).shape, &field) {
            Some(finding) => finding,
            None => {
                let message = format!("{} is {} without quotes", field.describe(), words::quoted(whole));
                field.write(WRONG_TYPE.at(span, "", message), span, whole)
            }
        };
        let mut finding = Diagnostic {
            primary: crate::diag::Label { span, text: "in braces, a comma ends the value".to_owned() },
            ..finding
        };
        for fix in &mut finding.proposed_fixes {
            fix.title = fix.title.replace("`{}`", &format!("`{}: {{}}`", row.name));
        }
        self.report(finding);
    }
}
