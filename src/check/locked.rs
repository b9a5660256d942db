//! What the lock says of the models of the registry: shared by the checks that hold the one against the other.

use super::ground::Ground;
use crate::diag::words::quoted;
use crate::engine::Profile;
use crate::engine::pairing::{Reason, Special, Verdict, judge};
use crate::facts::{Facts, Lock, Locked};
use crate::hir::{Draft, Forbids, Id, Model, Registry, Role, Serving};
use crate::source::Span;

/// Whether the lock is missing or damaged, which is said once and not of each model.
pub(super) fn is_silent(lock: &Lock) -> bool {
    lock.place.is_none() || lock.is_damaged
}

/// What is said of a model where the lock has nothing.
pub(super) const NOT_LOCKED: &str = "the lock has no facts of it: run `orchgen lock` where its file is";
/// What is said where the lock speaks of another file.
pub(super) const OTHER_FILE: &str =
    "the lock has the facts of another file: run `orchgen lock` where its file is";

/// The facts of a model; in words why there are none.
pub(super) fn facts<'l>(lock: &'l Lock, model: &Model) -> Result<&'l Locked, &'static str> {
    let locked = lock.models.get(&*model.head.name.value).ok_or(NOT_LOCKED)?;
    if locked.facts.file == model.file.value { Ok(locked) } else { Err(OTHER_FILE) }
}

/// The facts of a model's projector; none where it has no projector.
pub(super) fn projector<'l>(lock: &'l Lock, model: &Model) -> Option<Result<&'l Locked, &'static str>> {
    let projector = model.projector.as_ref()?;
    let Some(locked) = lock.projectors.get(&*model.head.name.value) else { return Some(Err(NOT_LOCKED)) };
    Some(if locked.facts.file == projector.file.value { Ok(locked) } else { Err(OTHER_FILE) })
}

/// A draft of a role that its engine will judge.
pub(super) struct Drafting<'r> {
    pub(super) role: &'r Role,
    pub(super) serving: &'r Serving,
    pub(super) draft: &'r Draft,
    pub(super) profile: &'r Profile,
}

/// Every role that drafts, with the build that judges it.
pub(super) fn draftings(ground: &Ground) -> impl Iterator<Item = Drafting<'_>> {
    ground.registry.served().filter_map(move |(role, serving)| {
        let (draft, profile) = (serving.draft.as_ref()?, ground.profile_of(serving)?);
        Some(Drafting { role, serving, draft, profile })
    })
}

impl Drafting<'_> {
    /// Whether a ban or its family keeps the role from drafting so, which was said.
    pub(super) fn was_said(&self, registry: &Registry) -> bool {
        let family = registry.model_of(self.serving).1;
        family.forbids(Forbids::Speculation).is_some()
            || registry.ban_of(self.serving.model.value, self.draft.model.value).is_some()
    }

    /// What the engine makes of it; in words which fact is missing.
    pub(super) fn verdict(&self, ground: &Ground, lock: &Lock) -> Result<Verdict, &'static str> {
        let overrides = super::intent::overrides(ground, self.serving);
        let pair = (self.serving.model.value, self.draft.model.value);
        let [target, draft] = both(&ground.registry, lock, pair)?;
        verdict(self.profile, lock, [&target.facts, &draft.facts], &overrides)
    }
}

