//! The kind and the length of the drafts of a role.

use super::locked::pair_facts;
use crate::engine::dialect::{DEPENDENT_DRAFT_MAX, DRAFT_MAX};
use crate::engine::pairing::has_fitting_mtp_layers;
use crate::facts::Lock;
use crate::hir::{Draft, DraftKind, Registry, Serving};

/// The kind of drafting of a role: the declared one, or MTP if the locked draft has layers for it. `None` if the
/// architecture of the draft decides.
pub(super) fn draft_kind(registry: &Registry, lock: &Lock, serving: &Serving) -> Option<&'static str> {
    let draft = serving.draft.as_deref()?;
    let declared = draft.kind.map(|kind| kind.value);
    let inferred = || {
        let pair = (serving.model.value, draft.model?.value);
        let [target, draft] = pair_facts(registry, lock, pair).ok()?;
        has_fitting_mtp_layers(&target.facts, &draft.facts).then_some(DraftKind::Mtp)
    };
    let own = draft.is_own().then_some(DraftKind::Mtp);
    declared.or(own).or_else(inferred).map(DraftKind::word)
}

/// The maximum number of drafted tokens of a role, declared or by default.
pub fn draft_max(draft: &Draft) -> u32 {
    let is_simple = draft.kind.is_none_or(|kind| kind.value == DraftKind::Simple) && !draft.is_own();
    let default = if is_simple { DRAFT_MAX } else { DEPENDENT_DRAFT_MAX };
    draft.max.map_or(default, |max| max.value)
}
