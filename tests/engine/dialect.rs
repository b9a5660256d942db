//! Lowering to command lines: those of the registry, those of newer builds, and requests that a build does not support.

use std::collections::BTreeSet;

use super::{assert_accepts, ik_profile, profile, profiles};
use orchgen::engine::Profile;
use orchgen::engine::dialect::{
    ContextSpec, DraftSpec, FaultKind, Intent, LookupSpec, Lowered, NumaPlacement, OverrideValue, PromptSpec,
    ServerSpec, WrittenOption, lower_prompt, lower_server,
};
use orchgen::engine::memory::MemoryOptions;
use orchgen::engine::options::Owner;

const DRAFT: DraftSpec<'_> =
    DraftSpec { path: "DRAFT.gguf", arch: "qwen2", kind: None, max: Some(24), min: None, p_min: None };

fn line(lowered: &Lowered) -> String {
    format!("{} {}", lowered.tool, lowered.texts().join(" "))
}

fn intents(lowered: &Lowered) -> Vec<Intent> {
    lowered.errors.iter().map(|c| c.intent).collect()
}

fn dense() -> PromptSpec<'static> {
    let (draft, lookup, threads) = (Some(DRAFT), Some(LookupSpec::of(3)), Some(96));
    PromptSpec { model: "TARGET.gguf", draft, lookup, threads, ..PromptSpec::default() }
}

fn experts(arch: &'static str) -> PromptSpec<'static> {
    let (experts, context) = (Some((arch, 4)), Some(32768));
    PromptSpec {
        model: "MOE.gguf",
        experts,
        context: context.map_or_else(ContextSpec::default, ContextSpec::Tokens),
        threads: Some(96),
        ..PromptSpec::default()
    }
}

fn vision() -> PromptSpec<'static> {
    PromptSpec {
        model: "VL.gguf",
        projector: Some("MMPROJ.gguf"),
        threads: Some(96),
        ..PromptSpec::default()
    }
}

/// A coder with a draft and lookup, as in `registry/`.
fn coder() -> ServerSpec<'static> {
    ServerSpec {
        model: "/m.gguf",
        port: 8081,
        context: ContextSpec::Tokens(32768),
        slots: 2,
        draft: Some(DRAFT),
        lookup: Some(LookupSpec::of(3)),
        threads: Some(96),
        numa: NumaPlacement::External,
        ..ServerSpec::default()
    }
}

#[test]
fn one_shot_commands_of_the_registry() {
    let fork = profile("2026-03-fork");
    assert_eq!(
        line(&lower_prompt(fork, &dense())),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 --fit off -t 96 -p PROMPT"
    );
    assert_eq!(
        line(&lower_prompt(fork, &experts("qwen3next"))),
        "llama-cli -m MOE.gguf --override-kv qwen3next.expert_used_count=int:4 -c 32768 --fit off --cache-ram 0 -ctxcp 0 -t 96 --single-turn -p PROMPT"
    );
    assert_eq!(
        line(&lower_prompt(fork, &vision())),
        "llama-qwen2vl-cli -m VL.gguf --mmproj MMPROJ.gguf --image IMAGE --fit off -t 96 -p PROMPT"
    );
    assert_eq!(
        line(&lower_prompt(fork, &PromptSpec { context: ContextSpec::Tokens(4096), ..dense() })),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 -c 4096 -cd 4096 --fit off -t 96 -p PROMPT"
    );
}

#[test]
fn one_shot_commands_under_newer_builds() {
    assert_eq!(
        line(&lower_prompt(profile("b11434"), &dense())),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --spec-draft-n-max 24 --spec-ngram-simple-size-n 3 \
         --spec-type ngram-simple,draft-simple --fit off -t 96 -p PROMPT"
    );
    assert!(line(&lower_prompt(profile("b11434"), &vision())).starts_with("llama-mtmd-cli -m VL.gguf"));
    assert!(line(&lower_prompt(profile("b11669"), &vision())).starts_with("llama-cli -m VL.gguf"));
    let lowered = lower_prompt(profile("b9093"), &dense());
    assert_eq!(intents(&lowered), [Intent::DraftWithLookup]);
    assert_eq!(
        lowered.errors[0].builds,
        ["llama.cpp-2026-03-fork", "llama.cpp-b11434", "llama.cpp-b11669", "llama.cpp-b12032"],
        "b10434 lists only llama-server"
    );
    let only_draft = lower_prompt(profile("b9093"), &PromptSpec { lookup: None, ..dense() });
    assert_eq!(
        line(&only_draft),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --spec-draft-n-max 24 --fit off -t 96 -p PROMPT"
    );
    let unknown = lower_prompt(profile("b10434"), &dense());
    assert_eq!((unknown.errors.len(), unknown.args.len()), (0, 0));
    assert_eq!(unknown.not_checked[0].intent, Intent::Tool);
    assert_eq!(intents(&lower_prompt(profile("2026-03-22-g49bfddeca"), &dense())), [Intent::Lookup]);
}

