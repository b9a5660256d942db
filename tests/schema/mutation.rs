//! Changed registries: the schema and the language reject the same ones.

use super::{fixtures, rejected};
use crate::support::lower;
use orchgen::hir::{KINDS, Presence};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Codes of findings that a schema cannot report, because it sees only one value or field at a time.
const NOT_IN_SCHEMA: &[&str] =
    &["duplicate-name", "conflicting-fields", "missing-item", "not-served", "unknown-name"];

/// Codes of findings that the schema must report too.
const IN_SCHEMA: &[&str] = &["unknown-kind", "unknown-field", "unknown-word", "wrong-type", "empty-block"];

/// Texts that replace a value: correct and incorrect spellings of every kind of quantity.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "", " ", "a", "A b", "é", "a\u{0}b", "*", "on", "true", "null", "5", "05", "+5", "-5", "5.5",
    "17.5 GB", "17.5GB", "17.5\tGB", " 17.5 GB", "17.5 GB ", "0 GB", "17.5 gb", "1 GiB", "1. GB",
    ".5 GB", "5 percent", "5percent", "5 %", "005%", "+5%", "101 percent", "15 min", "90s", "1.5 h",
    "15 minutes", "0 s", "6.3 t/s", "~15 t/s", "~ 15t/s", "6.3", "2 GB/s", "2GB/s", "2 GB /s", "5.4x",
    "5x", "5.4 x", "2026-02-03", "2024-02-29", "2026-02-30", "2026-2-3", "8080", "+8080", "8090-8095",
    "8090 - 8095", "8095-8090", "0-99999", "0-3,5", "0 - 3 , 5 ", "3-0", "0-3,", "spread", "spread ",
    "interleave", "interleave 0,1", "interleave 0, 1", "interleave +1", "bind 0", "bind  0 ", "bind",
    "bind 0,1", "127.0.0.1", "::1", "::ffff:1.2.3.4", "1.2.3", "fe80::1%eth0", "/", "/srv/models",
    "/srv/", "/srv/../x", "srv", "hot", "boot", "systemd", "f16", "speculation", "projector", "experts",
    "strict", "cls", "Qwen3-*",
];

/// Values of other types that replace a value.
const OTHERS: &str = r#"[null, true, false, 0, 1, 3, -1, 0.5, 2.5, 70000, 5000000000, 1e300,
    [], {}, {"a": "b"}, ["a", "b"], [1, 2], ["lookup", "speculation"], [{"a": 1}], [[1]], {"why": "x"}]"#;

fn values() -> Vec<Value> {
    let others: Vec<Value> = serde_json::from_str(OTHERS).unwrap();
    TEXTS.iter().map(|text| Value::from(*text)).chain(others).collect()
}

/// The path of a value in a document.
type Path = Vec<Step>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Collects the paths of all values below a node, including lists and mappings.
fn collect_paths(node: &Value, path: &Path, found: &mut Vec<Path>) {
    let steps: Vec<(Step, &Value)> = match node {
        Value::Object(entries) => {
            entries.iter().map(|(key, inner)| (Step::Key(key.clone()), inner)).collect()
        }
        Value::Array(members) => {
            members.iter().enumerate().map(|(n, inner)| (Step::Index(n), inner)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (step, inner) in steps {
        let mut inner_path = path.clone();
        inner_path.push(step);
        collect_paths(inner, &inner_path, found);
        found.push(inner_path);
    }
}

/// The path without the names of items and the indexes of members, so that each field is tested once.
fn field_path(path: &Path) -> String {
    let is_named =
        !matches!(path.first(), Some(Step::Key(key)) if ["stack", "pairs", "bans"].contains(&key.as_str()));
    let word = |(n, step): (usize, &Step)| match step {
        Step::Key(_) if n == 1 && is_named => "NAME".to_owned(),
        Step::Key(key) => key.clone(),
        Step::Index(_) => "INDEX".to_owned(),
    };
    path.iter().enumerate().map(word).collect::<Vec<_>>().join(".")
}

fn value_at_mut<'d>(document: &'d mut Value, path: &[Step]) -> &'d mut Value {
    path.iter().fold(document, |node, step| match step {
        Step::Key(key) => &mut node[key.as_str()],
        Step::Index(n) => &mut node[*n],
    })
}

fn value_at<'d>(document: &'d Value, path: &[Step]) -> &'d Value {
    path.iter().fold(document, |node, step| match step {
        Step::Key(key) => &node[key.as_str()],
        Step::Index(n) => &node[*n],
    })
}

/// Copies of the document with one change each: another value, another key, or a removed key.
fn changes(document: &Value, path: &Path) -> Vec<Value> {
    let (last, parent) = path.split_last().unwrap();
    let mut changed = Vec::new();
    for value in values() {
        let mut copy = document.clone();
        *value_at_mut(&mut copy, path) = value;
        changed.push(copy);
    }
    if let Step::Key(key) = last {
        for renamed in [None, Some(format!("{key}x")), Some("a b".to_owned()), Some(String::new())] {
            let mut copy = document.clone();
            let entries = value_at_mut(&mut copy, parent).as_object_mut().unwrap();
            let value = entries.remove(key).unwrap();
            entries.extend(renamed.map(|key| (key, value)));
            changed.push(copy);
        }
    }
    changed
}

