//! Names with their values in one string: `--temp 0.7` or `qwen2.context_length=int:4096`.

use super::fields::{FieldReader, NodeInput, is_bare};
use super::habits::literal_of;
use crate::diag::{Change, Edit, Fix, Line, Literal, Safety, words};
use crate::hir::codes::WRONG_TYPE;
use crate::hir::{Field, Presence, Shape, Table};
use crate::syntax::{Language, Node, Scalar, Value, write_literal};

/// Where the string is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// After the key of the block.
    Block,
    /// A member of a list of blocks.
    Member,
    /// After the key of the name, inside the block.
    Name,
}

/// The names of a block: of its field, of its principal field, and of the field of its value.
#[derive(Clone, Copy)]
struct Names<'n> {
    field: &'n str,
    principal: &'n str,
    value: &'n str,
}

/// True for a file with a number as its scale.
pub(super) fn is_scaled(table: &Table, args: &[Scalar]) -> bool {
    let is_pair = |args: &[Scalar]| {
        matches!(args, [file, number] if matches!(file.value, Value::String(_))
            && matches!(number.value, Value::Integer(_) | Value::Float(_)))
    };
    is_pair(args) && table.field("scale").is_some_and(|row| row.shape == Shape::Scale)
}

impl FieldReader<'_> {
    /// Reports a block with a `value` whose name also has the value. True if it has.
    pub(super) fn report_pair(&mut self, field: &Field, table: &Table, input: NodeInput) -> bool {
        if let ("cache-type", [keys, values]) = (field.name, input.args) {
            self.report_cache_types(input.node, [keys, values]);
            return true;
        }
        if is_scaled(table, input.args) && is_bare(input.node) {
            self.report_scaled(field, table, input);
            return true;
        }
        let (Some(principal), Some(value)) = (table.principal, table.value) else { return false };
        let named = |name: &str| input.node.fields.iter().find(|field| field.key == name);
        let keyed = named(principal).and_then(|field| field.args.first());
        let (None, Some(one)) = (named(value), input.args.first().or(keyed)) else { return false };
        let Value::String(text) = &one.value else { return false };
        let Some(pairs) = pairs(text).filter(|_| input.args.len() < 2) else { return false };
        // The checks of options report a single option, because they know its name and its field.
        if pairs.len() == 1 && field.presence == Presence::Repeated {
            return false;
        }
        let place = match input.args.is_empty() {
            true => Place::Name,
            false if self.language == Language::Yaml && !self.follows_key(input.node, one) => Place::Member,
            false => Place::Block,
        };
        let names = Names { field: field.name, principal, value };
        let Some((code, shown)) = self.written_pairs(&pairs, names, place) else { return false };
        let title = format!("write {}", words::quoted(&shown));
        let found = words::quoted(text);
        let message = format!("{} is {found}, a name with a value in one string", self.field_of(field.name));
        let finding = WRONG_TYPE.at(one.span, "expected only a name", message).help(title.clone());
        let edits = vec![Edit { span: one.span, text: code }];
        self.report(finding.fix(Fix { title, safety: Safety::Manual, edits }));
        true
    }

    /// Reports a file with its scale as a second value.
    fn report_scaled(&mut self, field: &Field, table: &Table, input: NodeInput) {
        let (Some(principal), [file, number]) = (table.principal, input.args) else { return };
        let message = format!("{} has a number without the name of its field", self.field_of(field.name));
        let finding = WRONG_TYPE.at(number.span, "expected `scale` before the number", message);
        let values = literal_of(file, self.text).zip(literal_of(number, self.text));
        let line = values.map(|(file, number)| {
            Line::of(field.name, file).principal(principal).with(Line::of("scale", number))
        });
        self.report(match line {
            Some(line) => finding.remedy("write `{}`", Change::rewrite(input.node.key_span, line)),
            None => finding,
        });
    }

    /// The text that replaces the string, and the text of the help. `None` if several names are in one block.
    fn written_pairs(&self, pairs: &[Pair], names: Names, place: Place) -> Option<(String, String)> {
        let Names { field, principal, value } = names;
        let write = |literal: &Literal| write_literal(self.language, literal);
        let block = |(name, literal): &Pair| {
            let value = literal.as_ref().map(|literal| format!(", {value}: {}", write(literal)));
            format!("{{{principal}: {}{}}}", write(name), value.unwrap_or_default())
        };
        let arguments = |(name, literal): &Pair| {
            let value = literal.as_ref().map(|literal| format!(" {}", write(literal)));
            format!("{}{}", write(name), value.unwrap_or_default())
        };
        Some(match (self.language, place, pairs) {
            (Language::Yaml, Place::Name, [(name, Some(literal))]) => {
                let code = format!("{}, {value}: {}", write(name), write(literal));
                (code.clone(), format!("{principal}: {code}"))
            }
            (Language::Kdl, Place::Name, [(name, Some(literal))]) => {
                let code = format!("{} {value}={}", write(name), write(literal));
                (code.clone(), format!("{principal}={code}"))
            }
            (_, Place::Name, _) => return None,
            (Language::Kdl, _, several) => {
                let all: Vec<String> = several.iter().map(arguments).collect();
                let code = all.join(&format!("; {field} "));
                (code.clone(), format!("{field} {code}"))
            }
            (Language::Yaml, Place::Block, [one]) => (block(one), format!("{field}: {}", block(one))),
            (Language::Yaml, Place::Block, several) => {
                let code = format!("[{}]", several.iter().map(block).collect::<Vec<_>>().join(", "));
                (code.clone(), format!("{field}: {code}"))
            }
            (Language::Yaml, Place::Member, several) => {
                let code = several.iter().map(block).collect::<Vec<_>>().join(", ");
                (code.clone(), code)
            }
        })
    }

    /// True if a value directly follows its key, and is not a member of a list.
    fn follows_key(&self, node: &Node, value: &Scalar) -> bool {
        let between = self.text.get(node.key_span.range().end..value.span.range().start);
        between.is_some_and(|between| between.trim() == ":")
    }
}

