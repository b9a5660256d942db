//! A context beyond the one that a model was trained for.

use super::{Check, intent};
use crate::diag::{Diagnostics, words};
use crate::hir::{Override, Registry, Serving, Setting};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A role whose `context` is longer than the `trained-context` of its model.
    ///
    /// ## Why
    /// The engine caps each slot at the trained context with a warning in its log, and keeps the memory of the longer one
    /// (llama.cpp b11434, `tools/server/server-context.cpp`). Whoever stretches a model says so to the engine by an override of
    /// `ARCH.context_length`, and that number is then the one that counts.
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
    static UNTRAINED_CONTEXT = 356, "untrained-context", Error;
}

pub(super) static CHECK: Check = Check { code: &UNTRAINED_CONTEXT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let (model, _) = registry.model_of(serving);
        let stretched = stretched(registry, serving);
        let Some((limit, place)) =
            stretched.or_else(|| model.trained_context.map(|trained| (trained.value, trained.span)))
        else {
            continue;
        };
        if serving.context.value <= limit {
            continue;
        }
        let (label, what) = if stretched.is_some() {
            ("stretched to this", "is stretched to")
        } else {
            ("trained for this", "was trained for")
        };
        let message = format!(
            "role {} has a context of {} tokens, and {} {what} {limit}",
            words::quoted(&role.head.name),
            serving.context.value,
            words::quoted(&model.title)
        );
        let mut finding = UNTRAINED_CONTEXT
            .at(serving.context.span, format!("expected at most {limit}"), message)
            .also(place, label)
            .about("role", &*role.head.name.value);
        if super::owner(registry, role, serving.context.span).0 != "role" {
            finding = finding.also(role.head.name.span, "holds for this role");
        }
        findings.report(finding.help(format!("write `context` {limit} or less for this role")));
    }
}

/// The context that an override tells the engine the model was trained for.
fn stretched(registry: &Registry, serving: &Serving) -> Option<(u64, Span)> {
    let key = format!("{}.context_length", registry.model_of(serving).1.arch.value);
    let said = intent::said_overrides(registry, serving);
    said.into_iter().filter(|one| *one.key.value == *key).find_map(tokens)
}

fn tokens(said: &Override) -> Option<(u64, Span)> {
    let Spanned { value: Setting::Integer(number), span } = said.value else { return None };
    u64::try_from(number).ok().map(|number| (number, span))
}