#[test]
fn the_first_program_that_supports_all_options_is_selected() {
    let both = PromptSpec { lookup: Some(LookupSpec::of(3)), ..vision() };
    assert!(
        line(&lower_prompt(profile("b11434"), &both))
            .starts_with("llama-cli -m VL.gguf --mmproj MMPROJ.gguf --image IMAGE")
    );
    let lowered = lower_prompt(profile("2026-03-fork"), &both);
    assert_eq!((lowered.tool, intents(&lowered)), ("llama-cli", vec![]));
    let draft = Some(DraftSpec { max: None, ..DRAFT });
    let settled = lower_prompt(profile("b11669"), &PromptSpec { draft, lookup: None, ..dense() });
    assert!(
        line(&settled).contains(" --spec-draft-n-max 16 --spec-type draft-simple "),
        "{}",
        line(&settled)
    );
}

#[test]
fn a_one_shot_has_the_settings_of_its_role() {
    let cache = (Owner::of("cache-type"), OverrideValue::Str("q8_0"));
    let spec = PromptSpec {
        model: "m.gguf",
        batch: Some(1024),
        numa: NumaPlacement::External,
        lock: true,
        settings: &[
            cache,
            (Owner::of("flash-attention"), OverrideValue::Str("on")),
            (Owner::of("checkpoints"), OverrideValue::Int(7)),
        ],
        options: &[
            ("rope-scale", Some("2")),
            ("no-jinja", None),
            ("timeout", Some("30")),
            ("log-file", Some("/var/log/server.log")),
        ],
        ..PromptSpec::default()
    };
    for build in ["2026-03-fork", "b9093", "b11434", "b11669", "b12032"] {
        let lowered = lower_prompt(profile(build), &spec);
        let text = line(&lowered) + " ";
        for words in [
            "-b 1024 ",
            "-ctk q8_0 ",
            "-ctv q8_0 ",
            "-fa on ",
            "--numa numactl ",
            "--no-repack ",
            "--rope-scale 2 ",
            "--no-jinja ",
            "-ctxcp 7 ",
            "--single-turn ",
        ] {
            assert!(text.contains(words), "{build}: {words} is not in {text}");
        }
        assert!(text.contains("--mlock ") || text.contains("--load-mode mmap+mlock "), "{text}");
        assert!(!text.contains("log-file"), "{text}");
        let left: Vec<&str> = lowered.left_out.iter().map(|name| &**name).collect();
        assert_eq!(left, ["--timeout", "--log-file"], "only the server listens, and only it writes its log");
        assert_accepts(profile(build), lowered.tool, &lowered.args);
    }
}

#[test]
fn a_one_shot_uses_the_program_with_the_most_settings() {
    let draft = PromptSpec { draft: Some(DRAFT), ..PromptSpec::default() };
    // Of these only llama-cli has chat templates.
    let chat = PromptSpec { template: Some("/t.jinja"), ..draft.clone() };
    let server_only = PromptSpec { options: &[("metrics", None)], ..draft.clone() };
    for build in ["2026-03-fork", "b9093", "b11434", "b11669", "b12032"] {
        let tool = |spec| lower_prompt(profile(build), spec).tool;
        assert_eq!(tool(&draft), "llama-speculative", "{build}");
        assert_eq!(tool(&chat), "llama-cli", "{build}");
        assert_eq!(tool(&server_only), "llama-speculative", "{build}: no program has it");
        assert!(lower_prompt(profile(build), &chat).left_out.is_empty());
    }
}

