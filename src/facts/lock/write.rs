//! Writes the text of a lock: one member per line, lists on one line.

use super::{FORMAT_VERSION, Lock, LockEntry};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The complete text, with a newline at the end.
pub(super) fn text(lock: &Lock) -> String {
    let entries = |all: &BTreeMap<Box<str>, LockEntry>| -> Value {
        // Serialization only fails for maps with keys that are not strings, and there are none.
        let value = |locked: &LockEntry| serde_json::to_value(&locked.facts).unwrap_or_default();
        Value::Object(all.iter().map(|(name, locked)| (name.to_string(), value(locked))).collect())
    };
    let mut whole = Map::new();
    whole.insert("format_version".into(), json!(FORMAT_VERSION));
    if !lock.adapters.is_empty() {
        whole.insert("adapters".into(), entries(&lock.adapters));
    }
    whole.insert("models".into(), entries(&lock.models));
    whole.insert("projectors".into(), entries(&lock.projectors));
    let differences = lock.differences.iter().map(|one| serde_json::to_value(one).unwrap_or_default());
    whole.insert("vocabulary_differences".into(), Value::Array(differences.collect()));
    let mut out = String::new();
    write(&Value::Object(whole), 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members = members.iter().map(|(key, value)| (Some(key), value));
            block(('{', '}'), members, depth, out);
        }
        Value::Array(members) if members.iter().any(Value::is_object) => {
            block(('[', ']'), members.iter().map(|value| (None, value)), depth, out);
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => out.push_str(&value.to_string()),
    }
}

fn block<'v>(
    (open, close): (char, char),
    members: impl Iterator<Item = (Option<&'v String>, &'v Value)>,
    depth: usize,
    out: &mut String,
) {
    out.push(open);
    for (number, (key, value)) in members.enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        out.extend(std::iter::repeat_n(' ', 2 * (depth + 1)));
        if let Some(key) = key {
            out.extend([&Value::from(key.as_str()).to_string(), ": "]);
        }
        write(value, depth + 1, out);
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', 2 * depth));
    out.push(close);
}
