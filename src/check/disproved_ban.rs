//! A ban on grounds that the model files disprove.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{facts, verdict};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::engine::Profile;
use crate::engine::architecture::architecture;
use crate::engine::pairing::Verdict;
use crate::facts::Lock;
use crate::hir::{Ban, Model, Registry};

declare_code! {
    /// ## What it finds
    /// A `ban` whose `failure` speaks of BOS, EOS, tokens or vocabularies, of models whose files have all of these in
    /// common. Bans for other reasons, and bans of vision, recurrent and hybrid targets, are not judged.
    ///
    /// ## Why
    /// The ban may speak of files that were replaced since, and keeps a role from being as fast as it could be.
    ///
    /// ## Example
    /// ```kdl
    /// ban target="plain" draft="tiny" failure="BOS token mismatch"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}}
    /// }}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// pair target="plain" draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}}
    /// }}
    /// ```
    static DISPROVED_BAN = 396, "disproved-ban", Warning;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &DISPROVED_BAN, run };

/// The words of a failure that the files decide.
const DECIDED: &[&str] = &["bos", "eos", "token", "vocab"];

/// How many pairs of models of one ban are judged: a ban of globs may speak of all.
const MOST: usize = 1000;

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    let engine = registry.stack.engine;
    let Some(profile) = engine.and_then(|engine| ground.profile(engine.value)) else { return };
    for ban in registry.bans.iter().filter(|ban| is_decided(&ban.failure)) {
        if let Some((target, draft)) = disproved(registry, lock, profile, ban) {
            findings.report(finding(lock, ban, target, draft));
        }
    }
}

fn is_decided(failure: &str) -> bool {
    let failure = failure.to_lowercase();
    failure
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| DECIDED.iter().any(|known| word.starts_with(known)))
}

/// The first two models that a ban speaks of, where facts disprove it of all of them.
fn disproved<'r>(
    registry: &'r Registry,
    lock: &Lock,
    profile: &Profile,
    ban: &Ban,
) -> Option<(&'r Model, &'r Model)> {
    let targets = registry.models.entries().filter(|(id, model)| ban.covers(*id, model));
    let drafts = || registry.models.entries().filter(|(id, model)| ban.draft.covers(*id, model));
    let pairs = targets.flat_map(|target| drafts().map(move |draft| (target, draft)));
    let mut first = None;
    for (number, ((target_id, target), (draft_id, draft))) in pairs.enumerate() {
        if target_id == draft_id {
            continue;
        }
        let (one, other) = (facts(lock, target).ok()?, facts(lock, draft).ok()?);
        let known = one.facts.architecture.as_deref().and_then(architecture);
        let is_plain = known.is_none_or(|known| !known.is_recurrent() && !known.is_hybrid());
        let fits = verdict(profile, lock, [&one.facts, &other.facts], &[]);
        if number >= MOST || target.projector.is_some() || !is_plain || fits != Ok(Verdict::Fits) {
            return None;
        }
        first = first.or(Some((target, draft)));
    }
    first
}

fn finding(lock: &Lock, ban: &Ban, target: &Model, draft: &Model) -> Diagnostic {
    let message = format!(
        "{} is banned for {} by {}, and their files have BOS, EOS and all tokens in common",
        words::quoted(&draft.title),
        words::quoted(&target.title),
        words::quoted(&ban.failure)
    );
    let mut finding = DISPROVED_BAN
        .at(ban.failure.span, "this does not happen with these files", message)
        .about("ban", &*ban.head.name.value);
    for (model, label) in [(target, "tokens of the target"), (draft, "the same tokens of the draft")] {
        if let Some(place) =
            facts(lock, model).ok().and_then(|locked| locked.place("vocabulary.sha256_from_5"))
        {
            finding = finding.also(place, label);
        }
    }
    finding.help("remove the ban, or say in `failure` what else is wrong")
}