#[test]
fn a_chat_program_ends_after_one_answer() {
    let spec = PromptSpec { model: "m.gguf", ..PromptSpec::default() };
    for profile in profiles() {
        let lowered = lower_prompt(profile, &spec);
        let texts = lowered.texts();
        assert_eq!(texts.contains(&"--single-turn"), lowered.tool == "llama-cli" && !texts.is_empty());
    }
    let old = r#"{"engine":"llama.cpp","build":"x","source":"y","tools":["llama-cli"],"options":[
        {"names":["-m"],"value":"F","tools":"*"},{"names":["-p"],"value":"P","tools":"*"},
        {"names":["-cnv","--conversation"],"negative":["-no-cnv","--no-conversation"],"value":null,"tools":"*"}]}"#;
    let old = Profile::parse("old", old, |_| None).unwrap();
    assert_eq!(line(&lower_prompt(&old, &spec)), "llama-cli -m m.gguf --no-conversation -p PROMPT");
}

#[test]
fn a_profile_without_the_program_gives_an_error() {
    let json = r#"{"engine":"llama.cpp","build":"x","source":"y","tools":["llama-bench","llama-cli"],
        "options":[{"names":["-m"],"value":"F","tools":"*"}]}"#;
    let bare = Profile::parse("bare", json, |_| None).unwrap();
    assert_eq!(intents(&lower_prompt(&bare, &dense())), [Intent::Tool]);
    let lowered = lower_server(&bare, &coder());
    assert_eq!((intents(&lowered), lowered.args.len()), (vec![Intent::Tool], 0));
    assert_eq!(lowered.errors[0].builds.len(), 5, "{:?}", lowered.errors);
}

#[test]
fn draft_and_lookup_are_spelled_for_each_build() {
    assert_eq!(
        line(&lower_server(profile("2026-03-fork"), &coder())),
        "llama-server -m /m.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --numa numactl --cache-ram 8192 -ctxcp 32 -b 2048 -ub 512 --no-kv-unified --repack \
         -cd 32768"
    );
    let newer = "llama-server -m /m.gguf -md DRAFT.gguf --spec-draft-n-max 24 --spec-ngram-simple-size-n 3 \
         --spec-type ngram-simple,draft-simple -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --numa numactl --cache-ram 8192 -ctxcp 32 -b 2048 -ub 512 --no-kv-unified --repack";
    for build in ["b10434", "b11434", "b11669", "b12032"] {
        assert_eq!(line(&lower_server(profile(build), &coder())), newer, "{build}");
    }
    for build in ["b9093", "2026-03-22-g49bfddeca"] {
        let lowered = lower_server(profile(build), &coder());
        assert_eq!(intents(&lowered), [Intent::DraftWithLookup], "{build}");
        assert!(lowered.errors[0].why.contains("accepts only one type"));
        assert_eq!(
            lowered.errors[0].builds,
            [
                "llama.cpp-2026-03-fork",
                "llama.cpp-b10434",
                "llama.cpp-b11434",
                "llama.cpp-b11669",
                "llama.cpp-b12032"
            ]
        );
    }
    assert_eq!(
        line(&lower_server(profile("b9093"), &ServerSpec { lookup: None, ..coder() })),
        "llama-server -m /m.gguf -md DRAFT.gguf --spec-draft-n-max 24 -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --numa numactl --cache-ram 8192 -ctxcp 32 -b 2048 -ub 512 --no-kv-unified --repack \
         -cd 32768"
    );
}

#[test]
fn lookup_without_a_draft_is_spelled_for_each_build() {
    let alone = ServerSpec { draft: None, ..coder() };
    let command = |build: &str| line(&lower_server(profile(build), &alone));
    assert!(command("2026-03-fork").contains(" --lookup-ngram-min 3 -c "));
    assert!(command("2026-03-22-g49bfddeca").contains(" --spec-ngram-size-n 3 --spec-type ngram-simple -c "));
    assert!(command("b9093").contains(" --spec-ngram-simple-size-n 3 --spec-type ngram-simple -c "));
    assert!(command("b11669").contains(" --spec-ngram-simple-size-n 3 --spec-type ngram-simple -c "));
    for n in [0, 1025] {
        assert_eq!(
            intents(&lower_server(
                profile("b11669"),
                &ServerSpec { lookup: Some(LookupSpec::of(n)), ..alone.clone() }
            )),
            [Intent::Lookup]
        );
    }
}

