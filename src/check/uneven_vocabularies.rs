//! A draft whose vocabulary is a little larger or smaller than its target's.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{both, draftings};
use crate::diag::{Diagnostics, words};
use crate::engine::pairing::Verdict;
use crate::facts::Lock;

declare_code! {
    /// ## What it finds
    /// A role whose draft fits its target as the engine decides it, with a vocabulary of another size.
    ///
    /// ## Why
    /// Up to 128 tokens may be between them. The server starts and drafts, and it aborts at the first token that one of the two
    /// lacks.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 1064, "sha256_from_5": "b"}}
    ///  }, "vocabulary_differences": [{"between": ["a", "b"]}]}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 1064, "sha256_from_5": "b"}}
    ///  }, "vocabulary_differences": [{"between": ["a", "b"]}]}
    /// ```
    static UNEVEN_VOCABULARIES = 397, "uneven-vocabularies", Warning;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &UNEVEN_VOCABULARIES, run };

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for drafting in draftings(ground) {
        let Ok(Verdict::Uneven { target, draft }) = drafting.verdict(ground, lock) else { continue };
        if drafting.was_said(registry) {
            continue;
        }
        let (role, serving, model) = (drafting.role, drafting.serving, drafting.draft.model);
        let message = format!(
            "role {} drafts with a vocabulary of {draft} tokens for one of {target}: it aborts at the first that one of them lacks",
            words::quoted(&role.head.name)
        );
        let mut finding = UNEVEN_VOCABULARIES
            .at(model.span, format!("this draft has {draft} tokens"), message)
            .about("role", &*role.head.name.value)
            .also(serving.model.span, format!("this target has {target}"));
        if let Ok(facts) = both(registry, lock, (serving.model.value, model.value)) {
            for (locked, size) in facts.into_iter().zip([target, draft]) {
                if let Some(place) = locked.place("vocabulary.size") {
                    finding = finding.also(place, format!("{size} tokens"));
                }
            }
        }
        findings.report(finding.help("draft with a model that has the same vocabulary, or remove `draft`"));
    }
}
