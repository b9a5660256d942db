//! The verdicts of engine builds about pairs of a target and its draft.

use super::drafting::draft_kind;
use super::locked::pair_facts;
use super::overrides::engine_overrides;
use crate::engine::Profile;
use crate::engine::dialect::OverrideValue;
use crate::engine::pairing::{DEPENDENT_DRAFT, PairVerdict, check_pair};
use crate::facts::{Facts, Lock};
use crate::hir::{Draft, DraftKind, Id, Model, Registry, Role, Serving};
use crate::source::Spanned;

/// The verdict of the engine build about a role's draft, or the missing fact.
pub type DraftVerdict = Result<PairVerdict, &'static str>;

/// A role with a draft, and the build that decides if the pair works.
#[derive(Debug)]
pub struct RoleDraft<'r> {
    /// The role.
    pub role: &'r Role,
    /// Its serving settings.
    pub serving: &'r Serving,
    /// Its draft.
    pub draft: &'r Draft,
    /// The draft model.
    pub model: Spanned<Id<Model>>,
    /// The profile of its engine.
    pub profile: &'r Profile,
    /// The verdict of the build.
    pub verdict: &'r DraftVerdict,
}

/// The verdict of a build about the draft of a role. `None` if it has no draft model.
pub(super) fn draft_verdict(
    registry: &Registry,
    lock: &Lock,
    profile: &Profile,
    serving: &Serving,
) -> Option<DraftVerdict> {
    let pair = (serving.model.value, serving.draft_model()?.1.value);
    if draft_kind(registry, lock, serving).is_some_and(|kind| kind != DraftKind::Simple.word()) {
        return Some(Err(DEPENDENT_DRAFT));
    }
    let overrides = engine_overrides(registry, profile, serving);
    let facts = pair_facts(registry, lock, pair);
    Some(facts.and_then(|[target, draft]| verdict(profile, lock, [&target.facts, &draft.facts], &overrides)))
}

/// The verdict of a build about a pair, or the missing fact.
pub fn verdict(
    profile: &Profile,
    lock: &Lock,
    [target, draft]: [&Facts; 2],
    overrides: &[(&str, OverrideValue<'_>)],
) -> DraftVerdict {
    let vocabularies = target.vocabulary.as_ref().zip(draft.vocabulary.as_ref());
    let difference = vocabularies.and_then(|(one, other)| lock.difference(one, other));
    match check_pair(profile, (target, draft), overrides, difference) {
        PairVerdict::Unknown(why) => Err(why),
        verdict @ (PairVerdict::Compatible
        | PairVerdict::UnevenSizes { .. }
        | PairVerdict::Incompatible(_)) => Ok(verdict),
    }
}
