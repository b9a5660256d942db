//! A model in several files, some of which are missing.

use super::FactCheck;
use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::diag::{Diagnostics, words};
use crate::facts::Lock;

declare_code! {
    /// ## What it finds
    /// A model whose file is the first of several shards, some of which were missing when the lock was written.
    ///
    /// ## Why
    /// The engine needs all shards. Otherwise it exits with an error at start (llama.cpp b11434,
    /// `src/llama-model-loader.cpp`).
    ///
    /// ## Example
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "shards": 3, "shards_missing": [2], "size": 3000000000}
    /// }}
    /// ```
    ///
    /// ## Instead
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "shards": 3, "size": 4400000000}
    /// }}
    /// ```
    static MISSING_SHARD = 392, "missing-shard", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &MISSING_SHARD, run };

/// Maximum number of missing shards that one message names.
const MAX_NAMED: usize = 8;

fn run(derived: &Derived, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for model in registry.models.iter() {
        let Ok(locked) = facts(lock, model) else { continue };
        let (missing, shards) = (&locked.facts.shards_missing, locked.facts.shards.unwrap_or_default());
        if missing.is_empty() {
            continue;
        }
        let mut named: Vec<String> = missing.iter().take(MAX_NAMED).map(ToString::to_string).collect();
        if missing.len() > MAX_NAMED {
            named.push(format!("{} more", missing.len() - MAX_NAMED));
        }
        let name = words::quoted(&model.head.name);
        let message = format!("model {name} lacks {} of its {shards} shards", missing.len());
        let mut finding = MISSING_SHARD
            .at(model.file.span, format!("the first of {shards} shards"), message)
            .about(&model.head);
        if let Some(place) = locked.place("shards_missing") {
            finding = finding.also(place, format!("missing shards: {}", words::all_of(&named)));
        }
        findings.report(
            finding.help("put the missing files into the folder of the first shard, and run `orchgen lock`"),
        );
    }
}
