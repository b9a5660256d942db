//! A draft that a ban names.

use super::Check;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Ban, Draft, Model, Registry, Role, Serving};

declare_code! {
    /// ## What it finds
    /// A role whose draft model must not be used with its target: a `ban` says so.
    ///
    /// ## Why
    /// llama-server logs an incompatible draft once, answers its health check with ok, and serves without speculation. The
    /// role runs at a fraction of its speed and nothing is red.
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
    static BANNED_DRAFT = 301, "banned-draft", Error;
}

pub(super) static CHECK: Check = Check { code: &BANNED_DRAFT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let Some(draft) = &serving.draft else { continue };
        let (target, drafter) = (serving.model.value, draft.model.value);
        let Some(ban) = registry.ban_of(target, drafter) else { continue };
        // Where a pair names the two, the rules contradict each other, which is said there.
        if registry.pair_naming(target, drafter).is_none() {
            findings.report(finding(registry, (role, serving), draft, ban));
        }
    }
}

fn finding(registry: &Registry, (role, serving): (&Role, &Serving), draft: &Draft, ban: &Ban) -> Diagnostic {
    let (target, drafter) =
        (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
    let message = format!(
        "role {} drafts for {} with {}, which is banned: {}",
        words::quoted(&role.head.name),
        words::quoted(&target.title),
        words::quoted(&drafter.title),
        words::printable(&ban.failure)
    );
    let mut finding = BANNED_DRAFT
        .at(draft.model.span, "this draft must not be used", message)
        .about("role", &*role.head.name.value)
        .also(serving.model.span, "with this target")
        .also(ban.target.span, "banned here");
    if let Some(note) = &ban.note {
        finding = finding.note(words::printable(note));
    }
    finding.help(way_out(registry, serving, target))
}

/// A draft that a pair knows to work, else what a pair says to do instead, else to do without.
fn way_out(registry: &Registry, serving: &Serving, target: &Model) -> String {
    let covering = || registry.pairs.iter().filter(|pair| pair.covers(serving.model.value, target));
    let known = covering().filter_map(|pair| pair.draft.as_ref()).find_map(|pattern| {
        let fits = |(id, model): &(_, &Model)| {
            pattern.covers(*id, model) && registry.ban_of(serving.model.value, *id).is_none()
        };
        registry.models.entries().find(fits).map(|(_, model)| model.head.name.value.clone())
    });
    let instead = covering().filter(|pair| pair.draft.is_none()).find_map(|pair| pair.instead.as_ref());
    match (known, instead) {
        (Some(known), _) => format!("draft with `{known}`, which a pair names for this target"),
        (None, Some(instead)) if &***instead == "experts" => {
            "remove `draft`, and use fewer experts instead".to_owned()
        }
        (None, Some(instead)) => format!("remove `draft`, and instead: {}", words::printable(instead)),
        (None, None) => "remove `draft`: no draft is known to work with this target".to_owned(),
    }
}
