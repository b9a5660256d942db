//! Lowering: the lines of the seed, the lines of newer builds, and what cannot be said.

use std::collections::BTreeSet;

use super::{assert_accepts, profile, profiles};
use orchgen::engine::Profile;
use orchgen::engine::dialect::{
    Draft, FlashAttention, Intent, LOOKUP, Lowered, Numa, Prompt, Serve, Value, prompt, serve,
};

const DRAFT: Draft<'_> = Draft { path: "DRAFT.gguf", arch: "qwen2", max: Some(24), min: None, p_min: None };

fn line(lowered: &Lowered) -> String {
    format!("{} {}", lowered.tool, lowered.args.join(" "))
}

fn intents(lowered: &Lowered) -> Vec<Intent> {
    lowered.cannot.iter().map(|c| c.intent).collect()
}

fn dense() -> Prompt<'static> {
    let (draft, lookup, threads) = (Some(DRAFT), Some(3), Some(96));
    Prompt { model: "TARGET.gguf", draft, lookup, threads, prompt: "prompt", ..Prompt::default() }
}

fn experts(arch: &'static str) -> Prompt<'static> {
    let (experts, context) = (Some((arch, 4)), Some(32768));
    Prompt { model: "MOE.gguf", experts, context, threads: Some(96), prompt: "prompt", ..Prompt::default() }
}

fn vision() -> Prompt<'static> {
    Prompt {
        model: "VL.gguf",
        projector: Some("MMPROJ.gguf"),
        threads: Some(96),
        image: "input.png",
        prompt: "Describe this image",
        ..Prompt::default()
    }
}

/// A coder with a draft and lookup, as the seed serves it.
fn coder() -> Serve<'static> {
    Serve {
        model: "/m.gguf",
        port: 8081,
        context: 32768,
        slots: 2,
        draft: Some(DRAFT),
        lookup: Some(LOOKUP),
        threads: Some(96),
        numa: Numa::Outside,
        ..Serve::default()
    }
}

#[test]
fn the_one_shot_commands_of_the_seed() {
    let fork = profile("2026-03-fork");
    assert_eq!(
        line(&prompt(fork, &dense())),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 --fit off -t 96 -p prompt"
    );
    assert_eq!(
        line(&prompt(fork, &experts("qwen3next"))),
        "llama-cli -m MOE.gguf --override-kv qwen3next.expert_used_count=int:4 -c 32768 --fit off --cache-ram 0 -ctxcp 4 -t 96 -p prompt"
    );
    assert_eq!(
        line(&prompt(fork, &vision())),
        "llama-qwen2vl-cli -m VL.gguf --mmproj MMPROJ.gguf --image input.png --fit off -t 96 -p Describe this image"
    );
    assert_eq!(
        line(&prompt(fork, &Prompt { context: Some(4096), ..dense() })),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 -c 4096 -cd 4096 --fit off -t 96 -p prompt"
    );
}

#[test]
fn the_one_shot_commands_under_newer_builds() {
    assert_eq!(
        line(&prompt(profile("b11434"), &dense())),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --spec-draft-n-max 24 --spec-ngram-simple-size-n 3 \
         --spec-type ngram-simple,draft-simple --fit off -t 96 -p prompt"
    );
    assert!(line(&prompt(profile("b11434"), &vision())).starts_with("llama-mtmd-cli -m VL.gguf"));
    assert!(line(&prompt(profile("b11669"), &vision())).starts_with("llama-cli -m VL.gguf"));
    let lowered = prompt(profile("b9093"), &dense());
    assert_eq!(intents(&lowered), [Intent::DraftWithLookup]);
    assert_eq!(
        lowered.cannot[0].builds,
        ["llama.cpp-2026-03-fork", "llama.cpp-b11434", "llama.cpp-b11669"],
        "b10434 knows llama-server alone"
    );
    let only_draft = prompt(profile("b9093"), &Prompt { lookup: None, ..dense() });
    assert_eq!(
        line(&only_draft),
        "llama-speculative -m TARGET.gguf -md DRAFT.gguf --spec-draft-n-max 24 --fit off -t 96 -p prompt"
    );
    let unknown = prompt(profile("b10434"), &dense());
    assert_eq!((unknown.cannot.len(), unknown.args.len()), (0, 0));
    assert_eq!(unknown.not_checked[0].intent, Intent::Tool);
    assert_eq!(intents(&prompt(profile("2026-03-22-g49bfddeca"), &dense())), [Intent::Lookup]);
}

