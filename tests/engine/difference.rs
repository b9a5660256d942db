//! What changes between builds, held against what is known of their sources and helps.

use super::{profile, profiles};
use orchgen::engine::{Difference, Profile, What, difference};

fn between(old: &str, new: &str) -> Difference {
    difference(profile(old), profile(new))
}

/// The options of the server to which something of that kind happens, by title.
fn server(difference: &Difference, is: impl Fn(&What) -> bool) -> Vec<String> {
    let server =
        |change: &&orchgen::engine::Change| change.programs.iter().any(|tool| tool == "llama-server");
    difference
        .changes
        .iter()
        .filter(server)
        .filter(|change| is(&change.what))
        .map(|change| change.option.clone())
        .collect()
}

fn gone(difference: &Difference) -> Vec<String> {
    server(difference, |what| matches!(what, What::Gone { .. }))
}

fn added(difference: &Difference) -> Vec<String> {
    server(difference, |what| matches!(what, What::Added { .. }))
}

/// What happens to an option of the server.
fn of<'d>(difference: &'d Difference, option: &str) -> Vec<&'d What> {
    difference.changes.iter().filter(|change| change.option == option).map(|change| &change.what).collect()
}

fn environment(from: &str, to: &str) -> What {
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    What::Environment { from: some(from), to: some(to) }
}

#[test]
fn from_the_march_tree_to_b9093() {
    let change = between("2026-03-22-g49bfddeca", "b9093");
    assert_eq!(
        server(&change, |what| matches!(what, What::Removed { .. })),
        ["--draft", "--draft-min", "--spec-ngram-min-hits", "--spec-ngram-size-m", "--spec-ngram-size-n"]
    );
    assert!(of(&change, "--draft").contains(&&What::Removed {
        instead: "use --spec-draft-n-max or --spec-ngram-mod-n-max".to_owned()
    }));
    let renamed = server(&change, |what| matches!(what, What::Renamed { is_kept: true, .. }));
    for option in [
        "--model-draft",
        "--device-draft",
        "--ctx-size-draft",
        "--draft-p-min",
        "--spec-replace",
        "--cpu-moe-draft",
    ] {
        assert!(renamed.contains(&option.to_owned()), "{option}: {renamed:?}");
    }
    assert_eq!(
        server(&change, |what| matches!(what, What::Renamed { is_kept: false, .. })),
        Vec::<String>::new()
    );
    for (option, from, to) in [
        ("--model-draft", "MODEL_DRAFT", "SPEC_DRAFT_MODEL"),
        ("--hf-repo-draft", "HFD_REPO", "SPEC_DRAFT_HF_REPO"),
        ("--ctx-size-draft", "CTX_SIZE_DRAFT", "SPEC_DRAFT_CTX_SIZE"),
        ("--draft-p-min", "DRAFT_P_MIN", "SPEC_DRAFT_P_MIN"),
        ("--cache-type-k-draft", "CACHE_TYPE_K_DRAFT", "SPEC_DRAFT_CACHE_TYPE_K"),
        ("--n-cpu-moe-draft", "N_CPU_MOE_DRAFT", "SPEC_DRAFT_N_CPU_MOE"),
    ] {
        let expected = environment(&format!("LLAMA_ARG_{from}"), &format!("LLAMA_ARG_{to}"));
        assert!(of(&change, option).contains(&&expected), "{option}: {:?}", of(&change, option));
    }
    assert_eq!(gone(&change), ["--verbose-prompt"]);
    assert_eq!(
        of(&change, "--split-mode"),
        [&What::Choices { gone: Vec::new(), added: vec!["tensor".to_owned()] }]
    );
    let come = added(&change);
    for option in ["--spec-draft-p-split", "--cache-idle-slots", "--reuse-port", "--tools", "--spec-default"]
    {
        assert!(come.contains(&option.to_owned()), "{option}: {come:?}");
    }
}

#[test]
fn from_b9093_to_b10434() {
    let change = between("b9093", "b10434");
    assert_eq!(change.programs, ["llama-server"]);
    assert!(change.only_old.contains(&"llama-cli".to_owned()) && change.only_new.is_empty());
    assert!(
        of(&change, "--spec-type")
            .iter()
            .any(|what| matches!(what, What::Retyped { from: Some(from), to: Some(to) }
        if from.starts_with("[none|") && to.starts_with("none,draft-simple")))
    );
    assert_eq!(
        gone(&change),
        [
            "--checkpoint-every-n-tokens",
            "--hf-file-v",
            "--hf-repo-v",
            "--license",
            "--model-vocoder",
            "--spec-draft-ctx-size",
            "--spec-draft-replace",
            "--tts-use-guide-tokens"
        ]
    );
    assert!(of(&change, "--webui").contains(&&What::Renamed { to: "--ui".to_owned(), is_kept: true }));
    assert!(of(&change, "--webui").contains(&&environment("LLAMA_ARG_WEBUI", "LLAMA_ARG_UI")));
    assert!(of(&change, "--offline").contains(&&environment("LLAMA_OFFLINE", "LLAMA_ARG_OFFLINE")));
    assert!(of(&change, "--api-key-file").contains(&&environment("", "LLAMA_ARG_API_KEY_FILE")));
    assert!(of(&change, "--log-prefix").contains(&&What::NameAdded { name: "--no-log-prefix".to_owned() }));
    assert_eq!(
        server(&change, |what| matches!(what, What::Deprecated { instead } if instead == "use --load-mode")),
        ["--direct-io", "--mlock", "--mmap"]
    );
    let come = added(&change);
    for option in [
        "--load-mode",
        "--agent",
        "--sse-ping-interval",
        "--reasoning-effort",
        "--tools-runtime",
        "--cors-origins",
    ] {
        assert!(come.contains(&option.to_owned()), "{option}: {come:?}");
    }
}

