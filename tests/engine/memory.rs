//! What a command line asks for, what the engine makes of it, and the parts that follow. That they are what a server takes is
//! tested with one, in `served::memory`.

use super::profile;
use orchgen::engine::compute::Sizes;
use orchgen::engine::layers::layers;
use orchgen::engine::memory::{Amount, Asked, Kind, Part, Process, Whose, memory, sizes_of, undivided};
use orchgen::facts::{Facts, Parameter, tensor_type};
use proptest::prelude::*;

fn asked(build: &str, line: &str) -> Asked {
    Asked::read(profile(build), &[], line.split_whitespace())
}

/// A model of so many numbers by key.
fn facts(arch: &str, parameters: &[(&str, i64)], tensors: &[(&str, u64)]) -> Facts {
    let mut facts = Facts { architecture: Some(arch.into()), ..Facts::default() };
    facts.parameters = parameters.iter().map(|(key, n)| ((*key).into(), Parameter::Number(*n))).collect();
    facts.tensors.bytes = tensors.iter().map(|(kind, bytes)| ((*kind).into(), *bytes)).collect();
    facts
}

/// 4 layers, 2 heads of 64 for keys and values: the model of which the formulas were first tried.
fn small() -> Facts {
    let keys = [
        ("block_count", 4),
        ("context_length", 8192),
        ("embedding_length", 256),
        ("feed_forward_length", 512),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ];
    facts("llama", &keys, &[("f32", 1 << 20), ("q4_0", 18 << 20)])
}

fn parts(build: &str, line: &str, model: &Facts, draft: Option<&Facts>) -> Vec<Part> {
    let asked = asked(build, line);
    memory(&Process { profile: profile(build), asked: &asked, model, draft, projector: None })
}

#[track_caller]
fn bytes(parts: &[Part], kind: Kind, of: Whose) -> u64 {
    parts.iter().filter(|part| part.kind == kind && part.of == of).map(|part| part.amount.bytes()).sum()
}

fn sizes(line: &str, model: &Facts) -> Sizes {
    sizes_of(&asked("b11669", line), model, &layers(model).unwrap(), Whose::Model)
}

/// As was seen on a running b11434.
#[test]
fn sizes_are_rounded_as_the_engine_rounds() {
    let small = small();
    for (line, context, cells, streams) in [
        ("-c 8192 -np 6", 9216, 1536, 6),
        ("-c 4096 -np 1", 4096, 4096, 1),
        ("-c 1000 -np 1", 1024, 1024, 1),
        ("-c 4096 -np 4", 4096, 1024, 4),
        ("-c 4096 -np 4 --kv-unified", 4096, 4096, 1),
        ("-c 4096", 4096, 4096, 1),
        ("-np 2", 8192, 4096, 2),
        ("-c 4096 -np 4 --no-kv-unified", 4096, 1024, 4),
    ] {
        let sizes = sizes(line, &small);
        assert_eq!((sizes.context, sizes.cells, sizes.streams), (context, cells, streams), "{line}");
    }
    assert_eq!(sizes("-c 4096", &small).slots, 4);
}

#[test]
fn batches_and_outputs_follow_from_the_line() {
    let small = small();
    let of = |line: &str| {
        let sizes = sizes(line, &small);
        (sizes.batch, sizes.ubatch, sizes.outputs)
    };
    assert_eq!(of("-c 8192 -np 2"), (2048, 512, 2));
    assert_eq!(of("-c 256 -np 1"), (256, 256, 1));
    assert_eq!(of("-c 300 -np 1"), (300, 300, 1));
    assert_eq!(of("-c 8192 -np 2 -b 64 -ub 128"), (64, 64, 2));
    assert_eq!(of("-c 8192 -np 2 -b 1024 -ub 0"), (1024, 1024, 2));
    assert_eq!(of("-c 8192 -np 2 -md d --spec-type draft-simple --spec-draft-n-max 7"), (2048, 512, 16));
    assert_eq!(of("-c 8192 -np 2 --spec-type ngram-simple"), (2048, 512, 98));
    assert_eq!(
        of("-c 8192 -np 2 --spec-type ngram-mod,ngram-cache --spec-ngram-mod-n-max 10"),
        (2048, 512, 22)
    );
    // Without its type an ordinary draft is loaded and does nothing.
    assert_eq!(of("-c 8192 -np 2 -md d --spec-draft-n-max 7"), (2048, 512, 2));
    assert_eq!(of("-c 8192 -np 2 --embeddings -b 2048 -ub 600"), (600, 600, 600));
}

