//! A number of experts that the registry says to avoid.

use super::{Check, experts};
use crate::diag::{Diagnostics, words};
use crate::hir::{ExpertAdvice, Registry};

declare_code! {
    /// ## What it finds
    /// A role that uses a number of experts that its model or family says to avoid.
    ///
    /// ## Why
    /// Somebody has measured that the model degrades there; the engine serves on all the same.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 1}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 4}
    /// ```
    static AVOIDED_EXPERTS = 309, "avoided-experts", Error;
}

pub(super) static CHECK: Check = Check { code: &AVOIDED_EXPERTS, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let Some(used) = experts::used(registry, serving) else { continue };
        let (model, family) = registry.model_of(serving);
        let own = model.experts.as_ref().map(|experts| &experts.advice);
        let advice: Vec<&ExpertAdvice> =
            own.into_iter().chain(family.experts.as_ref().map(|advice| &advice.value)).collect();
        let Some(avoided) =
            advice.iter().flat_map(|advice| &advice.avoid).find(|avoid| i64::from(avoid.value) == used.value)
        else {
            continue;
        };
        let message = format!(
            "role {} uses {} experts, which degrades {}",
            words::quoted(&role.head.name),
            used.value,
            words::quoted(&model.title)
        );
        let advised: Vec<String> = (advice.iter().flat_map(|advice| &advice.advise))
            .map(|advised| match &advised.purpose {
                Some(purpose) => format!("{} ({})", advised.experts.value, words::printable(purpose)),
                None => advised.experts.value.to_string(),
            })
            .collect();
        let help = if advised.is_empty() {
            "use another number".to_owned()
        } else {
            format!("use {}", words::any_of(&advised))
        };
        let finding =
            AVOIDED_EXPERTS.at(used.span, "to be avoided", message).also(avoided.span, "says so here");
        findings.say(finding.about("role", &*role.head.name.value).help(help));
    }
}
