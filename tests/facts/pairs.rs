//! Verdicts on pairs: each rule by facts that are made up, and all of them against what a real server said.

use orchgen::engine::Profile;
use orchgen::engine::dialect::Value;
use orchgen::engine::pairing::{Otherwise, Reason, Verdict, judge, otherwise};
use orchgen::facts::{Difference, Facts, Keep, Parts, Tokens};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn profile(build: &str) -> &'static Profile {
    Profile::built_in(&format!("llama.cpp-{build}")).unwrap()
}

fn tokens(kind: &str) -> Tokens {
    Tokens {
        add_bos: Some(false),
        bos: Some(7),
        eos: Some(8),
        size: 1000,
        sha256_from_5: Some("a".into()),
        kind: kind.into(),
        ..Tokens::default()
    }
}

fn facts(vocabulary: Tokens) -> Facts {
    Facts { vocabulary: Some(vocabulary), ..Facts::default() }
}

#[track_caller]
fn verdict(build: &str, target: Tokens, draft: Tokens) -> Verdict {
    judge(profile(build), (&facts(target), &facts(draft)), &[], None)
}

/// A change of a vocabulary.
type Change = fn(&mut Tokens);

fn with(change: Change) -> Tokens {
    let mut tokens = tokens("gpt2");
    change(&mut tokens);
    tokens
}

#[track_caller]
fn parts(build: &str, target: Change, draft: Change) -> &'static str {
    match verdict(build, with(target), with(draft)) {
        Verdict::Fits => "fits",
        Verdict::Uneven { .. } => "uneven",
        Verdict::Unknown(_) => "unknown",
        Verdict::Parts(Reason::NoMemory(_)) => "memory",
        Verdict::Parts(Reason::Kind(_)) => "kind",
        Verdict::Parts(Reason::Special { which, .. }) => which,
        Verdict::Parts(Reason::Size(_)) => "size",
        Verdict::Parts(Reason::Token { .. }) => "token",
    }
}

#[test]
fn each_rule_by_itself() {
    let same: Change = |_| {};
    assert_eq!(parts("b11434", same, same), "fits");
    assert_eq!(parts("b11434", same, |t| t.kind = "llama".into()), "kind");
    assert_eq!(parts("b11434", same, |t| t.add_bos = Some(true)), "BOS");
    assert_eq!(parts("b11434", |t| t.add_bos = Some(true), same), "BOS");
    assert_eq!(parts("b11434", same, |t| t.add_eos = Some(true)), "EOS");
    let both: Change = |t| t.add_bos = Some(true);
    assert_eq!(parts("b11434", both, both), "fits");
    let other: Change = |t| (t.add_bos, t.bos) = (Some(true), Some(9));
    assert_eq!(parts("b11434", both, other), "BOS");
    let eos: Change = |t| (t.add_eos, t.eos) = (Some(true), Some(9));
    assert_eq!(parts("b11434", |t| t.add_eos = Some(true), eos), "EOS");
    let larger: Change = |t| (t.size, t.sha256_from_5) = (1129, Some("b".into()));
    assert_eq!(parts("b11434", same, larger), "size");
    assert_eq!(parts("b11434", larger, same), "size");
    assert_eq!(parts("b11434", same, |t| t.sha256_from_5 = Some("b".into())), "token");
    assert_eq!(parts("b11434", same, |t| (t.size, t.sha256_from_5) = (1128, Some("b".into()))), "unknown");
    assert_eq!(parts("b11434", same, |t| t.kind = "a tokenizer of next year".into()), "unknown");
}

/// Which BOS there is matters to the March tree also where it is not added.
#[test]
fn builds_differ_in_what_they_compare() {
    let (same, bos, eos): (Change, Change, Change) = (|_| {}, |t| t.bos = Some(9), |t| t.eos = Some(9));
    for build in ["b9093", "b10434", "b11434", "b11669"] {
        assert_eq!(parts(build, same, bos), "fits", "{build}");
        assert_eq!(parts(build, same, eos), "fits", "{build}");
    }
    for build in ["2026-03-22-g49bfddeca", "2026-03-fork"] {
        assert_eq!(parts(build, same, bos), "BOS", "{build}");
        assert_eq!(parts(build, same, eos), "EOS", "{build}");
        assert_eq!(parts(build, same, |t| t.kind = "llama".into()), "fits", "{build}");
    }
    for name in Profile::names() {
        let profile = Profile::built_in(name).unwrap();
        let translates = name.contains("2026-03") || name.ends_with("b9093");
        assert_eq!(otherwise(profile) == Otherwise::Translates, translates, "{name}");
    }
}

