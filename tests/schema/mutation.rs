//! Schema and language agree: what the schema refuses of changed registries, the language refuses too.

use super::{fixtures, refused};
use crate::support::lower;
use orchgen::hir::{KINDS, Presence};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Findings that do not speak of one value or field by itself, which is all that a schema sees.
const BEYOND: &[&str] =
    &["duplicate-name", "conflicting-fields", "missing-item", "not-served", "unknown-name"];

/// Findings that a schema should always have too.
const PLAIN: &[&str] = &["unknown-kind", "unknown-field", "unknown-word", "wrong-type", "empty-block"];

/// What is put where a value stands: right spellings of every kind of quantity, and wrong ones.
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

/// Values of other types.
const OTHERS: &str = r#"[null, true, false, 0, 1, 3, -1, 0.5, 2.5, 70000, 5000000000, 1e300,
    [], {}, {"a": "b"}, ["a", "b"], [1, 2], ["lookup", "speculation"], [{"a": 1}], [[1]], {"why": "x"}]"#;

fn values() -> Vec<Value> {
    let others: Vec<Value> = serde_json::from_str(OTHERS).unwrap();
    TEXTS.iter().map(|text| Value::from(*text)).chain(others).collect()
}

/// A way into a document.
type Path = Vec<Step>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Key(String),
    At(usize),
}

/// All ways to values below a section, those of lists and mappings included.
fn ways(node: &Value, at: &Path, found: &mut Vec<Path>) {
    let steps: Vec<(Step, &Value)> = match node {
        Value::Object(entries) => {
            entries.iter().map(|(key, inner)| (Step::Key(key.clone()), inner)).collect()
        }
        Value::Array(members) => members.iter().enumerate().map(|(n, inner)| (Step::At(n), inner)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (step, inner) in steps {
        let mut way = at.clone();
        way.push(step);
        ways(inner, &way, found);
        found.push(way);
    }
}

/// The way without the names of items and the numbers of members, so that each field is tried once.
fn field_of(way: &Path) -> String {
    let is_named =
        !matches!(way.first(), Some(Step::Key(key)) if ["stack", "pairs", "bans"].contains(&key.as_str()));
    let word = |(n, step): (usize, &Step)| match step {
        Step::Key(_) if n == 1 && is_named => "NAME".to_owned(),
        Step::Key(key) => key.clone(),
        Step::At(_) => "AT".to_owned(),
    };
    way.iter().enumerate().map(word).collect::<Vec<_>>().join(".")
}

fn parent<'d>(document: &'d mut Value, way: &[Step]) -> &'d mut Value {
    way.iter().fold(document, |node, step| match step {
        Step::Key(key) => &mut node[key.as_str()],
        Step::At(n) => &mut node[*n],
    })
}

fn at<'d>(document: &'d Value, way: &[Step]) -> &'d Value {
    way.iter().fold(document, |node, step| match step {
        Step::Key(key) => &node[key.as_str()],
        Step::At(n) => &node[*n],
    })
}

/// The document with one thing changed: another value, another key, or nothing there.
fn changes(document: &Value, way: &Path) -> Vec<Value> {
    let (last, above) = way.split_last().unwrap();
    let mut changed = Vec::new();
    for value in values() {
        let mut one = document.clone();
        *parent(&mut one, way) = value;
        changed.push(one);
    }
    if let Step::Key(key) = last {
        for renamed in [None, Some(format!("{key}x")), Some("a b".to_owned()), Some(String::new())] {
            let mut one = document.clone();
            let entries = parent(&mut one, above).as_object_mut().unwrap();
            let value = entries.remove(key).unwrap();
            entries.extend(renamed.map(|key| (key, value)));
            changed.push(one);
        }
    }
    changed
}

