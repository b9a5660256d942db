//! How settings are spelled in each build: one test for each setting and group of builds with the same spelling.

use super::{assert_accepts, profile};
use orchgen::engine::dialect::{
    ContextSpec, DraftSpec, Intent, LookupSpec, Lowered, OverrideValue, PromptSpec, ServerSpec, lower_prompt,
    lower_server,
};
use orchgen::engine::options::Owner;

/// The built-in profiles, oldest build first.
const BUILDS: [&str; 7] =
    ["2026-03-22-g49bfddeca", "2026-03-fork", "b9093", "b10434", "b11434", "b11669", "b12032"];
const NEW: [&str; 4] = ["b10434", "b11434", "b11669", "b12032"];

const BASE: ServerSpec<'_> = ServerSpec {
    model: "/m.gguf",
    names: &[],
    aliases: 0,
    hosts: &[],
    port: 8080,
    context: ContextSpec::Tokens(4096),
    slots: 1,
    shared: false,
    batch: None,
    arch: "",
    experts: None,
    overrides: &[],
    draft: None,
    lookup: None,
    pooling: None,
    is_embedder: false,
    is_decision: false,
    sparsity: orchgen::engine::dialect::Sparsity::Unknown,
    projector: None,
    template: None,
    adapters: &[],
    threads: None,
    gpus: None,
    gpu: None,
    numa: orchgen::engine::dialect::NumaPlacement::SingleNode,
    lock: false,
    settings: &[],
    key_file: None,
    metrics: false,
    route: None,
    options: &[],
};
const DRAFT: DraftSpec<'_> =
    DraftSpec { path: "/d.gguf", arch: "qwen2", kind: None, max: Some(24), min: None, p_min: None };

#[track_caller]
fn served(build: &str, spec: &ServerSpec<'_>) -> String {
    let lowered = lower_server(profile(build), spec);
    assert_eq!(*lowered.errors, [], "{build}");
    assert_accepts(profile(build), lowered.tool, &lowered.args);
    format!("{} ", lowered.texts().join(" "))
}

#[track_caller]
fn has(line: &str, words: &str) {
    assert!(line.contains(&format!("{words} ")), "{words} is not in {line}");
}

#[track_caller]
fn assert_error(lowered: &Lowered, intent: Intent, builds: &[&str]) {
    let intents: Vec<Intent> = lowered.errors.iter().map(|cannot| cannot.intent).collect();
    assert_eq!(intents, [intent]);
    let named: Vec<String> = builds.iter().map(|build| format!("llama.cpp-{build}")).collect();
    assert_eq!(lowered.errors[0].builds, named);
}

#[test]
fn a_draft_of_at_most_k_in_march_and_the_fork() {
    for build in &BUILDS[..2] {
        let line = served(build, &ServerSpec { draft: Some(DRAFT), ..BASE });
        has(&line, "-md /d.gguf --draft-max 24");
        assert!(!line.contains("--spec-type"), "{line}");
    }
}

#[test]
fn a_draft_of_at_most_k_in_b9093() {
    let line = served("b9093", &ServerSpec { draft: Some(DRAFT), ..BASE });
    has(&line, "-md /d.gguf --spec-draft-n-max 24");
    assert!(!line.contains("--spec-type"), "{line}");
}

#[test]
fn a_draft_of_at_most_k_from_b10434_on() {
    for build in NEW {
        let line = served(build, &ServerSpec { draft: Some(DRAFT), ..BASE });
        has(&line, "-md /d.gguf --spec-draft-n-max 24 --spec-type draft-simple");
    }
}

#[test]
fn lookup_from_n_in_the_fork() {
    let line = served("2026-03-fork", &ServerSpec { lookup: Some(LookupSpec::of(3)), ..BASE });
    has(&line, "--lookup-ngram-min 3");
    assert!(!line.contains("--spec-type"), "{line}");
}

#[test]
fn lookup_from_n_in_march() {
    let line = served("2026-03-22-g49bfddeca", &ServerSpec { lookup: Some(LookupSpec::of(3)), ..BASE });
    has(&line, "--spec-ngram-size-n 3 --spec-type ngram-simple");
    // Only llama-server has lookup in this build; no program for one-shot prompts has it.
    let one_shot = PromptSpec { model: "/m.gguf", lookup: Some(LookupSpec::of(3)), ..PromptSpec::default() };
    let lowered = lower_prompt(profile("2026-03-22-g49bfddeca"), &one_shot);
    assert_error(&lowered, Intent::Lookup, &["2026-03-fork", "b9093", "b11434", "b11669", "b12032"]);
}

#[test]
fn lookup_from_n_in_b9093_and_later() {
    for build in &BUILDS[2..] {
        let line = served(build, &ServerSpec { lookup: Some(LookupSpec::of(3)), ..BASE });
        has(&line, "--spec-ngram-simple-size-n 3 --spec-type ngram-simple");
    }
}