#[test]
fn every_build_distributes_threads_and_has_threads_for_batches() {
    let batch = (Owner::of("threads-batch"), OverrideValue::Int(8));
    for name in Profile::built_in_names() {
        let profile = Profile::built_in(name).unwrap();
        let spec = ServerSpec { numa: NumaPlacement::Distributed, settings: &[batch], ..coder() };
        let lowered = lower_server(profile, &spec);
        let line = line(&lowered);
        assert!(line.contains(" --numa distribute") && line.contains(" -tb 8"), "{name}: {line}");
        assert!(!line.contains("numactl"), "{name}: {line}");
    }
}

#[test]
fn locked_memory_is_mapped_and_not_repacked() {
    let locked = ServerSpec { lock: true, ..coder() };
    let command = |build: &str| line(&lower_server(profile(build), &locked));
    for build in ["2026-03-fork", "b9093"] {
        assert!(command(build).contains(" --mlock --no-repack "), "{build}");
    }
    for build in ["b10434", "b11434", "b11669", "b12032"] {
        assert!(command(build).contains(" --load-mode mmap+mlock --no-repack "), "{build}");
        assert!(!command(build).contains("--mlock") && !command(build).contains("--repack"), "{build}");
    }
}

#[test]
fn the_batch_of_an_embedder_has_a_whole_request() {
    let embedder = ServerSpec {
        model: "/bge.gguf",
        hosts: &["127.0.0.1"],
        port: 8090,
        context: ContextSpec::Tokens(512),
        slots: 2,
        pooling: Some("cls"),
        is_embedder: true,
        threads: Some(4),
        ..ServerSpec::default()
    };
    for profile in profiles() {
        assert_eq!(
            line(&lower_server(profile, &embedder)),
            "llama-server -m /bge.gguf -c 1024 -np 2 -b 512 -ub 512 --embeddings --pooling cls -t 4 \
             --host 127.0.0.1 --port 8090 --fit off --cache-ram 0 -ctxcp 0 --spec-type none --no-kv-unified --repack"
        );
    }
    let ranker = ServerSpec {
        pooling: Some("rank"),
        context: ContextSpec::Tokens(8192),
        batch: Some(128),
        ..embedder.clone()
    };
    assert!(
        line(&lower_server(profile("b11434"), &ranker))
            .contains("-b 8192 -ub 8192 --embeddings --pooling rank --rerank")
    );
    // The batch must be divisible by the number of slots.
    let three = ServerSpec { slots: 3, pooling: Some("mean"), ..embedder.clone() };
    assert!(line(&lower_server(profile("b11669"), &three)).contains("-c 1536 -np 3 -b 513 -ub 513 "));
    let lowered = lower_server(profile("b11434"), &ServerSpec { pooling: Some("max"), ..embedder });
    assert_eq!(intents(&lowered), [Intent::Pooling]);
    assert_eq!(
        lowered.errors[0].why,
        "`--pooling` of llama.cpp-b11434 accepts none, mean, cls, last, rank, not `max`"
    );
    assert!(lowered.errors[0].builds.is_empty());
}

#[test]
fn the_names_at_the_api_are_one_list() {
    let names = ["code", "fast", "gpt-4o"];
    let spec = ServerSpec { names: &names, aliases: 1, draft: None, lookup: None, ..coder() };
    for profile in profiles() {
        let text = line(&lower_server(profile, &spec));
        assert!(text.contains(" --alias code,fast,gpt-4o "), "{}: {text}", profile.name());
    }
    let lowered = lower_server(ik_profile(), &spec);
    assert_eq!(intents(&lowered), [Intent::Alias]);
    assert_eq!(lowered.errors[0].why, "`--alias` of ik_llama.cpp-8337e4cd3 accepts only one name");
    let shared = ServerSpec { names: &names[..2], aliases: 0, ..spec };
    assert!(line(&lower_server(ik_profile(), &shared)).contains(" --alias code "));
}

