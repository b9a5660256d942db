//! Lookup for a model whose family forbids it.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Forbids, Registry};

declare_code! {
    /// ## What it finds
    /// A role with `lookup` for a model whose family forbids it.
    ///
    /// ## Why
    /// Lookup drafts tokens from the prompt, and rejected ones have to be taken back as those of a draft model.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, lookup: 3}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    static FORBIDDEN_LOOKUP = 304, "forbidden-lookup", Error;
}

pub(super) static CHECK: Check = Check { code: &FORBIDDEN_LOOKUP, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        let Some(lookup) = &serving.lookup else { continue };
        let model = registry.models.get(serving.model.value);
        let family = registry.families.get(model.family.value);
        let Some(forbidden) = family.forbids(Forbids::Lookup) else { continue };
        let Some(what) = forbidden.what.iter().find(|what| what.value == Forbids::Lookup) else { continue };
        let message = format!(
            "role {} uses lookup with {}, and family {} forbids it{}",
            words::quoted(&role.head.name),
            words::quoted(&model.title),
            words::quoted(&family.head.name),
            forbidden
                .failure
                .as_ref()
                .map(|failure| format!(": {}", words::printable(failure)))
                .unwrap_or_default()
        );
        let mut finding = FORBIDDEN_LOOKUP
            .at(lookup.span, "lookup", message)
            .about("role", &*role.head.name.value)
            .also(serving.model.span, "with this model")
            .also(what.span, "forbidden here");
        if let Some(why) = &forbidden.why {
            finding = finding.note(words::printable(why));
        }
        findings.say(finding.help("remove `lookup`"));
    }
}
