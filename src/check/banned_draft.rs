//! A draft that a ban covers.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Ban, Draft, Model, Registry, Role, Serving};

declare_code! {
    /// ## What it finds
    /// A role whose draft must not be used with its target, according to a `ban`.
    ///
    /// ## Why
    /// llama-server logs an incompatible draft once, answers its health check with ok, and serves without speculation.
    /// The role runs at a fraction of its speed, and no monitoring shows it.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// bans:
    ///   - {target: plain, draft: tiny, failure: "vocabulary differs"}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// bans:
    ///   - {target: plain, draft: tiny, failure: "vocabulary differs"}
    /// ```
    pub(super) static BANNED_DRAFT = 301, "banned-draft", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(draft) = &serving.draft else { continue };
        let (target, drafter) = (serving.model.value, draft.model.value);
        let Some(ban) = registry.ban_of(target, drafter) else { continue };
        // If a pair names these two models, `contradicted-pair` reports it.
        if registry.exact_pair(target, drafter).is_none() {
            findings.report(finding(registry, (role, serving), draft, ban));
        }
    }
}

fn finding(registry: &Registry, (role, serving): (&Role, &Serving), draft: &Draft, ban: &Ban) -> Diagnostic {
    let (target, drafter) =
        (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
    let message = format!(
        "{role} uses the draft {} for {}, but a ban forbids it: {}",
        words::quoted(&drafter.title),
        words::quoted(&target.title),
        words::printable(&ban.failure)
    );
    let mut finding = BANNED_DRAFT
        .at(draft.model.span, "this draft must not be used", message)
        .about(role)
        .also(serving.model.span, "with this target")
        .also(ban.target.span, "banned here");
    if let Some(note) = &ban.note {
        finding = finding.note(words::printable(note));
    }
    finding.help(suggest_draft(registry, serving, target))
}

/// The help: a draft that a pair names for this target, else the `instead` of a pair, else to remove the draft.
fn suggest_draft(registry: &Registry, serving: &Serving, target: &Model) -> String {
    let covering = || registry.pairs.iter().filter(|pair| pair.covers(serving.model.value, target));
    let known = covering().filter_map(|pair| pair.draft.as_ref()).find_map(|pattern| {
        let fits = |(id, model): &(_, &Model)| {
            pattern.covers(*id, model) && registry.ban_of(serving.model.value, *id).is_none()
        };
        registry.models.entries().find(fits).map(|(_, model)| model.head.name.value.clone())
    });
    let instead = covering().filter(|pair| pair.draft.is_none()).find_map(|pair| pair.instead.as_ref());
    match (known, instead) {
        (Some(known), _) => format!("set `draft` to `{known}`: a pair names it for this target"),
        (None, Some(instead)) if &***instead == "experts" => {
            "remove `draft` and reduce `experts` instead".to_owned()
        }
        (None, Some(instead)) => {
            format!("remove `draft`; the pair suggests instead: {}", words::printable(instead))
        }
        (None, None) => "remove `draft`: no draft is known to work with this target".to_owned(),
    }
}
