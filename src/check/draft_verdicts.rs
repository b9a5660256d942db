//! Drafts that the engine build does not use, translates, or aborts with.

use super::shared::mismatch::{describe, lock_labels};
use crate::derive::locked::{is_unusable, pair_facts};
use crate::derive::{Derived, RoleDraft};
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::pairing::{Mismatch, MismatchHandling, PairVerdict, mismatch_handling};

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
    for one in derived.role_drafts() {
        // Other checks report forbidden drafts.
        if derived.registry.forbids_draft(one.serving, one.draft) {
            continue;
        }
        let finding = match one.verdict {
            Ok(PairVerdict::Incompatible(reason)) => match mismatch_handling(one.profile) {
                MismatchHandling::NoSpeculation => refuted(derived, &one, reason),
                MismatchHandling::ViaText => translated(&one, reason),
            },
            Ok(PairVerdict::UnevenSizes { target, draft }) => uneven(derived, &one, [*target, *draft]),
            Ok(PairVerdict::Compatible | PairVerdict::Unknown(_)) => continue,
            Err(_) if is_unusable(&derived.lock) => continue,
            Err(why) => {
                findings.skip(&REFUTED_DRAFT, one.role, format!("compatibility of its draft: {why}"));
                continue;
            }
        };
        findings.report(finding.about(one.role));
    }
}

fn refuted(derived: &Derived, one: &RoleDraft, reason: &Mismatch) -> Diagnostic {
    let RoleDraft { role, serving, model: draft, profile, .. } = one;
    let title = |id| words::quoted(&derived.registry.models.get(id).title);
    let (ids, text) = ((serving.model.value, draft.value), describe(reason));
    let message = format!("{role} would run without its draft {}: {}", title(ids.1), text.why);
    let facts = pair_facts(&derived.registry, &derived.lock, ids).ok();
    let labels = facts.map(|facts| lock_labels(&derived.lock, facts, &text)).unwrap_or_default();
    REFUTED_DRAFT
        .at(draft.span, "incompatible draft", message)
        .also(serving.model.span, format!("the target {}", title(ids.0)))
        .also_each(labels)
        .note(format!("build {} logs one line and serves without speculation", profile.build()))
        .help("use a draft with the same tokenizer")
        .remedy("or remove `{}`", Change::field("draft", draft.span))
        .help("if the file is wrong, replace it and run `orchgen lock`")
}

fn translated(one: &RoleDraft, reason: &Mismatch) -> Diagnostic {
    let why = describe(reason).why;
    let message = format!("{} converts drafted tokens to text and back: {why}", one.role);
    TRANSLATED_DRAFT
        .at(one.model.span, "incompatible draft", message)
        .also(one.serving.model.span, "with this target")
        .help("use a draft with the same tokenizer")
        .remedy("or remove `{}`", Change::field("draft", one.model.span))
}

fn uneven(derived: &Derived, one: &RoleDraft, sizes: [u64; 2]) -> Diagnostic {
    let RoleDraft { role, serving, model: draft, profile, .. } = one;
    let ([target_size, draft_size], server) = (sizes, profile.server());
    let message = format!(
        "{role} has a draft with {draft_size} tokens and a target with {target_size}: {server} aborts at the first token that one model lacks"
    );
    let pair = (serving.model.value, draft.value);
    let facts = pair_facts(&derived.registry, &derived.lock, pair).ok();
    let places = facts
        .into_iter()
        .flatten()
        .zip(sizes)
        .filter_map(|(locked, size)| Some((locked.place("vocabulary.size")?, format!("{size} tokens"))));
    UNEVEN_VOCABULARIES
        .at(draft.span, format!("this draft has {draft_size} tokens"), message)
        .also(serving.model.span, format!("this target has {target_size}"))
        .also_each(places)
        .help("use a draft with the same vocabulary size")
        .remedy("or remove `{}`", Change::field("draft", draft.span))
}
