//! `orchgen lock --check`: reports differences between the lock and the model files.

use super::read::adapters;
use crate::diag::{Diagnostics, words};
use crate::facts::lock::STALE_LOCK;
use crate::facts::{Facts, Lock, LockEntry};
use crate::hir::{Registry, Text};
use crate::source::{FileId, Span};
use serde_json::Value;
use std::collections::BTreeMap;

/// The help of all findings.
const HELP: &str = "run `orchgen lock` and commit the changes";

/// The maximum number of changed facts to list per file.
const MAX_FACTS: usize = 12;

/// Reports all models whose facts differ from the lock. `missing` adds a source file as the place of a missing lock.
pub(super) fn report(
    (registry, old, new): (&Registry, &Lock, &Lock),
    missing: impl FnOnce() -> FileId,
    findings: &mut Diagnostics,
) {
    let Some(place) = old.place else {
        let span = Span::new(missing(), 0, 0);
        let message = "there is no lock: the facts of the model files are unknown";
        findings.report(STALE_LOCK.at(span, "missing", message).help(HELP));
        return;
    };
    let before = findings.findings().len();
    let used = adapters(registry);
    for (path, locked) in old.adapters.iter().filter(|(path, _)| !used.contains(&***path)) {
        let message = format!("the lock has the adapter {}, but no role does", words::quoted(path));
        let at = locked.place("").unwrap_or(place);
        findings.report(STALE_LOCK.at(at, "unknown adapter", message).help(HELP));
    }
    for model in registry.models.iter() {
        let name = &model.head.name;
        let sides = |old: &'_ BTreeMap<Box<str>, LockEntry>, new: &'_ BTreeMap<Box<str>, LockEntry>| {
            (old.get(&*name.value).cloned(), new.get(&*name.value).cloned())
        };
        report_change((name, &model.file, "file"), &sides(&old.models, &new.models), findings);
        if let Some(projector) = &model.projector {
            let sides = sides(&old.projectors, &new.projectors);
            report_change((name, &projector.file, "projector"), &sides, findings);
        }
    }
    for (path, new) in &new.adapters {
        if old.adapters.get(path) != Some(new) {
            let at = old.adapters.get(path).and_then(|old| old.place("")).unwrap_or(place);
            let message = format!("the adapter {} differs from the lock", words::quoted(path));
            findings.report(STALE_LOCK.at(at, "not the facts of the file", message).help(HELP));
        }
    }
    report_unknown_models(&old.models, &new.models, registry, findings);
    report_unknown_models(&old.projectors, &new.projectors, registry, findings);
    if findings.findings().len() == before && old.differences != new.differences {
        let message = "the vocabulary differences in the lock are out of date";
        findings.report(STALE_LOCK.at(place, "`vocabulary_differences` differs", message).help(HELP));
    }
}

fn report_change(
    (name, file, part): (&Text, &Text, &str),
    sides: &(Option<LockEntry>, Option<LockEntry>),
    findings: &mut Diagnostics,
) {
    let named = words::quoted(name);
    let finding = match sides {
        (None, Some(_)) => {
            STALE_LOCK.at(file.span, "not in the lock", format!("the {part} of model {named} is not locked"))
        }
        (Some(old), Some(new)) if old != new => {
            let message = format!("the {part} of model {named} differs from its locked facts");
            let mut finding = STALE_LOCK.at(file.span, "changed since the last `orchgen lock`", message);
            let changes = changes(&old.facts, &new.facts);
            for (key, _, now) in changes.iter().take(3) {
                if let Some(place) = old.place(key) {
                    finding = finding.also(place, format!("the file has {now}"));
                }
            }
            let mut lines: Vec<String> = changes
                .iter()
                .take(MAX_FACTS)
                .map(|(key, then, now)| format!("{key}: {then} -> {now}"))
                .collect();
            if changes.len() > MAX_FACTS {
                lines.push(format!("and {} more", changes.len() - MAX_FACTS));
            }
            finding.note(lines.join("\n"))
        }
        // Unchanged, or not read now: reading errors are already reported.
        _ => return,
    };
    findings.report(finding.about(("model", &*name.value)).help(HELP));
}

/// The changed facts: key, old value and new value.
fn changes(old: &Facts, new: &Facts) -> Vec<(String, String, String)> {
    let (old, new) = (flatten(old), flatten(new));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let value_text = |side: &BTreeMap<String, String>, key: &String| {
        words::printable(side.get(key).map_or("none", String::as_str))
    };
    let changed = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    changed.map(|key| (key.clone(), value_text(&old, key), value_text(&new, key))).collect()
}

/// The facts by key. Nested keys are joined with a dot, for example `parameters.block_count`.
fn flatten(facts: &Facts) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    let mut open = vec![(String::new(), serde_json::to_value(facts).unwrap_or_default())];
    while let Some((prefix, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                let inner = |key: String| if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                open.extend(members.into_iter().map(|(key, value)| (inner(key), value)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                flat.insert(prefix, value.to_string());
            }
        }
    }
    flat
}

/// Reports locked models that the registry does not have.
fn report_unknown_models(
    old: &BTreeMap<Box<str>, LockEntry>,
    new: &BTreeMap<Box<str>, LockEntry>,
    registry: &Registry,
    findings: &mut Diagnostics,
) {
    let known: std::collections::BTreeSet<&str> =
        registry.models.iter().map(|model| &*model.head.name.value).collect();
    for (name, locked) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        let Some(place) = locked.place("") else { continue };
        if !known.contains(&**name) {
            let message = format!("the lock has model {}, but the registry does not", words::quoted(name));
            let finding = STALE_LOCK.at(place, "unknown model", message).about(("model", &**name));
            findings.report(finding.help(HELP));
        }
    }
}
