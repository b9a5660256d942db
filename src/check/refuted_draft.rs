//! A draft that the engine will not use.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{Drafting, Told, both, draftings, is_silent, shown, told};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::engine::pairing::{Otherwise, Verdict, otherwise};
use crate::facts::Lock;
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role whose draft model does not fit its target, as the pinned build decides it: another type of tokenizer, another
    /// BOS or EOS token or one that only one of them adds, vocabularies that differ by more than 128 tokens, or tokens with
    /// other texts. The lock has what is compared.
    ///
    /// ## Why
    /// llama-server logs one line, answers its health check with ok, and serves without speculation, n-grams included. The
    /// role runs at a fraction of its speed and nothing is red.
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
    static REFUTED_DRAFT = 394, "refuted-draft", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &REFUTED_DRAFT, run };

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for drafting in draftings(ground) {
        let verdict = drafting.verdict(ground, lock);
        if verdict == Ok(Verdict::Fits) || drafting.was_said(registry) {
            continue;
        }
        match verdict {
            Ok(Verdict::Parts(reason)) if otherwise(drafting.profile) == Otherwise::Serves => {
                findings.report(finding(registry, lock, &drafting, &told(&reason)));
            }
            Ok(_) => {}
            Err(_) if is_silent(lock) => {}
            Err(why) => findings.record_not_checked(NotChecked {
                check: REFUTED_DRAFT.name,
                subject: Subject::new("role", &*drafting.role.head.name.value),
                why: format!("whether its draft fits: {why}"),
            }),
        }
    }
}

fn finding(registry: &Registry, lock: &Lock, drafting: &Drafting, told: &Told) -> Diagnostic {
    let Drafting { role, serving, draft, profile } = drafting;
    let (target, drafter) =
        (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
    let message = format!(
        "role {} would be served without its draft {}: {}",
        words::quoted(&role.head.name),
        words::quoted(&drafter.title),
        told.why
    );
    let mut finding = REFUTED_DRAFT
        .at(draft.model.span, "this draft does not fit", message)
        .about("role", &*role.head.name.value)
        .also(serving.model.span, format!("the target {}", words::quoted(&target.title)));
    if let Ok(facts) = both(registry, lock, (serving.model.value, draft.model.value)) {
        for (place, label) in shown(lock, facts, told) {
            finding = finding.also(place, label);
        }
    }
    let note = format!("build {} logs one line and serves without speculation", profile.build());
    finding
        .note(note)
        .help("draft with a model of the same tokenizer, or remove `draft`")
        .help("if the file is the wrong one, put the right one there and run `orchgen lock`")
}
