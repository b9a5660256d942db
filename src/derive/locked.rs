//! Lookup of facts in the lock, for the checks that compare models with the registry or with each other.

use super::derived::Derived;
use crate::diag::words::quoted;
use crate::engine::Profile;
use crate::engine::pairing::{Mismatch, PairVerdict, SpecialToken, check_pair};
use crate::facts::{Facts, Lock, LockEntry};
use crate::hir::{Draft, ForbiddenFeature, Id, Model, Registry, Role, Serving};
use crate::source::Span;

/// True if the lock is missing or damaged. This is reported once, not for each model.
pub fn is_unusable(lock: &Lock) -> bool {
    lock.place.is_none() || lock.is_damaged
}

/// Reason for *not checked*: the lock has no entry for the model.
pub const NOT_LOCKED: &str = "the lock has no facts of this file: run `orchgen lock` where the file is";
/// Reason for *not checked*: the entry in the lock is for another file.
pub const OTHER_FILE: &str = "the lock has facts of another file: run `orchgen lock` where this file is";

/// The facts of a model, or the reason why there are none.
pub fn facts<'l>(lock: &'l Lock, model: &Model) -> Result<&'l LockEntry, &'static str> {
    let locked = lock.models.get(&*model.head.name.value).ok_or(NOT_LOCKED)?;
    if locked.facts.file == model.file.value { Ok(locked) } else { Err(OTHER_FILE) }
}

/// The facts of the projector of a model. `None` if the model has no projector.
pub fn projector<'l>(lock: &'l Lock, model: &Model) -> Option<Result<&'l LockEntry, &'static str>> {
    let projector = model.projector.as_ref()?;
    let Some(locked) = lock.projectors.get(&*model.head.name.value) else { return Some(Err(NOT_LOCKED)) };
    Some(if locked.facts.file == projector.file.value { Ok(locked) } else { Err(OTHER_FILE) })
}

/// A role with a draft, and the profile that decides if the pair works.
pub struct RoleDraft<'r> {
    /// The role.
    pub role: &'r Role,
    /// Its serving settings.
    pub serving: &'r Serving,
    /// Its draft.
    pub draft: &'r Draft,
    /// The profile of its engine.
    pub profile: &'r Profile,
}

/// All roles with a draft and a known profile.
pub fn role_drafts(derived: &Derived) -> impl Iterator<Item = RoleDraft<'_>> {
    derived.registry.served().filter_map(move |(role, serving)| {
        let (draft, profile) = (serving.draft.as_ref()?, derived.profile_of(serving)?);
        Some(RoleDraft { role, serving, draft, profile })
    })
}

impl RoleDraft<'_> {
    /// True if a ban or the family of the target forbids this draft. Other checks report this.
    pub fn was_reported(&self, registry: &Registry) -> bool {
        let family = registry.model_of(self.serving).1;
        family.forbids(ForbiddenFeature::Speculation).is_some()
            || registry.ban_of(self.serving.model.value, self.draft.model.value).is_some()
    }

    /// The verdict of the engine build about the pair, or the missing fact.
    pub fn verdict(&self, derived: &Derived, lock: &Lock) -> Result<PairVerdict, &'static str> {
        let overrides = super::intent::engine_overrides(derived, self.serving);
        let pair = (self.serving.model.value, self.draft.model.value);
        let [target, draft] = pair_facts(&derived.registry, lock, pair)?;
        verdict(self.profile, lock, [&target.facts, &draft.facts], &overrides)
    }
}

