//! A ban whose reason the model files disprove.

use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::derive::pairs::verdict;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::Profile;
use crate::engine::architecture::architecture;
use crate::engine::pairing::PairVerdict;
use crate::facts::Lock;
use crate::hir::{Ban, Model, Registry};

declare_code! {
    /// ## What it finds
    /// A `ban` whose `failure` mentions BOS, EOS, tokens or vocabularies, although these are equal in the files of the
    /// models. Bans for other reasons, and bans with vision, recurrent or hybrid targets, are not checked.
    ///
    /// ## Why
    /// The files may have been replaced since the ban was written. The ban then forbids a draft that would make a role
    /// faster.
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
    pub(super) static DISPROVED_BAN = 396, "disproved-ban", Warning;
}

/// Beginnings of words in a `failure` that the facts of the files can confirm or disprove.
const VERIFIABLE_WORDS: &[&str] = &["bos", "eos", "token", "vocab"];

/// The maximum number of pairs to check for one ban, because globs may cover all models.
const MAX_PAIRS: usize = 1000;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    let engine = registry.stack.engine;
    let Some(profile) = engine.and_then(|engine| derived.profile(engine.value)) else { return };
    for ban in registry.bans.iter().filter(|ban| is_verifiable(&ban.failure)) {
        if let Some((target, draft)) = disproved(registry, lock, profile, ban) {
            findings.report(finding(lock, ban, target, draft));
        }
    }
}

fn is_verifiable(failure: &str) -> bool {
    let failure = failure.to_lowercase();
    failure
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| VERIFIABLE_WORDS.iter().any(|known| word.starts_with(known)))
}

/// The first pair that a ban covers, if facts disprove the ban for all of its pairs.
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
        if number >= MAX_PAIRS
            || target.projector.is_some()
            || !is_plain
            || fits != Ok(PairVerdict::Compatible)
        {
            return None;
        }
        first = first.or(Some((target, draft)));
    }
    first
}

fn finding(lock: &Lock, ban: &Ban, target: &Model, draft: &Model) -> Diagnostic {
    let message = format!(
        "{} is banned as a draft of {} because of {}, but BOS, EOS and all tokens are equal in their files",
        words::quoted(&draft.title),
        words::quoted(&target.title),
        words::quoted(&ban.failure)
    );
    let labels = [(target, "tokens of the target"), (draft, "the draft has the same tokens")];
    let places = labels.into_iter().filter_map(|(model, label)| {
        Some((facts(lock, model).ok()?.place("vocabulary.sha256_from_5")?, label))
    });
    DISPROVED_BAN
        .at(ban.failure.span, "not true for these files", message)
        .about(ban)
        .also_each(places)
        .remedy("remove the ban", Change::remove(ban.head.span))
        .help("or write in `failure` why it is still needed")
}
