//! A declared pair that the engine considers incompatible.

use super::shared::mismatch::{describe, lock_labels};
use crate::derive::Derived;
use crate::derive::locked::{NOT_LOCKED, facts, is_unusable};
use crate::derive::pairs::verdict;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::Profile;
use crate::engine::pairing::{Mismatch, MismatchHandling, PairVerdict, mismatch_handling};
use crate::facts::{Lock, LockEntry};
use crate::hir::{Id, Model, Pair};

declare_code! {
    /// ## What it finds
    /// A `pair` whose draft is not compatible with one of its targets by the rules of the stack's engine.
    ///
    /// ## Why
    /// A pair declares that two models work together, and the documents print it. A role that uses this pair is served
    /// without speculation.
    ///
    /// ## Example
    /// ```kdl
    /// pair target="plain" draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 2000, "sha256_from_5": "b"}}
    /// }}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// ban target="plain" draft="tiny" failure="1000 more tokens"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 2000, "sha256_from_5": "b"}}
    /// }}
    /// ```
    pub(super) static REFUTED_PAIR = 395, "refuted-pair", Error;
}

/// A model with its facts from the lock.
type LockedModel<'r> = (&'r Model, &'r LockEntry);

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    let engine = registry.stack.engine;
    let Some(profile) = engine.and_then(|engine| derived.profile(engine.value)) else { return };
    // Such a build drafts with any pair.
    if mismatch_handling(profile) == MismatchHandling::ViaText {
        return;
    }
    for pair in registry.pairs.iter() {
        let Some(draft) = &pair.draft else { continue };
        let targets = distinct_models(derived, |id, model| pair.covers(id, model));
        let drafts = distinct_models(derived, |id, model| draft.covers(id, model));
        let mut combinations = targets.iter().flat_map(|target| drafts.iter().map(|draft| [*target, *draft]));
        let finding = combinations.find_map(|models| {
            match verdict(profile, lock, models.map(|(_, locked)| &locked.facts), &[]) {
                Ok(PairVerdict::Incompatible(reason)) => {
                    Some(finding(pair, (lock, models), &reason, profile))
                }
                Ok(_) | Err(_) => None,
            }
        });
        if finding.is_none() && !is_unusable(lock) && (targets.is_empty() || drafts.is_empty()) {
            findings.skip(&REFUTED_PAIR, pair, format!("its target or its draft: {NOT_LOCKED}"));
        }
        findings.extend(finding);
    }
}

/// The covered models with known facts, one for each vocabulary and architecture: others get the same verdict.
fn distinct_models(derived: &Derived, covers: impl Fn(Id<Model>, &Model) -> bool) -> Vec<LockedModel<'_>> {
    let mut distinct: Vec<LockedModel> = Vec::new();
    for (_, model) in derived.registry.models.entries().filter(|(id, model)| covers(*id, model)) {
        let Ok(locked) = facts(&derived.lock, model) else { continue };
        let is_same = |(_, known): &LockedModel| {
            (&known.facts.vocabulary, &known.facts.architecture)
                == (&locked.facts.vocabulary, &locked.facts.architecture)
        };
        if !distinct.iter().any(is_same) {
            distinct.push((model, locked));
        }
    }
    distinct
}

fn finding(
    pair: &Pair,
    (lock, [target, draft]): (&Lock, [LockedModel; 2]),
    reason: &Mismatch,
    profile: &Profile,
) -> Diagnostic {
    let text = describe(reason);
    let (title, draft_title) = (words::quoted(&target.0.title), words::quoted(&draft.0.title));
    let message = format!("{title} and {draft_title} are declared as a pair, but {}", text.why);
    let span = pair.draft.as_ref().map_or(pair.target.span, |draft| draft.span);
    REFUTED_PAIR
        .at(span, "incompatible draft", message)
        .about(pair)
        .also(pair.target.span, "this target")
        .also_each(lock_labels(lock, [target.1, draft.1], &text))
        .note(format!("build {} would serve without speculation", profile.build()))
        .remedy("remove the pair", Change::remove(pair.head.span))
        .help("or replace it with a `ban` that has this reason as its `failure`")
}