/// The facts of both models of a pair, or the reason why there are none.
pub fn pair_facts<'l>(
    registry: &Registry,
    lock: &'l Lock,
    (target, draft): (Id<Model>, Id<Model>),
) -> Result<[&'l LockEntry; 2], &'static str> {
    Ok([facts(lock, registry.models.get(target))?, facts(lock, registry.models.get(draft))?])
}

/// The verdict of a build about a pair, or the missing fact.
pub fn verdict(
    profile: &Profile,
    lock: &Lock,
    [target, draft]: [&Facts; 2],
    overrides: &[(&str, crate::engine::dialect::OverrideValue<'_>)],
) -> Result<PairVerdict, &'static str> {
    let vocabularies = target.vocabulary.as_ref().zip(draft.vocabulary.as_ref());
    let difference = vocabularies.and_then(|(one, other)| lock.difference(one, other));
    match check_pair(profile, (target, draft), overrides, difference) {
        PairVerdict::Unknown(why) => Err(why),
        verdict @ (PairVerdict::Compatible
        | PairVerdict::UnevenSizes { .. }
        | PairVerdict::Incompatible(_)) => Ok(verdict),
    }
}

/// The places in the lock that show a reason, each with its label.
pub fn lock_labels<'t>(
    lock: &Lock,
    [target, draft]: [&LockEntry; 2],
    text: &'t ReasonText,
) -> Vec<(Span, &'t str)> {
    let vocabularies = target.facts.vocabulary.as_ref().zip(draft.facts.vocabulary.as_ref());
    if let (true, Some((one, other))) = (text.key == TOKENS_KEY, vocabularies)
        && let Some(place) = lock.difference_place(one, other)
    {
        return vec![(place, "the first token that differs")];
    }
    let sides = [target, draft].into_iter().zip(&text.labels);
    sides.filter_map(|(locked, label)| Some((locked.place(text.key)?, label.as_str()))).collect()
}

/// The key of the digest of the token texts that the engine compares.
const TOKENS_KEY: &str = "vocabulary.sha256_from_5";

/// A reason in words, with the key of the lock that shows it.
pub struct ReasonText {
    /// The reason as the end of a sentence.
    pub why: String,
    /// The key in the lock.
    pub key: &'static str,
    /// Labels for the value of the target and for that of the draft.
    pub labels: [String; 2],
}

/// Describes a reason.
pub fn describe(reason: &Mismatch) -> ReasonText {
    match reason {
        Mismatch::NoMemory(arch) => ReasonText {
            why: format!("the architecture {} has no KV cache to roll back", quoted(arch.name())),
            key: "architecture",
            labels: ["an encoder or a diffusion model".into(), "the draft".into()],
        },
        Mismatch::VocabType([target, draft]) => ReasonText {
            why: format!(
                "the tokenizer types differ: {} (target) and {} (draft)",
                quoted(target),
                quoted(draft)
            ),
            key: "vocabulary.type",
            labels: [
                format!("the target has {}", quoted(target)),
                format!("the draft has {}", quoted(draft)),
            ],
        },
        Mismatch::SpecialToken { which, tokens: [target, draft] } => {
            describe_special_token(which, target, draft)
        }
        Mismatch::VocabSize([target, draft]) => ReasonText {
            why: format!(
                "the target has {target} tokens and the draft {draft}; they may differ by at most {}",
                crate::facts::MAX_SIZE_DIFFERENCE
            ),
            key: "vocabulary.size",
            labels: [format!("the target has {target} tokens"), format!("the draft has {draft} tokens")],
        },
        Mismatch::TokenText { token, texts } => describe_token(*token, texts.as_ref()),
    }
}

fn describe_special_token(which: &str, target: &SpecialToken, draft: &SpecialToken) -> ReasonText {
    let id_and_text = |special: &SpecialToken| match (special.token, &special.text) {
        (Some(token), Some(text)) => format!("{token} {}", quoted(text)),
        (Some(token), None) => token.to_string(),
        (None, _) => "none".to_owned(),
    };
    let label = |who: &str, special: &SpecialToken| {
        let adds = if special.is_added { "adds" } else { "does not add" };
        format!("the {who} {adds} {which}, which is {}", id_and_text(special))
    };
    let verb = if which == "BOS" { "begins" } else { "ends" };
    let why = match (target.is_added, draft.is_added) {
        (true, false) => {
            format!("the target {verb} a prompt with {which} ({}), the draft does not", id_and_text(target))
        }
        (false, true) => {
            format!("the draft {verb} a prompt with {which} ({}), the target does not", id_and_text(draft))
        }
        _ => format!("{which} of the target is {}, of the draft {}", id_and_text(target), id_and_text(draft)),
    };
    let key = match (which, target.is_added == draft.is_added) {
        ("BOS", false) => "vocabulary.add_bos",
        ("BOS", true) => "vocabulary.bos",
        (_, false) => "vocabulary.add_eos",
        (_, true) => "vocabulary.eos",
    };
    ReasonText { why, key, labels: [label("target", target), label("draft", draft)] }
}

fn describe_token(token: Option<u64>, texts: Option<&[Box<str>; 2]>) -> ReasonText {
    let (why, labels) = match (token, texts) {
        (Some(token), Some([target, draft])) => (
            format!("token {token} is {} for the target and {} for the draft", quoted(target), quoted(draft)),
            [
                format!("token {token} of the target is {}", quoted(target)),
                format!("token {token} of the draft is {}", quoted(draft)),
            ],
        ),
        _ => (
            "the token texts of target and draft differ".to_owned(),
            ["the tokens of the target".to_owned(), "the tokens of the draft".to_owned()],
        ),
    };
    ReasonText { why, key: TOKENS_KEY, labels }
}
