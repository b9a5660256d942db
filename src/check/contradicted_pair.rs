//! A pair that a ban or a family contradicts.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::hir::{Family, ForbiddenFeature, Pair, Pattern, Registry};
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
        let against_ban = pair.draft.as_ref().and_then(|draft| against_ban(registry, pair, draft));
        let finding = against_ban.or_else(|| against_family(pair, family_of(registry, pair)?));
        findings.extend(finding.map(|finding| finding.about(pair)));
    }
}

/// The family of the targets of a pair. `None` for a glob, or if `except` excludes the only target.
fn family_of<'r>(registry: &'r Registry, pair: &Pair) -> Option<&'r Family> {
    match &pair.target.value {
        Pattern::Model(id) => {
            let model = registry.models.get(*id);
            registry.family_of(model).filter(|_| pair.covers(*id, model))
        }
        Pattern::Family(id) => Some(registry.families.get(*id)),
        Pattern::Titles(_) => None,
    }
}

/// The ban that contradicts a pair covers its two models, or has the same patterns.
fn against_ban(registry: &Registry, pair: &Pair, draft: &Spanned<Pattern>) -> Option<Diagnostic> {
    let ban = match (&pair.target.value, &draft.value) {
        (Pattern::Model(target), Pattern::Model(drafter)) => {
            let covered = pair.covers(*target, registry.models.get(*target));
            covered.then(|| registry.ban_of(*target, *drafter))?
        }
        (target, drafter) => registry.bans.iter().find(|ban| {
            ban.target.value == *target && ban.draft.value == *drafter && ban.except == pair.except
        }),
    }?;
    let message = format!("{pair} names a draft that a ban forbids: {}", words::printable(&ban.failure));
    let finding = CONTRADICTED_PAIR
        .at(draft.span, "the pair declares that this draft works", message)
        .also(ban.draft.span, "banned here");
    Some(
        finding
            .remedy("remove the pair", Change::remove(pair.head.span))
            .remedy("or remove the ban", Change::remove(ban.head.span)),
    )
}

fn against_family(pair: &Pair, family: &Family) -> Option<Diagnostic> {
    let drafts =
        pair.draft.as_ref().map(|draft| (draft.span, ForbiddenFeature::Speculation, "names a draft"));
    let looks_up = pair.lookup.then_some((pair.target.span, ForbiddenFeature::Lookup, "uses lookup"));
    let (place, verb, (forbidden, forbidden_at)) = drafts
        .into_iter()
        .chain(looks_up)
        .find_map(|(place, what, verb)| Some((place, verb, family.forbids(what)?)))?;
    let failure = forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
    let message = format!("{pair} {verb}, but {family} forbids it{}", failure.unwrap_or_default());
    let finding = CONTRADICTED_PAIR
        .at(place, "the pair declares that this works", message)
        .also(forbidden_at, "forbidden here");
    Some(
        finding
            .remedy("remove the pair", Change::remove(pair.head.span))
            .remedy("or remove `{}` of the family", Change::remove(forbidden_at)),
    )
}
