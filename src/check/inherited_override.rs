//! An override that also applies to a draft of the same architecture.

use crate::derive::Derived;
use crate::derive::overrides::effective_overrides;
use crate::diag::{Change, Diagnostics, words};
use crate::engine::architecture::lacks_experts;
use crate::engine::keys::{KeyVerdict, check_key};

declare_code! {
    /// ## What it finds
    /// A role that overrides metadata of its model and has a draft of the same architecture.
    ///
    /// ## Why
    /// The engine applies the overrides of the target to the draft too (llama.cpp b11434, `common/speculative.cpp`).
    /// For example, the draft then uses a number of experts that was chosen for the target.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 4, draft: small-mixture}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, draft: small-mixture}
    /// ```
    pub(super) static INHERITED_OVERRIDE = 319, "inherited-override", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        // `own-draft` reports a model that drafts for itself.
        let other = serving.draft_model().filter(|(_, draft)| draft.value != serving.model.value);
        let Some((_, draft)) = other else { continue };
        let arch = |id| registry.arch_of(registry.models.get(id));
        let (Some(target), Some(drafter)) = (arch(serving.model.value), arch(draft.value)) else {
            continue;
        };
        let Some(profile) = derived.profile_of(serving).filter(|_| target.value == drafter.value) else {
            continue;
        };
        let has_effect = |name: &str| {
            matches!(check_key(profile, target, name), KeyVerdict::Known { .. })
                && name.starts_with(&***target)
        };
        // Another check reports `experts` for a dense target.
        let target_has_experts = registry.models.get(serving.model.value).experts.is_some();
        if serving.experts.is_some() && !target_has_experts && lacks_experts(target) {
            continue;
        }
        let overrides = effective_overrides(registry, serving).into_iter();
        let overridden = overrides.map(|one| &*one.key.value).find(|name| has_effect(name));
        let (what, place, remove) = match (serving.experts, overridden) {
            (Some(experts), _) => ("`experts`".to_owned(), experts.span, Some(Change::remove(experts.span))),
            (None, Some(name)) => {
                let own = serving.overrides.iter().find(|own| &*own.key.value == name);
                let place = own.map_or(serving.model.span, |own| own.key.span);
                (words::quoted(name), place, own.map(|own| Change::field("override", own.key.span)))
            }
            (None, None) => continue,
        };
        let drafter_model = registry.models.get(draft.value);
        let message =
            format!("draft {} of {role} inherits {what} of its target", words::quoted(&drafter_model.title));
        let finding = INHERITED_OVERRIDE
            .at(draft.span, "same architecture as the target", message)
            .about(role)
            .also(place, "applies to the draft too");
        let finding = match remove {
            Some(change) => finding.remedy("remove `{}`", change),
            None => finding,
        };
        findings.report(
            finding
                .remedy("or remove `{}`", Change::field("draft", draft.span))
                .help("or use a draft of another architecture"),
        );
    }
}
