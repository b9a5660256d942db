//! A pair that says what another rule denies.

use super::Check;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Ban, Family, Forbids, Pair, Pattern, Registry};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A `pair` that says a draft works where a `ban` says that it does not, or where the family of the target forbids it: two
    /// models that a pair names and a ban covers, or a pair and a ban of the same patterns.
    ///
    /// ## Why
    /// Only one of them is true, and the documents would print both. A pair over a family or a glob may have exceptions, so a ban
    /// of one of its models is no contradiction. A role that uses the draft is said here and not once more at the role.
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
    static CONTRADICTED_PAIR = 346, "contradicted-pair", Error;
}

pub(super) static CHECK: Check = Check { code: &CONTRADICTED_PAIR, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
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
        findings.report(finding.about("pair", &*pair.head.name.value));
    }
}

/// The family of the models that a pair is for, where it is one; none where the pair's own exception leaves nothing.
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

/// The ban that denies a pair: of the two models that it names, else one of the same patterns.
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
    let message = format!(
        "the pair {} says that a draft works, and a ban says that it does not: {}",
        words::quoted(&pair.head.name),
        words::printable(&ban.failure)
    );
    CONTRADICTED_PAIR
        .at(draft.span, "works, says this pair", message)
        .also(ban.draft.span, "does not, says this ban")
        .help("remove the pair, or narrow the ban: a draft cannot do both")
}

fn against_family(pair: &Pair, family: &Family) -> Option<Diagnostic> {
    let drafts = pair.draft.as_ref().map(|draft| (draft.span, Forbids::Speculation, "drafts"));
    let looks_up = pair.lookup.then_some((pair.target.span, Forbids::Lookup, "uses lookup"));
    let found = drafts.into_iter().chain(looks_up).find_map(|(place, what, verb)| {
        let (forbidden, said) = family.forbids(what)?;
        Some((place, verb, forbidden, said))
    });
    let (place, verb, forbidden, said) = found?;
    let failure = forbidden.failure.as_ref().map(|failure| format!(": {}", words::printable(failure)));
    let message = format!(
        "the pair {} {verb}, and family {} forbids it{}",
        words::quoted(&pair.head.name),
        words::quoted(&family.head.name),
        failure.unwrap_or_default()
    );
    let finding = CONTRADICTED_PAIR.at(place, "works, says this pair", message).also(said, "forbidden here");
    Some(finding.help("remove the pair, or what forbids it"))
}