/// A draft is asked for what its target has been given.
#[test]
fn a_draft_has_the_rounded_context_of_its_target() {
    let small = small();
    let of = |whose| sizes_of(&asked("b11669", "-c 300 -np 1"), &small, &layers(&small).unwrap(), whose);
    let (target, draft) = (of(Whose::Model), of(Whose::Draft));
    assert_eq!((target.context, target.ubatch, draft.context, draft.ubatch), (512, 300, 512, 512));
}

#[test]
fn keys_and_values_of_all_slots_are_counted() {
    let small = small();
    for (line, mib) in [
        ("-c 4096 -np 1", 8.0),
        ("-c 4096 -np 1 -ctk q8_0 -ctv q8_0", 4.25),
        ("-c 8192 -np 6", 18.0),
        ("-c 4096 -np 1 -ctk q8_0", 6.125),
        ("-c 4096 -np 1 -ctk bf16 -ctv f32", 12.0),
    ] {
        let parts = parts("b11669", line, &small, None);
        #[expect(clippy::cast_precision_loss, reason = "figures of a few MiB")]
        let found = bytes(&parts, Kind::Cache, Whose::Model) as f64 / 1_048_576.0;
        assert!((found - mib).abs() < 1e-9, "{line}: {found}");
    }
}

#[test]
fn weights_are_mapped_read_or_copied() {
    let mut model = small();
    model.tensors.in_rows_of_8 = [("q4_0".into(), 10 << 20), ("f32".into(), 1 << 19)].into();
    let of = |line: &str| {
        let parts = parts("b11669", line, &model, None);
        [Kind::Mapped, Kind::Loaded, Kind::Repacked].map(|kind| bytes(&parts, kind, Whose::Model) >> 20)
    };
    assert_eq!(of("-c 512 -np 1"), [9, 0, 10]);
    assert_eq!(of("-c 512 -np 1 --repack"), [9, 0, 10]);
    assert_eq!(of("-c 512 -np 1 --no-repack"), [19, 0, 0]);
    assert_eq!(of("-c 512 -np 1 -nr --load-mode none"), [0, 19, 0]);
    assert_eq!(of("-c 512 -np 1 -nr --load-mode mmap+mlock"), [19, 0, 0]);
    // Those that predict tokens are not loaded.
    model.tensors.nextn = [("f32".into(), 1 << 20)].into();
    let parts = parts("b11669", "-c 512 -np 1 --no-repack", &model, None);
    assert_eq!(bytes(&parts, Kind::Mapped, Whose::Model), 18 << 20);
}

/// Embeddings that are the output as well are kept as a table and copied.
#[test]
fn tied_embeddings_are_copied() {
    let mut model = small();
    model.tensors.token_embd = [("q4_0".into(), 2 << 20)].into();
    model.vocabulary = Some(orchgen::facts::Tokens { size: 4096, ..Default::default() });
    let copied =
        |model: &Facts| bytes(&parts("b11669", "-c 512 -np 1", model, None), Kind::Repacked, Whose::Model);
    assert_eq!(copied(&model), 2 << 20);
    model.tensors.output = [("q6_K".into(), 1 << 20)].into();
    assert_eq!(copied(&model), 0);
}

#[test]
fn a_draft_has_caches_of_its_own_types() {
    let small = small();
    let line = "-c 8192 -np 2 -ctk q8_0 -ctv q8_0 -md d --spec-type draft-simple";
    let drafts = parts("b11669", line, &small, Some(&small));
    assert_eq!(bytes(&drafts, Kind::Cache, Whose::Model), 17 << 19);
    assert_eq!(bytes(&drafts, Kind::Cache, Whose::Draft), 16 << 20);
    let typed = parts("b11669", &format!("{line} -ctkd q8_0 -ctvd q8_0"), &small, Some(&small));
    assert_eq!(bytes(&typed, Kind::Cache, Whose::Draft), 17 << 19);
    // A build that gives a draft contexts of its own is not known to make them so.
    let older = parts("2026-03-fork", "-c 8192 -np 2 -md d", &small, Some(&small));
    let unknown = |part: &&Part| part.of == Whose::Draft && matches!(part.amount, Amount::Unknown(_));
    assert_eq!(older.iter().filter(unknown).count(), 2);
    assert_eq!(bytes(&older, Kind::Mapped, Whose::Draft), 19 << 20);
}

