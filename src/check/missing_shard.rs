//! A model in several files, some of which are missing.

use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::diag::{Diagnostics, words};

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
    pub(super) static MISSING_SHARD = 392, "missing-shard", Error;
}

/// Maximum number of missing shards that one message names.
const MAX_NAMED: usize = 8;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
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
        let place = locked.place("shards_missing");
        let message = format!("{model} lacks {} of its {shards} shards", missing.len());
        let finding = MISSING_SHARD
            .at(model.file.span, format!("the first of {shards} shards"), message)
            .about(model)
            .also_each(place.map(|place| (place, format!("missing shards: {}", words::all_of(&named)))));
        findings.report(
            finding.help("put the missing files into the folder of the first shard, and run `orchgen lock`"),
        );
    }
}
