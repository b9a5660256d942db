//! Settings of a cache for a model that has none.

use super::{Check, forbidden};
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;
use crate::hir::{Registry, Serving};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A draft, a lookup or a prompt cache for a model whose architecture keeps no cache: encoders as `bert`, and diffusion models.
    ///
    /// ## Why
    /// The engine switches speculation off with one warning and has no prompts to keep (llama.cpp b11434,
    /// `tools/server/server-context.cpp`, `src/llama-model.cpp`). It serves on, and the draft takes its memory.
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
    static WITHOUT_CACHE = 364, "without-cache", Error;
}

pub(super) static CHECK: Check = Check { code: &WITHOUT_CACHE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let (model, family) = registry.model_of(serving);
        if architecture::architecture(&family.arch).is_none_or(architecture::Architecture::has_memory) {
            continue;
        }
        for (field, place) in settings(registry, serving) {
            let message = format!(
                "role {} has `{field}`, and {} keeps no cache",
                words::quoted(&role.head.name),
                words::quoted(&model.title)
            );
            let label = format!("`{}` is an architecture without a cache", words::printable(&family.arch));
            let finding = WITHOUT_CACHE
                .at(place, "has no effect", message)
                .also(family.arch.span, label)
                .about("role", &*role.head.name.value);
            findings.report(finding.help(format!("remove `{field}`")));
        }
    }
}

/// What needs a cache, where it is not said already that it must not be.
fn settings(registry: &Registry, serving: &Serving) -> Vec<(&'static str, Span)> {
    let draft = serving.draft.as_ref().filter(|draft| !forbidden::is_refused(registry, serving, draft));
    let forbids_lookup = registry.model_of(serving).1.forbids(crate::hir::Forbids::Lookup).is_some();
    let lookup = serving.lookup.as_ref().filter(|_| !forbids_lookup);
    let all = [
        draft.map(|draft| ("draft", draft.span)),
        lookup.map(|lookup| ("lookup", lookup.span)),
        serving.prompt_cache.as_ref().map(|cache| ("prompt-cache", cache.span)),
    ];
    all.into_iter().flatten().collect()
}
