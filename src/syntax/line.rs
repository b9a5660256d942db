//! Writes a line of a help as YAML or as KDL.

use super::Language;
use super::quote::{is_bare, quoted};
use crate::diag::{Line, Literal};
use std::collections::BTreeMap;

/// A value in a language.
pub fn literal(language: Language, value: &Literal) -> String {
    match (value, language) {
        (Literal::Text(text), Language::Yaml) if is_plain(text) => text.clone(),
        (Literal::Text(text), _) => quoted(language, text),
        (Literal::Number(digits), _) => digits.clone(),
        (Literal::Flag(flag), Language::Yaml) => flag.to_string(),
        (Literal::Flag(flag), Language::Kdl) => format!("#{flag}"),
        // A kind without any item: the sink replaces the others.
        (Literal::NameOf(kind), _) => quoted(language, kind),
    }
}

/// True for words with single spaces between them that are one string in YAML, such as `64 GB`.
fn is_plain(text: &str) -> bool {
    let mut words = text.split(' ');
    words.next().is_some_and(|first| {
        let has_more = text.contains(' ');
        is_bare(Language::Yaml, first) || has_more && is_number_like(first)
    }) && words.all(|word| is_bare(Language::Yaml, word) || is_number_like(word))
}

fn is_number_like(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}

/// A field on a separate line: KDL `context 4096`, YAML `context: 4096`.
pub fn line(language: Language, line: &Line) -> String {
    match language {
        Language::Kdl => kdl_node(line),
        Language::Yaml => format!("{}: {}", key(language, &line.name), yaml_value(line)),
    }
}

/// A field on a line of KDL with others, if it can be written so: `context=4096`.
pub(super) fn kdl_property(field: &Line) -> Option<String> {
    match (field.values.as_slice(), field.fields.is_empty()) {
        ([value], true) => {
            let name = key(Language::Kdl, &field.name);
            Some(format!("{name}={}", literal(Language::Kdl, value)))
        }
        _ => None,
    }
}

fn kdl_node(field: &Line) -> String {
    let mut out = key(Language::Kdl, &field.name);
    for value in &field.values {
        out.extend([" ", &literal(Language::Kdl, value)]);
    }
    let value = value_of(field);
    out.extend(value.into_iter().flat_map(|value| [" ".to_owned(), literal(Language::Kdl, value)]));
    let others = field.fields.iter().filter(|one| value.is_none() || one.name != VALUE);
    // KDL uses only the last of two properties with one name.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    field.fields.iter().for_each(|one| *counts.entry(&one.name).or_default() += 1);
    let is_repeated = |one: &Line| counts.get(one.name.as_str()).is_some_and(|count| *count > 1);
    let property = |one: &Line| kdl_property(one).filter(|_| !is_repeated(one));
    let (properties, children): (Vec<_>, Vec<_>) =
        others.map(|one| property(one).ok_or(one)).partition(Result::is_ok);
    for property in properties.into_iter().flatten() {
        out.extend([" ", &property]);
    }
    let children: Vec<String> = children.into_iter().filter_map(Result::err).map(kdl_node).collect();
    if children.is_empty() { out } else { format!("{out} {{ {} }}", children.join("; ")) }
}

/// The field of a block that is its second argument in KDL: `option "temp" 0.7`.
const VALUE: &str = "value";

/// The value of a block with a name, such as that of an option.
fn value_of(field: &Line) -> Option<&Literal> {
    let value = field.fields.iter().find(|one| one.name == VALUE && one.fields.is_empty())?;
    value.values.first().filter(|_| !field.principal.is_empty() && field.values.len() == 1)
}

/// The entry of a map that means the same as a block with a name: `temp 0.7` in `options`. A switch is `true`.
pub(super) fn map_entry(field: &Line) -> Option<Line> {
    let name = field.values.first()?.clone().into_text();
    Some(Line::of(name, value_of(field).cloned().unwrap_or(Literal::Flag(true))))
}

/// The value of a field in YAML.
pub(super) fn yaml_value(field: &Line) -> String {
    let values: Vec<String> = field.values.iter().map(|value| literal(Language::Yaml, value)).collect();
    let value = match values.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    if field.fields.is_empty() {
        return value;
    }
    let principal = (!values.is_empty()).then(|| format!("{}: {value}", field.principal));
    let fields = field.fields.iter().map(|one| line(Language::Yaml, one));
    format!("{{{}}}", principal.into_iter().chain(fields).collect::<Vec<_>>().join(", "))
}

/// An item at the top level.
pub(super) fn item(language: Language, plural: &str, item: &Line) -> String {
    match language {
        Language::Kdl => kdl_node(item),
        Language::Yaml if item.principal.is_empty() => format!("{plural}: {{{}}}", yaml_entry(item)),
        Language::Yaml => format!("{plural}: {}", yaml_value(item)),
    }
}

/// An item as an entry of the mapping of its kind: `box: {memory: 64 GB}`.
pub fn yaml_entry(item: &Line) -> String {
    let name = item.values.first().map(|name| literal(Language::Yaml, name)).unwrap_or_default();
    let fields: Vec<String> = item.fields.iter().map(|one| line(Language::Yaml, one)).collect();
    format!("{name}: {{{}}}", fields.join(", "))
}

fn key(language: Language, name: &str) -> String {
    if is_bare(language, name) { name.to_owned() } else { quoted(language, name) }
}
