//! Settings that need a KV cache, for a model without one.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;
use crate::hir::{ForbiddenFeature, Registry, Serving};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A draft, a lookup or a prompt cache for a model whose architecture has no KV cache: encoders such as `bert`, and
    /// diffusion models.
    ///
    /// ## Why
    /// The engine disables speculation with one warning, and cannot cache prompts (llama.cpp b11434,
    /// `tools/server/server-context.cpp`, `src/llama-model.cpp`). It serves anyway, and the draft uses memory for
    /// nothing.
    ///
    /// ## Example
    /// ```kdl
    /// family "encoders" arch="bert"
    /// model "embed" family="encoders" title="Embed" quant="F16" size="0.6 GB" file="embed.gguf"
    /// role "extra" tier="A" residency="hot" model="embed" port=9000 context=512 pooling="cls" draft="tiny"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "encoders" arch="bert"
    /// model "embed" family="encoders" title="Embed" quant="F16" size="0.6 GB" file="embed.gguf"
    /// role "extra" tier="A" residency="hot" model="embed" port=9000 context=512 pooling="cls"
    /// ```
    pub(super) static WITHOUT_CACHE = 364, "without-cache", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let model = registry.model_of(serving).0;
        let Some(arch) = registry.arch_of(model) else { continue };
        if architecture::architecture(arch).is_none_or(architecture::Architecture::has_memory) {
            continue;
        }
        for (field, place) in settings(registry, serving) {
            let message =
                format!("{role} has `{field}`, but {} has no KV cache", words::quoted(&model.title));
            let label = format!("`{}` is an architecture without a KV cache", words::printable(arch));
            let finding =
                WITHOUT_CACHE.at(place, "has no effect", message).also(arch.span, label).about(role);
            findings.report(finding.remove(place));
        }
    }
}

/// The settings that need a KV cache, without those that another finding reports as forbidden.
fn settings(registry: &Registry, serving: &Serving) -> Vec<(&'static str, Span)> {
    let draft = serving.draft.as_ref().filter(|draft| !registry.forbids_draft(serving, draft));
    let forbids_lookup = registry.model_of(serving).1;
    let forbids_lookup =
        forbids_lookup.is_some_and(|family| family.forbids(ForbiddenFeature::Lookup).is_some());
    let lookup = serving.lookup.as_ref().filter(|_| !forbids_lookup);
    let all = [
        draft.map(|draft| ("draft", draft.span)),
        lookup.map(|lookup| ("lookup", lookup.span)),
        serving.setting("prompt-cache").map(|cache| ("prompt-cache", cache.span)),
    ];
    all.into_iter().flatten().collect()
}