#[test]
fn prompts_and_checkpoints_are_bounded_by_what_is_given() {
    let small = small();
    let of = |line: &str| parts("b11669", line, &small, None);
    assert_eq!(bytes(&of("-c 512 -np 1 --cache-ram 100"), Kind::PromptCache, Whose::Model), 100 << 20);
    assert_eq!(bytes(&of("-c 512 -np 1"), Kind::PromptCache, Whose::Model), 8192 << 20);
    let unbounded = of("-c 512 -np 1 --cache-ram -1");
    assert!(
        unbounded.iter().any(
            |part| matches!(&part.amount, Amount::Unknown(why) if why == "the prompt cache has no bound")
        )
    );
    // A cache of all tokens can be rolled back, and needs no checkpoint.
    assert_eq!(bytes(&of("-c 8192 -np 2 -ctxcp 4"), Kind::Checkpoints, Whose::Model), 0);
    let mamba = facts(
        "mamba",
        &[
            ("block_count", 4),
            ("context_length", 8192),
            ("embedding_length", 256),
            ("ssm.conv_kernel", 4),
            ("ssm.inner_size", 512),
            ("ssm.state_size", 16),
            ("ssm.time_step_rank", 16),
        ],
        &[],
    );
    let recurrent = parts("b11669", "-c 8192 -np 2 -ctxcp 4", &mamba, None);
    let state = 4 * 4 * (3 * 512 + 16 * 512);
    assert_eq!(bytes(&recurrent, Kind::State, Whose::Model), 2 * state);
    assert_eq!(bytes(&recurrent, Kind::Checkpoints, Whose::Model), 2 * 4 * (state + 4096));
    assert_eq!(bytes(&recurrent, Kind::Cache, Whose::Model), 0);
}

/// An older build reserves its compute buffer otherwise, for an output of each token at the most.
#[test]
fn an_older_build_is_bounded_from_above() {
    let mut model = small();
    model.vocabulary = Some(orchgen::facts::Tokens { size: 32000, ..Default::default() });
    let amount = |build: &str| {
        let parts = parts(build, "-c 4096 -np 1", &model, None);
        parts.into_iter().find(|part| part.kind == Kind::Compute).unwrap().amount
    };
    let (newer, older) = (amount("b11669"), amount("b10434"));
    assert!(matches!(newer, Amount::Within { .. }), "{newer:?}");
    assert!(matches!(older, Amount::AtMost(_)) && older.bytes() > newer.bytes(), "{older:?}");
}

#[test]
fn what_takes_memory_elsewhere_is_not_known() {
    let small = small();
    for (line, why) in [
        ("-c 512 -np 1 --lora a.gguf", "`--lora` is given, so an adapter is loaded besides"),
        ("-c 512 -np 1 -ot x=CPU", "`--override-tensor` is given, so weights may lie elsewhere"),
    ] {
        let parts = parts("b11669", line, &small, None);
        let known: Vec<&Amount> = parts.iter().map(|part| &part.amount).collect();
        assert!(known.contains(&&Amount::Unknown(why.to_owned())), "{line}: {known:?}");
    }
    assert!(asked("b11669", "-c 1").may_offload(Whose::Model));
    assert!(!asked("b11669", "-c 1 -ngl 0").may_offload(Whose::Model));
}

#[test]
fn a_block_divides_heads_or_does_not() {
    let q8_0 = tensor_type(8).unwrap();
    assert_eq!(undivided(&small(), q8_0), None);
    let mut odd = small();
    odd.parameters.insert("attention.key_length".into(), Parameter::Number(80));
    odd.parameters.insert("attention.value_length".into(), Parameter::Number(64));
    assert_eq!(undivided(&odd, q8_0), Some(80));
    assert_eq!(undivided(&odd, tensor_type(1).unwrap()), None);
    // An encoder has no cache, and is refused all the same.
    let encoder = facts(
        "bert",
        &[("block_count", 2), ("context_length", 512), ("embedding_length", 64), ("attention.head_count", 4)],
        &[],
    );
    assert_eq!(undivided(&encoder, q8_0), Some(16));
}