#[test]
fn a_template_and_adapters_are_files_of_the_process() {
    let adapters = [("/a.gguf", 1.0), ("/b.gguf", -0.5)];
    let spec =
        ServerSpec { template: Some("/t.jinja"), adapters: &adapters, draft: None, lookup: None, ..coder() };
    let files = |lowered: &Lowered| {
        lowered.paths.iter().map(|one| one.path.to_string()).collect::<Vec<_>>().join(" ")
    };
    for profile in profiles() {
        let lowered = lower_server(profile, &spec);
        assert_eq!(*lowered.errors, [], "{}", profile.name());
        assert_accepts(profile, lowered.tool, &lowered.args);
        let text = line(&lowered);
        let written = " --chat-template-file /t.jinja --lora-scaled /a.gguf:1,/b.gguf:-0.5 ";
        assert!(text.contains(written) && !text.contains("--jinja"), "{}: {text}", profile.name());
        assert_eq!(files(&lowered), "/t.jinja /a.gguf /b.gguf");
    }
    let one = lower_server(ik_profile(), &ServerSpec { adapters: &adapters[..1], ..spec.clone() });
    assert_accepts(ik_profile(), one.tool, &one.args);
    let lowered = lower_server(ik_profile(), &spec);
    assert!(
        line(&lowered).contains(
            " --jinja --chat-template-file /t.jinja --lora-scaled /a.gguf 1 --lora-scaled /b.gguf -0.5 "
        ),
        "{}",
        line(&lowered)
    );
    assert_eq!(files(&lowered), "/t.jinja /a.gguf /b.gguf");
    let split = ServerSpec { adapters: &[("/a.gguf", 1.0), ("/b:c.gguf", 1.0)], ..spec.clone() };
    assert_eq!(intents(&lower_server(profile("b11669"), &split)), [Intent::Adapter(1)]);
    let embedder = ServerSpec { is_embedder: true, pooling: Some("mean"), ..spec };
    assert_eq!(intents(&lower_server(profile("b11669"), &embedder)), [Intent::Template]);
}

#[test]
fn all_overrides_are_in_one_argument() {
    let overrides = [
        ("qwen3moe.context_length", OverrideValue::Int(-1)),
        ("qwen3moe.rope.freq_base", OverrideValue::Float(1e6)),
        ("tokenizer.ggml.add_bos_token", OverrideValue::Bool(false)),
        ("general.name", OverrideValue::Str("a, \"b\"")),
    ];
    let spec = ServerSpec {
        experts: Some(("qwen3moe", 4)),
        overrides: &overrides,
        draft: None,
        lookup: None,
        ..coder()
    };
    for profile in profiles() {
        let lowered = lower_server(profile, &spec);
        let at = lowered.args.iter().position(|word| word.text() == "--override-kv").unwrap();
        assert_eq!(
            lowered.args[at + 1].text(),
            "qwen3moe.expert_used_count=int:4,qwen3moe.context_length=int:-1,qwen3moe.rope.freq_base=float:1000000,\
             tokenizer.ggml.add_bos_token=bool:false,\"general.name=str:a, \"\"b\"\"\""
        );
        assert_accepts(profile, lowered.tool, &lowered.args);
    }
}

#[test]
fn overrides_that_the_engine_would_misread_are_errors() {
    let long = "k".repeat(128);
    let text = "v".repeat(128);
    let bad = [
        ("a.b", OverrideValue::Int(1)),
        ("a.b", OverrideValue::Int(2)),
        (long.as_str(), OverrideValue::Int(1)),
        ("a=b", OverrideValue::Int(1)),
        ("", OverrideValue::Int(1)),
        ("a.c", OverrideValue::Str(&text)),
        ("a.d", OverrideValue::Float(f64::NAN)),
        ("qwen3moe.expert_used_count", OverrideValue::Int(2)),
    ];
    let spec =
        ServerSpec { experts: Some(("qwen3moe", 4)), overrides: &bad, draft: None, lookup: None, ..coder() };
    let lowered = lower_server(profile("b11434"), &spec);
    assert_eq!(intents(&lowered), (1..8).map(Intent::Override).collect::<Vec<_>>());
}