#[test]
fn from_b10434_to_b11434_three_options_go_without_a_word() {
    let change = between("b10434", "b11434");
    assert_eq!(gone(&change), ["--direct-io", "--mlock", "--mmap"]);
    assert_eq!(of(&change, "--mlock"), [&What::Gone { instead: Some("use --load-mode".to_owned()) }]);
    assert_eq!(
        added(&change),
        [
            "--kv-unified-per-slot",
            "--lazy-mode",
            "--log-jsonl",
            "--mmproj-device",
            "--n-cpu-ffn",
            "--spec-draft-sampling",
            "--spec-synth-len",
            "--spec-synth-rates",
            "--video-ffmpeg-dir",
            "--video-fps",
            "--video-timestamp-interval"
        ]
    );
    assert!(of(&change, "--top-p").contains(&&environment("", "LLAMA_ARG_TOP_P")));
    // The older file does not say how else on and off may be spelled, or what a second value does.
    assert_eq!(of(&change, "--flash-attn"), Vec::<&What>::new());
}

#[test]
fn from_b11434_to_b11669_nothing_breaks() {
    let change = between("b11434", "b11669");
    let breaking: Vec<_> = change.changes.iter().filter(|change| change.what.can_break()).collect();
    assert!(breaking.is_empty(), "{breaking:?}");
    assert_eq!(added(&change), ["--moe-cache-mib", "--spec-draft-n-ubatch"]);
    let programs = |option: &str| {
        let found = change.changes.iter().find(|change| change.option == option).unwrap();
        found.programs.clone()
    };
    assert_eq!(programs("--moe-cache-mib").len(), 5);
    assert_eq!(programs("--kv-unified"), ["llama-speculative"]);
    assert_eq!(of(&change, "--slot-save-path").len(), 1);
    assert_eq!(of(&between("b11669", "b11434"), "--moe-cache-mib"), [&What::Gone { instead: None }]);
}

#[test]
fn the_fork_differs_from_its_tree_by_what_it_adds() {
    let change = between("2026-03-22-g49bfddeca", "2026-03-fork");
    assert_eq!(added(&change), ["--lookup-ngram-min"]);
    assert_eq!(
        (change.changes.len(), change.only_new.as_slice()),
        (1, &["llama-qwen2vl-cli".to_owned()][..])
    );
    assert_eq!(gone(&between("2026-03-fork", "2026-03-22-g49bfddeca")), ["--lookup-ngram-min"]);
}

/// Every option of the one side is there on the other, or said to be gone or to come.
#[test]
fn nothing_is_lost_between_any_two_builds() {
    for old in profiles() {
        for new in profiles() {
            let change = difference(old, new);
            if old.name() == new.name() {
                assert_eq!(change.changes, []);
            }
            for tool in &change.programs {
                let says = |title: &str, is: fn(&What) -> bool| {
                    let here = |c: &&orchgen::engine::Change| c.option == title && c.programs.contains(tool);
                    change.changes.iter().filter(here).any(|c| is(&c.what))
                };
                let (was, is) = (taken(old, tool), taken(new, tool));
                for title in was.iter().filter(|title| !is.contains(title)) {
                    let is_said = says(title, |what| {
                        matches!(what, What::Gone { .. } | What::Removed { .. } | What::Renamed { .. })
                    });
                    assert!(is_said, "{title} of {tool} from {} to {}", old.name(), new.name());
                }
                for title in is.iter().filter(|title| !was.contains(title)) {
                    let renamed = change
                        .changes
                        .iter()
                        .any(|c| matches!(&c.what, What::Renamed { to, .. } if to == title));
                    let is_said =
                        says(title, |what| matches!(what, What::Added { .. } | What::Returned)) || renamed;
                    assert!(is_said, "{title} of {tool} from {} to {}", old.name(), new.name());
                }
            }
        }
    }
}

/// The titles of the options that a program takes and does not refuse.
fn taken(profile: &Profile, tool: &str) -> Vec<String> {
    let all =
        profile.options().iter().filter(|option| option.removed.is_none() && profile.takes(tool, option));
    all.map(|option| option.title().to_owned()).collect()
}
