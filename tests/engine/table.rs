//! The lowering table, a test a cell: an intent, and its spelling in each build that spells it otherwise.

use super::{assert_accepts, profile};
use orchgen::engine::dialect::{Draft, Intent, Lowered, Prompt, Serve, prompt, serve};

/// The built-in profiles, oldest build first.
const BUILDS: [&str; 6] = ["2026-03-22-g49bfddeca", "2026-03-fork", "b9093", "b10434", "b11434", "b11669"];
const NEW: [&str; 3] = ["b10434", "b11434", "b11669"];

const BASE: Serve<'_> = Serve {
    model: "/m.gguf",
    hosts: &[],
    port: 8080,
    context: 4096,
    slots: 1,
    batch: None,
    experts: None,
    overrides: &[],
    draft: None,
    lookup: None,
    pooling: None,
    is_embedder: false,
    layers: orchgen::engine::dialect::Layers::Unknown,
    projector: None,
    threads: None,
    numa: orchgen::engine::dialect::Numa::Single,
    lock: false,
    cache_type: None,
    flash_attention: None,
    prompt_cache_mib: None,
    key_file: None,
    metrics: false,
    options: &[],
};
const DRAFT: Draft<'_> = Draft { path: "/d.gguf", arch: "qwen2", max: Some(24), min: None, p_min: None };

#[track_caller]
fn served(build: &str, wanted: &Serve<'_>) -> String {
    let lowered = serve(profile(build), wanted);
    assert_eq!(lowered.cannot, [], "{build}");
    assert_accepts(profile(build), lowered.tool, &lowered.args);
    format!("{} ", lowered.args.join(" "))
}

#[track_caller]
fn has(line: &str, words: &str) {
    assert!(line.contains(&format!("{words} ")), "{words} is not in {line}");
}

#[track_caller]
fn refused(lowered: &Lowered, intent: Intent, builds: &[&str]) {
    let intents: Vec<Intent> = lowered.cannot.iter().map(|cannot| cannot.intent).collect();
    assert_eq!(intents, [intent]);
    let named: Vec<String> = builds.iter().map(|build| format!("llama.cpp-{build}")).collect();
    assert_eq!(lowered.cannot[0].builds, named);
}

#[test]
fn a_draft_of_at_most_k_in_march_and_the_fork() {
    for build in &BUILDS[..2] {
        let line = served(build, &Serve { draft: Some(DRAFT), ..BASE });
        has(&line, "-md /d.gguf --draft-max 24");
        assert!(!line.contains("--spec-type"), "{line}");
    }
}

#[test]
fn a_draft_of_at_most_k_in_b9093() {
    let line = served("b9093", &Serve { draft: Some(DRAFT), ..BASE });
    has(&line, "-md /d.gguf --spec-draft-n-max 24");
    assert!(!line.contains("--spec-type"), "{line}");
}

#[test]
fn a_draft_of_at_most_k_from_b10434_on() {
    for build in NEW {
        let line = served(build, &Serve { draft: Some(DRAFT), ..BASE });
        has(&line, "-md /d.gguf --spec-draft-n-max 24 --spec-type draft-simple");
    }
}

#[test]
fn lookup_from_n_in_the_fork() {
    let line = served("2026-03-fork", &Serve { lookup: Some(3), ..BASE });
    has(&line, "--lookup-ngram-min 3");
    assert!(!line.contains("--spec-type"), "{line}");
}

#[test]
fn lookup_from_n_in_march() {
    let line = served("2026-03-22-g49bfddeca", &Serve { lookup: Some(3), ..BASE });
    has(&line, "--spec-ngram-size-n 3 --spec-type ngram-simple");
    // The server alone has it: none of the programs for a person.
    let one_shot = Prompt { model: "/m.gguf", lookup: Some(3), ..Prompt::default() };
    let lowered = prompt(profile("2026-03-22-g49bfddeca"), &one_shot);
    refused(&lowered, Intent::Lookup, &["2026-03-fork", "b9093", "b11434", "b11669"]);
}

#[test]
fn lookup_from_n_in_b9093_and_later() {
    for build in &BUILDS[2..] {
        let line = served(build, &Serve { lookup: Some(3), ..BASE });
        has(&line, "--spec-ngram-simple-size-n 3 --spec-type ngram-simple");
    }
}