#[test]
fn draft_and_lookup_in_the_fork() {
    let line =
        served("2026-03-fork", &ServerSpec { draft: Some(DRAFT), lookup: Some(LookupSpec::of(3)), ..BASE });
    has(&line, "-md /d.gguf --draft-max 24 --lookup-ngram-min 3");
}

#[test]
fn draft_and_lookup_where_the_type_is_one_word() {
    for build in ["2026-03-22-g49bfddeca", "b9093"] {
        let lowered = lower_server(
            profile(build),
            &ServerSpec { draft: Some(DRAFT), lookup: Some(LookupSpec::of(3)), ..BASE },
        );
        assert_error(
            &lowered,
            Intent::DraftWithLookup,
            &["2026-03-fork", "b10434", "b11434", "b11669", "b12032"],
        );
    }
}

#[test]
fn draft_and_lookup_from_b10434_on() {
    for build in NEW {
        let line = served(build, &ServerSpec { draft: Some(DRAFT), lookup: Some(LookupSpec::of(3)), ..BASE });
        has(
            &line,
            "--spec-draft-n-max 24 --spec-ngram-simple-size-n 3 --spec-type ngram-simple,draft-simple",
        );
    }
}

#[test]
fn a_one_shot_uses_the_first_program_with_all_needed_options() {
    let text = PromptSpec { model: "/m.gguf", context: ContextSpec::Tokens(4096), ..PromptSpec::default() };
    let draft = PromptSpec { draft: Some(DRAFT), ..text.clone() };
    let image = PromptSpec { projector: Some("/p.gguf"), ..text.clone() };
    for (build, tools) in [
        ("2026-03-22-g49bfddeca", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        ("2026-03-fork", ["llama-cli", "llama-speculative", "llama-qwen2vl-cli"]),
        ("b9093", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        ("b11434", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        // The package has no separate program for images; llama-cli accepts them.
        ("b11669", ["llama-cli", "llama-speculative", "llama-cli"]),
    ] {
        for (spec, tool) in [&text, &draft, &image].into_iter().zip(tools) {
            let lowered = lower_prompt(profile(build), spec);
            assert_eq!(
                (lowered.tool, lowered.errors.len(), lowered.not_checked.len()),
                (tool, 0, 0),
                "{build}"
            );
            assert_accepts(profile(build), tool, &lowered.args);
            has(&format!("{} ", lowered.texts().join(" ")), "-c 4096");
        }
    }
    for spec in [&text, &draft, &image] {
        let lowered = lower_prompt(profile("b10434"), spec);
        assert_eq!((lowered.args.len(), lowered.errors.len()), (0, 0), "only llama-server is known");
        assert_eq!(lowered.not_checked[0].intent, Intent::Tool);
    }
}

#[test]
fn locked_memory_in_each_build() {
    for build in &BUILDS[..3] {
        has(&served(build, &ServerSpec { lock: true, ..BASE }), "--mlock --no-repack");
    }
    for build in NEW {
        has(&served(build, &ServerSpec { lock: true, ..BASE }), "--load-mode mmap+mlock --no-repack");
    }
}

#[test]
fn some_settings_have_the_same_spelling_in_every_build() {
    let spec = ServerSpec {
        experts: Some(("qwen3moe", 4)),
        pooling: Some("cls"),
        is_embedder: true,
        projector: Some("/p.gguf"),
        threads: Some(8),
        numa: orchgen::engine::dialect::NumaPlacement::External,
        settings: &[
            (Owner::of("cache-type"), OverrideValue::Str("q8_0")),
            (Owner::of("flash-attention"), OverrideValue::Str("on")),
            (Owner::of("prompt-cache"), OverrideValue::Int(1024 << 20)),
        ],
        key_file: Some("/keys"),
        metrics: true,
        slots: 2,
        ..BASE
    };
    for build in BUILDS {
        let line = served(build, &spec);
        for words in [
            "--override-kv qwen3moe.expert_used_count=int:4",
            "-c 8192 -np 2",
            "--embeddings --pooling cls",
            "--mmproj /p.gguf",
            "-t 8",
            "--numa numactl",
            "-ctk q8_0 -ctv q8_0",
            "-fa on",
            "--cache-ram 1024",
            "--host 127.0.0.1 --port 8080",
            "--api-key-file /keys",
            "--metrics",
        ] {
            has(&line, words);
        }
    }
}

#[test]
fn the_speculation_type_follows_from_the_architecture_of_the_draft() {
    for (arch, kind) in [("eagle3", "draft-eagle3"), ("dflash", "draft-dflash")] {
        let spec = ServerSpec { draft: Some(DraftSpec { arch, ..DRAFT }), ..BASE };
        for build in NEW {
            has(&served(build, &spec), &format!("--spec-type {kind}"));
        }
        for build in &BUILDS[..3] {
            let lowered = lower_server(profile(build), &spec);
            // For dflash, no build is suggested: support depends on the header of the file.
            assert_error(&lowered, Intent::Draft, if arch == "eagle3" { &NEW } else { &[] });
        }
    }
}
