//! A draft that an older build uses by way of text.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{draftings, told};
use crate::diag::{Diagnostics, words};
use crate::engine::pairing::{Otherwise, Verdict, otherwise};
use crate::facts::Lock;

declare_code! {
    /// ## What it finds
    /// A role whose draft does not fit its target, under a build that drafts all the same and turns tokens into text and back at
    /// each step: those that have `--spec-replace`.
    ///
    /// ## Why
    /// It costs time at each step, and much of what is drafted comes back as other tokens and is thrown away. Builds without
    /// that option serve without speculation, so an upgrade of the engine ends it.
    ///
    /// ## Example
    /// ```kdl
    /// engine "old" profile="llama.cpp-b9093" bin="/opt/old/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="old" draft="tiny"
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
    /// engine "old" profile="llama.cpp-b9093" bin="/opt/old/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="old" draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "bos": 7, "size": 1000, "sha256_from_5": "a"}}
    /// }}
    /// ```
    static TRANSLATED_DRAFT = 398, "translated-draft", Warning;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &TRANSLATED_DRAFT, run };

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    for drafting in draftings(ground) {
        if otherwise(drafting.profile) == Otherwise::Serves {
            continue;
        }
        let Ok(Verdict::Parts(reason)) = drafting.verdict(ground, lock) else { continue };
        if drafting.was_said(&ground.registry) {
            continue;
        }
        let (role, told) = (drafting.role, told(&reason));
        let message = format!("role {} drafts by way of text: {}", words::quoted(&role.head.name), told.why);
        let finding = TRANSLATED_DRAFT
            .at(drafting.draft.model.span, "this draft does not fit token by token", message)
            .about("role", &*role.head.name.value)
            .also(drafting.serving.model.span, "with this target");
        findings.report(finding.help("draft with a model of the same tokenizer, or remove `draft`"));
    }
}
