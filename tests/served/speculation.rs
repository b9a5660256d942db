//! Every kind of draft and of lookup with a real llama-server, and its memory.

use super::memory::{ServerReport, mib};
use super::rig::{Rig, ask, text, wait};
use orchgen::engine::Profile;
use orchgen::engine::memory::{Owner, PartKind, Process, memory};
use orchgen::facts::{Facts, ModelHeaders, VocabularyDetail};
use std::fs::{self, File};
use std::process::{Child, Stdio};

const REGISTRY: &str = include_str!("speculation.kdl");

/// The roles in the order of their ports, with the type of speculation that the server reports.
const ROLES: &[(&str, &[&str])] = &[
    ("simple", &["draft-simple"]),
    ("eagle", &["draft-eagle3"]),
    ("block", &["draft-dflash"]),
    ("markov", &["draft-dspark"]),
    ("own", &["draft-mtp"]),
    ("head", &["draft-mtp"]),
    ("bare", &["ngram-simple"]),
    ("map", &["ngram-map-k"]),
    ("map4", &["ngram-map-k4v"]),
    ("table", &["ngram-mod"]),
    ("files", &["ngram-cache"]),
    ("both", &["ngram-simple", "draft-simple"]),
];

/// The rig with the models of all kinds of drafts, and an n-gram file.
fn rig() -> Rig {
    let rig = Rig::unbooted();
    let script = crate::support::repository().join("tests/served/drafts.py");
    let output = crate::outside::python().arg(script).arg(rig.root.join("srv/models")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let args = [
        "-m",
        "/srv/models/target.gguf",
        "-lcs",
        "/srv/models/ngrams",
        "-p",
        "the the the in the an the the",
    ];
    let output = rig.chroot(&[&["llama-lookup-create"], &args[..]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    rig.install(REGISTRY);
    rig
}

/// Starts a role, asks for a completion, and stops the role. Returns the answer and the log.
#[track_caller]
fn serve(rig: &Rig, role: &str, port: u16) -> (serde_json::Value, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = |file: &File| Stdio::from(file.try_clone().unwrap());
    let script = format!("/srv/out/bin/{role}");
    let mut command = rig.chroot(&[&script, "0", "--", "-lv", "4", "--no-warmup"]);
    command.stdin(Stdio::null()).stdout(output(log.as_file())).stderr(output(log.as_file()));
    let mut server: Child = command.spawn().unwrap();
    let read_log = || String::from_utf8_lossy(&fs::read(log.path()).unwrap()).into_owned();
    wait(60, role, || {
        let ended = server.try_wait().unwrap();
        assert!(ended.is_none(), "{role}: {ended:?}: {}", read_log());
        ask(port, "/health", "", "").is_some_and(|answer| answer.status == 200)
    });
    let body = r#"{"prompt":"the the the the in the the the the in the the","n_predict":48,"temperature":0,"ignore_eos":true}"#;
    let answer = ask(port, "/completion", body, "").unwrap().json();
    server.kill().unwrap();
    server.wait().unwrap();
    (answer, read_log())
}

/// Asserts that weights, cache and state of the process are as large as predicted. The memory of a draft's graph is not
/// predicted for all kinds.
fn assert_memory(rig: &Rig, role: &str, log: &str) {
    let mut report = ServerReport::default();
    log.lines().for_each(|line| report.read_line(line));
    let dry = rig.chroot(&[&format!("/srv/out/bin/{role}"), "--dry-run", "--print0"]).output().unwrap();
    let words = text(&dry.stdout);
    let words: Vec<&str> = words.split_terminator('\0').skip(1).collect();
    let file = |option: &str| {
        let at = words.iter().position(|word| *word == option)?;
        let path = rig.root.join(words[at + 1].trim_start_matches('/'));
        Some(Facts::from_headers(
            words[at + 1],
            &ModelHeaders::read(&path, VocabularyDetail::Digests).unwrap(),
        ))
    };
    let (model, draft) = (file("-m").unwrap(), file("-md"));
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let options = crate::memory_options::memory_options(profile, &[], words.iter().copied());
    let parts = memory(&Process {
        profile,
        options: &options,
        model: &model,
        draft: draft.as_ref(),
        projector: None,
    });
    let weights: f64 = report.weights.values().sum();
    let predicted = mib(&parts, &[PartKind::Mapped, PartKind::Loaded, PartKind::Repacked], None);
    let is_near = |one: f64, other: f64, rounded: f64| (one - other).abs() <= 0.011 * rounded + 0.01 * other;
    assert!(is_near(predicted, weights, report.buffers), "{role}: weights {predicted}, reported {weights}");
    let has_draft = draft.is_some() || role == "own";
    let owners = [Owner::Model, Owner::Draft];
    assert_eq!(report.contexts.len(), 1 + usize::from(has_draft), "{role}");
    for (owner, context) in owners.into_iter().zip(&report.contexts) {
        for (kind, reported) in [(PartKind::Cache, context.cache), (PartKind::State, context.state)] {
            let predicted = mib(&parts, &[kind], Some(owner));
            assert!(is_near(predicted, reported, 1.0), "{role}: {kind:?} {predicted}, reported {reported}");
        }
    }
}

#[test]
fn every_kind_of_draft_and_lookup_is_used() {
    let rig = rig();
    for ((role, kinds), port) in ROLES.iter().zip(18180..) {
        let (answer, log) = serve(&rig, role, port);
        for kind in *kinds {
            let added = format!("adding speculative implementation '{kind}'");
            assert!(log.contains(&added), "{role}: {log}");
        }
        assert_eq!(log.matches("adding speculative implementation").count(), kinds.len(), "{role}: {log}");
        assert_eq!(answer["tokens_predicted"], 48, "{role}: {answer}");
        let drafted = answer["timings"]["draft_n"].as_u64();
        // A lookup drafts only if the answer repeats n-grams.
        if kinds.iter().any(|kind| kind.starts_with("draft-")) {
            assert!(drafted > Some(0), "{role}: {}", answer["timings"]);
        }
        assert_memory(&rig, role, &log);
        rig.report(&format!("`{role}` drafted {} tokens with {}", drafted.unwrap_or(0), kinds.join(" and ")));
    }
}
