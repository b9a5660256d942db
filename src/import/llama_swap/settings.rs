//! Settings of llama-swap that no registry has, with their defaults and reasons.

use super::SwapFile;
use super::model::{Model, summary};
use crate::import::source::At;
use crate::syntax::yaml::{Tree, TreeEntry};

/// A setting with its default as text, and the reason why it is not imported.
type Setting = (&'static str, &'static str, &'static str);

const MODEL_SETTINGS: &[Setting] = &[
    ("name", "", "clients see the name of the role"),
    ("description", "", "it is a text for the web page of llama-swap; a comment in the registry can have it"),
    ("cmdStop", "", "orchgen stops the process with a signal"),
    ("unloadTimeout", "0", "systemd limits the time to stop"),
    ("unlisted", "false", "the gateway lists all roles"),
    ("useModelName", "", "the gateway sends the name of the role"),
    ("concurrencyLimit", "0", "`slots` of the role limits the requests that run at the same time"),
    ("metadata", "", "the list of models has no metadata"),
    ("timeouts", "", "the gateway has no limits of single connections"),
    ("compat", "", "the gateway has no such setting"),
    ("capabilities", "", "the model file decides on its capabilities"),
    (
        "healthCheckTimeout",
        "",
        "llama-swap uses the value of the whole file, and orchgen computes the limit from the size",
    ),
];

const FILE_SETTINGS: &[Setting] = &[
    ("healthCheckTimeout", "120", "orchgen computes the limit of the start from the size of the model"),
    ("logRequests", "false", "the journal has the output of the servers"),
    ("logLevel", "info", "the journal has the output of the servers"),
    ("logTimeFormat", "", "the journal has the time of each line"),
    ("logToStdout", "proxy", "the journal has the output of the servers"),
    ("metricsMaxInMemory", "1000", "it belongs to the web page of llama-swap"),
    ("captureBuffer", "5", "it belongs to the web page of llama-swap"),
    ("store", "", "it belongs to the web page of llama-swap"),
    ("ui", "", "it belongs to the web page of llama-swap"),
    ("performance", "", "it belongs to the web page of llama-swap"),
    ("unloadTimeout", "10", "systemd limits the time to stop"),
    ("sendLoadingState", "false", "the gateway sends only the answer of the server"),
    ("startPort", "5800", "orchgen selects the hidden ports: `backend` of the gateway"),
    ("upstream", "", "the gateway has no such path"),
];

/// Settings that are read elsewhere.
const READ_ELSEWHERE: &[&str] =
    &["models", "macros", "groups", "matrix", "globalTTL", "includeAliasesInList", "hooks", "routing"];

/// Parts of the names of settings with secrets.
const SECRETS: &[&str] = &["key", "token", "secret", "password", "auth"];

/// Reports a setting of a model, unless it has its default.
pub(super) fn lose_model_setting(model: &mut Model<'_, '_>, field: &TreeEntry) {
    let key = field.key.as_str();
    if key == "sendLoadingState" {
        let own = model.word(&field.value, key).text;
        if (own == "true") != model.swap.sends_loading {
            let why = "the gateway sends only the answer of the server";
            model.lose(format!("sendLoadingState: {own}"), field.line, why);
        }
        return;
    }
    let setting = MODEL_SETTINGS.iter().find(|(name, ..)| *name == key);
    let (default, why) =
        setting.map_or(("", "llama-swap has no such setting"), |(_, default, why)| (*default, *why));
    if is_empty(&field.value) && (setting.is_some() || field.value.is_null()) {
        return;
    }
    let text = if field.value.scalar().is_some() {
        model.word(&field.value, key).text
    } else {
        details(&field.value)
    };
    if text != default {
        model.lose(format!("{key}: {}", shown(key, &text)), field.line, why);
    }
}

/// Reports the settings outside of models.
pub(super) fn lose_file_settings(swap: &mut SwapFile<'_>) {
    for entry in swap.root.entries().iter().filter(|entry| !READ_ELSEWHERE.contains(&entry.key.as_str())) {
        match entry.key.as_str() {
            "apiKeys" if !entry.value.items().is_empty() => {
                let count = entry.value.items().len();
                let why = "a key is a secret; write the keys into a file, and name the file in the registry";
                swap.lose(format!("apiKeys: {count} keys"), entry.line, why);
            }
            "apiKeys" => {}
            "peers" => {
                lose_items(swap, entry, "proxy", "it is a remote server, and the gateway reaches only roles");
            }
            "selectors" => lose_items(swap, entry, "targets", "each name of a gateway has one role"),
            "profiles" => lose_items(swap, entry, "pins", "each name of a gateway has one role"),
            _ => lose_file_setting(swap, entry),
        }
    }
    lose_nested(swap);
}

fn lose_file_setting(swap: &mut SwapFile<'_>, entry: &TreeEntry) {
    let key = entry.key.as_str();
    let setting = FILE_SETTINGS.iter().find(|(name, ..)| *name == key);
    if setting.is_none() && (key.starts_with("x-") || has_anchor(&entry.value)) {
        // The value is only a source of copies.
        return;
    }
    let (default, why) =
        setting.map_or(("", "llama-swap has no such setting"), |(_, default, why)| (*default, *why));
    if is_empty(&entry.value) && setting.is_some() {
        return;
    }
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
    let hooks = swap.find(&["hooks"]).map(|hooks| &hooks.value);
    lose_unknown(swap, hooks, "hooks", &["on_startup"]);
    let startup = swap.find(&["hooks", "on_startup"]).map(|hooks| &hooks.value);
    lose_unknown(swap, startup, "hooks.on_startup", &["preload"]);
    let routing = swap.find(&["routing"]).map(|routing| &routing.value);
    lose_unknown(swap, routing, "routing", &["router", "scheduler"]);
    let router = swap.find(&["routing", "router"]).map(|router| &router.value);
    lose_unknown(swap, router, "routing.router", &["use", "settings"]);
    let settings = swap.find(&["routing", "router", "settings"]).map(|settings| &settings.value);
    lose_unknown(swap, settings, "routing.router.settings", &["groups", "matrix"]);
    let priority = swap.find(&["routing", "scheduler", "settings", "fifo", "priority"]);
    if let Some(priority) = priority.filter(|priority| !priority.value.entries().is_empty()) {
        let what = format!("scheduler priority: {}", details(&priority.value));
        swap.lose(what, priority.line, "requests run in the order in which they arrive");
    }
    let scheduler = swap.find(&["routing", "scheduler"]).map(|scheduler| &scheduler.value);
    lose_unknown(swap, scheduler, "routing.scheduler", &["use", "settings"]);
    if let Some(used) = swap.find(&["routing", "scheduler", "use"]) {
        let text = swap.text(&used.value, "use");
        if !text.is_empty() && text != "fifo" {
            swap.lose(format!("scheduler: {text}"), used.line, "llama-swap has no such scheduler");
        }
    }
}

fn lose_unknown(swap: &mut SwapFile<'_>, tree: Option<&Tree>, path: &str, known: &[&str]) {
    let entries = tree.map_or(&[][..], Tree::entries);
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let what = format!("{path}.{}: {}", entry.key, shown(&entry.key, &details(&entry.value)));
        swap.lose(what, entry.line, "llama-swap has no such setting");
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
