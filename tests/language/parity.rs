//! Each registry in both languages: the same items, and every field of every table arrives.

use crate::support::lower;
use orchgen::diag::Diagnostics;
use orchgen::hir::{Arena, KINDS, Registry, Shape, Table};
use orchgen::source::SourceMap;
use orchgen::syntax::{Document, Language, Node, Value, parse};
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

/// Lowers a text that has no fault.
#[track_caller]
fn sound(name: &str, language: &str, text: &str) -> Registry {
    let (registry, run) = lower(&[(&format!("{name}.{language}"), text)]);
    assert!(run.findings.is_empty(), "{name}.{language}: {}", run.report());
    registry
}

#[test]
fn both_languages_give_the_same_registry() {
    for (name, kdl, yaml) in FIXTURES {
        let (kdl, yaml) = (sound(name, "kdl", kdl), sound(name, "yaml", yaml));
        assert_eq!(drawn(&kdl), drawn(&yaml), "{name}");
        assert!(kdl == yaml, "{name} is not equal, though it is drawn the same");
    }
}

#[test]
fn registries_compare_by_value_and_not_by_place() {
    let (_, kdl, _) = FIXTURES[0];
    let moved = format!("// moved\n\n{kdl}");
    assert!(sound("a", "kdl", kdl) == sound("b", "kdl", &moved));
    assert_ne!(sound("a", "kdl", kdl), sound("b", "kdl", &kdl.replace("/opt/plain", "/opt/other")));
}

#[test]
fn every_field_arrives() {
    let mut all = String::new();
    for (name, kdl, _) in FIXTURES {
        writeln!(all, "# {name}\n{}", drawn(&sound(name, "kdl", kdl))).unwrap();
    }
    insta::with_settings!({
        snapshot_path => "../snapshots/language", prepend_module_to_snapshot => false, omit_expression => true,
    }, { insta::assert_snapshot!("registry", all) });
}

#[test]
fn every_field_of_every_table_stands_in_a_fixture_of_each_language() {
    let mut known = BTreeSet::from(["allow".to_owned(), "allow.code".into(), "allow.because".into()]);
    for kind in KINDS {
        paths_of(kind.word, kind.table, &mut known);
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
            paths_in(&document, &mut used);
        }
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(unused.is_empty(), "{language:?} says nothing of {unused:#?}");
    }
}

/// `role.draft.max` and so on, for each field of a table and of the blocks in it.
fn paths_of(path: &str, table: &Table, known: &mut BTreeSet<String>) {
    for field in table.fields {
        let path = format!("{path}.{}", field.name);
        if let Shape::Block(inner) = &field.shape {
            paths_of(&path, inner, known);
        }
        known.insert(path);
    }
}

fn paths_in(document: &Document, used: &mut BTreeSet<String>) {
    for node in &document.nodes {
        let kind = KINDS
            .iter()
            .find(|kind| *kind.word == *node.key || *kind.plural == *node.key)
            .unwrap_or_else(|| panic!("{}", node.key));
        let by_name = document.language == Language::Yaml && !["stack", "pair", "ban"].contains(&kind.word);
        if by_name {
            for item in &node.fields {
                fields_in(kind.word, kind.table, item, false, used);
            }
        } else {
            // The argument of a stack in KDL is its name, which is its principal part.
            fields_in(kind.word, kind.table, node, kind.word == "stack", used);
        }
    }
}

fn fields_in(path: &str, table: &Table, node: &Node, has_args: bool, used: &mut BTreeSet<String>) {
    if let (Some(principal), true) =
        (table.principal, has_args && node.args.iter().any(|arg| !matches!(arg.value, Value::Bool(_))))
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
            fields_in(&path, inner, child, true, used);
        }
        used.insert(path);
    }
}

/// A registry as text, an item a line, without places.
pub(super) fn drawn(registry: &Registry) -> String {
    let mut text = format!("stack {}\n", without_places(&format!("{:?}", registry.stack)));
    draw("engine", &registry.engines, &mut text);
    draw("host", &registry.hosts, &mut text);
    draw("store", &registry.stores, &mut text);
    draw("tier", &registry.tiers, &mut text);
    draw("residency", &registry.residencies, &mut text);
    draw("family", &registry.families, &mut text);
    draw("model", &registry.models, &mut text);
    draw("role", &registry.roles, &mut text);
    draw("pair", &registry.pairs, &mut text);
    draw("ban", &registry.bans, &mut text);
    draw("quirk", &registry.quirks, &mut text);
    draw("service", &registry.services, &mut text);
    draw("expect", &registry.expects, &mut text);
    text
}

fn draw<T: Debug>(kind: &str, arena: &Arena<T>, text: &mut String) {
    for item in arena.iter() {
        writeln!(text, "{kind} {}", without_places(&format!("{item:?}"))).unwrap();
    }
}

/// `Spanned { value: 1, span: Span { .. } }` is `1`.
fn without_places(debug: &str) -> String {
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
            // The end of a `Spanned`, whose place comes last; a head's is followed by more.
            rest = after.strip_prefix(" }").unwrap_or(after);
        } else {
            out.push_str(&rest[..at + 3]);
            rest = &rest[at + 3..];
        }
    }
    out + rest
}