/// Keeps only the changed field and the required fields of its item. Removed items do not matter, because this test
/// ignores unknown names.
fn reduce(document: &Value, path: &Path) -> Value {
    let [Step::Key(section), rest @ ..] = path.as_slice() else { return document.clone() };
    let (Some(items), Some(kind)) =
        (document.get(section), KINDS.iter().find(|kind| *kind.plural == **section))
    else {
        return document.clone();
    };
    let is_named = !["stack", "pairs", "bans"].contains(&kind.plural);
    let (item, field) = match rest {
        [Step::Key(name), field @ ..] if is_named => (items.get(name), field),
        [Step::Index(n), field @ ..] => (items.get(n), field),
        field => (Some(items), field),
    };
    let kept = match (item, field) {
        (Some(Value::Object(fields)), [Step::Key(changed), ..]) => {
            let is_required = |name: &str| {
                let field = kind.table.field(name);
                kind.example_fields.contains(&name)
                    || field.is_none_or(|field| field.presence == Presence::Required)
            };
            Value::Object(
                fields
                    .iter()
                    .filter(|(name, _)| *name == changed || is_required(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        (Some(item), _) => item.clone(),
        (None, _) => return json!({ section.as_str(): items }),
    };
    json!({ section.as_str(): if is_named { json!({ "a": kept }) } else { kept } })
}

/// The codes of the findings of the language about the shape of a document.
fn shape_codes(document: &Value) -> Vec<&'static str> {
    let codes = lower(&[("a.yaml", &document.to_string())]).1.codes();
    codes.into_iter().filter(|code| !NOT_IN_SCHEMA.contains(code)).collect()
}

/// Changed documents, sorted by the findings of the language.
#[derive(Default)]
struct Documents {
    tried: usize,
    /// Documents without findings about their shape.
    correct: BTreeSet<String>,
    /// A sample of the documents whose findings the schema must report too.
    wrong: BTreeSet<String>,
}

fn documents() -> Documents {
    let (mut documents, mut seen) = (Documents::default(), BTreeSet::new());
    for (name, text) in fixtures() {
        let document: Value = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("serde_yaml cannot parse {name}: {error}"));
        let mut all = Vec::new();
        collect_paths(&document, &Vec::new(), &mut all);
        for path in all.into_iter().filter(|path| seen.insert(field_path(path))) {
            // To save time, use only a part of the changes for plain texts and for defaults, whose fields are those of roles.
            let is_text = value_at(&document, &path)
                .as_str()
                .is_some_and(|text| !text.contains(|c: char| c.is_ascii_digit()));
            let step = match () {
                () if field_path(&path).starts_with("stack.defaults.") => 9,
                () if is_text => 4,
                () => 1,
            };
            for changed in changes(&document, &path).into_iter().step_by(step) {
                let changed = reduce(&changed, &path);
                documents.tried += 1;
                let codes = shape_codes(&changed);
                if codes.is_empty() {
                    documents.correct.insert(changed.to_string());
                } else if codes.iter().all(|code| IN_SCHEMA.contains(code)) && documents.tried % 11 == 0 {
                    documents.wrong.insert(changed.to_string());
                }
            }
        }
    }
    documents
}

/// Combines items of the same kind in one document under unique names, to validate fewer files. The schema checks each
/// item separately.
fn combine(documents: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    let mut found = Vec::new();
    for (n, text) in documents.iter().enumerate() {
        let document: Value = serde_json::from_str(text).unwrap();
        match document.as_object().and_then(|sections| sections.iter().next()) {
            Some((section, Value::Object(items))) if section != "stack" && items.keys().eq(["a"]) => {
                let joined = all.entry(section.clone()).or_insert_with(|| json!({}));
                joined[format!("a{n}")] = items["a"].clone();
            }
            _ => found.push((format!("correct{n}.json"), text.clone())),
        }
    }
    found.extend(
        all.into_iter().map(|(section, items)| {
            (format!("{section}.json"), json!({ section.as_str(): items }).to_string())
        }),
    );
    found
}

mod tools {
    use super::*;

    #[test]
    fn schema_and_language_reject_the_same_documents() {
        let Documents { tried, correct, wrong } = documents();
        assert!(
            tried > 8000 && correct.len() > 1500 && wrong.len() > 300,
            "{tried} documents, {} correct, {} wrong",
            correct.len(),
            wrong.len()
        );
        let errors = rejected(&combine(&correct));
        assert!(errors.is_empty(), "the schema rejects {} correct documents: {errors:#?}", errors.len());
        // The schema accepts null as an absent member of any list. The language rejects it in lists of words: skip these.
        let wrong = wrong.into_iter().filter(|text| !text.contains("[null"));
        let wrong: Vec<_> = (0..).zip(wrong).map(|(n, text)| (format!("{n}.json"), text)).collect();
        let rejected: BTreeSet<String> = rejected(&wrong).into_iter().map(|(name, _)| name).collect();
        let accepted: Vec<_> = wrong.iter().filter(|(name, _)| !rejected.contains(name)).collect();
        assert!(accepted.is_empty(), "the schema accepts {} wrong documents: {accepted:#?}", accepted.len());
    }
}
