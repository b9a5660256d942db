//! Differences between builds, compared with changes that are known from their sources and help texts.

use super::{profile, profiles};
use orchgen::engine::{ChangeKind, Profile, ProfileDiff, diff_profiles};

fn between(old: &str, new: &str) -> ProfileDiff {
    diff_profiles(profile(old), profile(new))
}

/// The titles of the server options with a change of this kind.
fn server(difference: &ProfileDiff, is: impl Fn(&ChangeKind) -> bool) -> Vec<String> {
    let server =
        |change: &&orchgen::engine::OptionChange| change.programs.iter().any(|tool| tool == "llama-server");
    difference
        .changes
        .iter()
        .filter(server)
        .filter(|change| is(&change.kind))
        .map(|change| change.option.clone())
        .collect()
}

fn gone_options(difference: &ProfileDiff) -> Vec<String> {
    server(difference, |kind| matches!(kind, ChangeKind::Gone { .. }))
}

fn added_options(difference: &ProfileDiff) -> Vec<String> {
    server(difference, |kind| matches!(kind, ChangeKind::Added { .. }))
}

/// The changes of an option of the server.
fn changes_of<'d>(difference: &'d ProfileDiff, option: &str) -> Vec<&'d ChangeKind> {
    difference.changes.iter().filter(|change| change.option == option).map(|change| &change.kind).collect()
}

fn environment(from: &str, to: &str) -> ChangeKind {
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    ChangeKind::Environment { from: some(from), to: some(to) }
}

#[test]
fn changes_from_the_march_build_to_b9093() {
    let change = between("2026-03-22-g49bfddeca", "b9093");
    assert_eq!(
        server(&change, |kind| matches!(kind, ChangeKind::Removed { .. })),
        ["--draft", "--draft-min", "--spec-ngram-min-hits", "--spec-ngram-size-m", "--spec-ngram-size-n"]
    );
    assert!(changes_of(&change, "--draft").contains(&&ChangeKind::Removed {
        instead: "use --spec-draft-n-max or --spec-ngram-mod-n-max".to_owned()
    }));
    let renamed = server(&change, |kind| matches!(kind, ChangeKind::Renamed { is_kept: true, .. }));
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
        server(&change, |kind| matches!(kind, ChangeKind::Renamed { is_kept: false, .. })),
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
        assert!(
            changes_of(&change, option).contains(&&expected),
            "{option}: {:?}",
            changes_of(&change, option)
        );
    }
    assert_eq!(gone_options(&change), ["--verbose-prompt"]);
    assert_eq!(
        changes_of(&change, "--split-mode"),
        [&ChangeKind::Choices { gone: Vec::new(), added: vec!["tensor".to_owned()] }]
    );
    let added_options = added_options(&change);
    for option in ["--spec-draft-p-split", "--cache-idle-slots", "--reuse-port", "--tools", "--spec-default"]
    {
        assert!(added_options.contains(&option.to_owned()), "{option}: {added_options:?}");
    }
}

