//! A model of several files of which some are not there.

use super::FactCheck;
use super::ground::Ground;
use super::locked::facts;
use crate::diag::{Diagnostics, words};
use crate::facts::Lock;

declare_code! {
    /// ## What it finds
    /// A model whose file is the first of several shards, some of which were not there when it was locked.
    ///
    /// ## Why
    /// The engine needs all of them and ends with an error at the start (llama.cpp b11434, `src/llama-model-loader.cpp`).
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

/// How many shards are named.
const NAMED: usize = 8;

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for model in registry.models.iter() {
        let Ok(locked) = facts(lock, model) else { continue };
        let (missing, shards) = (&locked.facts.shards_missing, locked.facts.shards.unwrap_or_default());
        if missing.is_empty() {
            continue;
        }
        let mut named: Vec<String> = missing.iter().take(NAMED).map(ToString::to_string).collect();
        if missing.len() > NAMED {
            named.push(format!("{} more", missing.len() - NAMED));
        }
        let name = words::quoted(&model.head.name);
        let message =
            format!("model {name} lacks {} of its {shards} shards", words::count(missing.len(), "file"));
        let mut finding = MISSING_SHARD
            .at(model.file.span, format!("the first of {shards} shards"), message)
            .about("model", &*model.head.name.value);
        if let Some(place) = locked.place("shards_missing") {
            finding = finding.also(place, format!("without number {}", words::all_of(&named)));
        }
        findings.report(finding.help("put the files beside the first one and run `orchgen lock`"));
    }
}