#[test]
fn what_a_file_does_not_say_is_as_the_engine_has_it() {
    let silent = |kind: &str, pre: &str| Tokens {
        pre: Some(pre.into()),
        size: 1000,
        sha256_from_5: Some("a".into()),
        kind: kind.into(),
        ..Tokens::default()
    };
    let said =
        |kind: &str, bos: Option<u64>, add: bool| Tokens { add_bos: Some(add), bos, ..silent(kind, "") };
    // SPM adds 1, BERT 101, a Llama 3 tokenizer 11, others of its kind add nothing.
    for (silent, said) in [
        (silent("llama", ""), said("llama", Some(1), true)),
        (silent("bert", ""), said("bert", Some(101), true)),
        (silent("gpt2", "llama-bpe"), said("gpt2", Some(11), true)),
        (silent("gpt2", "qwen2"), said("gpt2", Some(5), false)),
        (
            Tokens { add_bos: Some(true), ..silent("gpt2", "glm4") },
            Tokens { bos: Some(2000), pre: Some("glm4".into()), ..said("gpt2", None, true) },
        ),
        (
            Tokens { add_bos: Some(false), ..silent("gpt2", "gemma4") },
            Tokens { bos: Some(11), ..said("gpt2", None, true) },
        ),
    ] {
        assert_eq!(verdict("b11434", silent.clone(), said), Verdict::Fits, "{silent:?}");
    }
    let Verdict::Parts(Reason::Special { which: "BOS", tokens }) =
        verdict("b11434", silent("llama", ""), said("llama", Some(7), true))
    else {
        panic!("BOS of SPM is 1")
    };
    assert_eq!(tokens.map(|special| special.token), [Some(1), Some(7)]);
}

#[test]
fn the_draft_inherits_the_overrides_of_its_target() {
    let (one, other) = (tokens("gpt2"), Tokens { add_bos: Some(true), ..tokens("gpt2") });
    let (one, other) = (facts(one), facts(other));
    let overrides = [("tokenizer.ggml.add_bos_token", Value::Bool(false))];
    assert_eq!(judge(profile("b11434"), (&one, &other), &overrides, None), Verdict::Fits);
    assert_ne!(judge(profile("b11434"), (&one, &other), &[], None), Verdict::Fits);
}

#[test]
fn the_token_at_which_two_part_is_said_from_the_side_of_the_target() {
    let (a, b) = (facts(tokens("gpt2")), facts(Tokens { sha256_from_5: Some("b".into()), ..tokens("gpt2") }));
    let difference = Difference {
        between: ["a".into(), "b".into()],
        texts: Some(["of a".into(), "of b".into()]),
        token: Some(17),
    };
    for (target, draft, first) in [(&a, &b, "of a"), (&b, &a, "of b")] {
        let verdict = judge(profile("b11434"), (target, draft), &[], Some(&difference));
        let Verdict::Parts(Reason::Token { token: Some(17), texts: Some([said, _]) }) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(&*said, first);
    }
    let (target, draft) =
        (&a, &facts(Tokens { size: 1064, sha256_from_5: Some("b".into()), ..tokens("gpt2") }));
    let same = Difference { token: None, texts: None, ..difference };
    let verdict = judge(profile("b11434"), (target, draft), &[], Some(&same));
    assert_eq!(verdict, Verdict::Uneven { target: 1000, draft: 1064 });
}

#[test]
fn an_encoder_has_no_draft() {
    let bert = Facts { architecture: Some("bert".into()), ..facts(tokens("gpt2")) };
    let verdict = judge(profile("b11434"), (&bert, &facts(tokens("gpt2"))), &[], None);
    assert!(matches!(verdict, Verdict::Parts(Reason::NoMemory(_))), "{verdict:?}");
}

/// What `tests/pairs/run` has asked a real server.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever asked the server says where the answers are")]
fn verdicts_agree_with_the_server() {
    let (answers, models) = (std::env::var_os("ORCHGEN_PAIRS"), std::env::var_os("ORCHGEN_PAIRS_MODELS"));
    let (Some(answers), Some(models)) = (answers, models) else {
        println!("no answers of a real server: `bash tests/pairs/run` asks it for every pair and compares");
        return;
    };
    let rows: Vec<BTreeMap<String, String>> =
        serde_json::from_str(&std::fs::read_to_string(answers).unwrap()).unwrap();
    assert!(rows.len() >= 600, "{} pairs", rows.len());
    let mut read = BTreeMap::new();
    for row in &rows {
        let name = row["target"].clone();
        read.entry(name).or_insert_with_key(|name| {
            let parts = Parts::read(&PathBuf::from(&models).join(name), Keep::Texts).unwrap();
            let texts = parts.first.vocabulary.as_ref().unwrap().texts.clone().unwrap();
            (Facts::of(name, &parts), texts)
        });
    }
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<String, usize>::new());
    for row in &rows {
        let (target, draft) = (&read[&row["target"]], &read[&row["draft"]]);
        let (one, other) = (target.0.vocabulary.as_ref().unwrap(), draft.0.vocabulary.as_ref().unwrap());
        let mut sides = [(one, &target.1), (other, &draft.1)];
        sides.sort_by(|a, b| a.0.sha256_from_5.cmp(&b.0.sha256_from_5));
        let difference = Difference::find(sides[0], sides[1]);
        let ours = judge(profile("b11669"), (&target.0, &draft.0), &[], difference.as_ref());
        let said = match ours {
            Verdict::Fits | Verdict::Uneven { .. } => "fits",
            Verdict::Parts(_) => "falls back",
            Verdict::Unknown(why) => why,
        };
        *counts.entry(row["server"].clone()).or_default() += 1;
        if said != row["server"] {
            wrong.push(format!(
                "{} with {}: {ours:?}, server: {}",
                row["target"], row["draft"], row["server"]
            ));
        }
    }
    println!("{} pairs: {counts:?}, {} of them judged otherwise", rows.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
