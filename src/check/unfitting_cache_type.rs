//! A type of cache whose blocks do not divide the heads of the model.

use super::FactCheck;
use super::ground::Ground;
use super::locked::facts;
use crate::diag::{Diagnostics, words};
use crate::engine::memory::undivided;
use crate::facts::{Lock, tensor_types};
use crate::hir::{Id, Model, Serving, Setting};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A `cache-type`, or an option for the cache of a draft, that stores numbers in blocks which do not divide the heads of the
    /// model, as its header in the lock has them.
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
        // Without flash attention no cache may be in blocks, which was said.
        if serving.flash_attention.as_ref().is_some_and(|wish| &*wish.value == "off") {
            continue;
        }
        let own = serving.cache_type.iter().map(|asked| (&***asked, asked.span, serving.model.value));
        for (asked, place, id) in own.chain(of_draft(ground, serving)) {
            let model = registry.models.get(id);
            let (Some(kind), Ok(locked)) =
                (tensor_types().iter().find(|kind| *kind.name == *asked), facts(lock, model))
            else {
                continue;
            };
            let Some(head) = undivided(&locked.facts, kind) else { continue };
            let message = format!(
                "role {} asks for a cache of {}, whose blocks of {} do not divide the heads of {}, of {head} numbers",
                words::quoted(&role.head.name),
                words::quoted(asked),
                kind.block,
                words::quoted(&model.title)
            );
            let finding = UNFITTING_CACHE_TYPE
                .at(place, format!("stored in blocks of {}", kind.block), message)
                .about("role", &*role.head.name.value);
            findings.report(finding.help("use a type without blocks, as `f16` or `bf16`, or leave it out"));
        }
    }
}

/// The types that options give the caches of a draft.
fn of_draft<'g>(
    ground: &'g Ground,
    serving: &'g Serving,
) -> impl Iterator<Item = (&'g str, Span, Id<Model>)> {
    let drafting = serving.draft.as_ref().zip(ground.profile_of(serving));
    drafting.into_iter().flat_map(|(draft, profile)| {
        serving.options.iter().filter_map(|option| {
            let names = &profile.option("llama-server", &option.name.value)?.names;
            let is_type =
                |name: &String| matches!(name.as_str(), "--cache-type-k-draft" | "--cache-type-v-draft");
            let value = option.value.as_ref().filter(|_| names.iter().any(is_type))?;
            match &value.value {
                Setting::Text(kind) => Some((&**kind, value.span, draft.model.value)),
                Setting::Flag(_) | Setting::Integer(_) | Setting::Float(_) => None,
            }
        })
    })
}
