//! A number of experts that the registry lists under `avoid`.

use super::experts;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// A role with a number of experts that its model or family lists under `avoid`. A number that the model advises is
    /// accepted, even if its family avoids it.
    ///
    /// ## Why
    /// Measurements have shown that the model degrades with this number. The engine starts anyway.
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
    pub(super) static AVOIDED_EXPERTS = 309, "avoided-experts", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(used) = experts::used(registry, serving) else { continue };
        let (model, family) = registry.model_of(serving);
        let Some(avoided) = experts::avoided(model, family, used.value) else { continue };
        let message = format!(
            "{role} uses {}, which degrades {}",
            experts::describe(used.value),
            words::quoted(&model.title)
        );
        let finding =
            AVOIDED_EXPERTS.at(used.span, "listed under `avoid`", message).also(avoided, "listed here");
        findings.report(finding.about(role).help(experts::help(model, family)));
    }
}