#[test]
fn the_first_program_that_can_say_everything_is_taken() {
    let both = Prompt { lookup: Some(3), ..vision() };
    assert!(
        line(&prompt(profile("b11434"), &both))
            .starts_with("llama-cli -m VL.gguf --mmproj MMPROJ.gguf --image input.png")
    );
    let lowered = prompt(profile("2026-03-fork"), &both);
    assert_eq!((lowered.tool, intents(&lowered)), ("llama-cli", vec![]));
    let draft = Some(Draft { max: None, ..DRAFT });
    let settled = prompt(profile("b11669"), &Prompt { draft, lookup: None, ..dense() });
    assert!(
        line(&settled).contains(" --spec-draft-n-max 16 --spec-type draft-simple "),
        "{}",
        line(&settled)
    );
}

#[test]
fn a_profile_without_the_program_cannot() {
    let json = r#"{"engine":"llama.cpp","build":"x","source":"y","tools":["llama-bench","llama-cli"],
        "options":[{"names":["-m"],"value":"F","tools":"*"}]}"#;
    let bare = Profile::parse("bare", json, |_| None).unwrap();
    assert_eq!(intents(&prompt(&bare, &dense())), [Intent::Tool]);
    let lowered = serve(&bare, &coder());
    assert_eq!((intents(&lowered), lowered.args.len()), (vec![Intent::Tool], 0));
    assert_eq!(lowered.cannot[0].builds.len(), 4, "{:?}", lowered.cannot);
}

#[test]
fn a_server_with_draft_and_lookup() {
    assert_eq!(
        line(&serve(profile("2026-03-fork"), &coder())),
        "llama-server -m /m.gguf -md DRAFT.gguf --draft-max 24 --lookup-ngram-min 3 -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --cache-ram 0 --numa numactl -ctxcp 4 -b 2048 -ub 512 --no-kv-unified --repack \
         -cd 32768"
    );
    let newer = "llama-server -m /m.gguf -md DRAFT.gguf --spec-draft-n-max 24 --spec-ngram-simple-size-n 3 \
         --spec-type ngram-simple,draft-simple -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --cache-ram 0 --numa numactl -ctxcp 4 -b 2048 -ub 512 --no-kv-unified --repack";
    for build in ["b10434", "b11434", "b11669"] {
        assert_eq!(line(&serve(profile(build), &coder())), newer, "{build}");
    }
    for build in ["b9093", "2026-03-22-g49bfddeca"] {
        let lowered = serve(profile(build), &coder());
        assert_eq!(intents(&lowered), [Intent::DraftWithLookup], "{build}");
        assert!(lowered.cannot[0].why.contains("takes one word"));
        assert_eq!(
            lowered.cannot[0].builds,
            ["llama.cpp-2026-03-fork", "llama.cpp-b10434", "llama.cpp-b11434", "llama.cpp-b11669"]
        );
    }
    assert_eq!(
        line(&serve(profile("b9093"), &Serve { lookup: None, ..coder() })),
        "llama-server -m /m.gguf -md DRAFT.gguf --spec-draft-n-max 24 -c 65536 -np 2 -t 96 \
         --host 127.0.0.1 --port 8081 --fit off --cache-ram 0 --numa numactl -ctxcp 4 -b 2048 -ub 512 --no-kv-unified --repack \
         -cd 32768"
    );
}

#[test]
fn lookup_alone() {
    let alone = Serve { draft: None, ..coder() };
    let says = |build: &str| line(&serve(profile(build), &alone));
    assert!(says("2026-03-fork").contains(" --lookup-ngram-min 3 -c "));
    assert!(says("2026-03-22-g49bfddeca").contains(" --spec-ngram-size-n 3 --spec-type ngram-simple -c "));
    assert!(says("b9093").contains(" --spec-ngram-simple-size-n 3 --spec-type ngram-simple -c "));
    assert!(says("b11669").contains(" --spec-ngram-simple-size-n 3 --spec-type ngram-simple -c "));
    for n in [0, 1025] {
        assert_eq!(
            intents(&serve(profile("b11669"), &Serve { lookup: Some(n), ..alone.clone() })),
            [Intent::Lookup]
        );
    }
}

#[test]
fn locked_memory_is_mapped_locked_and_not_copied() {
    let locked = Serve { lock: true, ..coder() };
    let says = |build: &str| line(&serve(profile(build), &locked));
    for build in ["2026-03-fork", "b9093"] {
        assert!(says(build).contains(" --mlock --no-repack "), "{build}");
    }
    for build in ["b10434", "b11434", "b11669"] {
        assert!(says(build).contains(" --load-mode mmap+mlock --no-repack "), "{build}");
        assert!(!says(build).contains("--mlock") && !says(build).contains("--repack"), "{build}");
    }
}

