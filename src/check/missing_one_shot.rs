//! A model without a one-shot command, because the build cannot say it.

use super::ground::Ground;
use super::{GroundCheck, intent};
use crate::diag::{Diagnostics, NotChecked, Subject, words};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A model whose one-shot command, as the role that serves it first has it, the pinned build cannot express.
    ///
    /// ## Why
    /// The server can do what the programs for a person cannot. The command is left out of the scripts and documents.
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
    static MISSING_ONE_SHOT = 320, "missing-one-shot", Warning;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &MISSING_ONE_SHOT, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    let mut seen = BTreeSet::new();
    for (id, role) in registry.roles.entries() {
        let Some(serving) = role.serving() else { continue };
        if serving.pooling.is_some() || !seen.insert(serving.model.value) {
            continue;
        }
        let model = registry.models.get(serving.model.value);
        let Some(lowered) = intent::prompt(ground, serving.model.value, serving, ("prompt", "image.png"))
        else {
            continue;
        };
        let name = words::quoted(&model.head.name);
        for left in lowered.not_checked {
            let subject = Subject::new("model", &*model.head.name.value);
            findings.record_not_checked(NotChecked { check: MISSING_ONE_SHOT.name, subject, why: left.why });
        }
        // A role whose server cannot be said either has a finding of its own.
        let Some(cannot) = lowered.cannot.first().filter(|_| !ground.cannot_serve(id)) else { continue };
        let message = format!("model {name} has no one-shot command: {}", words::printable(&cannot.why));
        let finding = MISSING_ONE_SHOT
            .at(model.head.name.span, "left out", message)
            .about("model", &*model.head.name.value)
            .also(role.head.name.span, "as this role has it");
        let builds: Vec<String> = cannot.builds.iter().map(|build| format!("`{build}`")).collect();
        findings.report(finding.maybe_help(
            (!builds.is_empty()).then(|| format!("builds that can: {}", words::all_of(&builds))),
        ));
    }
}
