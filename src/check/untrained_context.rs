//! A context longer than the trained context of the model.

use crate::derive::Derived;
use crate::derive::overrides::effective_overrides;
use crate::diag::{Diagnostics, Line, words};
use crate::hir::{Override, Registry, Serving, Setting};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A role whose `context` is longer than the `trained-context` of its model.
    ///
    /// ## Why
    /// The engine caps each slot at the trained context and logs a warning, but allocates memory for the longer context
    /// (llama.cpp b11434, `tools/server/server-context.cpp`). To extend the context of a model, override
    /// `ARCH.context_length`. Then the overridden number is the limit.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 65536}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 32768}
    /// ```
    pub(super) static UNTRAINED_CONTEXT = 356, "untrained-context", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let (model, _) = registry.model_of(serving);
        let extended = extended_context(registry, serving)
            .map(|(limit, place)| (limit, place, "extended to this", "is extended to"));
        let trained = model.trained_context;
        let trained =
            trained.map(|trained| (trained.value, trained.span, "trained for this", "was trained for"));
        let Some((limit, place, label, what)) = extended.or(trained) else { continue };
        let context = serving.context.value;
        if context <= limit {
            continue;
        }
        let title = words::quoted(&model.title);
        let message = format!("{role} has a context of {context} tokens, but {title} {what} {limit}");
        let mut finding = UNTRAINED_CONTEXT
            .at(serving.context.span, format!("expected at most {limit}"), message)
            .also(place, label)
            .about(role);
        if super::owner(registry, role, serving.context.span).kind != "role" {
            finding = finding.also(role.head.name.span, "applies to this role");
        }
        findings.report(finding.write(role.head.span, Line::of("context", limit)));
    }
}

/// The context length that an override sets.
fn extended_context(registry: &Registry, serving: &Serving) -> Option<(u64, Span)> {
    let key = format!("{}.context_length", registry.model_of(serving).1.arch.value);
    let overrides = effective_overrides(registry, serving);
    overrides.into_iter().filter(|one| *one.key.value == *key).find_map(tokens)
}

fn tokens(entry: &Override) -> Option<(u64, Span)> {
    let Spanned { value: Setting::Integer(number), span } = entry.value else { return None };
    u64::try_from(number).ok().map(|number| (number, span))
}
