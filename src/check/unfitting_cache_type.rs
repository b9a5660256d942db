//! A KV cache type whose block size does not divide the head size of the model.

use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::memory::{CacheHalf, indivisible_head, needs_equal_cache_types};
use crate::facts::tensor_types;
use crate::hir::{Id, Model, Serving, Setting};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A `cache-type`, or an option for the cache of a draft, with a block size that does not divide the head size of
    /// the model. Also different types of keys and values for a model with multi-head latent attention, which stores
    /// both in one cache. The lock has the head size and the kind of attention.
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
        findings.extend(different(derived, serving).map(|finding| finding.about(role)));
        // Another check reports quantized caches without flash attention.
        if serving.setting_word("flash-attention").is_some_and(|(word, _)| word == "off") {
            continue;
        }
        let own = HALVES.into_iter().filter_map(|(part, half)| {
            let (name, span) = serving.cache_type(part)?;
            Some(CacheType { name, span, half, model: serving.model.value })
        });
        let mut reported = None;
        for cache in own.chain(draft_cache_types(derived, serving)) {
            let model = registry.models.get(cache.model);
            let (Some(kind), Ok(locked)) =
                (tensor_types().iter().find(|kind| *kind.name == *cache.name), facts(lock, model))
            else {
                continue;
            };
            let Some(head) = indivisible_head(&locked.facts, kind, cache.half) else { continue };
            // One type for both halves has one place.
            if reported.replace(cache.span) == Some(cache.span) {
                continue;
            }
            let (title, cache_type) = (words::quoted(&model.title), words::quoted(cache.name));
            let divisor = kind.block;
            let message = format!(
                "{role} uses the cache type {cache_type}, which needs a head size divisible by {divisor}; {title} has {head}"
            );
            let finding =
                UNFITTING_CACHE_TYPE.at(cache.span, format!("block size {divisor}"), message).about(role);
            let change = Change::Value { span: cache.span, to: "f16".into() };
            findings.report(finding.remedy("write `{}`", change));
        }
    }
}

/// A data type of one half of a cache, and the model that has the cache.
struct CacheType<'g> {
    name: &'g str,
    span: Span,
    half: CacheHalf,
    model: Id<Model>,
}

const HALVES: [(&str, CacheHalf); 2] = [("k", CacheHalf::Keys), ("v", CacheHalf::Values)];

/// Different types of keys and values for a model that stores both in one cache.
fn different(derived: &Derived, serving: &Serving) -> Option<Diagnostic> {
    let [keys, values] = HALVES.map(|(part, _)| serving.cache_type(part));
    let (name, place) = keys.or(values)?;
    let name_of = |half: Option<(&str, Span)>| half.map_or("f16", |(name, _)| name).to_owned();
    let [one, other] = [name_of(keys), name_of(values)];
    let model = derived.registry.models.get(serving.model.value);
    let profile = derived.profile_of(serving)?;
    let locked = facts(&derived.lock, model).ok().filter(|_| one != other)?;
    needs_equal_cache_types(profile, &locked.facts).then(|| {
        let title = words::quoted(&model.title);
        let message = format!("{title} needs one cache type for keys and values, not `{one}` and `{other}`");
        let finding = UNFITTING_CACHE_TYPE.at(place, "different types", message);
        finding.remedy("write `{}`", Change::rewrite(place, Line::of("cache-type", name)))
    })
}

/// The cache types of a draft, which options set.
fn draft_cache_types<'g>(derived: &'g Derived, serving: &'g Serving) -> impl Iterator<Item = CacheType<'g>> {
    let drafting = serving.draft.as_ref().zip(derived.profile_of(serving));
    drafting.into_iter().flat_map(|(draft, profile)| {
        let model = draft.model.map_or(serving.model.value, |model| model.value);
        serving.options.iter().filter_map(move |option| {
            let names = &profile.option(profile.server(), &option.name.value)?.names;
            let half = names.iter().find_map(|name| match name.as_str() {
                "--cache-type-k-draft" => Some(CacheHalf::Keys),
                "--cache-type-v-draft" => Some(CacheHalf::Values),
                _ => None,
            })?;
            let value = option.value.as_ref()?;
            match &value.value {
                Setting::Text(name) => Some(CacheType { name, span: value.span, half, model }),
                Setting::Flag(_) | Setting::Integer(_) | Setting::Float(_) => None,
            }
        })
    })
}
