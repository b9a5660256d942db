//! Words of routers that users write as fields of a gateway or a role.

use super::engine_word::EngineWord;
use super::fields::FieldReader;
use super::foreign_word::SECRET;
use super::gateway::GATEWAY;
use crate::diag::{Diagnostic, words};
use crate::hir::KINDS;
use crate::hir::codes::UNKNOWN_FIELD;
use crate::source::Span;
use crate::syntax::Node;

/// Words of the router of llama.cpp and of llama-swap, without `-` and `_`, and what to write instead of them.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["modelsmax", "maxmodels", "maxloadedmodels"],
        "write `at-once` in the residency of its roles: the number of them that may run at the same time",
    ),
    (
        &["ttl", "globalttl", "sleepidleseconds", "idletimeout", "unloadafter"],
        "write `idle` in the residency of its roles: the time without requests after which a model is unloaded",
    ),
    (
        &["preload", "loadonstartup", "modelsautoload", "autoload"],
        "write `start` in the residency of its roles: `boot` loads their models with the gateway, `on-demand` at the \
         first request",
    ),
    (
        &["modelspreset", "preset", "config"],
        "remove it: `orchgen build` writes the preset file from the roles of the gateway",
    ),
    (
        &["matrix", "groups", "sets", "swap", "exclusive", "persistent", "evictcosts"],
        "write a `set` for the names of roles that may be in memory together; without any, the sets follow from the memory of \
         the roles and from `at-once` of residencies",
    ),
    (&["startport"], "write `backend`: the first of the ports of the models of llama-swap"),
    (
        &["healthchecktimeout", "starttimeout"],
        "remove it: the time limits follow from the size of the models and the `speed` of their store",
    ),
    (&["modelsdir", "modelspath"], "declare each file as a model, and a role that serves it"),
];

/// Words of a model of llama-swap, and what to write instead of them in a role.
const OF_ROLES: &[(&[&str], &str)] = &[
    (
        &["ttl"],
        "write `idle` in the residency of the role: the time without requests after which its model is unloaded",
    ),
    (&["cmd"], "write `model` for a model of the engine, or `command` for another program"),
    (&["checkendpoint"], "write `health` if the role has a `command`; the engine has a known path"),
    (&["proxy"], "remove it: the gateway selects the ports of its models"),
    (
        &["filters", "setparams"],
        "write `option` in another role with `shares`: a gateway of llama-swap sets it in its requests",
    ),
];

/// The word of llama-swap for the keys themselves.
const KEYS: &[&str] = &["apikeys", "requiredapikeys"];

/// Words for the members of a gateway.
const MEMBERS: &[&str] = &["roles", "role", "models", "model", "members", "backends", "upstreams"];

impl FieldReader<'_> {
    /// The finding for a setting of a router in a gateway or a role, or of the engine in a gateway. The help names its right place.
    pub(super) fn gateway_finding(&self, message: &str, node: &Node) -> Option<Diagnostic> {
        let words = match self.owner.kind {
            GATEWAY => WORDS,
            "role" => OF_ROLES,
            _ => return None,
        };
        if !self.path.is_empty() {
            return None;
        }
        let finding = |label: &str| UNKNOWN_FIELD.at(node.key_span, label, message);
        let word = node.key.to_ascii_lowercase().replace(['-', '_'], "");
        if let Some((_, help)) = words.iter().find(|(all, _)| all.contains(&&*word)) {
            return Some(finding("a word of another program").help(*help));
        }
        if self.owner.kind != GATEWAY {
            return None;
        }
        let secret = |label: &str| {
            // One span for all keys, in any shape.
            let values = Span::new(node.span.file, node.key_span.end as usize, node.span.end as usize);
            finding(label).conceal(values).help(SECRET)
        };
        if KEYS.contains(&&*word) {
            return Some(secret("a setting of llama-swap"));
        }
        if MEMBERS.contains(&&*word) {
            let name = words::quoted(self.owner.name);
            let help = format!("write {name} as the `gateway` of each role behind it");
            return Some(finding("a field of the roles").help(help));
        }
        // A field of another item keeps its name there.
        if KINDS.iter().any(|kind| kind.table.field(&node.key).is_some()) {
            return None;
        }
        let label = "a setting of the engine";
        match (self.engine.meaning)(&node.key)? {
            EngineWord::Secret => Some(secret(label)),
            EngineWord::Field(field, _) => Some(finding(label).help(format!("write `{field}` in its roles"))),
            EngineWord::Option(name) | EngineWord::OptionOff(name) => {
                Some(finding(label).help(format!("write it as the `option` `{name}` of its roles")))
            }
            EngineWord::OptionValue(name, _) => {
                Some(finding(label).help(format!("write it as the `option` `{name}` of its roles")))
            }
        }
    }
}