/// The facts of both models of a pair.
pub(super) fn both<'l>(
    registry: &Registry,
    lock: &'l Lock,
    (target, draft): (Id<Model>, Id<Model>),
) -> Result<[&'l Locked; 2], &'static str> {
    Ok([facts(lock, registry.models.get(target))?, facts(lock, registry.models.get(draft))?])
}

/// What a build makes of a pair; in words which fact is missing.
pub(super) fn verdict(
    profile: &Profile,
    lock: &Lock,
    [target, draft]: [&Facts; 2],
    overrides: &[(&str, crate::engine::dialect::Value<'_>)],
) -> Result<Verdict, &'static str> {
    let vocabularies = target.vocabulary.as_ref().zip(draft.vocabulary.as_ref());
    let difference = vocabularies.and_then(|(one, other)| lock.difference(one, other));
    match judge(profile, (target, draft), overrides, difference) {
        Verdict::Unknown(why) => Err(why),
        verdict @ (Verdict::Fits | Verdict::Uneven { .. } | Verdict::Parts(_)) => Ok(verdict),
    }
}

/// The places of the lock at which a reason shows, each with what is said there.
pub(super) fn shown<'t>(lock: &Lock, [target, draft]: [&Locked; 2], told: &'t Told) -> Vec<(Span, &'t str)> {
    let vocabularies = target.facts.vocabulary.as_ref().zip(draft.facts.vocabulary.as_ref());
    if let (true, Some((one, other))) = (told.key == TEXTS, vocabularies)
        && let Some(place) = lock.difference_place(one, other)
    {
        return vec![(place, "where their vocabularies part")];
    }
    let sides = [target, draft].into_iter().zip(&told.labels);
    sides.filter_map(|(locked, label)| Some((locked.place(told.key)?, label.as_str()))).collect()
}

/// The key of the digest of what is compared.
const TEXTS: &str = "vocabulary.sha256_from_5";

/// A reason in words, with the key of the lock at which it shows.
pub(super) struct Told {
    /// The reason as the end of a sentence.
    pub(super) why: String,
    /// The key in the lock.
    pub(super) key: &'static str,
    /// What the target's file says, and what the draft's says.
    pub(super) labels: [String; 2],
}

/// A reason in words.
pub(super) fn told(reason: &Reason) -> Told {
    match reason {
        Reason::NoMemory(arch) => Told {
            why: format!("the architecture {} has no memory to draft for", quoted(arch.name())),
            key: "architecture",
            labels: ["an encoder or a diffusion model".into(), "the draft".into()],
        },
        Reason::Kind([target, draft]) => Told {
            why: format!("their tokenizers are of different types, {} and {}", quoted(target), quoted(draft)),
            key: "vocabulary.type",
            labels: [
                format!("the target has {}", quoted(target)),
                format!("the draft has {}", quoted(draft)),
            ],
        },
        Reason::Special { which, tokens: [target, draft] } => special(which, target, draft),
        Reason::Size([target, draft]) => Told {
            why: format!(
                "their vocabularies have {target} and {draft} tokens, {} more than the 128 that may be between them",
                target.abs_diff(*draft).saturating_sub(crate::facts::MAX_SIZE_DIFFERENCE)
            ),
            key: "vocabulary.size",
            labels: [format!("the target has {target} tokens"), format!("the draft has {draft}")],
        },
        Reason::Token { token, texts } => token_told(*token, texts.as_ref()),
    }
}

fn special(which: &str, target: &Special, draft: &Special) -> Told {
    let named = |special: &Special| match (special.token, &special.text) {
        (Some(token), Some(text)) => format!("{token} {}", quoted(text)),
        (Some(token), None) => token.to_string(),
        (None, _) => "none".to_owned(),
    };
    let says = |who: &str, special: &Special| {
        let adds = if special.is_added { "adds" } else { "does not add" };
        format!("the {who} {adds} {which}, which is {}", named(special))
    };
    let does = if which == "BOS" { "begins" } else { "ends" };
    let why = match (target.is_added, draft.is_added) {
        (true, false) => {
            format!("the target {does} a prompt with {which} ({}), and the draft does not", named(target))
        }
        (false, true) => {
            format!("the draft {does} a prompt with {which} ({}), and the target does not", named(draft))
        }
        _ => format!("{which} of the target is {}, and of the draft {}", named(target), named(draft)),
    };
    let key = match (which, target.is_added == draft.is_added) {
        ("BOS", false) => "vocabulary.add_bos",
        ("BOS", true) => "vocabulary.bos",
        (_, false) => "vocabulary.add_eos",
        (_, true) => "vocabulary.eos",
    };
    Told { why, key, labels: [says("target", target), says("draft", draft)] }
}

fn token_told(token: Option<u64>, texts: Option<&[Box<str>; 2]>) -> Told {
    let (why, labels) = match (token, texts) {
        (Some(token), Some([target, draft])) => (
            format!("token {token} is {} for the target and {} for the draft", quoted(target), quoted(draft)),
            [
                format!("token {token} of the target is {}", quoted(target)),
                format!("of the draft it is {}", quoted(draft)),
            ],
        ),
        _ => (
            "the texts of their tokens differ".to_owned(),
            ["the tokens of the target".to_owned(), "and of the draft".to_owned()],
        ),
    };
    Told { why, key: TEXTS, labels }
}
