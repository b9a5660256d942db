//! What a family forbids, said at the role that does it: shared by the checks of speculation and of lookup.

use crate::diag::{Code, Diagnostics, words};
use crate::hir::{Draft, Forbids, Registry, Serving};
use crate::source::Span;

/// How a forbidden thing is said.
pub(super) struct Deed {
    /// The kind of finding.
    pub(super) code: &'static Code,
    /// What is forbidden.
    pub(super) what: Forbids,
    /// The field that does it.
    pub(super) field: &'static str,
    /// The role "drafts for" its model.
    pub(super) verb: &'static str,
}

/// Whether a draft of a role must not be used anyway: a ban names it, or the family of its target forbids any.
pub(super) fn is_refused(registry: &Registry, serving: &Serving, draft: &Draft) -> bool {
    registry.model_of(serving).1.forbids(Forbids::Speculation).is_some()
        || registry.ban_of(serving.model.value, draft.model.value).is_some()
}

/// Says every role that does what its family forbids; `place` is where it does it.
pub(super) fn run(
    deed: &Deed,
    registry: &Registry,
    place: impl Fn(&Serving) -> Option<Span>,
    findings: &mut Diagnostics,
) {
    for (role, serving) in registry.served() {
        let Some(place) = place(serving) else { continue };
        let (model, family) = registry.model_of(serving);
        let Some((forbidden, what)) = family.forbids(deed.what) else { continue };
        let failure = forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
        let message = format!(
            "role {} {} {}, and family {} forbids it{}",
            words::quoted(&role.head.name),
            deed.verb,
            words::quoted(&model.title),
            words::quoted(&family.head.name),
            failure.unwrap_or_default()
        );
        let mut finding = deed
            .code
            .at(place, "forbidden", message)
            .about("role", &*role.head.name.value)
            .also(serving.model.span, "with this model")
            .also(what, "forbidden here");
        if let Some(why) = &forbidden.why {
            finding = finding.note(words::printable(why));
        }
        findings.report(finding.help(format!("remove `{}`", deed.field)));
    }
}