#[test]
fn several_addresses_need_a_build_that_splits_them() {
    let two = ServerSpec { hosts: &["10.0.0.1", "127.0.0.1"], draft: None, lookup: None, ..coder() };
    for build in ["b11434", "b11669", "b12032"] {
        assert!(line(&lower_server(profile(build), &two)).contains(" --host 10.0.0.1,127.0.0.1 "));
    }
    for build in ["2026-03-fork", "b9093", "b10434"] {
        let lowered = lower_server(profile(build), &two);
        assert_eq!(intents(&lowered), [Intent::Listen], "{build}");
        assert_eq!(lowered.errors[0].builds, ["llama.cpp-b11434", "llama.cpp-b11669", "llama.cpp-b12032"]);
    }
}

#[test]
fn numbers_that_stop_the_engine_are_errors() {
    let base = ServerSpec { draft: None, lookup: None, ..coder() };
    let fails = |spec: ServerSpec<'_>| intents(&lower_server(profile("b11434"), &spec));
    assert_eq!(fails(ServerSpec { slots: 257, ..base.clone() }), [Intent::Slots]);
    assert_eq!(fails(ServerSpec { slots: 0, ..base.clone() }), [Intent::Slots]);
    assert_eq!(
        fails(ServerSpec { slots: 256, context: ContextSpec::Tokens(u32::MAX), ..base.clone() }),
        [Intent::Context]
    );
    assert_eq!(fails(ServerSpec { slots: 17, batch: Some(16), ..base.clone() }), [Intent::Batch]);
    assert_eq!(fails(ServerSpec { port: 0, ..base.clone() }), [Intent::Port]);
    let word = |field, word| (Owner::of(field), OverrideValue::Str(word));
    let with = |settings: &[_]| fails(ServerSpec { settings, ..base.clone() });
    assert_eq!(with(&[word("cache-type", "q8_0"), word("flash-attention", "off")]), [Intent::Setting(0)]);
    assert_eq!(with(&[word("flash-attention", "off"), word("cache-type", "q8_0")]), [Intent::Setting(1)]);
    let part = |part, word| (Owner { field: "cache-type", part: Some(part) }, OverrideValue::Str(word));
    assert_eq!(with(&[part("k", "q8_0"), word("flash-attention", "off")]), []);
    assert_eq!(with(&[part("v", "q8_0"), word("flash-attention", "off")]), [Intent::Setting(0)]);
    assert_eq!(with(&[word("cache-type", "q9_0")]), [Intent::Setting(0); 2]);
    assert_eq!(with(&[part("k", "q9_0")]), [Intent::Setting(0)]);
    let draft = Some(DraftSpec { p_min: Some(1.5), min: Some(30), ..DRAFT });
    assert_eq!(fails(ServerSpec { draft, ..base }), [Intent::DraftMin, Intent::DraftPMin]);
}

