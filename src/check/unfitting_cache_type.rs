//! A KV cache type whose block size does not divide the head size of the model.

use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::diag::{Change, Diagnostics, words};
use crate::engine::memory::indivisible_head;
use crate::facts::tensor_types;
use crate::hir::{Id, Model, Serving, Setting};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A `cache-type`, or an option for the cache of a draft, with a block size that does not divide the head size of
    /// the model. The head size comes from the lock.
    ///
    /// ## Why
    /// The server maps the whole model and then exits. With flash attention each head must consist of whole blocks.
    /// Without it, the V cache cannot be quantized (llama.cpp b11434, `src/llama-context.cpp`).
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
    pub(super) static UNFITTING_CACHE_TYPE = 339, "unfitting-cache-type", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    for (role, serving) in registry.served() {
        // Another check reports quantized caches without flash attention.
        if serving.setting_word("flash-attention").is_some_and(|(word, _)| word == "off") {
            continue;
        }
        let own = serving
            .setting_word("cache-type")
            .map(|(name, span)| (name, span, serving.model.value))
            .into_iter();
        for (cache_type, place, id) in own.chain(draft_cache_types(derived, serving)) {
            let model = registry.models.get(id);
            let (Some(kind), Ok(locked)) =
                (tensor_types().iter().find(|kind| *kind.name == *cache_type), facts(lock, model))
            else {
                continue;
            };
            let Some(head) = indivisible_head(&locked.facts, kind) else { continue };
            let (title, cache_type) = (words::quoted(&model.title), words::quoted(cache_type));
            let divisor = kind.block;
            let message = format!(
                "{role} uses the cache type {cache_type}, which needs a head size divisible by {divisor}; {title} has {head}"
            );
            let finding =
                UNFITTING_CACHE_TYPE.at(place, format!("block size {divisor}"), message).about(role);
            let change = Change::Value { span: place, to: "f16".into() };
            findings.report(finding.remedy("write `{}`", change));
        }
    }
}

/// The cache types of a draft, which options set.
fn draft_cache_types<'g>(
    derived: &'g Derived,
    serving: &'g Serving,
) -> impl Iterator<Item = (&'g str, Span, Id<Model>)> {
    let drafting = serving.draft.as_ref().zip(derived.profile_of(serving));
    drafting.into_iter().flat_map(|(draft, profile)| {
        serving.options.iter().filter_map(|option| {
            let names = &profile.option(profile.server(), &option.name.value)?.names;
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
