//! Settings of llama-swap that no registry has, with their defaults and reasons.

use super::SwapFile;
use super::keys::{self, Key, Meaning, Reported};
use super::model::{Model, summary};
use crate::import::source::At;
use crate::syntax::yaml::{Tree, TreeEntry};

/// The reason for a key that is not in the table.
const UNKNOWN: &str = "llama-swap has no such setting";

/// Parts of the names of settings with secrets.
const SECRETS: &[&str] = &["key", "token", "secret", "password", "auth"];

/// Reports `sendLoadingState` of a model, unless it is that of the file.
pub(super) fn lose_loading_state(model: &mut Model<'_, '_>, field: &TreeEntry) {
    let own = model.word(&field.value, &field.key).text;
    if (own == "true") != model.swap.sends_loading {
        model.lose(format!("sendLoadingState: {own}"), field.line, keys::ONLY_ANSWER);
    }
}

/// Reports a setting of a model, unless it has its default.
pub(super) fn lose_model_setting(model: &mut Model<'_, '_>, field: &TreeEntry, known: Option<&Key>) {
    if is_empty(&field.value) && (known.is_some() || field.value.is_null()) {
        return;
    }
    let key = field.key.as_str();
    let (default, why) = default_and_reason(known);
    let text = if field.value.scalar().is_some() {
        model.word(&field.value, key).text
    } else {
        details(&field.value)
    };
    if text != default {
        model.lose(format!("{key}: {}", shown(key, &text)), field.line, why);
    }
}

/// The default of a key and the reason why it is not imported.
fn default_and_reason(known: Option<&Key>) -> (&'static str, &'static str) {
    match known.map(|key| key.meaning) {
        Some(Meaning::Lost(why, Reported::Unless(default))) => (default, why),
        Some(Meaning::Lost(why, Reported::Entries(_) | Reported::Count)) => ("", why),
        _ => ("", UNKNOWN),
    }
}

/// Reports the settings outside of models.
pub(super) fn lose_file_settings(swap: &mut SwapFile<'_>) {
    for entry in swap.root.entries() {
        let known = keys::find("", &entry.key);
        match known.map(|key| key.meaning) {
            Some(Meaning::Lost(why, Reported::Count)) => {
                let count = entry.value.items().len();
                if count > 0 {
                    swap.lose(format!("{}: {count} keys", entry.key), entry.line, why);
                }
            }
            Some(Meaning::Lost(why, Reported::Entries(field))) => lose_items(swap, entry, field, why),
            Some(Meaning::Lost(_, Reported::Unless(_))) | None => lose_file_setting(swap, entry, known),
            Some(Meaning::Field(..) | Meaning::Read(_) | Meaning::Group | Meaning::SameAs(_)) => {}
        }
    }
    lose_nested(swap);
}

fn lose_file_setting(swap: &mut SwapFile<'_>, entry: &TreeEntry, known: Option<&Key>) {
    let key = entry.key.as_str();
    if known.is_none() && (key.starts_with("x-") || has_anchor(&entry.value)) {
        // The value is only a source of copies.
        return;
    }
    if is_empty(&entry.value) && known.is_some() {
        return;
    }
    let (default, why) = default_and_reason(known);
    let text =
        if entry.value.scalar().is_some() { swap.text(&entry.value, key) } else { details(&entry.value) };
    if text != default {
        swap.lose(format!("{key}: {}", shown(key, &text)), entry.line, why);
    }
}

/// Reports each entry of a mapping, with one of its fields.
fn lose_items(swap: &mut SwapFile<'_>, entry: &TreeEntry, field: &str, why: &str) {
    for item in entry.value.entries() {
        let detail = item.value.get(field).map(|field| summary(&field.value)).unwrap_or_default();
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!(" ({field}: {})", without_account(&detail))
        };
        swap.lose(format!("{}: {}{detail}", entry.key, item.key), item.line, why);
    }
}

/// Reports the settings of `hooks` and `routing` that are not read.
fn lose_nested(swap: &mut SwapFile<'_>) {
    for path in keys::groups().filter(|path| ["hooks", "routing"].contains(&first_part(path))) {
        lose_unknown(swap, path);
    }
    let fifo = ["routing", "scheduler", "settings", "fifo"];
    let priority = swap.find(&[&fifo[..], &["priority"]].concat());
    if let Some(priority) = priority.filter(|priority| !priority.value.entries().is_empty()) {
        let what = format!("scheduler priority: {}", details(&priority.value));
        let (_, why) = default_and_reason(keys::find(&fifo.join("."), "priority"));
        swap.lose(what, priority.line, why);
    }
    if let Some(used) = swap.find(&["routing", "scheduler", "use"]) {
        let text = swap.text(&used.value, "use");
        if !text.is_empty() && text != "fifo" {
            swap.lose(format!("scheduler: {text}"), used.line, "llama-swap has no such scheduler");
        }
    }
}

fn first_part(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// Reports the keys at a path that are not in the table.
fn lose_unknown(swap: &mut SwapFile<'_>, path: &str) {
    let names: Vec<&str> = path.split('.').collect();
    let entries = swap.find(&names).map_or(&[][..], |entry| entry.value.entries());
    for entry in entries.iter().filter(|entry| keys::find(path, &entry.key).is_none()) {
        let what = format!("{path}.{}: {}", entry.key, shown(&entry.key, &details(&entry.value)));
        swap.lose(what, entry.line, UNKNOWN);
    }
}

/// True for values without content.
fn is_empty(tree: &Tree) -> bool {
    tree.is_null() || (tree.scalar().is_none() && tree.entries().is_empty() && tree.items().is_empty())
}

/// True if a value, or a value in it, may be copied by an alias.
fn has_anchor(tree: &Tree) -> bool {
    let entries = tree.entries().iter().map(|entry| &entry.value);
    tree.is_anchored || entries.chain(tree.items()).any(|inner| inner.is_anchored)
}

/// The entries of a mapping with their values, shortened.
fn details(tree: &Tree) -> String {
    if tree.entries().is_empty() {
        return summary(tree);
    }
    let entry = |entry: &TreeEntry| format!("{} {}", entry.key, shown(&entry.key, &summary(&entry.value)));
    let shown: Vec<String> = tree.entries().iter().take(5).map(entry).collect();
    let more = if tree.entries().len() > 5 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The value of a setting, unless it is a secret.
fn shown<'a>(key: &str, text: &'a str) -> &'a str {
    let key = key.to_ascii_lowercase();
    if SECRETS.iter().any(|secret| key.contains(secret)) { "…" } else { text }
}

/// An address without the account in it.
fn without_account(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => address.to_owned(),
    }
}

/// The names in a list, with the number of those that are not shown.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let shown: Vec<&str> = names.iter().copied().take(MOST).collect();
    let more = names.len().saturating_sub(MOST);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The reason for a rule with too many sets.
pub(super) fn too_many(what: &str, at: At, swap: &mut SwapFile<'_>) {
    let why = "it allows too many combinations of models; declare residencies in the registry";
    swap.lose(what, at.line, why);
}
