//! The codes that concern a field: their page has an example with the finding and one without it, which differ in this field.

use crate::catalogue::codes;
use crate::diag::page::Example;
use crate::diag::{Code, Diagnostics};
use crate::hir::schema::FieldPath;
use crate::hir::{Field, ItemKind, Naming, Shape};
use crate::source::SourceMap;
use crate::syntax::{Language, Node, Scalar, Value, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The first number of a code that is not about the form of any field.
const FIRST_SPECIFIC: u16 = 213;

/// A kind and the name of an item.
type Item = (&'static str, String);

/// The values of the fields of an item, by the path of the field.
type Fields = BTreeMap<String, Vec<String>>;

/// The codes by the path of the field.
static CODES: LazyLock<BTreeMap<String, Vec<&'static Code>>> = LazyLock::new(|| {
    let mut found: BTreeMap<String, Vec<&'static Code>> = BTreeMap::new();
    for code in codes().into_iter().filter(|code| code.number >= FIRST_SPECIFIC) {
        for path in changed_fields(code) {
            found.entry(path).or_default().push(code);
        }
    }
    found
});

/// The codes that concern a field, sorted by number. The map form of a repeated field has the codes of the single form.
pub(super) fn codes_of(path: &FieldPath) -> Vec<&'static Code> {
    let text = path.text();
    let single = match path.fields.split_last() {
        Some((Field { shape: Shape::Entries(single), .. }, around)) => {
            let around = FieldPath { kind: path.kind, fields: around.to_vec() }.text();
            Some(format!("{around}.{single}"))
        }
        _ => None,
    };
    let is_of = |known: &str| {
        known == text
            || single.as_ref().is_some_and(|single| {
                known
                    .strip_prefix(single.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    };
    let found = CODES.iter().filter(|(known, _)| is_of(known)).flat_map(|(_, codes)| codes.iter().copied());
    let by_number: BTreeMap<u16, &'static Code> = found.map(|code| (code.number, code)).collect();
    by_number.into_values().collect()
}

/// The fields in which the examples of a code differ.
fn changed_fields(code: &Code) -> BTreeSet<String> {
    let examples = |title| {
        let all = code.examples(title).into_iter();
        all.filter(|example| example.language != "lock").map(|example| items(&example)).collect::<Vec<_>>()
    };
    let (bad, good) = (examples("Example"), examples("Instead"));
    let mut changed = BTreeSet::new();
    for (at, bad) in bad.iter().enumerate() {
        let Some(good) = good.get(at).or(good.last()) else { continue };
        for (item, bad) in bad {
            for (bad, good) in good.get(item).map(|good| [(bad, good), (good, bad)]).into_iter().flatten() {
                changed.extend(differences(bad, good));
            }
        }
    }
    changed
}

/// The paths of `one` that have another value in `other`. A block that `other` does not have is one path.
fn differences(one: &Fields, other: &Fields) -> impl Iterator<Item = String> {
    one.iter().filter(|(path, values)| other.get(*path) != Some(values)).map(|(path, _)| {
        let is_absent = |block: &&str| {
            let inner = format!("{block}.");
            !other.keys().any(|path| path == block || path.starts_with(&inner))
        };
        // A kind is no field.
        let dots = path.match_indices('.').map(|(at, _)| at).skip(1);
        let blocks = dots.filter_map(|at| path.get(..at));
        blocks.chain([path.as_str()]).find(is_absent).unwrap_or(path).to_owned()
    })
}

/// The items of an example.
fn items(example: &Example) -> BTreeMap<Item, Fields> {
    let mut map = SourceMap::default();
    let file = map.add(format!("example.{}", example.language), example.text.as_str());
    let mut items = BTreeMap::new();
    let Some(source) = map.get(file) else { return items };
    let document = parse(file, source, &mut Diagnostics::default());
    for node in &document.nodes {
        let kind = match document.language {
            Language::Kdl => ItemKind::of_word(&node.key),
            Language::Yaml => ItemKind::of_plural(&node.key),
        };
        let Some(kind) = kind else { continue };
        let has_name = matches!(kind.naming, Naming::Word | Naming::Text);
        let nodes = match document.language {
            Language::Yaml if has_name => node.fields.iter().collect(),
            Language::Yaml | Language::Kdl => vec![node],
        };
        for item in nodes {
            let path = FieldPath::of(kind);
            let (name, args) = match document.language {
                Language::Yaml if has_name => (item.key.to_string(), item.args.as_slice()),
                Language::Kdl if kind.naming != Naming::None => match item.args.split_first() {
                    Some((name, args)) => (text(name), args),
                    None => continue,
                },
                Language::Yaml | Language::Kdl => (String::new(), item.args.as_slice()),
            };
            collect(&path, args, &item.fields, items.entry((kind.word, name)).or_default());
        }
    }
    items
}

/// Adds the values of a block: the arguments are its principal field and its value.
fn collect(path: &FieldPath, args: &[Scalar], fields: &[Node], found: &mut Fields) {
    let children = path.children();
    let child = |name: &str| Some(path.child(children.iter().find(|field| field.name == name)?));
    match path.table().map(|table| (table.principal, table.value)) {
        Some((Some(principal), value)) if !args.is_empty() && !path.fields.is_empty() => {
            let (first, rest) = args.split_at(if value.is_some() { 1 } else { args.len() });
            for (name, args) in [(Some(principal), first), (value, rest)] {
                if let Some(inner) = name.and_then(child).filter(|_| !args.is_empty()) {
                    collect(&inner, args, &[], found);
                }
            }
        }
        // A block with fields has no value.
        Some(_) if args.is_empty() && !fields.is_empty() => {}
        _ => found.entry(path.text()).or_default().extend(args.iter().map(value)),
    }
    for node in fields {
        match child(&node.key) {
            Some(inner) => collect(&inner, &node.args, &node.fields, found),
            // An entry of a map.
            None => found.entry(path.text()).or_default().extend(entry(node)),
        }
    }
}

fn entry(node: &Node) -> impl Iterator<Item = String> {
    std::iter::once(node.key.to_string()).chain(node.args.iter().map(value))
}

/// A value with its type: the text `4` is another value than the number.
fn value(scalar: &Scalar) -> String {
    let quote = if matches!(scalar.value, Value::String(_)) { "'" } else { "" };
    format!("{quote}{}{quote}", text(scalar))
}

fn text(scalar: &Scalar) -> String {
    match &scalar.value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::String(text) => text.to_string(),
    }
}
