//! A compatible draft whose vocabulary has another size than its target's.

use crate::derive::Derived;
use crate::derive::locked::pair_facts;
use crate::diag::Diagnostics;
use crate::engine::pairing::PairVerdict;

declare_code! {
    /// ## What it finds
    /// A role whose draft is compatible with its target by the rules of the engine, but has a vocabulary of another
    /// size.
    ///
    /// ## Why
    /// The engine allows a difference of up to 128 tokens. The server starts and drafts, but it aborts at the first
    /// token that one of the two models lacks.
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
    pub(super) static UNEVEN_VOCABULARIES = 397, "uneven-vocabularies", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    for role_draft in derived.role_drafts() {
        let Ok(PairVerdict::UnevenSizes { target, draft }) = *role_draft.verdict else {
            continue;
        };
        if role_draft.was_reported(registry) {
            continue;
        }
        let (role, serving, model) = (role_draft.role, role_draft.serving, role_draft.draft.model);
        let message = format!(
            "{role} has a draft with {draft} tokens and a target with {target}: {} aborts at the first token that one model lacks",
            role_draft.profile.server()
        );
        let mut finding = UNEVEN_VOCABULARIES
            .at(model.span, format!("this draft has {draft} tokens"), message)
            .about(role)
            .also(serving.model.span, format!("this target has {target}"));
        if let Ok(facts) = pair_facts(registry, lock, (serving.model.value, model.value)) {
            for (locked, size) in facts.into_iter().zip([target, draft]) {
                if let Some(place) = locked.place("vocabulary.size") {
                    finding = finding.also(place, format!("{size} tokens"));
                }
            }
        }
        findings.report(finding.help("use a draft with the same vocabulary size, or remove `draft`"));
    }
}
