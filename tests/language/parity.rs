//! Each fixture in KDL and in YAML gives the same registry, and the fixtures use every field.

use crate::support::assert_snapshot;
use crate::support::lower;
use orchgen::diag::Diagnostics;
use orchgen::hir::{Arena, KINDS, Registry, Shape, Table};
use orchgen::source::SourceMap;
use orchgen::syntax::{Document, Language, Node, Scalar, Value, parse};
use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};

const FIXTURES: &[(&str, &str, &str)] = &[
    ("places", include_str!("parity/places.kdl"), include_str!("parity/places.yaml")),
    ("models", include_str!("parity/models.kdl"), include_str!("parity/models.yaml")),
    ("roles", include_str!("parity/roles.kdl"), include_str!("parity/roles.yaml")),
    ("rules", include_str!("parity/rules.kdl"), include_str!("parity/rules.yaml")),
    ("defaults", include_str!("parity/defaults.kdl"), include_str!("parity/defaults.yaml")),
    (
        "sharing-default",
        include_str!("parity/sharing-default.kdl"),
        include_str!("parity/sharing-default.yaml"),
    ),
];

/// Lowers a text without findings.
#[track_caller]
fn lower_correct(name: &str, language: &str, text: &str) -> Registry {
    let (registry, compiled) = lower(&[(&format!("{name}.{language}"), text)]);
    assert!(compiled.findings.is_empty(), "{name}.{language}: {}", compiled.report());
    registry
}

#[test]
fn both_languages_give_the_same_registry() {
    for (name, kdl, yaml) in FIXTURES {
        let (kdl, yaml) = (lower_correct(name, "kdl", kdl), lower_correct(name, "yaml", yaml));
        assert_eq!(registry_text(&kdl), registry_text(&yaml), "{name}");
        assert!(kdl == yaml, "{name}: the registries differ, but their texts are the same");
    }
}

#[test]
fn registries_compare_by_value_without_spans() {
    let (_, kdl, _) = FIXTURES[0];
    let moved = format!("// moved\n\n{kdl}");
    assert!(lower_correct("a", "kdl", kdl) == lower_correct("b", "kdl", &moved));
    assert_ne!(
        lower_correct("a", "kdl", kdl),
        lower_correct("b", "kdl", &kdl.replace("/opt/plain", "/opt/other"))
    );
}

#[test]
fn every_field_is_in_the_registry() {
    let mut all = String::new();
    for (name, kdl, _) in FIXTURES {
        writeln!(all, "# {name}\n{}", registry_text(&lower_correct(name, "kdl", kdl))).unwrap();
    }
    assert_snapshot!("language", "registry", all);
}

#[test]
fn the_fixtures_of_each_language_use_every_field() {
    let mut known = BTreeSet::from(["allow".to_owned(), "allow.code".into(), "allow.because".into()]);
    for kind in KINDS {
        collect_table_paths(kind.word, kind.table, &mut known);
    }
    assert!(known.len() > 150, "{} fields are known", known.len());
    for language in [Language::Kdl, Language::Yaml] {
        let mut used = BTreeSet::new();
        for (name, kdl, yaml) in FIXTURES {
            let text = if language == Language::Kdl { kdl } else { yaml };
            let mut map = SourceMap::default();
            let file =
                map.add(format!("{name}.{}", if language == Language::Kdl { "kdl" } else { "yaml" }), *text);
            let document = parse(file, map.get(file).unwrap(), &mut Diagnostics::default());
            collect_document_paths(&document, &mut used);
        }
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(unused.is_empty(), "no {language:?} fixture uses {unused:#?}");
    }
}

/// Collects paths such as `role.draft.max` for each field of a table and of its blocks.
fn collect_table_paths(path: &str, table: &Table, known: &mut BTreeSet<String>) {
    for field in table.fields {
        let path = format!("{path}.{}", field.name);
        if let Shape::Block(inner) = &field.shape {
            collect_table_paths(&path, inner, known);
        }
        known.insert(path);
    }
}

