//! A draft that an older build uses by converting tokens to text and back.

use crate::derive::Derived;
use crate::derive::pairs::describe;
use crate::diag::Diagnostics;
use crate::engine::pairing::{MismatchHandling, PairVerdict, mismatch_handling};

declare_code! {
    /// ## What it finds
    /// A role whose draft is not compatible with its target, on a build that drafts anyway. Builds with
    /// `--spec-replace` convert the tokens to text and back at each step.
    ///
    /// ## Why
    /// The conversion costs time at each step. Many drafted tokens become other tokens and are discarded. Newer builds
    /// without this option serve such a role without speculation, so an upgrade of the engine makes it slower.
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
    pub(super) static TRANSLATED_DRAFT = 398, "translated-draft", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for role_draft in derived.role_drafts() {
        if mismatch_handling(role_draft.profile) == MismatchHandling::NoSpeculation {
            continue;
        }
        let Ok(PairVerdict::Incompatible(reason)) = role_draft.verdict else { continue };
        if role_draft.was_reported(&derived.registry) {
            continue;
        }
        let (role, text) = (role_draft.role, describe(reason));
        let message = format!("{role} converts drafted tokens to text and back: {}", text.why);
        let finding = TRANSLATED_DRAFT
            .at(role_draft.draft.model.span, "incompatible draft", message)
            .about(role)
            .also(role_draft.serving.model.span, "with this target");
        findings.report(finding.help("use a draft with the same tokenizer, or remove `draft`"));
    }
}
