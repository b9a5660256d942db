//! Translates a registry from KDL to YAML or back. Mistakes in fields and values are kept.

use orchgen::diag::Diagnostics;
use orchgen::hir::{KINDS, Presence, Shape, Table};
use orchgen::source::{FileId, SourceMap};
use orchgen::syntax::{Document, Language, Node, Scalar, Value, parse};
use std::fmt::Write as _;

/// An item of a document: its kind in the singular, its name, and its node.
pub(super) struct Item<'n, 'd> {
    kind: String,
    pub(super) name: Option<String>,
    node: &'n Node<'d>,
    /// The index of the first argument that is not the name.
    first_arg: usize,
}

/// Parses a document. The flag is true if there are no findings.
fn document(map: &SourceMap) -> (Document<'_>, bool) {
    let mut findings = Diagnostics::default();
    let document = parse(FileId(0), map.get(FileId(0)).unwrap(), &mut findings);
    (document, findings.is_empty())
}

/// The names of the items that a text declares.
pub(super) fn declared_names(language: &str, text: &str) -> Vec<String> {
    let mut map = SourceMap::default();
    map.add(format!("a.{language}"), text);
    let (document, _) = document(&map);
    items(&document).into_iter().filter_map(|item| item.name).collect()
}

/// The text in the other language, one item per line. None if the parser has findings, because these have no equivalent.
pub(crate) fn translate(language: &str, text: &str) -> Option<String> {
    let mut map = SourceMap::default();
    map.add(format!("a.{language}"), text);
    let (document, is_correct) = document(&map);
    let items = items(&document);
    is_correct.then(|| match document.language {
        Language::Kdl => to_yaml(&items),
        Language::Yaml => to_kdl(&items),
    })
}

fn items<'n, 'd>(document: &'n Document<'d>) -> Vec<Item<'n, 'd>> {
    let mut found = Vec::new();
    for node in &document.nodes {
        if document.language == Language::Kdl {
            let name = match node.args.first() {
                Some(Scalar { value: Value::String(name), .. }) => Some(name.to_string()),
                _ => None,
            };
            found.push(Item {
                kind: node.key.to_string(),
                first_arg: usize::from(name.is_some()),
                name,
                node,
            });
            continue;
        }
        let kind = KINDS.iter().find(|kind| kind.plural == node.key);
        let word =
            kind.map_or_else(|| node.key.trim_end_matches('s').to_owned(), |kind| kind.word.to_owned());
        if matches!(word.as_str(), "pair" | "ban" | "stack") {
            found.push(Item { kind: word, name: None, node, first_arg: 0 });
        } else {
            let named = |item: &'n Node<'d>| Item {
                kind: word.clone(),
                name: Some(item.key.to_string()),
                node: item,
                first_arg: 0,
            };
            found.extend(node.fields.iter().map(named));
        }
    }
    found
}

fn table(kind: &str) -> Option<&'static Table> {
    KINDS.iter().find(|known| known.word == kind).map(|known| known.table)
}

/// The fields of `allow`, which every item may have.
static ALLOW: Table = Table::with_principal("code", &[]);

/// The table of a block field.
fn block_table(table: Option<&'static Table>, key: &str) -> Option<&'static Table> {
    if key == "allow" {
        return Some(&ALLOW);
    }
    let Shape::Block(block) = table?.field(key)?.shape else { return None };
    Some(block)
}

fn scalar(scalar: &Scalar, language: Language) -> String {
    let mark = if language == Language::Kdl { "#" } else { "" };
    match &scalar.value {
        Value::Null => format!("{mark}null"),
        Value::Bool(flag) => format!("{mark}{flag}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::String(text) => format!("{:?}", &**text),
    }
}

fn to_yaml(items: &[Item]) -> String {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for item in items {
        let known = KINDS.iter().find(|kind| kind.word == item.kind);
        let plural = known.map_or_else(|| format!("{}s", item.kind), |kind| kind.plural.to_owned());
        let map = yaml_map(item.node, &item.node.args[item.first_arg..], table(&item.kind));
        let line = match &item.name {
            Some(name) => format!("  {name:?}: {map}"),
            None => format!("  - {map}"),
        };
        match sections.iter_mut().find(|(section, _)| *section == plural) {
            Some((_, lines)) => lines.push(line),
            None => sections.push((plural, vec![line])),
        }
    }
    sections.into_iter().fold(String::new(), |mut out, (section, lines)| {
        writeln!(out, "{section}:\n{}", lines.join("\n")).unwrap();
        out
    })
}

fn yaml_map(node: &Node, args: &[Scalar], table: Option<&'static Table>) -> String {
    let mut entries: Vec<(String, Vec<String>)> = Vec::new();
    if let (Some(principal), false) = (table.and_then(|table| table.principal), args.is_empty()) {
        let value = table.and_then(Table::value_field).filter(|_| args.len() == 2);
        let (names, values) = args.split_at(if value.is_some() { 1 } else { args.len() });
        entries.push((principal.to_owned(), vec![yaml_args(names)]));
        entries.extend(value.map(|field| (field.name.to_owned(), vec![yaml_args(values)])));
    }
    for field in &node.fields {
        let inner = block_table(table, &field.key);
        let value = match (field.args.as_slice(), field.fields.is_empty()) {
            ([], true) => "true".to_owned(),
            // Without its name, several lists would be a list of lists.
            (args @ [_, _, ..], true) if inner.is_some_and(is_list) => yaml_map(field, args, inner),
            (args, true) if args.len() != 2 || inner.and_then(Table::value_field).is_none() => {
                yaml_args(args)
            }
            (args, _) => yaml_map(field, args, inner),
        };
        let is_repeatable = table
            .and_then(|table| table.field(&field.key))
            .is_some_and(|field| matches!(field.presence, Presence::Repeated | Presence::Distinct))
            || field.key == "allow";
        match entries.iter_mut().find(|(key, _)| *key == *field.key) {
            Some((_, values)) if is_repeatable => values.push(value),
            _ => entries.push((field.key.to_string(), vec![value])),
        }
    }
    let texts = entries.into_iter().map(|(key, values)| match values.as_slice() {
        [one] => format!("{key}: {one}"),
        several => format!("{key}: [{}]", several.join(", ")),
    });
    format!("{{{}}}", texts.collect::<Vec<_>>().join(", "))
}

/// True if the principal field of a block is a list.
fn is_list(table: &Table) -> bool {
    table.principal_field().is_some_and(|field| matches!(field.shape, Shape::Words(_) | Shape::Names(_)))
}

fn yaml_args(args: &[Scalar]) -> String {
    let all: Vec<String> = args.iter().map(|arg| scalar(arg, Language::Yaml)).collect();
    match all.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn to_kdl(items: &[Item]) -> String {
    items.iter().fold(String::new(), |mut out, item| {
        let name = item.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
        writeln!(out, "{}{name}{}", item.kind, kdl_rest(item.node)).unwrap();
        out
    })
}

fn kdl_rest(node: &Node) -> String {
    let mut out = String::new();
    for arg in &node.args {
        write!(out, " {}", scalar(arg, Language::Kdl)).unwrap();
    }
    if !node.fields.is_empty() {
        let children = node.fields.iter().map(|field| format!("{}{}", field.key, kdl_rest(field)));
        write!(out, " {{ {} }}", children.collect::<Vec<_>>().join("; ")).unwrap();
    }
    out
}