/// A name, and its value if it has one.
pub(super) type Pair = (Literal, Option<Literal>);

/// The names and values of a command line or an assignment. `None` if there is no value.
pub(super) fn pairs(text: &str) -> Option<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::new();
    let has_name = |word: &str| !word.trim_start_matches('-').is_empty();
    let is_name = |word: &str| word.starts_with('-') && has_name(word) && word.parse::<f64>().is_err();
    for word in text.split_whitespace() {
        let word_value = |word: &str| typed(word.trim_matches(['"', '\'']));
        let begins = pairs.is_empty() || is_name(word);
        match (pairs.last_mut(), word.split_once('=')) {
            (_, Some((name, value))) if begins => {
                let name = Literal::from(name.trim_start_matches('-'));
                pairs.push((name, (!value.is_empty()).then(|| word_value(value))));
            }
            _ if begins => pairs.push((Literal::from(word.trim_start_matches('-')), None)),
            (Some((_, value @ None)), _) => *value = Some(word_value(word)),
            (Some((_, Some(_))) | None, _) => return None,
        }
    }
    (pairs.len() > 1 || pairs.iter().any(|(_, value)| value.is_some())).then_some(pairs)
}

/// A value with or without the type that llama.cpp writes before it: `int:4`, `0.7`, `on`.
fn typed(text: &str) -> Literal {
    match text.split_once(':') {
        Some(("int" | "float", number)) => Literal::Number(number.to_owned()),
        Some(("bool", flag)) => Literal::Flag(flag == "true"),
        Some(("str", text)) => Literal::from(text),
        _ if text.parse::<f64>().is_ok() && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            Literal::Number(text.to_owned())
        }
        _ => Literal::from(text),
    }
}
