//! What the lock says otherwise than the files do.

use crate::diag::{Diagnostics, words};
use crate::facts::lock::STALE_LOCK;
use crate::facts::{Facts, Lock, Locked};
use crate::hir::{Registry, Text};
use crate::source::{FileId, Span};
use serde_json::Value;
use std::collections::BTreeMap;

/// The cure of each.
const HELP: &str = "run `orchgen lock` and commit what it changes";

/// How many changed facts of a file are listed.
const MOST: usize = 12;

/// Says every model whose facts are others than those of the lock; `missing` makes a place for a lock that is not there.
pub(super) fn report(
    (registry, old, new): (&Registry, &Lock, &Lock),
    missing: impl FnOnce() -> FileId,
    findings: &mut Diagnostics,
) {
    let Some(place) = old.place else {
        let span = Span::new(missing(), 0, 0);
        let message = "there is no lock: what the model files say of themselves is not known";
        findings.report(STALE_LOCK.at(span, "not there", message).help(HELP));
        return;
    };
    let before = findings.findings().len();
    for model in registry.models.iter() {
        let name = &model.head.name;
        let sides = |old: &'_ BTreeMap<Box<str>, Locked>, new: &'_ BTreeMap<Box<str>, Locked>| {
            (old.get(&name.value).cloned(), new.get(&name.value).cloned())
        };
        differ((name, &model.file, "file"), &sides(&old.models, &new.models), findings);
        if let Some(projector) = &model.projector {
            let sides = sides(&old.projectors, &new.projectors);
            differ((name, &projector.file, "projector"), &sides, findings);
        }
    }
    surplus(&old.models, &new.models, registry, findings);
    surplus(&old.projectors, &new.projectors, registry, findings);
    if findings.findings().len() == before && old.differences != new.differences {
        let message = "the lock does not say where the vocabularies of these models part";
        findings.report(STALE_LOCK.at(place, "`vocabulary_differences` are others", message).help(HELP));
    }
}

fn differ(
    (name, file, part): (&Text, &Text, &str),
    sides: &(Option<Locked>, Option<Locked>),
    findings: &mut Diagnostics,
) {
    let named = words::quoted(name);
    let finding = match sides {
        (None, Some(_)) => {
            STALE_LOCK.at(file.span, "not in the lock", format!("the {part} of model {named} is not locked"))
        }
        (Some(old), Some(new)) if old != new => {
            let message = format!("the {part} of model {named} is not the one that was locked");
            let mut finding = STALE_LOCK.at(file.span, "another file than then", message);
            let changes = changes(&old.facts, &new.facts);
            for (key, _, now) in changes.iter().take(3) {
                if let Some(place) = old.place(key) {
                    finding = finding.also(place, format!("it has {now}"));
                }
            }
            let mut lines: Vec<String> =
                changes.iter().take(MOST).map(|(key, then, now)| format!("{key}: {then} -> {now}")).collect();
            if changes.len() > MOST {
                lines.push(format!("and {} more", changes.len() - MOST));
            }
            finding.note(lines.join("\n"))
        }
        // What is not there now was said where it was looked for.
        _ => return,
    };
    findings.report(finding.about("model", &*name.value).help(HELP));
}

/// The facts that are others, each as key, then and now.
fn changes(old: &Facts, new: &Facts) -> Vec<(String, String, String)> {
    let (old, new) = (flat(old), flat(new));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let said = |side: &BTreeMap<String, String>, key: &String| {
        words::printable(side.get(key).map_or("nothing", String::as_str))
    };
    let changed = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    changed.map(|key| (key.clone(), said(&old, key), said(&new, key))).collect()
}

/// The facts by key, those within a block as `parameters.block_count`.
fn flat(facts: &Facts) -> BTreeMap<String, String> {
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

/// Entries of models that the registry does not have.
fn surplus(
    old: &BTreeMap<Box<str>, Locked>,
    new: &BTreeMap<Box<str>, Locked>,
    registry: &Registry,
    findings: &mut Diagnostics,
) {
    let known: std::collections::BTreeSet<&str> =
        registry.models.iter().map(|model| &*model.head.name.value).collect();
    for (name, locked) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        let Some(place) = locked.place("") else { continue };
        if !known.contains(&**name) {
            let message =
                format!("the lock has a model {}, which the registry does not", words::quoted(name));
            let finding = STALE_LOCK.at(place, "of no model", message).about("model", &**name);
            findings.report(finding.help(HELP));
        }
    }
}