#[test]
fn an_embedder_takes_a_whole_request_at_once() {
    let embedder = Serve {
        model: "/bge.gguf",
        hosts: &["127.0.0.1"],
        port: 8090,
        context: 512,
        slots: 2,
        pooling: Some("cls"),
        is_embedder: true,
        threads: Some(4),
        ..Serve::default()
    };
    for profile in profiles() {
        assert_eq!(
            line(&serve(profile, &embedder)),
            "llama-server -m /bge.gguf -c 1024 -np 2 -b 512 -ub 512 --embeddings --pooling cls -t 4 \
             --host 127.0.0.1 --port 8090 --fit off --cache-ram 0 -ctxcp 0 --spec-type none --no-kv-unified --repack"
        );
    }
    let ranker = Serve { pooling: Some("rank"), context: 8192, batch: Some(128), ..embedder.clone() };
    assert!(
        line(&serve(profile("b11434"), &ranker))
            .contains("-b 8192 -ub 8192 --embeddings --pooling rank --rerank")
    );
    // The slots have to divide it.
    let three = Serve { slots: 3, pooling: Some("mean"), ..embedder.clone() };
    assert!(line(&serve(profile("b11669"), &three)).contains("-c 1536 -np 3 -b 513 -ub 513 "));
    let lowered = serve(profile("b11434"), &Serve { pooling: Some("max"), ..embedder });
    assert_eq!(intents(&lowered), [Intent::Pooling]);
    assert_eq!(
        lowered.cannot[0].why,
        "`--pooling` of llama.cpp-b11434 takes none, mean, cls, last, rank, not `max`"
    );
    assert!(lowered.cannot[0].builds.is_empty());
}

#[test]
fn overrides_stand_in_one_argument() {
    let overrides = [
        ("qwen3moe.context_length", Value::Int(-1)),
        ("qwen3moe.rope.freq_base", Value::Float(1e6)),
        ("tokenizer.ggml.add_bos_token", Value::Bool(false)),
        ("general.name", Value::Str("a, \"b\"")),
    ];
    let wanted =
        Serve { experts: Some(("qwen3moe", 4)), overrides: &overrides, draft: None, lookup: None, ..coder() };
    for profile in profiles() {
        let lowered = serve(profile, &wanted);
        let at = lowered.args.iter().position(|word| word == "--override-kv").unwrap();
        assert_eq!(
            lowered.args[at + 1],
            "qwen3moe.expert_used_count=int:4,qwen3moe.context_length=int:-1,qwen3moe.rope.freq_base=float:1000000,\
             tokenizer.ggml.add_bos_token=bool:false,\"general.name=str:a, \"\"b\"\"\""
        );
        assert_accepts(profile, lowered.tool, &lowered.args);
    }
}

#[test]
fn an_override_that_the_engine_would_misread_is_refused() {
    let long = "k".repeat(128);
    let text = "v".repeat(128);
    let bad = [
        ("a.b", Value::Int(1)),
        ("a.b", Value::Int(2)),
        (long.as_str(), Value::Int(1)),
        ("a=b", Value::Int(1)),
        ("", Value::Int(1)),
        ("a.c", Value::Str(&text)),
        ("a.d", Value::Float(f64::NAN)),
        ("qwen3moe.expert_used_count", Value::Int(2)),
    ];
    let wanted =
        Serve { experts: Some(("qwen3moe", 4)), overrides: &bad, draft: None, lookup: None, ..coder() };
    let lowered = serve(profile("b11434"), &wanted);
    assert_eq!(intents(&lowered), (1..8).map(Intent::Override).collect::<Vec<_>>());
}

#[test]
fn several_addresses_only_where_the_build_splits_them() {
    let two = Serve { hosts: &["10.0.0.1", "127.0.0.1"], draft: None, lookup: None, ..coder() };
    for build in ["b11434", "b11669"] {
        assert!(line(&serve(profile(build), &two)).contains(" --host 10.0.0.1,127.0.0.1 "));
    }
    for build in ["2026-03-fork", "b9093", "b10434"] {
        let lowered = serve(profile(build), &two);
        assert_eq!(intents(&lowered), [Intent::Listen], "{build}");
        assert_eq!(lowered.cannot[0].builds, ["llama.cpp-b11434", "llama.cpp-b11669"]);
    }
}

