//! Verdicts on pairs of target and draft: each rule with artificial facts, and all rules compared with a real llama-server.

use orchgen::engine::Profile;
use orchgen::engine::dialect::OverrideValue;
use orchgen::engine::pairing::{Mismatch, MismatchHandling, PairVerdict, check_pair, mismatch_handling};
use orchgen::facts::{Facts, ModelHeaders, VocabularyDetail, VocabularyDifference, VocabularyFacts};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn profile(build: &str) -> &'static Profile {
    Profile::built_in(&format!("llama.cpp-{build}")).unwrap()
}

fn tokens(kind: &str) -> VocabularyFacts {
    VocabularyFacts {
        add_bos: Some(false),
        bos: Some(7),
        eos: Some(8),
        size: 1000,
        sha256_from_5: Some("a".into()),
        kind: kind.into(),
        ..VocabularyFacts::default()
    }
}

fn facts(vocabulary: VocabularyFacts) -> Facts {
    Facts { vocabulary: Some(vocabulary), ..Facts::default() }
}

#[track_caller]
fn verdict(build: &str, target: VocabularyFacts, draft: VocabularyFacts) -> PairVerdict {
    check_pair(profile(build), (&facts(target), &facts(draft)), &[], None)
}

/// A change to a vocabulary.
type Change = fn(&mut VocabularyFacts);

fn changed(change: Change) -> VocabularyFacts {
    let mut tokens = tokens("gpt2");
    change(&mut tokens);
    tokens
}

#[track_caller]
fn outcome(build: &str, target: Change, draft: Change) -> &'static str {
    match verdict(build, changed(target), changed(draft)) {
        PairVerdict::Compatible => "fits",
        PairVerdict::UnevenSizes { .. } => "uneven",
        PairVerdict::Unknown(_) => "unknown",
        PairVerdict::Incompatible(Mismatch::NoMemory(_)) => "memory",
        PairVerdict::Incompatible(Mismatch::VocabType(_)) => "kind",
        PairVerdict::Incompatible(Mismatch::SpecialToken { which, .. }) => which,
        PairVerdict::Incompatible(Mismatch::VocabSize(_)) => "size",
        PairVerdict::Incompatible(Mismatch::TokenText { .. }) => "token",
    }
}

#[test]
fn each_rule_alone_decides_the_verdict() {
    let same: Change = |_| {};
    assert_eq!(outcome("b11434", same, same), "fits");
    assert_eq!(outcome("b11434", same, |t| t.kind = "llama".into()), "kind");
    assert_eq!(outcome("b11434", same, |t| t.add_bos = Some(true)), "BOS");
    assert_eq!(outcome("b11434", |t| t.add_bos = Some(true), same), "BOS");
    assert_eq!(outcome("b11434", same, |t| t.add_eos = Some(true)), "EOS");
    let both: Change = |t| t.add_bos = Some(true);
    assert_eq!(outcome("b11434", both, both), "fits");
    let other: Change = |t| (t.add_bos, t.bos) = (Some(true), Some(9));
    assert_eq!(outcome("b11434", both, other), "BOS");
    let eos: Change = |t| (t.add_eos, t.eos) = (Some(true), Some(9));
    assert_eq!(outcome("b11434", |t| t.add_eos = Some(true), eos), "EOS");
    let larger: Change = |t| (t.size, t.sha256_from_5) = (1129, Some("b".into()));
    assert_eq!(outcome("b11434", same, larger), "size");
    assert_eq!(outcome("b11434", larger, same), "size");
    assert_eq!(outcome("b11434", same, |t| t.sha256_from_5 = Some("b".into())), "token");
    assert_eq!(outcome("b11434", same, |t| (t.size, t.sha256_from_5) = (1128, Some("b".into()))), "unknown");
    assert_eq!(outcome("b11434", same, |t| t.kind = "a tokenizer of next year".into()), "unknown");
}

