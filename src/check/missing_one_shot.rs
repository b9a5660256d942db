//! A model without a one-shot command, because the engine build cannot express it.

use super::shared::faults::builds_without;
use crate::derive::Derived;
use crate::derive::intent;
use crate::diag::{Diagnostics, words};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A model whose one-shot command the pinned build cannot express. The command uses the settings of the first role
    /// that serves the model.
    ///
    /// ## Why
    /// The command-line programs of llama.cpp lack some options of llama-server. The scripts and documents leave the
    /// command out.
    ///
    /// ## Example
    /// ```yaml
    /// engines:
    ///   march: {profile: llama.cpp-2026-03-22-g49bfddeca, bin: /opt/march/bin}
    /// roles:
    ///   extra: {tier: A, residency: hot, engine: march, model: small-mixture, port: 9000, context: 4096, lookup: 3}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// engines:
    ///   march: {profile: llama.cpp-2026-03-22-g49bfddeca, bin: /opt/march/bin}
    /// roles:
    ///   extra: {tier: A, residency: hot, engine: march, model: small-mixture, port: 9000, context: 4096}
    /// ```
    pub(super) static MISSING_ONE_SHOT = 320, "missing-one-shot", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut seen = BTreeSet::new();
    for (id, role) in registry.roles.entries() {
        let Some(serving) = role.serving() else { continue };
        if serving.pooling.is_some() || !seen.insert(serving.model.value) {
            continue;
        }
        let model = registry.models.get(serving.model.value);
        let Some(lowered) = intent::lower_prompt(derived, serving.model.value, serving) else {
            continue;
        };
        let name = words::quoted(&model.head.name);
        for left in lowered.not_checked {
            findings.skip(&MISSING_ONE_SHOT, &model.head, left.why);
        }
        // If the build cannot express the server either, another finding reports that.
        let Some(error) = lowered.errors.first().filter(|_| !derived.cannot_serve(id)) else { continue };
        let message = format!("model {name} has no one-shot command: {}", words::printable(&error.why));
        let finding = MISSING_ONE_SHOT
            .at(model.head.name.span, "left out", message)
            .about(model)
            .also(role.head.name.span, "with the settings of this role");
        findings.report(finding.maybe_help(builds_without(error)));
    }
}
