//! The JSON Schema: it describes every key, validators accept it, and it agrees with the language.

mod field;
mod mutation;

use crate::outside::python_tool;
use crate::support::{compile, lower};
use orchgen::catalogue::codes;
use orchgen::hir::schema::schema;
use orchgen::hir::{Field, KINDS, Shape, Table};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// YAML registries and parts of registries without mistakes in their shape.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    let root = crate::support::repository();
    let mut found = Vec::new();
    for folder in ["registry", "tests/language", "tests/language/parity", "templates/init"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('/', "-");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    for code in codes() {
        for (n, example) in code.examples("Instead").into_iter().enumerate() {
            if example.language == "yaml" {
                found.push((format!("{code}-{n}.yaml"), example.text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 15, "{} fixtures", found.len());
    found
}

/// The names of the documents that the schema rejects, each with the error of the validator.
#[track_caller]
fn rejected(documents: &[(String, String)]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schema.json"), schema()).unwrap();
    for (name, text) in documents {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = python_tool("check-jsonschema");
    command.args(["--schemafile", "schema.json", "--output-format", "json"]).current_dir(folder.path());
    let output = command.args(documents.iter().map(|(name, _)| name)).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let list = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    let all = list("errors").into_iter().chain(list("parse_errors"));
    let errors: Vec<_> =
        all.map(|error| (error["filename"].as_str().unwrap().to_owned(), error.to_string())).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{report}");
    errors
}

/// Collects all entries of `properties`, with their paths.
fn collect_keys(node: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match node {
        Value::Object(entries) => {
            for (key, inner) in entries {
                if key == "examples" || key == "default" {
                    continue;
                }
                collect_keys(inner, path, found);
                let properties = inner.as_object().filter(|_| key == "properties");
                for (name, inner) in properties.into_iter().flatten() {
                    found.push((format!("{path}.{name}"), inner.clone()));
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| collect_keys(member, path, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_key_has_a_description_and_an_example_and_unknown_keys_are_rejected() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut found = Vec::new();
    collect_keys(&schema, "", &mut found);
    assert!(found.len() > 250, "{} keys", found.len());
    for (path, node) in &found {
        assert!(node["description"].as_str().is_some_and(|text| text.len() > 3), "{path} has no description");
        let examples = node["examples"].as_array().unwrap_or_else(|| panic!("{path} has no example"));
        assert!(!examples.is_empty() && !examples.contains(&"".into()), "{path}: {examples:?}");
    }
    let text = schema.to_string();
    assert_eq!(
        text.matches("\"properties\":").count(),
        text.matches("\"additionalProperties\":false").count()
    );
}

/// Collects the fields of a table and of its blocks, with their paths.
fn collect_fields(table: &'static Table, path: &str, found: &mut Vec<(String, &'static Field)>) {
    for field in table.fields {
        let path = format!("{path}.{}", field.name);
        if let Shape::Block(inner) = &field.shape {
            collect_fields(inner, &path, found);
        }
        found.push((path, field));
    }
}

/// Every count has a unit and an example in its range. A default value in a description is also in the data.
#[test]
fn units_and_defaults_are_complete() {
    let mut all = Vec::new();
    for kind in KINDS {
        collect_fields(kind.table, kind.word, &mut all);
    }
    let mut defaults = 0;
    for (path, field) in all {
        if let Shape::Count(least, most) = field.shape {
            assert!(field.hints.unit.is_some(), "{path} has no unit");
            let example: u64 = field.hints.example.unwrap_or_else(|| panic!("{path}")).parse().unwrap();
            assert!((least..=most).contains(&example), "{path}");
        }
        let described =
            field.doc.split_once("default ").map(|(_, text)| text.trim_end_matches('.').trim_matches('`'));
        let is_value = described.is_some_and(|text| {
            let is_number =
                matches!(field.shape, Shape::Count(..) | Shape::Port) && text.parse::<u64>().is_ok();
            let is_flag = field.shape == Shape::Flag && ["true", "false"].contains(&text);
            let is_word = matches!(field.shape, Shape::Word(words) if words.contains(&text));
            let is_address = field.shape == Shape::Address && text.parse::<std::net::IpAddr>().is_ok();
            is_number || is_flag || is_word || is_address
        });
        if is_value {
            assert_eq!(field.hints.default, described, "{path}");
            defaults += 1;
        }
    }
    assert!(defaults >= 9, "{defaults} defaults");
}

/// The example of the whole schema compiles without errors, and the language accepts the example of every field.
#[test]
fn examples_are_correct() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let whole = &schema["examples"][0];
    let compiled = compile(&[("a.yaml", &whole.to_string())]);
    assert!(!compiled.findings.has_errors(), "{}", compiled.report());
    let mut tried = 0;
    for kind in KINDS {
        let mut item = whole[kind.plural].clone();
        while kind.plural != "stack" && (item.is_array() || item.get(kind.example).is_some()) {
            item = item.get(kind.example).or_else(|| item.get(0)).unwrap().clone();
        }
        for field in kind.table.fields {
            let mut changed = item.clone();
            let node = find_property(&schema["properties"][kind.plural], field.name);
            changed[field.name] = node["examples"][0].clone();
            let section = match kind.plural {
                "stack" => changed,
                "pairs" | "bans" => vec![changed].into(),
                _ => serde_json::json!({ kind.example: changed }),
            };
            let mut registry = whole.clone();
            registry[kind.plural] = section;
            let (_, compiled) = lower(&[("a.yaml", &registry.to_string())]);
            let about_names = ["unknown-name", "conflicting-fields"];
            let wrong: Vec<_> =
                compiled.codes().into_iter().filter(|code| !about_names.contains(code)).collect();
            assert!(wrong.is_empty(), "{}.{}: {}", kind.word, field.name, compiled.report());
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried} fields");
}

/// The property of this name in the nearest `properties`.
fn find_property<'s>(node: &'s Value, name: &str) -> &'s Value {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Value::Object(entries) => match entries.get("properties") {
                Some(properties) => return &properties[name],
                None => open.extend(entries.values()),
            },
            Value::Array(members) => open.extend(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    panic!("there is no property {name}")
}

mod tools {
    use super::*;

    #[test]
    fn the_schema_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema.json");
        fs::write(&path, schema()).unwrap();
        let output = python_tool("check-jsonschema").arg("--check-metaschema").arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn correct_registries_are_accepted() {
        assert_eq!(rejected(&fixtures()), []);
    }

    /// Typical mistakes. The language rejects them too.
    #[test]
    fn mistakes_are_rejected() {
        let mistakes = [
            "role: {a: {tier: A}}",
            "roles: {a: {teir: A}}",
            "roles: {a: {port: \"8080\"}}",
            "roles: {a: {port: 99999}}",
            "roles: {a: {draft: {model: d, max: many}}}",
            "roles: {a: {allow: unused-model}}",
            "roles: {a b: {tier: A}}",
            "roles: [{name: a}]",
            "hosts: {a: {memory: 64}}",
            "hosts: {a: {cpus: zero}}",
            "hosts: {a: {memory: 64 GB, numa: {node: -1}}}",
            "residencies: {a: {title: t, start: sometimes}}",
            "stack: {engine: e}",
            "stack: {name: a b, engine: e}",
            "stack: {name: a, engine: e, verified: 2026-2-3}",
            "pairs: {a: {target: t}}",
            "quirks: {a: {models: [], issue: i}}",
            "tiers: {}",
            "[]",
        ];
        let documents: Vec<_> =
            (0..).zip(mistakes).map(|(n, text)| (format!("{n}.yaml"), text.to_owned())).collect();
        let rejected: BTreeSet<String> = rejected(&documents).into_iter().map(|(name, _)| name).collect();
        for (name, text) in documents {
            assert!(rejected.contains(&name), "{text} is accepted");
            assert!(lower(&[("a.yaml", &text)]).1.findings.has_errors(), "{text}");
        }
    }
}
