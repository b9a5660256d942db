//! The reasons why a target and a draft do not match, in words. The checks of drafts and of pairs use this module.

use crate::diag::words::quoted;
use crate::engine::pairing::{Mismatch, SpecialToken};
use crate::facts::{Lock, LockEntry, MAX_SIZE_DIFFERENCE};
use crate::source::Span;

/// The places in the lock that show a reason, each with its label.
pub(in crate::check) fn lock_labels<'t>(
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
pub(in crate::check) struct ReasonText {
    /// The reason as the end of a sentence.
    pub(in crate::check) why: String,
    /// The key in the lock.
    pub(in crate::check) key: &'static str,
    /// Labels for the value of the target and for that of the draft.
    pub(in crate::check) labels: [String; 2],
}

/// A reason with a label for each side.
fn text<T>(key: &'static str, why: String, sides: &[T; 2], label: impl Fn(&str, &T) -> String) -> ReasonText {
    let [target, draft] = sides;
    ReasonText { why, key, labels: [label("target", target), label("draft", draft)] }
}

/// Describes a reason.
pub(in crate::check) fn describe(reason: &Mismatch) -> ReasonText {
    match reason {
        Mismatch::NoMemory(arch) => ReasonText {
            why: format!("the architecture {} has no KV cache to roll back", quoted(arch.name())),
            key: "architecture",
            labels: ["an encoder or a diffusion model".into(), "the draft".into()],
        },
        Mismatch::VocabType(types @ [target, draft]) => {
            let (target, draft) = (quoted(target), quoted(draft));
            let why = format!("the tokenizer types differ: {target} (target) and {draft} (draft)");
            text("vocabulary.type", why, types, |who, kind| format!("the {who} has {}", quoted(kind)))
        }
        Mismatch::SpecialToken { which, tokens } => describe_special_token(which, tokens),
        Mismatch::VocabSize(sizes @ [target, draft]) => {
            let most = MAX_SIZE_DIFFERENCE;
            let why = format!(
                "the target has {target} tokens and the draft {draft}; they may differ by at most {most}"
            );
            text("vocabulary.size", why, sizes, |who, size| format!("the {who} has {size} tokens"))
        }
        Mismatch::TokenText { token: Some(token), texts: Some(texts @ [target, draft]) } => {
            let (target, draft) = (quoted(target), quoted(draft));
            let why = format!("token {token} is {target} for the target and {draft} for the draft");
            text(TOKENS_KEY, why, texts, |who, one| format!("token {token} of the {who} is {}", quoted(one)))
        }
        Mismatch::TokenText { .. } => {
            let why = "the token texts of target and draft differ".to_owned();
            text(TOKENS_KEY, why, &[(), ()], |who, ()| format!("the tokens of the {who}"))
        }
    }
}

fn describe_special_token(which: &str, tokens: &[SpecialToken; 2]) -> ReasonText {
    let id_and_text = |special: &SpecialToken| match (special.token, &special.text) {
        (Some(token), Some(text)) => format!("{token} {}", quoted(text)),
        (Some(token), None) => token.to_string(),
        (None, _) => "none".to_owned(),
    };
    let (verb, keys) = match which {
        "BOS" => ("begins", ["vocabulary.bos", "vocabulary.add_bos"]),
        _ => ("ends", ["vocabulary.eos", "vocabulary.add_eos"]),
    };
    let [target, draft] = tokens;
    let (target_token, draft_token) = (id_and_text(target), id_and_text(draft));
    let [same, added] = keys;
    let (key, why) = match (target.is_added, draft.is_added) {
        (true, false) => {
            (added, format!("the target {verb} a prompt with {which} ({target_token}), the draft does not"))
        }
        (false, true) => {
            (added, format!("the draft {verb} a prompt with {which} ({draft_token}), the target does not"))
        }
        _ => (same, format!("{which} of the target is {target_token}, of the draft {draft_token}")),
    };
    text(key, why, tokens, |who, special| {
        let adds = if special.is_added { "adds" } else { "does not add" };
        format!("the {who} {adds} {which}, which is {}", id_and_text(special))
    })
}