/// The builds of March 2026 compare the BOS token even if the vocabularies do not add it.
#[test]
fn older_builds_compare_other_properties() {
    let (same, bos, eos): (Change, Change, Change) = (|_| {}, |t| t.bos = Some(9), |t| t.eos = Some(9));
    for build in ["b9093", "b10434", "b11434", "b11669"] {
        assert_eq!(outcome(build, same, bos), "fits", "{build}");
        assert_eq!(outcome(build, same, eos), "fits", "{build}");
    }
    for build in ["2026-03-22-g49bfddeca", "2026-03-fork"] {
        assert_eq!(outcome(build, same, bos), "BOS", "{build}");
        assert_eq!(outcome(build, same, eos), "EOS", "{build}");
        assert_eq!(outcome(build, same, |t| t.kind = "llama".into()), "fits", "{build}");
    }
    // The pairs of other families are not checked.
    for name in Profile::built_in_names().iter().filter(|name| name.starts_with("llama.cpp-")) {
        let profile = Profile::built_in(name).unwrap();
        let translates = name.contains("2026-03") || name.ends_with("b9093");
        assert_eq!(mismatch_handling(profile) == MismatchHandling::ViaText, translates, "{name}");
    }
}

#[test]
fn missing_metadata_has_the_defaults_of_the_engine() {
    let implicit = |kind: &str, pre: &str| VocabularyFacts {
        pre: Some(pre.into()),
        size: 1000,
        sha256_from_5: Some("a".into()),
        kind: kind.into(),
        ..VocabularyFacts::default()
    };
    let explicit = |kind: &str, bos: Option<u64>, add: bool| VocabularyFacts {
        add_bos: Some(add),
        bos,
        ..implicit(kind, "")
    };
    // The default BOS token is 1 for SPM, 101 for BERT and 11 for Llama 3. Other BPE tokenizers add none.
    for (implicit, explicit) in [
        (implicit("llama", ""), explicit("llama", Some(1), true)),
        (implicit("bert", ""), explicit("bert", Some(101), true)),
        (implicit("gpt2", "llama-bpe"), explicit("gpt2", Some(11), true)),
        (implicit("gpt2", "qwen2"), explicit("gpt2", Some(5), false)),
        (
            VocabularyFacts { add_bos: Some(true), ..implicit("gpt2", "glm4") },
            VocabularyFacts { bos: Some(2000), pre: Some("glm4".into()), ..explicit("gpt2", None, true) },
        ),
        (
            VocabularyFacts { add_bos: Some(false), ..implicit("gpt2", "gemma4") },
            VocabularyFacts { bos: Some(11), ..explicit("gpt2", None, true) },
        ),
    ] {
        assert_eq!(verdict("b11434", implicit.clone(), explicit), PairVerdict::Compatible, "{implicit:?}");
    }
    let PairVerdict::Incompatible(Mismatch::SpecialToken { which: "BOS", tokens }) =
        verdict("b11434", implicit("llama", ""), explicit("llama", Some(7), true))
    else {
        panic!("the default BOS token of SPM is 1")
    };
    assert_eq!(tokens.map(|special| special.token), [Some(1), Some(7)]);
}

#[test]
fn the_draft_inherits_the_overrides_of_its_target() {
    let (one, other) = (tokens("gpt2"), VocabularyFacts { add_bos: Some(true), ..tokens("gpt2") });
    let (one, other) = (facts(one), facts(other));
    let overrides = [("tokenizer.ggml.add_bos_token", OverrideValue::Bool(false))];
    assert_eq!(check_pair(profile("b11434"), (&one, &other), &overrides, None), PairVerdict::Compatible);
    assert_ne!(check_pair(profile("b11434"), (&one, &other), &[], None), PairVerdict::Compatible);
}

