//! Findings about lists: one text with several words, repeated values, words as keys, and a missing value.

use super::field_findings::lower_first;
use super::fields::FieldReader;
use super::typed_value::TypedValue;
use crate::diag::{Change, Line, Safety, suggest, words};
use crate::hir::codes::{DUPLICATE_FIELD, EMPTY_BLOCK, UNKNOWN_WORD, WRONG_TYPE};
use crate::hir::{Field, Presence, Shape};
use crate::source::{Span, Spanned};
use crate::syntax::{Node, Scalar, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A word that a field can have.
type Choice = &'static str;

impl FieldReader<'_> {
    /// Reports a text with several words, such as `systemd,docs`, and `all` for the default. True if it was reported.
    pub(super) fn report_joined_words(&mut self, field: &'static Field, node: &Node) -> bool {
        let Shape::Words(choices) = field.shape else { return false };
        let texts: Option<Vec<&str>> = node.args.iter().map(text).collect();
        let Some(texts) = texts.filter(|_| !self.is_damaged) else { return false };
        let unknown = texts.iter().zip(&node.args).find(|(text, _)| !choices.contains(text));
        let Some((found, Scalar { span, .. })) = unknown else { return false };
        let message = format!("{} cannot be {}", self.field_of(field.name), words::quoted(found));
        if let [word] = &*texts
            && word.eq_ignore_ascii_case("all")
            && let Some(default) = default_of(field).filter(|default| default.starts_with("all"))
        {
            let finding = UNKNOWN_WORD.at(*span, format!("the default is {default}"), message);
            let help = format!("remove `{{}}`: the default is {default}");
            self.report(finding.remedy(&help, Change::field(field.name, *span)));
            return true;
        }
        let parts = texts.iter().flat_map(|text| separated(text)).map(|part| nearest(part, choices));
        let is_joined = separated(found).nth(1).is_some();
        let Some(parts) = parts.collect::<Option<Vec<Choice>>>().filter(|_| is_joined) else { return false };
        let finding = UNKNOWN_WORD.at(*span, "several words in one value", message);
        self.report(finding.remedy("write `{}`", Change::rewrite(node.key_span, line(field, parts))));
        true
    }

    /// Reports each value that a list has more than once.
    pub(super) fn report_repeated(&mut self, path: &str, list: &[Spanned<TypedValue>]) {
        let mut known: BTreeMap<&str, Span> = BTreeMap::new();
        for one in list {
            let name = if let TypedValue::Text(text) = &one.value {
                &**text
            } else if let TypedValue::Word(word) = &one.value {
                word
            } else {
                continue;
            };
            let first = *known.entry(name).or_insert(one.span);
            if first != one.span {
                let message = format!("{} has {} twice", self.with_owner(path), words::quoted(name));
                let finding = DUPLICATE_FIELD.at(one.span, "repeated here", message);
                let change = Change::RemoveValue { place: one.span };
                let finding = finding.also(first, "first written here");
                self.report(finding.remedy_as(Safety::Safe, "remove one `{}`", change));
            }
        }
    }

    /// Reports a block instead of a value. Words as its keys are a list.
    pub(super) fn report_block_for_value(&mut self, field: &'static Field, node: &Node) {
        let Shape::Words(choices) = field.shape else { return self.report_block(field.name, node) };
        let message = format!("{} is a block, not a list of words", self.field_of(field.name));
        let finding = WRONG_TYPE.at(node.block.unwrap_or(node.span), "expected words", message);
        let is_meant =
            |one: &&Node| !matches!(one.args.as_slice(), [Scalar { value: Value::Bool(false), .. }]);
        let keys = node.fields.iter().filter(is_meant).map(|one| nearest(&one.key, choices));
        self.report(match keys.collect::<Option<Vec<Choice>>>().filter(|keys| !keys.is_empty()) {
            Some(keys) => finding.remedy("write `{}`", Change::rewrite(node.key_span, line(field, keys))),
            None => finding.help(format!("write one or several of {}", words::all_of(&quoted(choices)))),
        });
    }

    /// Reports a field without a value. True if it has none.
    pub(super) fn report_without_value(&mut self, field: &'static Field, node: &Node) -> bool {
        let text = |span: Span| self.text.get(span.range()).unwrap_or_default();
        if let Some(list) = node.block.filter(|block| !self.is_damaged && text(*block).starts_with('[')) {
            let message = format!("{} is an empty list", self.field_of(field.name));
            let finding = EMPTY_BLOCK.at(list, "empty list", message);
            let finding = finding.help(format!("add a value: {}", lower_first(&value_of(field))));
            self.report(if field.presence == Presence::Required {
                finding
            } else {
                finding.remedy("or remove `{}`", Change::remove(node.span))
            });
            return true;
        }
        if self.report_if_empty(node, [], |fields| fields.field_of(field.name)) {
            return true;
        }
        if node.args.is_empty() {
            self.report_no_value(field.name, Some(&value_of(field)), node);
        }
        node.args.is_empty()
    }
}

/// The default value of a field, as its documentation describes it.
fn default_of(field: &Field) -> Option<&'static str> {
    field.doc.rsplit_once("default: ")?.1.strip_suffix('.')
}

/// The values that a field can have, in words.
fn value_of(field: &Field) -> Cow<'static, str> {
    if let Shape::Words(choices) = field.shape {
        format!("one or several of {}", words::all_of(&quoted(choices))).into()
    } else {
        field.doc.into()
    }
}

fn text<'s>(scalar: &'s Scalar) -> Option<&'s str> {
    if let Value::String(text) = &scalar.value { Some(text) } else { None }
}

/// The words of a text.
fn separated(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || ",;|+".contains(c)).filter(|part| !part.is_empty())
}

/// The choice that a word is or resembles.
fn nearest(word: &str, choices: &'static [Choice]) -> Option<Choice> {
    let exact = choices.iter().find(|choice| **choice == word).copied();
    exact.or_else(|| suggest(word, choices.iter().copied()).map(|suggestion| suggestion.name))
}

/// The field with these values, each once.
fn line(field: &Field, values: Vec<Choice>) -> Line {
    let mut line = Line::new(field.name);
    for value in values {
        if !line.values.contains(&value.into()) {
            line = line.value(value);
        }
    }
    line
}

fn quoted(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| words::quoted(choice)).collect()
}
