//! Fewer experts than a number that already degrades the model.

use super::experts;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// A role that uses fewer experts than a number that its model or family declares in `avoid` as too few. A number
    /// is too few if it is below the default and below every number in `advise`.
    ///
    /// ## Why
    /// If 2 experts degrade a model, 1 degrades it even more. The engine accepts any number from 1.
    ///
    /// ## Example
    /// ```kdl
    /// model "wide" family="qwen3moe" title="Wide-30B" quant="Q4_K_M" size="17.5 GB" file="wide.gguf" {
    ///     experts total=128 default=8 { advise 4; avoid 2 }
    /// }
    /// role "extra" tier="A" residency="hot" model="wide" port=9000 context=4096 experts=1
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "wide" family="qwen3moe" title="Wide-30B" quant="Q4_K_M" size="17.5 GB" file="wide.gguf" {
    ///     experts total=128 default=8 { advise 4; avoid 2 }
    /// }
    /// role "extra" tier="A" residency="hot" model="wide" port=9000 context=4096 experts=4
    /// ```
    pub(super) static TOO_FEW_EXPERTS = 355, "too-few-experts", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(used) = experts::used(registry, serving).filter(|used| used.value >= 1) else { continue };
        let (model, family) = registry.model_of(serving);
        let blocks = experts::advice(model, family);
        let least_good = blocks
            .iter()
            .flat_map(|advice| &advice.advise)
            .map(|advised| advised.experts.value)
            .chain(model.experts.as_ref().and_then(|experts| experts.default).map(|default| default.value))
            .min();
        let Some(least_good) = least_good.map(i64::from) else { continue };
        let too_few = blocks
            .iter()
            .flat_map(|advice| &advice.avoid)
            .filter(|avoid| i64::from(avoid.value) < least_good)
            .max_by_key(|avoid| avoid.value);
        let Some(avoided) = too_few.filter(|avoid| used.value < i64::from(avoid.value)) else { continue };
        if experts::avoided(model, family, used.value).is_some() {
            continue;
        }
        let message = format!(
            "{role} uses {} of {}, but even {} degrade it",
            experts::describe(used.value),
            words::quoted(&model.title),
            avoided.value
        );
        let finding = TOO_FEW_EXPERTS
            .at(used.span, "even fewer", message)
            .also(avoided.span, "declared as too few")
            .about(role);
        findings.report(finding.help(experts::help(model, family)));
    }
}
