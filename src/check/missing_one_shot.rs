//! A model without a one-shot command, because the engine build cannot express it.

use super::shared::faults::builds_without;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};

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
    for (role, served, command) in derived.commands() {
        let Some(lowered) = &command.one_shot else { continue };
        let model = derived.registry.models.get(served.serving.model.value);
        for left in &lowered.not_checked {
            findings.skip(&MISSING_ONE_SHOT, model, &*left.why);
        }
        // If the build cannot express the server either, another finding reports that.
        let can_serve = command.server().errors.is_empty();
        let Some(error) = lowered.errors.first().filter(|_| can_serve) else { continue };
        let message = format!("{model} has no one-shot command: {}", words::printable(&error.why));
        let finding = MISSING_ONE_SHOT
            .at(model.head.name.span, "left out", message)
            .about(model)
            .also(role.head.name.span, "with the settings of this role");
        findings.report(finding.maybe_help(builds_without(error)));
    }
}
