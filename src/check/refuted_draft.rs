//! A draft that the engine does not use.

use crate::derive::Derived;
use crate::derive::RoleDraft;
use crate::derive::locked::{is_unusable, pair_facts};
use crate::derive::pairs::{ReasonText, describe, lock_labels};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::engine::pairing::{MismatchHandling, PairVerdict, mismatch_handling};
use crate::facts::Lock;
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role whose draft is not compatible with its target by the rules of the pinned build.
    ///
    /// orchgen compares these facts in the lock:
    ///
    /// - the type of the tokenizer;
    /// - the BOS and EOS tokens, and whether each model adds them;
    /// - the vocabulary sizes, which can differ by at most 128 tokens;
    /// - the texts of the tokens.
    ///
    /// ## Why
    /// llama-server logs one line, answers the health check with ok, and serves without speculation, including n-gram
    /// lookup. The role runs at a fraction of its speed, and nothing reports it.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "add_bos": false, "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "add_bos": true, "bos": 7, "size": 1000, "sha256_from_5": "a"}}
    /// }}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 draft="tiny"
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
    ///             "vocabulary": {"type": "gpt2", "add_bos": false, "bos": 7, "size": 1000, "sha256_from_5": "a"}},
    ///   "tiny": {"file": "tiny.gguf", "header": "0", "size": 500000000,
    ///            "vocabulary": {"type": "gpt2", "add_bos": false, "bos": 7, "size": 1000, "sha256_from_5": "a"}}
    /// }}
    /// ```
    pub(super) static REFUTED_DRAFT = 394, "refuted-draft", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    for role_draft in derived.role_drafts() {
        let verdict = role_draft.verdict;
        if *verdict == Ok(PairVerdict::Compatible) || role_draft.was_reported(registry) {
            continue;
        }
        match verdict {
            Ok(PairVerdict::Incompatible(reason))
                if mismatch_handling(role_draft.profile) == MismatchHandling::NoSpeculation =>
            {
                findings.report(finding(registry, lock, &role_draft, &describe(reason)));
            }
            Ok(_) => {}
            Err(_) if is_unusable(lock) => {}
            Err(why) => findings.skip(
                &REFUTED_DRAFT,
                &role_draft.role.head,
                format!("compatibility of its draft: {why}"),
            ),
        }
    }
}

fn finding(registry: &Registry, lock: &Lock, role_draft: &RoleDraft, text: &ReasonText) -> Diagnostic {
    let RoleDraft { role, serving, draft, profile, .. } = role_draft;
    let (target, drafter) =
        (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
    let message =
        format!("{role} would run without its draft {}: {}", words::quoted(&drafter.title), text.why);
    let mut finding = REFUTED_DRAFT
        .at(draft.model.span, "incompatible draft", message)
        .about(*role)
        .also(serving.model.span, format!("the target {}", words::quoted(&target.title)));
    if let Ok(facts) = pair_facts(registry, lock, (serving.model.value, draft.model.value)) {
        for (place, label) in lock_labels(lock, facts, text) {
            finding = finding.also(place, label);
        }
    }
    let note = format!("build {} logs one line and serves without speculation", profile.build());
    finding
        .note(note)
        .help("use a draft with the same tokenizer, or remove `draft`")
        .help("if the file is wrong, replace it and run `orchgen lock`")
}
