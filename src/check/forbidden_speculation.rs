//! A draft for a target whose family forbids speculation.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Forbids, Registry};

declare_code! {
    /// ## What it finds
    /// A role that drafts for a model whose family forbids `speculation`.
    ///
    /// ## Why
    /// Some models cannot take back tokens that were drafted and rejected; a recurrent state, for one, cannot be rolled back by
    /// every build. Builds start all the same.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, draft: tiny}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    static FORBIDDEN_SPECULATION = 303, "forbidden-speculation", Error;
}

pub(super) static CHECK: Check = Check { code: &FORBIDDEN_SPECULATION, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        let Some(draft) = &serving.draft else { continue };
        let model = registry.models.get(serving.model.value);
        let family = registry.families.get(model.family.value);
        let Some(forbidden) = family.forbids(Forbids::Speculation) else { continue };
        let Some(what) = forbidden.what.iter().find(|what| what.value == Forbids::Speculation) else {
            continue;
        };
        let message = format!(
            "role {} drafts for {}, and family {} forbids speculation{}",
            words::quoted(&role.head.name),
            words::quoted(&model.title),
            words::quoted(&family.head.name),
            forbidden
                .failure
                .as_ref()
                .map(|failure| format!(": {}", words::printable(failure)))
                .unwrap_or_default()
        );
        let mut finding = FORBIDDEN_SPECULATION
            .at(draft.span, "speculation", message)
            .about("role", &*role.head.name.value)
            .also(serving.model.span, "with this target")
            .also(what.span, "forbidden here");
        if let Some(why) = &forbidden.why {
            finding = finding.note(words::printable(why));
        }
        findings.say(finding.help("remove `draft`"));
    }
}
