//! A number of experts that the registry says to avoid.

use super::{Check, experts};
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role that uses a number of experts that its model or family says to avoid. A number that the model itself advises is fine,
    /// whatever its family avoids.
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
        let Some(avoided) = experts::avoided(model, family, used.value) else { continue };
        let message = format!(
            "role {} uses {}, which degrades {}",
            words::quoted(&role.head.name),
            experts::counted(used.value),
            words::quoted(&model.title)
        );
        let finding = AVOIDED_EXPERTS.at(used.span, "to be avoided", message).also(avoided, "says so here");
        findings.report(finding.about("role", &*role.head.name.value).help(experts::way_out(model, family)));
    }
}