#[test]
fn draft_and_lookup_in_the_fork() {
    let line = served("2026-03-fork", &Serve { draft: Some(DRAFT), lookup: Some(3), ..BASE });
    has(&line, "-md /d.gguf --draft-max 24 --lookup-ngram-min 3");
}

#[test]
fn draft_and_lookup_where_the_type_is_one_word() {
    for build in ["2026-03-22-g49bfddeca", "b9093"] {
        let lowered = serve(profile(build), &Serve { draft: Some(DRAFT), lookup: Some(3), ..BASE });
        refused(&lowered, Intent::DraftWithLookup, &["2026-03-fork", "b10434", "b11434", "b11669"]);
    }
}

#[test]
fn draft_and_lookup_from_b10434_on() {
    for build in NEW {
        let line = served(build, &Serve { draft: Some(DRAFT), lookup: Some(3), ..BASE });
        has(
            &line,
            "--spec-draft-n-max 24 --spec-ngram-simple-size-n 3 --spec-type ngram-simple,draft-simple",
        );
    }
}

#[test]
fn a_one_shot_is_the_first_program_that_takes_what_it_needs() {
    let text = Prompt { model: "/m.gguf", context: Some(4096), prompt: "p", ..Prompt::default() };
    let draft = Prompt { draft: Some(DRAFT), ..text.clone() };
    let image = Prompt { projector: Some("/p.gguf"), image: "i.png", ..text.clone() };
    for (build, tools) in [
        ("2026-03-22-g49bfddeca", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        ("2026-03-fork", ["llama-cli", "llama-speculative", "llama-qwen2vl-cli"]),
        ("b9093", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        ("b11434", ["llama-cli", "llama-speculative", "llama-mtmd-cli"]),
        // The package has no program for images, and the one for text takes them.
        ("b11669", ["llama-cli", "llama-speculative", "llama-cli"]),
    ] {
        for (wanted, tool) in [&text, &draft, &image].into_iter().zip(tools) {
            let lowered = prompt(profile(build), wanted);
            assert_eq!(
                (lowered.tool, lowered.cannot.len(), lowered.not_checked.len()),
                (tool, 0, 0),
                "{build}"
            );
            assert_accepts(profile(build), tool, &lowered.args);
            has(&format!("{} ", lowered.args.join(" ")), "-c 4096");
        }
    }
    for wanted in [&text, &draft, &image] {
        let lowered = prompt(profile("b10434"), wanted);
        assert_eq!((lowered.args.len(), lowered.cannot.len()), (0, 0), "llama-server alone is known");
        assert_eq!(lowered.not_checked[0].intent, Intent::Tool);
    }
}

#[test]
fn locked_memory() {
    for build in &BUILDS[..3] {
        has(&served(build, &Serve { lock: true, ..BASE }), "--mlock --no-repack");
    }
    for build in NEW {
        has(&served(build, &Serve { lock: true, ..BASE }), "--load-mode mmap+mlock --no-repack");
    }
}

#[test]
fn what_every_build_spells_alike() {
    let wanted = Serve {
        experts: Some(("qwen3moe", 4)),
        pooling: Some("cls"),
        is_embedder: true,
        projector: Some("/p.gguf"),
        threads: Some(8),
        numa: orchgen::engine::dialect::Numa::Outside,
        cache_type: Some("q8_0"),
        flash_attention: Some(orchgen::engine::dialect::FlashAttention::On),
        prompt_cache_mib: Some(1024),
        key_file: Some("/keys"),
        metrics: true,
        slots: 2,
        ..BASE
    };
    for build in BUILDS {
        let line = served(build, &wanted);
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
fn a_draft_drafts_as_its_architecture_does() {
    for (arch, kind) in [("eagle3", "draft-eagle3"), ("dflash", "draft-dflash")] {
        let wanted = Serve { draft: Some(Draft { arch, ..DRAFT }), ..BASE };
        for build in NEW {
            has(&served(build, &wanted), &format!("--spec-type {kind}"));
        }
        for build in &BUILDS[..3] {
            let lowered = serve(profile(build), &wanted);
            // Of one of them no build is known to be right: the head of the file decides.
            refused(&lowered, Intent::Draft, if arch == "eagle3" { &NEW } else { &[] });
        }
    }
}
