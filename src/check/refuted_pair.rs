//! A declared pair that the engine would not take for one.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{NOT_LOCKED, facts, is_silent, shown, told, verdict};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::engine::Profile;
use crate::engine::pairing::{Otherwise, Reason, Verdict, otherwise};
use crate::facts::{Lock, Locked};
use crate::hir::{Model, Pair};

declare_code! {
    /// ## What it finds
    /// A `pair` whose draft does not fit one of the targets that it names, as the stack's engine decides it.
    ///
    /// ## Why
    /// A pair says that the two work together, and documents repeat it. Whoever believes it gets a role that is served
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
    static REFUTED_PAIR = 395, "refuted-pair", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &REFUTED_PAIR, run };

/// A model whose facts are known.
type Known<'r> = (&'r Model, &'r Locked);

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    let engine = registry.stack.engine;
    let Some(profile) = engine.and_then(|engine| ground.profile(engine.value)) else { return };
    // Such a build drafts all the same.
    if otherwise(profile) == Otherwise::Translates {
        return;
    }
    for pair in registry.pairs.iter() {
        let Some(draft) = &pair.draft else { continue };
        let models = || registry.models.entries();
        let targets = models().filter(|(id, model)| pair.covers(*id, model)).map(|(_, model)| model);
        let targets: Vec<&Model> = targets.collect();
        let drafts = models().filter(|(id, model)| draft.covers(*id, model)).map(|(_, model)| model);
        let drafts: Vec<&Model> = drafts.collect();
        let (known, left) = (kinds(lock, &targets), kinds(lock, &drafts));
        let mut refuted = known.iter().flat_map(|target| left.iter().map(move |draft| (*target, *draft)));
        let first = refuted.find_map(|(target, draft)| {
            match verdict(profile, lock, [&target.1.facts, &draft.1.facts], &[]) {
                Ok(Verdict::Parts(reason)) => Some((target, draft, reason)),
                Ok(_) | Err(_) => None,
            }
        });
        match first {
            Some((target, draft, reason)) => {
                findings.report(finding(pair, (lock, target, draft), &reason, profile));
            }
            None if !is_silent(lock) && (known.is_empty() || left.is_empty()) => leave(pair, findings),
            None => {}
        }
    }
}

fn leave(pair: &Pair, findings: &mut Diagnostics) {
    findings.record_not_checked(NotChecked {
        check: REFUTED_PAIR.name,
        subject: Subject::new("pair", &*pair.head.name.value),
        why: format!("of its target or its draft, {NOT_LOCKED}"),
    });
}

/// Models whose facts are known, one for each vocabulary and architecture: others would get the same verdict.
fn kinds<'r>(lock: &'r Lock, models: &[&'r Model]) -> Vec<Known<'r>> {
    let mut kinds: Vec<Known<'r>> = Vec::new();
    for model in models {
        let Ok(locked) = facts(lock, model) else { continue };
        let is_same = |(_, known): &Known| {
            (&known.facts.vocabulary, &known.facts.architecture)
                == (&locked.facts.vocabulary, &locked.facts.architecture)
        };
        if !kinds.iter().any(is_same) {
            kinds.push((model, locked));
        }
    }
    kinds
}

fn finding(
    pair: &Pair,
    (lock, target, draft): (&Lock, Known, Known),
    reason: &Reason,
    profile: &Profile,
) -> Diagnostic {
    let told = told(reason);
    let message = format!(
        "{} and {} are declared a pair, and {}",
        words::quoted(&target.0.title),
        words::quoted(&draft.0.title),
        told.why
    );
    let span = pair.draft.as_ref().map_or(pair.target.span, |draft| draft.span);
    let mut finding = REFUTED_PAIR
        .at(span, "this draft does not fit", message)
        .about("pair", &*pair.head.name.value)
        .also(pair.target.span, "this target");
    for (place, label) in shown(lock, [target.1, draft.1], &told) {
        finding = finding.also(place, label);
    }
    finding
        .note(format!("build {} would serve without speculation", profile.build()))
        .help("remove the pair, or declare a `ban` with this failure")
}
