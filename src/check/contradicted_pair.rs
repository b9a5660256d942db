//! A pair that a ban or a family contradicts.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Ban, Family, ForbiddenFeature, Pair, Pattern, Registry};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A `pair` that recommends a draft or lookup although a `ban` or the family of the target forbids it. A ban
    /// contradicts a pair if it covers the two models that the pair names, or if both rules have the same patterns.
    ///
    /// ## Why
    /// Only one of them can be right, and the documents would print both. A pair for a family or a glob may have
    /// exceptions, so a ban of one of its models is not a contradiction. Roles that use the draft get no separate
    /// finding.
    ///
    /// ## Example
    /// ```yaml
    /// pairs:
    ///   - {target: plain, draft: tiny, max: 16}
    /// bans:
    ///   - {target: plain, draft: "*", failure: "vocabulary differs"}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// pairs:
    ///   - {target: plain, draft: tiny, max: 16}
    /// bans:
    ///   - {target: plain, draft: "Mixture-*", failure: "vocabulary differs"}
    /// ```
    pub(super) static CONTRADICTED_PAIR = 346, "contradicted-pair", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for pair in registry.pairs.iter() {
        let family = family_of(registry, pair);
        let banned = pair.draft.as_ref().and_then(|draft| ban_against(registry, pair, draft));
        let finding = match (banned, family) {
            (Some((ban, place)), _) => against_ban(pair, place, ban),
            (None, Some(family)) => {
                let Some(finding) = against_family(pair, family) else { continue };
                finding
            }
            (None, None) => continue,
        };
        findings.report(finding.about(pair));
    }
}

/// The family of the targets of a pair. `None` for a glob, or if `except` excludes the only target.
fn family_of<'r>(registry: &'r Registry, pair: &Pair) -> Option<&'r Family> {
    match &pair.target.value {
        Pattern::Model(id) => {
            let model = registry.models.get(*id);
            pair.covers(*id, model).then(|| registry.families.get(model.family.value))
        }
        Pattern::Family(id) => Some(registry.families.get(*id)),
        Pattern::Titles(_) => None,
    }
}

/// The ban that contradicts a pair: one that covers its two models, else one with the same patterns.
fn ban_against<'r, 'p>(
    registry: &'r Registry,
    pair: &'p Pair,
    draft: &'p Spanned<Pattern>,
) -> Option<(&'r Ban, &'p Spanned<Pattern>)> {
    let ban = match (&pair.target.value, &draft.value) {
        (Pattern::Model(target), Pattern::Model(drafter)) => {
            let covered = pair.covers(*target, registry.models.get(*target));
            covered.then(|| registry.ban_of(*target, *drafter))?
        }
        (target, drafter) => registry.bans.iter().find(|ban| {
            ban.target.value == *target && ban.draft.value == *drafter && ban.except == pair.except
        }),
    };
    ban.map(|ban| (ban, draft))
}

fn against_ban(pair: &Pair, draft: &Spanned<Pattern>, ban: &Ban) -> Diagnostic {
    let message = format!("{pair} names a draft that a ban forbids: {}", words::printable(&ban.failure));
    CONTRADICTED_PAIR
        .at(draft.span, "the pair declares that this draft works", message)
        .also(ban.draft.span, "banned here")
        .help("remove the pair or the ban, or change `draft` of the ban so that it does not cover this draft")
}

fn against_family(pair: &Pair, family: &Family) -> Option<Diagnostic> {
    let drafts =
        pair.draft.as_ref().map(|draft| (draft.span, ForbiddenFeature::Speculation, "names a draft"));
    let looks_up = pair.lookup.then_some((pair.target.span, ForbiddenFeature::Lookup, "uses lookup"));
    let found = drafts.into_iter().chain(looks_up).find_map(|(place, what, verb)| {
        let (forbidden, forbidden_at) = family.forbids(what)?;
        Some((place, verb, forbidden, forbidden_at))
    });
    let (place, verb, forbidden, forbidden_at) = found?;
    let failure = forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
    let message = format!("{pair} {verb}, but {family} forbids it{}", failure.unwrap_or_default());
    let finding = CONTRADICTED_PAIR
        .at(place, "the pair declares that this works", message)
        .also(forbidden_at, "forbidden here");
    Some(finding.help("remove the pair, or remove the `forbid` of the family"))
}