/// Collects the paths of all fields that a document uses.
fn collect_document_paths(document: &Document, used: &mut BTreeSet<String>) {
    for node in &document.nodes {
        let kind = KINDS
            .iter()
            .find(|kind| *kind.word == *node.key || *kind.plural == *node.key)
            .unwrap_or_else(|| panic!("{}", node.key));
        let by_name = document.language == Language::Yaml && !["stack", "pair", "ban"].contains(&kind.word);
        if by_name {
            for item in &node.fields {
                collect_field_paths(kind.word, kind.table, (item, &[]), used);
            }
        } else {
            // The argument of a stack in KDL is its name, which is its principal field.
            let args = if kind.word == "stack" { node.args.as_slice() } else { &[] };
            collect_field_paths(kind.word, kind.table, (node, args), used);
        }
    }
}

fn collect_field_paths(
    path: &str,
    table: &Table,
    (node, args): (&Node, &[Scalar]),
    used: &mut BTreeSet<String>,
) {
    if let (Some(principal), true) =
        (table.principal, args.iter().any(|arg| !matches!(arg.value, Value::Bool(_))))
    {
        used.insert(format!("{path}.{principal}"));
    }
    for child in &node.fields {
        if *child.key == *"allow" {
            used.insert("allow".to_owned());
            used.extend(child.fields.iter().map(|field| format!("allow.{}", field.key)));
            used.extend((!child.args.is_empty()).then(|| "allow.code".to_owned()));
            continue;
        }
        let path = format!("{path}.{}", child.key);
        if let Some(Shape::Block(inner)) = table.field(&child.key).map(|field| &field.shape) {
            collect_field_paths(&path, inner, (child, &child.args), used);
        }
        used.insert(path);
    }
}

/// The registry as text: one line per item, without spans.
pub(super) fn registry_text(registry: &Registry) -> String {
    let mut text = format!("stack {}\n", without_spans(&format!("{:?}", registry.stack)));
    write_items("engine", &registry.engines, &mut text);
    write_items("host", &registry.hosts, &mut text);
    write_items("store", &registry.stores, &mut text);
    write_items("tier", &registry.tiers, &mut text);
    write_items("residency", &registry.residencies, &mut text);
    write_items("family", &registry.families, &mut text);
    write_items("model", &registry.models, &mut text);
    write_items("role", &registry.roles, &mut text);
    write_items("pair", &registry.pairs, &mut text);
    write_items("ban", &registry.bans, &mut text);
    write_items("quirk", &registry.quirks, &mut text);
    write_items("service", &registry.services, &mut text);
    write_items("expect", &registry.expects, &mut text);
    text
}

fn write_items<T: Debug>(kind: &str, arena: &Arena<T>, text: &mut String) {
    for item in arena.iter() {
        writeln!(text, "{kind} {}", without_spans(&format!("{item:?}"))).unwrap();
    }
}

/// Removes spans from debug output: `Spanned { value: 1, span: Span { .. } }` becomes `1`.
fn without_spans(debug: &str) -> String {
    let mut out = String::new();
    let mut rest = debug;
    while let Some(at) = rest.find("pan") {
        let (before, from) = rest.split_at(at);
        if let Some(inside) = from.strip_prefix("panned { value: ").filter(|_| before.ends_with('S')) {
            out.push_str(&before[..before.len() - 1]);
            rest = inside;
        } else if let (Some(after), Some(kept)) =
            (from.strip_prefix("pan: Span {"), before.strip_suffix(", s"))
        {
            out.push_str(kept);
            let after = after.split_once('}').unwrap().1;
            // The span is the last field of a `Spanned`, so its brace closes here. In other types more fields follow.
            rest = after.strip_prefix(" }").unwrap_or(after);
        } else {
            out.push_str(&rest[..at + 3]);
            rest = &rest[at + 3..];
        }
    }
    out + rest
}
