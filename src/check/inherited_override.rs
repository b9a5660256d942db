//! An override that a draft of the same architecture takes over.

use super::ground::Ground;
use super::{GroundCheck, intent};
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;
use crate::engine::keys::{KeyVerdict, key};

declare_code! {
    /// ## What it finds
    /// A role that overrides metadata of its model and drafts with a model of the same architecture.
    ///
    /// ## Why
    /// The engine hands the overrides of the target on to the draft (llama.cpp b11434, `common/speculative.cpp`). A number of
    /// experts that suits the target then holds for the draft too.
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
    static INHERITED_OVERRIDE = 319, "inherited-override", Warning;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &INHERITED_OVERRIDE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for (role, serving) in registry.served() {
        // A model that drafts for itself is said elsewhere.
        let other = serving.draft.as_ref().filter(|draft| draft.model.value != serving.model.value);
        let Some(draft) = other else { continue };
        let arch = |id| &registry.families.get(registry.models.get(id).family.value).arch;
        let (target, drafter) = (arch(serving.model.value), arch(draft.model.value));
        let Some(profile) = ground.profile_of(serving).filter(|_| target == drafter) else { continue };
        let effective = |name: &str| {
            matches!(key(profile, target, name), KeyVerdict::Known { .. }) && name.starts_with(&***target)
        };
        // Experts that the target itself cannot have are said there.
        let target_has_experts = registry.models.get(serving.model.value).experts.is_some();
        if serving.experts.is_some() && !target_has_experts && dense(target) {
            continue;
        }
        let overridden =
            intent::overrides(ground, serving).into_iter().map(|(name, _)| name).find(|name| effective(name));
        let (what, place) = match (serving.experts, overridden) {
            (Some(experts), _) => ("`experts`".to_owned(), experts.span),
            (None, Some(name)) => {
                let own = serving.overrides.iter().find(|own| &*own.key.value == name);
                (words::quoted(name), own.map_or(serving.model.span, |own| own.key.span))
            }
            (None, None) => continue,
        };
        let drafting = registry.models.get(draft.model.value);
        let message = format!(
            "the draft {} of role {} takes over {what} of its target",
            words::quoted(&drafting.title),
            words::quoted(&role.head.name)
        );
        let finding = INHERITED_OVERRIDE
            .at(draft.model.span, "of the same architecture", message)
            .about("role", &*role.head.name.value)
            .also(place, "holds for the draft as well");
        findings
            .report(finding.help("draft with a model of another architecture, or do without one of the two"));
    }
}

/// Whether nothing of an architecture has experts, as far as is known.
fn dense(arch: &str) -> bool {
    architecture::architecture(arch).is_some_and(|arch| !arch.names_experts())
}