#[test]
fn changes_from_b9093_to_b10434() {
    let change = between("b9093", "b10434");
    assert_eq!(change.programs, ["llama-server"]);
    assert!(change.only_old.contains(&"llama-cli".to_owned()) && change.only_new.is_empty());
    assert!(
        changes_of(&change, "--spec-type")
            .iter()
            .any(|kind| matches!(kind, ChangeKind::Placeholder { from: Some(from), to: Some(to) }
        if from.starts_with("[none|") && to.starts_with("none,draft-simple")))
    );
    assert_eq!(
        gone_options(&change),
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
    assert!(
        changes_of(&change, "--webui")
            .contains(&&ChangeKind::Renamed { to: "--ui".to_owned(), is_kept: true })
    );
    assert!(changes_of(&change, "--webui").contains(&&environment("LLAMA_ARG_WEBUI", "LLAMA_ARG_UI")));
    assert!(changes_of(&change, "--offline").contains(&&environment("LLAMA_OFFLINE", "LLAMA_ARG_OFFLINE")));
    assert!(changes_of(&change, "--api-key-file").contains(&&environment("", "LLAMA_ARG_API_KEY_FILE")));
    assert!(
        changes_of(&change, "--log-prefix")
            .contains(&&ChangeKind::NameAdded { name: "--no-log-prefix".to_owned() })
    );
    assert_eq!(
        server(
            &change,
            |kind| matches!(kind, ChangeKind::Deprecated { instead } if instead == "use --load-mode")
        ),
        ["--direct-io", "--mlock", "--mmap"]
    );
    let added_options = added_options(&change);
    for option in [
        "--load-mode",
        "--agent",
        "--sse-ping-interval",
        "--reasoning-effort",
        "--tools-runtime",
        "--cors-origins",
    ] {
        assert!(added_options.contains(&option.to_owned()), "{option}: {added_options:?}");
    }
}

#[test]
fn b11434_silently_removes_three_options_of_b10434() {
    let change = between("b10434", "b11434");
    assert_eq!(gone_options(&change), ["--direct-io", "--mlock", "--mmap"]);
    assert_eq!(
        changes_of(&change, "--mlock"),
        [&ChangeKind::Gone { instead: Some("use --load-mode".to_owned()) }]
    );
    assert_eq!(
        added_options(&change),
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
    assert!(changes_of(&change, "--top-p").contains(&&environment("", "LLAMA_ARG_TOP_P")));
    // The older profile does not list other spellings of on and off, nor the effect of a second value.
    assert_eq!(changes_of(&change, "--flash-attn"), Vec::<&ChangeKind>::new());
}

#[test]
fn b11669_breaks_no_option_of_b11434() {
    let change = between("b11434", "b11669");
    let breaking: Vec<_> = change.changes.iter().filter(|change| change.kind.can_break()).collect();
    assert!(breaking.is_empty(), "{breaking:?}");
    assert_eq!(added_options(&change), ["--moe-cache-mib", "--spec-draft-n-ubatch"]);
    let programs = |option: &str| {
        let found = change.changes.iter().find(|change| change.option == option).unwrap();
        found.programs.clone()
    };
    assert_eq!(programs("--moe-cache-mib").len(), 5);
    assert_eq!(programs("--kv-unified"), ["llama-speculative"]);
    assert_eq!(changes_of(&change, "--slot-save-path").len(), 1);
    assert_eq!(
        changes_of(&between("b11669", "b11434"), "--moe-cache-mib"),
        [&ChangeKind::Gone { instead: None }]
    );
}

/// The changes between two builds of one program with these options.
fn of_options(old: &str, new: &str) -> Vec<(String, ChangeKind)> {
    let [old, new] = [old, new].map(|options| {
        let text = format!(
            r#"{{"engine":"llama.cpp","build":"x","source":"y","tools":["llama-server"],"options":[{options}]}}"#
        );
        Profile::parse("small", &text, |_| None).unwrap()
    });
    diff_profiles(&old, &new).changes.into_iter().map(|change| (change.option, change.kind)).collect()
}

#[test]
fn a_short_name_that_another_option_has_now_is_not_a_rename() {
    let old = r#"{"names":["-x","--extra"],"value":"N","tools":"*"}"#;
    let other = r#"{"names":["-x","--exact"],"value":"N","tools":"*"}"#;
    let name_gone = ChangeKind::NameGone { name: "-x".to_owned(), belongs_to: Some("--exact".to_owned()) };
    let gone = ChangeKind::Gone { instead: None };
    let added = ChangeKind::Added { value: Some("N".to_owned()) };
    let extra = |kind: &ChangeKind| ("--extra".to_owned(), kind.clone());
    assert_eq!(of_options(old, other), [("--exact".to_owned(), added), extra(&gone), extra(&name_gone)]);
    // The option still exists, and another one has its short name.
    let both = format!(r#"{{"names":["--extra"],"value":"N","tools":"*"}},{other}"#);
    let changes = of_options(old, &both);
    assert!(changes.contains(&extra(&name_gone)) && !changes.contains(&extra(&gone)), "{changes:?}");
    // Both options exist before and after, and exchange their short names.
    let exchanged = r#"{"names":["-y","--extra"],"value":"N","tools":"*"},{"names":["-x","--exact"],"value":"N","tools":"*"}"#;
    let before = r#"{"names":["-x","--extra"],"value":"N","tools":"*"},{"names":["-y","--exact"],"value":"N","tools":"*"}"#;
    let changes = of_options(before, exchanged);
    assert!(!changes.iter().any(|(_, kind)| matches!(kind, ChangeKind::Renamed { .. })), "{changes:?}");
    // The environment variable shows that it is the same option.
    let with_variable = |option: &str| option.replace("\"tools\"", "\"env\":\"LLAMA_ARG_EXTRA\",\"tools\"");
    assert_eq!(
        of_options(&with_variable(old), &with_variable(other)),
        [extra(&ChangeKind::Renamed { to: "--exact".to_owned(), is_kept: false })]
    );
}

#[test]
fn another_placeholder_does_not_break_a_command_line() {
    let option = |value: &str| format!(r#"{{"names":["--size"],"tools":"*",{value}}}"#);
    let breaks = |old: &str, new: &str| -> Vec<bool> {
        of_options(&option(old), &option(new)).iter().map(|(_, kind)| kind.can_break()).collect()
    };
    assert_eq!(breaks(r#""value":"N""#, r#""value":"TOKENS""#), [false]);
    assert_eq!(breaks(r#""value":"FNAME""#, r#""value":"PATH""#), [false]);
    assert_eq!(breaks(r#""value":"[a|b]","choices":["a","b"]"#, r#""value":"MODE""#), [false]);
    // More or fewer values, and a value that was free before.
    assert_eq!(breaks(r#""value":"N""#, r#""value":null"#), [true]);
    assert_eq!(breaks(r#""value":"MODE""#, r#""value":"[a|b]","choices":["a","b"]"#), [true]);
}

#[test]
fn the_fork_only_adds_to_the_march_build() {
    let change = between("2026-03-22-g49bfddeca", "2026-03-fork");
    assert_eq!(added_options(&change), ["--lookup-ngram-min"]);
    assert_eq!(
        (change.changes.len(), change.only_new.as_slice()),
        (1, &["llama-qwen2vl-cli".to_owned()][..])
    );
    assert_eq!(gone_options(&between("2026-03-fork", "2026-03-22-g49bfddeca")), ["--lookup-ngram-min"]);
}

/// Each option of one build is in the other build too, or the difference lists it.
#[test]
fn differences_between_any_two_builds_are_complete() {
    for old in profiles() {
        for new in profiles() {
            let change = diff_profiles(old, new);
            if old.name() == new.name() {
                assert_eq!(change.changes, []);
            }
            for tool in &change.programs {
                let has_change = |title: &str, is: fn(&ChangeKind) -> bool| {
                    let here =
                        |c: &&orchgen::engine::OptionChange| c.option == title && c.programs.contains(tool);
                    change.changes.iter().filter(here).any(|c| is(&c.kind))
                };
                let (was, is) = (accepted_options(old, tool), accepted_options(new, tool));
                for title in was.iter().filter(|title| !is.contains(title)) {
                    let is_listed = has_change(title, |kind| {
                        matches!(
                            kind,
                            ChangeKind::Gone { .. } | ChangeKind::Removed { .. } | ChangeKind::Renamed { .. }
                        )
                    });
                    assert!(is_listed, "{title} of {tool} from {} to {}", old.name(), new.name());
                }
                for title in is.iter().filter(|title| !was.contains(title)) {
                    let renamed = change
                        .changes
                        .iter()
                        .any(|c| matches!(&c.kind, ChangeKind::Renamed { to, .. } if to == title));
                    let is_listed = has_change(title, |kind| {
                        matches!(kind, ChangeKind::Added { .. } | ChangeKind::Returned)
                    }) || renamed;
                    assert!(is_listed, "{title} of {tool} from {} to {}", old.name(), new.name());
                }
            }
        }
    }
}

/// The titles of the options that a program accepts.
fn accepted_options(profile: &Profile, tool: &str) -> Vec<String> {
    let all = profile
        .options()
        .iter()
        .filter(|option| option.removed.is_none() && profile.tool_accepts(tool, option));
    all.map(|option| option.title().to_owned()).collect()
}