#[test]
fn numbers_that_the_engine_would_die_of() {
    let base = Serve { draft: None, lookup: None, ..coder() };
    let fails = |wanted: Serve<'_>| intents(&serve(profile("b11434"), &wanted));
    assert_eq!(fails(Serve { slots: 257, ..base.clone() }), [Intent::Slots]);
    assert_eq!(fails(Serve { slots: 0, ..base.clone() }), [Intent::Slots]);
    assert_eq!(fails(Serve { slots: 256, context: u32::MAX, ..base.clone() }), [Intent::Context]);
    assert_eq!(fails(Serve { slots: 17, batch: Some(16), ..base.clone() }), [Intent::Batch]);
    assert_eq!(fails(Serve { port: 0, ..base.clone() }), [Intent::Port]);
    let off = Some(FlashAttention::Off);
    let quantized = Serve { cache_type: Some("q8_0"), flash_attention: off, ..base.clone() };
    assert_eq!(fails(quantized), [Intent::CacheType]);
    assert_eq!(fails(Serve { cache_type: Some("q9_0"), ..base.clone() }), [Intent::CacheType; 2]);
    let draft = Some(Draft { p_min: Some(1.5), min: Some(30), ..DRAFT });
    assert_eq!(fails(Serve { draft, ..base }), [Intent::DraftMin, Intent::DraftPMin]);
}

/// Every combination of the first so many wishes, each with a value that is right.
pub(super) fn servers() -> Vec<Serve<'static>> {
    const OVERRIDES: &[(&str, Value<'_>)] = &[("tokenizer.ggml.add_bos_token", Value::Bool(true))];
    let wishes: [fn(&mut Serve<'static>); 12] = [
        |s| s.draft = Some(DRAFT),
        |s| s.lookup = Some(3),
        |s| s.experts = Some(("qwen3moe", 4)),
        |s| s.overrides = OVERRIDES,
        |s| s.lock = true,
        |s| {
            s.cache_type = Some("q8_0");
            s.flash_attention = Some(FlashAttention::On);
        },
        |s| s.prompt_cache_mib = Some(4096),
        |s| {
            s.pooling = Some("rank");
            s.is_embedder = true;
        },
        |s| s.projector = Some("p.gguf"),
        |s| {
            s.numa = Numa::Outside;
            s.batch = Some(1024);
        },
        |s| {
            s.key_file = Some("/keys");
            s.metrics = true;
        },
        |s| s.draft = Some(Draft { path: "d.gguf", arch: "", max: None, min: Some(2), p_min: Some(0.5) }),
    ];
    let base = Serve { model: "/m.gguf", port: 8080, context: 4096, slots: 3, ..Serve::default() };
    (0..1_usize << wishes.len())
        .map(|bits| {
            let mut server = base.clone();
            for (_, wish) in wishes.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0) {
                wish(&mut server);
            }
            server
        })
        .collect()
}

#[test]
fn whatever_is_wanted_the_build_accepts_it_or_says_why_not() {
    for profile in profiles() {
        let mut failed = BTreeSet::new();
        for wanted in servers() {
            let lowered = serve(profile, &wanted);
            assert_accepts(profile, lowered.tool, &lowered.args);
            for fixed in
                ["-m", "--host", "--port", "-c", "-np", "--fit", "--cache-ram", "-ctxcp", "--no-kv-unified"]
            {
                assert!(lowered.args.iter().any(|word| word == fixed), "{fixed} in {}", line(&lowered));
            }
            failed.extend(intents(&lowered));
        }
        let one_word = ["2026-03-22-g49bfddeca", "b9093"].contains(&profile.build());
        let expected = if one_word { vec![Intent::DraftWithLookup] } else { vec![] };
        assert_eq!(failed.into_iter().collect::<Vec<_>>(), expected, "{}", profile.name());
    }
}

#[test]
fn every_one_shot_is_accepted_or_left_out() {
    for profile in profiles() {
        for bits in 0..64_u32 {
            let has = |n: u32| bits & (1 << n) != 0;
            let wanted = Prompt {
                model: "m.gguf",
                projector: has(0).then_some("p.gguf"),
                draft: has(1).then_some(DRAFT),
                lookup: has(2).then_some(3),
                experts: has(3).then_some(("qwen3vlmoe", 4)),
                overrides: &[],
                context: has(4).then_some(8192),
                threads: has(5).then_some(8),
                prompt: "p",
                image: "i.png",
            };
            let lowered = prompt(profile, &wanted);
            assert_accepts(profile, lowered.tool, &lowered.args);
            let silent = lowered.args.is_empty();
            assert_eq!(
                silent,
                profile.build() == "b10434" || intents(&lowered) == [Intent::Tool],
                "{}",
                line(&lowered)
            );
        }
    }
}
