//! A draft that is the same model as its target.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::Pattern;

declare_code! {
    /// ## What it finds
    /// A role or a pair whose draft is also its target.
    ///
    /// ## Why
    /// A draft saves time because it is smaller than its target. The same model needs as much time for each drafted
    /// token as without a draft, and then verifies it. It also needs a second KV cache.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: plain}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// ```
    pub(super) static OWN_DRAFT = 349, "own-draft", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(draft) = &serving.draft else { continue };
        if draft.model.value != serving.model.value || registry.forbids_draft(serving, draft) {
            continue;
        }
        let message = format!(
            "{role} uses {} as both target and draft",
            words::quoted(&registry.models.get(draft.model.value).title)
        );
        let finding = OWN_DRAFT
            .at(draft.model.span, "same model as the target", message)
            .also(serving.model.span, "the target")
            .about(role);
        findings
            .report(finding.help("set `draft` to a smaller model with the same vocabulary, or remove it"));
    }
    for pair in registry.pairs.iter() {
        let Some(draft) = &pair.draft else { continue };
        let (Pattern::Model(target), Pattern::Model(drafter)) = (&pair.target.value, &draft.value) else {
            continue;
        };
        if target != drafter || registry.ban_of(*target, *drafter).is_some() {
            continue;
        }
        let message = format!(
            "a pair uses {} as both target and draft",
            words::quoted(&registry.models.get(*target).title)
        );
        let finding = OWN_DRAFT
            .at(draft.span, "same model as the target", message)
            .also(pair.target.span, "the target")
            .about(pair);
        findings.report(finding.help("name a smaller draft with the same vocabulary, or remove the pair"));
    }
}
