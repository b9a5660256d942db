//! Drafts and lookup for a model whose family forbids them.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::ForbiddenFeature;
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A role with `draft` for a model whose family forbids `speculation`.
    ///
    /// ## Why
    /// Some models cannot roll back rejected tokens. For example, not all builds can roll back a recurrent state. The
    /// server starts anyway.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, draft: tiny}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    pub(super) static FORBIDDEN_SPECULATION = 303, "forbidden-speculation", Error;
}

declare_code! {
    /// ## What it finds
    /// A role with `lookup` for a model whose family forbids it.
    ///
    /// ## Why
    /// Lookup drafts tokens from n-grams of the prompt. As with a draft model, the engine must roll back rejected
    /// tokens, which some models cannot do.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, lookup: 3}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    pub(super) static FORBIDDEN_LOOKUP = 304, "forbidden-lookup", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let (model, family) = registry.model_of(serving);
        let Some(family) = family else { continue };
        let (title, target) = (words::quoted(&model.title), serving.model.value);
        // `banned-draft` reports a banned draft, and `contradicted-pair` reports one that a pair names.
        let draft = serving.draft.as_ref().filter(|draft| {
            draft.model.is_none_or(|Spanned { value: drafter, .. }| {
                registry.ban_of(target, drafter).is_none() && registry.exact_pair(target, drafter).is_none()
            })
        });
        let draft = draft.map(|draft| (&FORBIDDEN_SPECULATION, draft.span, "uses a draft for"));
        let lookup = serving.lookup.as_ref();
        let lookup = lookup.map(|lookup| (&FORBIDDEN_LOOKUP, lookup.span, "uses lookup with"));
        let uses = [(ForbiddenFeature::Speculation, draft), (ForbiddenFeature::Lookup, lookup)];
        for (feature, used) in uses {
            let Some((code, place, phrase)) = used else { continue };
            let Some((forbidden, forbidden_at)) = family.forbids(feature) else { continue };
            let failure =
                forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
            let failure = failure.unwrap_or_default();
            let message = format!("{role} {phrase} {title}, but {family} forbids it{failure}");
            let mut finding = code
                .at(place, "forbidden", message)
                .about(role)
                .also(serving.model.span, "with this model")
                .also(forbidden_at, "forbidden here");
            if let Some(why) = &forbidden.why {
                finding = finding.note(words::printable(why));
            }
            findings.report(finding.remove(place));
        }
    }
}
