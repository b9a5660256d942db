//! Reports roles that use something their family forbids, for the checks of speculation and lookup.

use crate::diag::{Code, Diagnostics, words};
use crate::hir::{Draft, ForbiddenFeature, Registry, Serving};
use crate::source::Span;

/// A forbidden use of a model, and how to report it.
pub(super) struct ForbiddenUse {
    /// The code of the finding.
    pub(super) code: &'static Code,
    /// The value of `forbid`.
    pub(super) what: ForbiddenFeature,
    /// The field of the role that must be removed.
    pub(super) field: &'static str,
    /// The use in words, between the role and its model: "uses a draft for".
    pub(super) phrase: &'static str,
}

/// True if a ban covers the draft of a role, or the family of its target forbids drafts.
pub(super) fn is_forbidden(registry: &Registry, serving: &Serving, draft: &Draft) -> bool {
    registry.model_of(serving).1.forbids(ForbiddenFeature::Speculation).is_some()
        || registry.ban_of(serving.model.value, draft.model.value).is_some()
}

/// Reports every role with a use that its family forbids. `place` returns the field with this use, if the role has it.
pub(super) fn run(
    forbidden_use: &ForbiddenUse,
    registry: &Registry,
    place: impl Fn(&Serving) -> Option<Span>,
    findings: &mut Diagnostics,
) {
    for (role, serving) in registry.served() {
        let Some(place) = place(serving) else { continue };
        let (model, family) = registry.model_of(serving);
        let Some((forbidden, forbidden_at)) = family.forbids(forbidden_use.what) else { continue };
        let failure = forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
        let message = format!(
            "{role} {} {}, but {family} forbids it{}",
            forbidden_use.phrase,
            words::quoted(&model.title),
            failure.unwrap_or_default()
        );
        let mut finding = forbidden_use
            .code
            .at(place, "forbidden", message)
            .about(role)
            .also(serving.model.span, "with this model")
            .also(forbidden_at, "forbidden here");
        if let Some(why) = &forbidden.why {
            finding = finding.note(words::printable(why));
        }
        findings.report(finding.help(format!("remove `{}`", forbidden_use.field)));
    }
}