/// Every combination of twelve settings, each with a valid value.
pub(super) fn servers() -> Vec<ServerSpec<'static>> {
    const OVERRIDES: &[(&str, OverrideValue<'_>)] =
        &[("tokenizer.ggml.add_bos_token", OverrideValue::Bool(true))];
    const CACHE: &[(Owner, OverrideValue<'_>)] = &[
        (Owner::of("cache-type"), OverrideValue::Str("q8_0")),
        (Owner::of("flash-attention"), OverrideValue::Str("on")),
    ];
    const PROMPTS: &[(Owner, OverrideValue<'_>)] =
        &[(Owner::of("prompt-cache"), OverrideValue::Int(4096 << 20))];
    let settings: [fn(&mut ServerSpec<'static>); 12] = [
        |s| s.draft = Some(DRAFT),
        |s| s.lookup = Some(LookupSpec::of(3)),
        |s| s.experts = Some(("qwen3moe", 4)),
        |s| s.overrides = OVERRIDES,
        |s| s.lock = true,
        |s| {
            s.settings = CACHE;
        },
        |s| s.settings = PROMPTS,
        |s| {
            s.pooling = Some("rank");
            s.is_embedder = true;
        },
        |s| s.projector = Some("p.gguf"),
        |s| {
            s.numa = NumaPlacement::External;
            s.batch = Some(1024);
        },
        |s| {
            s.key_file = Some("/keys");
            s.metrics = true;
        },
        |s| {
            s.draft = Some(DraftSpec {
                path: "d.gguf",
                arch: "",
                kind: None,
                max: None,
                min: Some(2),
                p_min: Some(0.5),
            });
        },
    ];
    let base = ServerSpec {
        model: "/m.gguf",
        port: 8080,
        context: ContextSpec::Tokens(4096),
        slots: 3,
        ..ServerSpec::default()
    };
    (0..1_usize << settings.len())
        .map(|bits| {
            let mut server = base.clone();
            for (_, set) in settings.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0) {
                set(&mut server);
            }
            server
        })
        .collect()
}

#[test]
fn every_server_is_accepted_or_gives_an_error() {
    for profile in profiles() {
        let mut failed = BTreeSet::new();
        for spec in servers() {
            let lowered = lower_server(profile, &spec);
            assert_accepts(profile, lowered.tool, &lowered.args);
            if profile.build() == "b12032" {
                let settings = lowered.settings.iter().map(WrittenOption::given);
                let parsed = crate::memory_options::memory_options(profile, &[], lowered.texts());
                let mut options = MemoryOptions::new(profile, &[], settings);
                // A command line does not show which of its values are defaults.
                options.prompt_cache_is_default = parsed.prompt_cache_is_default;
                options.checkpoints_are_default = parsed.checkpoints_are_default;
                assert_eq!(options, parsed, "{}", line(&lowered));
            }
            for fixed in
                ["-m", "--host", "--port", "-c", "-np", "--fit", "--cache-ram", "-ctxcp", "--no-kv-unified"]
            {
                assert!(
                    lowered.args.iter().any(|word| word.text() == fixed),
                    "{fixed} in {}",
                    line(&lowered)
                );
            }
            failed.extend(intents(&lowered));
        }
        let has_one_type = ["2026-03-22-g49bfddeca", "b9093"].contains(&profile.build());
        let expected = if has_one_type { vec![Intent::DraftWithLookup] } else { vec![] };
        assert_eq!(failed.into_iter().collect::<Vec<_>>(), expected, "{}", profile.name());
    }
}

#[test]
fn every_one_shot_is_accepted_or_omitted() {
    for profile in profiles() {
        for bits in 0..64_u32 {
            let has = |n: u32| bits & (1 << n) != 0;
            let spec = PromptSpec {
                model: "m.gguf",
                projector: has(0).then_some("p.gguf"),
                draft: has(1).then_some(DRAFT),
                lookup: has(2).then_some(LookupSpec::of(3)),
                experts: has(3).then_some(("qwen3vlmoe", 4)),
                context: if has(4) { ContextSpec::Tokens(8192) } else { ContextSpec::default() },
                threads: has(5).then_some(8),
                ..PromptSpec::default()
            };
            let lowered = lower_prompt(profile, &spec);
            assert_accepts(profile, lowered.tool, &lowered.args);
            let is_omitted = lowered.args.is_empty();
            assert_eq!(
                is_omitted,
                profile.build() == "b10434" || intents(&lowered) == [Intent::Tool],
                "{}",
                line(&lowered)
            );
        }
    }
}

#[test]
fn a_trained_context_is_zero_for_one_slot_and_a_product_for_several() {
    let spec = |tokens, slots| ServerSpec {
        model: "/m.gguf",
        port: 8080,
        context: ContextSpec::Trained(tokens),
        slots,
        ..ServerSpec::default()
    };
    for profile in profiles() {
        let one = line(&lower_server(profile, &spec(None, 1)));
        assert!(one.contains(" -c 0 -np 1 "), "{}: {one}", profile.name());
        let two = line(&lower_server(profile, &spec(Some(2048), 2)));
        assert!(two.contains(" -c 4096 -np 2 "), "{}: {two}", profile.name());
        let unknown = lower_server(profile, &spec(None, 2)).errors;
        assert_eq!(unknown.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::UnknownContext]);
        let embedder = ServerSpec { is_embedder: true, ..spec(None, 1) };
        assert!(
            lower_server(profile, &embedder)
                .errors
                .iter()
                .any(|fault| fault.kind == FaultKind::UnknownContext)
        );
    }
}
