//! A type of cache whose blocks do not divide the heads of the model.

use super::FactCheck;
use super::ground::Ground;
use super::locked::facts;
use crate::diag::{Diagnostics, words};
use crate::engine::memory::undivided;
use crate::facts::{Lock, tensor_types};

declare_code! {
    /// ## What it finds
    /// A `cache-type` that stores numbers in blocks which do not divide the heads of the model, as its header in the lock has them.
    ///
    /// ## Why
    /// The server maps the whole model and then exits: with flash attention it reads whole blocks of each head, and without it no
    /// value can be in blocks (llama.cpp b11434, `src/llama-context.cpp`).
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 cache-type="q8_0"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000, "architecture": "qwen2",
    ///             "parameters": {"block_count": 28, "embedding_length": 2240, "attention.head_count": 28}}}}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 cache-type="f16"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000, "architecture": "qwen2",
    ///             "parameters": {"block_count": 28, "embedding_length": 2240, "attention.head_count": 28}}}}
    /// ```
    static UNFITTING_CACHE_TYPE = 339, "unfitting-cache-type", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &UNFITTING_CACHE_TYPE, run };

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for (role, serving) in registry.served() {
        let Some(asked) = &serving.cache_type else { continue };
        let Some(kind) = tensor_types().iter().find(|kind| *kind.name == ***asked) else { continue };
        // Without flash attention no cache may be in blocks, which was said.
        let is_off = serving.flash_attention.as_ref().is_some_and(|wish| &*wish.value == "off");
        let model = registry.models.get(serving.model.value);
        let Some(locked) = facts(lock, model).ok().filter(|_| !is_off) else { continue };
        let Some(head) = undivided(&locked.facts, kind) else { continue };
        let message = format!(
            "role {} asks for a cache of {}, whose blocks of {} do not divide the heads of {}",
            words::quoted(&role.head.name),
            words::quoted(asked),
            kind.block,
            words::quoted(&model.title)
        );
        let mut finding = UNFITTING_CACHE_TYPE
            .at(asked.span, format!("stored in blocks of {}", kind.block), message)
            .about("role", &*role.head.name.value);
        if let Some(place) = locked.place("parameters.attention.key_length") {
            finding = finding.also(place, format!("a head has {head} numbers"));
        }
        findings
            .say(finding.help("use a type without blocks, as `f16` or `bf16`, or leave `cache-type` out"));
    }
}