/// What a variable of the environment says, before the command line.
#[test]
fn the_environment_is_read_as_options_are() {
    let read =
        |env: &[(&str, &str)], line: &str| Asked::read(profile("b11669"), env, line.split_whitespace());
    assert!(read(&[("LLAMA_ARG_SWA_FULL", "1")], "").full_window);
    assert!(!read(&[("LLAMA_ARG_SWA_FULL", "0")], "").full_window);
    assert!(!read(&[("LLAMA_ARG_LOAD_MODE", "none")], "").maps);
    assert!(read(&[("LLAMA_ARG_LOAD_MODE", "none")], "--load-mode mmap").maps);
    assert!(read(&[("LLAMA_ARG_KV_UNIFIED", "true")], "-np 2").is_unified);
    assert!(!read(&[("LLAMA_ARG_NO_KV_UNIFIED", "x")], "-np 2 --kv-unified-per-slot 5").is_unified);
    assert_eq!(read(&[("LLAMA_ARG_CTX_SIZE", "99"), ("OTHER", "1")], ""), read(&[], "-c 99"));
}

/// Tokens that are chosen beside the logits take three numbers more a token, and a table of n-grams has a size of its own.
#[test]
fn choosing_and_hashing_take_memory_of_their_own() {
    let mut model = small();
    model.vocabulary = Some(orchgen::facts::Tokens { size: 1000, ..Default::default() });
    let of = |line: &str| parts("b11669", line, &model, None);
    assert_eq!(bytes(&of("-c 512 -np 2"), Kind::Output, Whose::Model), 8000);
    assert_eq!(bytes(&of("-c 512 -np 2 --backend-sampling"), Kind::Output, Whose::Model), 8000 + 2 * 12004);
    let hashed = of("-c 8192 -np 2 --spec-default");
    assert_eq!(bytes(&hashed, Kind::Rest, Whose::Model), 16 << 20);
    assert_eq!(bytes(&hashed, Kind::Output, Whose::Model), 2 * 65 * 4000);
    for kind in ["draft-mtp", "draft-eagle3", "draft-dflash"] {
        let parts = of(&format!("-c 8192 -np 2 --spec-type {kind}"));
        assert!(
            parts.iter().any(|part| part.kind == Kind::Rest && matches!(part.amount, Amount::Unknown(_))),
            "{kind}"
        );
    }
}

/// Every option of a server is known to decide about memory or not to: a build with a new one shows here.
#[test]
fn every_option_is_known_to_take_memory_or_not() {
    let list = include_str!("no_memory.txt");
    let none: std::collections::BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut seen = std::collections::BTreeSet::new();
    for profile in super::profiles() {
        for option in profile.options().iter().filter(|option| profile.takes("llama-server", option)) {
            let (title, heeds) = (option.title(), Asked::heeds(profile, option));
            assert_ne!(heeds, none.contains(title), "{title} of {}", profile.name());
            seen.insert(title.to_owned());
        }
    }
    for title in none {
        assert!(seen.contains(title), "{title} is an option of no build");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// Whatever a header and a line say, there is an answer.
    #[test]
    fn no_header_and_no_line_is_too_much(
        arch in proptest::sample::select(orchgen::engine::architecture::names().collect::<Vec<_>>()),
        numbers in proptest::collection::vec(prop_oneof![0_i64..600, any::<i64>()], 8),
        line in proptest::collection::vec(prop_oneof![
            Just("-c"), Just("-np"), Just("-b"), Just("-ub"), Just("-ctk"), Just("q8_0"), Just("0"), Just("-1"),
            Just("18446744073709551615"), Just("4096"), Just("--embeddings"), Just("--swa-full"), Just("--kv-unified"),
            Just("--spec-type"), Just("draft-dflash"), Just("--spec-draft-n-max"), Just("-fa"), Just("-ctxcp"), Just("off"), Just("x"),
        ], 0..12),
    ) {
        let keys = ["block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
            "attention.head_count_kv", "attention.key_length", "attention.sliding_window"];
        let named: Vec<(&str, i64)> = keys.into_iter().zip(numbers).collect();
        let model = facts(arch, &named, &[("f32", u64::MAX)]);
        for part in parts("b11669", &line.join(" "), &model, Some(&model)) {
            prop_assert!(part.amount.bytes() > 0 || matches!(part.amount, Amount::Unknown(_)), "{part:?}");
        }
    }
}
