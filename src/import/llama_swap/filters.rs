//! Filters of a model: settings that llama-swap writes into each request, or removes from it (`internal/config/filters.go`).

use super::keys::{self, Meaning};
use super::model::{Model, summary};
use crate::import::plain;
use crate::import::source::{Change, Persona, Word};
use crate::import::words::Lined;
use crate::syntax::yaml::{Tree, TreeEntry, TreeKind};
use serde_json::Value;

/// A setting that filters never change.
const PROTECTED: &str = "model";

/// Reads the filters of a model.
pub(super) fn read(model: &mut Model<'_, '_>, filters: &TreeEntry) {
    for entry in filters.value.entries() {
        match keys::find("models.ID.filters", &entry.key).and_then(|key| key.read) {
            Some(read) => read(model, entry),
            None => {
                let what = format!("filters: {} {}", entry.key, summary(&entry.value));
                model.lose(what, entry.line, "llama-swap has no such filter");
            }
        }
    }
}

/// Reports a filter with the reason of the table.
fn lose(model: &mut Model<'_, '_>, entry: &TreeEntry, shown: &str) {
    if let Some(Meaning::Lost(why, _)) = keys::find("models.ID.filters", &entry.key).map(|key| key.meaning) {
        model.lose(format!("{}: {shown}", entry.key), entry.line, why);
    }
}

/// Reports `setParams`.
pub(super) fn lose_parameters(model: &mut Model<'_, '_>, entry: &TreeEntry) {
    if entry.value.entries().is_empty() {
        return;
    }
    let settings = settings(model, &entry.value);
    let shown: Vec<String> = settings.iter().map(|(name, value, _)| format!("{name} {value}")).collect();
    lose(model, entry, &shown.join(", "));
}

/// Reports `stripParams`.
pub(super) fn lose_stripped(model: &mut Model<'_, '_>, entry: &TreeEntry) {
    let names = model.word(&entry.value, &entry.key).text;
    if !names.trim().is_empty() {
        lose(model, entry, &names);
    }
}

/// `setParamsByID`: names with other settings of each request.
pub(super) fn personas(model: &mut Model<'_, '_>, entry: &TreeEntry) {
    let mut names = Vec::new();
    for persona in entry.value.entries() {
        let at = model.swap.at(persona.line);
        let (expander, losses) = (&mut model.swap.expander, &mut model.server.losses);
        let key = super::macros::Value { text: Lined::new(persona.key.clone(), at), is_plain: false };
        let name = expander.expand_value(key, &model.scope, "setParamsByID", losses).text.word();
        let settings = settings(model, &persona.value);
        if name.text == model.server.name {
            for (field, value, at) in settings {
                let what = format!("setParamsByID: {field} {value} of {}", name.text);
                let why = "write it into `options` of the role: then it is the default of its requests";
                model.server.lose(what, at, why);
            }
            continue;
        }
        if model.server.personas.iter().any(|known| known.name.text == name.text) {
            model.server.lose(format!("setParamsByID: {}", name.text), at, "the name is used twice");
            continue;
        }
        names.push(name.text.clone());
        model.server.personas.push(Persona { name: Word { at, ..name }, settings });
    }
    if !names.is_empty() {
        let at = model.swap.at(entry.line);
        let option = "setParamsByID".to_owned();
        let is = "names with their own settings of each request".to_owned();
        let why = "each name is imported with its settings".to_owned();
        model.server.changes.push(Change { option, was: names.join(", "), is, why, at });
    }
}

fn settings(model: &mut Model<'_, '_>, tree: &Tree) -> Vec<(String, Value, crate::import::source::At)> {
    let mut found = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.key != PROTECTED) {
        let value = json(model, &entry.value);
        found.push((entry.key.clone(), value, model.swap.at(entry.line)));
    }
    found
}

/// The value as JSON, with macros replaced. The recursion is safe: the depth of a tree is limited.
fn json(model: &mut Model<'_, '_>, tree: &Tree) -> Value {
    match &tree.kind {
        TreeKind::Scalar(_) => {
            let value = model.value(tree, "filters");
            let text = value.text.text();
            if value.is_plain { plain::json(text) } else { Value::String(text.to_owned()) }
        }
        TreeKind::List(items) => Value::Array(items.iter().map(|item| json(model, item)).collect()),
        TreeKind::Map(entries) => Value::Object(
            entries.iter().map(|entry| (entry.key.clone(), json(model, &entry.value))).collect(),
        ),
    }
}