#[test]
fn the_text_of_the_target_comes_first_in_a_token_difference() {
    let (a, b) =
        (facts(tokens("gpt2")), facts(VocabularyFacts { sha256_from_5: Some("b".into()), ..tokens("gpt2") }));
    let difference = VocabularyDifference {
        between: ["a".into(), "b".into()],
        texts: Some(["of a".into(), "of b".into()]),
        token: Some(17),
    };
    for (target, draft, first) in [(&a, &b, "of a"), (&b, &a, "of b")] {
        let verdict = check_pair(profile("b11434"), (target, draft), &[], Some(&difference));
        let PairVerdict::Incompatible(Mismatch::TokenText { token: Some(17), texts: Some([text, _]) }) =
            verdict
        else {
            panic!("{verdict:?}")
        };
        assert_eq!(&*text, first);
    }
    let (target, draft) =
        (&a, &facts(VocabularyFacts { size: 1064, sha256_from_5: Some("b".into()), ..tokens("gpt2") }));
    let same = VocabularyDifference { token: None, texts: None, ..difference };
    let verdict = check_pair(profile("b11434"), (target, draft), &[], Some(&same));
    assert_eq!(verdict, PairVerdict::UnevenSizes { target: 1000, draft: 1064 });
}

#[test]
fn an_encoder_cannot_have_a_draft() {
    let bert = Facts { architecture: Some("bert".into()), ..facts(tokens("gpt2")) };
    let verdict = check_pair(profile("b11434"), (&bert, &facts(tokens("gpt2"))), &[], None);
    assert!(matches!(verdict, PairVerdict::Incompatible(Mismatch::NoMemory(_))), "{verdict:?}");
}

/// Needs the answers of llama-server: `bash tests/pairs/run` collects them and runs this test.
mod exhaustive {
    use super::*;

    /// An answer of llama-server.
    #[derive(serde::Deserialize)]
    struct Row {
        target: String,
        draft: String,
        server: String,
    }

    #[expect(clippy::disallowed_methods, reason = "`tests/pairs/run` passes paths in the environment")]
    fn path(variable: &str) -> PathBuf {
        let path = std::env::var_os(variable);
        path.unwrap_or_else(|| panic!("`bash tests/pairs/run` sets {variable}")).into()
    }

    #[test]
    fn verdicts_agree_with_llama_server() {
        let (answers, models) = (path("ORCHGEN_PAIRS"), path("ORCHGEN_PAIRS_MODELS"));
        let rows: Vec<Row> = serde_json::from_str(&std::fs::read_to_string(answers).unwrap()).unwrap();
        assert!(rows.len() >= 600, "{} pairs", rows.len());
        let mut vocabularies = BTreeMap::new();
        for Row { target, .. } in &rows {
            vocabularies.entry(target.clone()).or_insert_with_key(|name| {
                let parts = ModelHeaders::read(&models.join(name), VocabularyDetail::Texts).unwrap();
                let texts = parts.first.vocabulary.as_ref().unwrap().texts.clone().unwrap();
                (Facts::from_headers(name, &parts), texts)
            });
        }
        let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<&str, usize>::new());
        for row in &rows {
            let (target, draft) = (&vocabularies[&row.target], &vocabularies[&row.draft]);
            let mut sides = [target, draft].map(|(facts, texts)| (facts.vocabulary.as_ref().unwrap(), texts));
            sides.sort_by(|a, b| a.0.sha256_from_5.cmp(&b.0.sha256_from_5));
            let difference = VocabularyDifference::compare(sides[0], sides[1]);
            let verdict = check_pair(profile("b11669"), (&target.0, &draft.0), &[], difference.as_ref());
            let expected = match verdict {
                PairVerdict::Compatible | PairVerdict::UnevenSizes { .. } => "fits",
                PairVerdict::Incompatible(_) => "falls back",
                PairVerdict::Unknown(why) => why,
            };
            *counts.entry(&row.server).or_default() += 1;
            if expected != row.server {
                wrong.push(format!("{} with {}: {verdict:?}, server: {}", row.target, row.draft, row.server));
            }
        }
        println!("{} pairs: {counts:?}, {} wrong verdicts", rows.len(), wrong.len());
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