/// Only what was changed, and what its item cannot be without: each field is by itself, and names lead nowhere in either.
fn reduced(document: &Value, way: &Path) -> Value {
    let [Step::Key(section), rest @ ..] = way.as_slice() else { return document.clone() };
    let (Some(items), Some(kind)) =
        (document.get(section), KINDS.iter().find(|kind| *kind.plural == **section))
    else {
        return document.clone();
    };
    let is_named = !["stack", "pairs", "bans"].contains(&kind.plural);
    let (item, field) = match rest {
        [Step::Key(name), field @ ..] if is_named => (items.get(name), field),
        [Step::At(n), field @ ..] => (items.get(n), field),
        field => (Some(items), field),
    };
    let kept = match (item, field) {
        (Some(Value::Object(fields)), [Step::Key(changed), ..]) => {
            let needed = |name: &str| {
                let field = kind.table.field(name);
                kind.shown.contains(&name) || field.is_none_or(|field| field.presence == Presence::Required)
            };
            Value::Object(
                fields
                    .iter()
                    .filter(|(name, _)| *name == changed || needed(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        (Some(item), _) => item.clone(),
        (None, _) => return json!({ section.as_str(): items }),
    };
    json!({ section.as_str(): if is_named { json!({ "a": kept }) } else { kept } })
}

/// What the language says of the shape of a document, by the names of codes.
fn shape(document: &Value) -> Vec<&'static str> {
    let codes = lower(&[("a.yaml", &document.to_string())]).1.codes();
    codes.into_iter().filter(|code| !BEYOND.contains(code)).collect()
}

/// Documents by what the language says of them.
#[derive(Default)]
struct Judged {
    tried: usize,
    /// Nothing is wrong with their shape.
    right: BTreeSet<String>,
    /// All that is wrong is plain to see.
    wrong: BTreeSet<String>,
}

fn judged() -> Judged {
    let (mut judged, mut seen) = (Judged::default(), BTreeSet::new());
    for (name, text) in fixtures() {
        let document: Value = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("{name} is not YAML for others: {error}"));
        let mut all = Vec::new();
        ways(&document, &Vec::new(), &mut all);
        for way in all.into_iter().filter(|way| seen.insert(field_of(way))) {
            // The fields of defaults are those of roles, and most texts are taken as they are.
            let is_text =
                at(&document, &way).as_str().is_some_and(|text| !text.contains(|c: char| c.is_ascii_digit()));
            let every = match () {
                () if field_of(&way).starts_with("stack.defaults.") => 9,
                () if is_text => 4,
                () => 1,
            };
            for changed in changes(&document, &way).into_iter().step_by(every) {
                let changed = reduced(&changed, &way);
                judged.tried += 1;
                let shape = shape(&changed);
                if shape.is_empty() {
                    judged.right.insert(changed.to_string());
                } else if shape.iter().all(|code| PLAIN.contains(code)) && judged.tried % 11 == 0 {
                    judged.wrong.insert(changed.to_string());
                }
            }
        }
    }
    judged
}

/// Items of one kind in one document, under names of their own: a schema sees each by itself.
fn together(documents: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    let mut found = Vec::new();
    for (n, text) in documents.iter().enumerate() {
        let document: Value = serde_json::from_str(text).unwrap();
        match document.as_object().and_then(|sections| sections.iter().next()) {
            Some((section, Value::Object(items))) if section != "stack" && items.keys().eq(["a"]) => {
                let joined = all.entry(section.clone()).or_insert_with(|| json!({}));
                joined[format!("a{n}")] = items["a"].clone();
            }
            _ => found.push((format!("right{n}.json"), text.clone())),
        }
    }
    found.extend(
        all.into_iter().map(|(section, items)| {
            (format!("{section}.json"), json!({ section.as_str(): items }).to_string())
        }),
    );
    found
}

#[test]
fn what_the_schema_refuses_the_language_refuses() {
    let Judged { tried, right, wrong } = judged();
    assert!(
        tried > 8000 && right.len() > 1500 && wrong.len() > 300,
        "{tried} {} {}",
        right.len(),
        wrong.len()
    );
    let said = refused(&together(&right));
    assert!(said.is_empty(), "{} that are right are refused: {said:#?}", said.len());
    // A member of a list that is null is one that is missing, of which the language makes an exception in lists of words.
    let wrong = wrong.into_iter().filter(|text| !text.contains("[null"));
    let wrong: Vec<_> = (0..).zip(wrong).map(|(n, text)| (format!("{n}.json"), text)).collect();
    let said: BTreeSet<String> = refused(&wrong).into_iter().map(|(name, _)| name).collect();
    let lax: Vec<_> = wrong.iter().filter(|(name, _)| !said.contains(name)).collect();
    assert!(lax.is_empty(), "{} that are wrong are taken: {lax:#?}", lax.len());
}
