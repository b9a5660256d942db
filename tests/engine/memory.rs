//! Memory options of command lines, the context parameters that the engine derives from them, and the parts of memory. The
//! tests in `served::memory` compare these parts with a real server.

use super::profile;
use orchgen::engine::compute::ContextParams;
use orchgen::engine::layers::layers;
use orchgen::engine::memory::{
    Amount, CacheHalf, MemoryOptions, Owner, Part, PartKind, Process, context_params, indivisible_head,
    memory,
};
use orchgen::engine::options::OptionRow;
use orchgen::facts::{Facts, Parameter, tensor_type};
use proptest::prelude::*;

fn memory_options(build: &str, line: &str) -> MemoryOptions {
    crate::memory_options::memory_options(profile(build), &[], line.split_whitespace())
}

/// A model with these metadata values and tensor bytes by type.
fn facts(arch: &str, parameters: &[(&str, i64)], tensors: &[(&str, u64)]) -> Facts {
    let mut facts = Facts { architecture: Some(arch.into()), ..Facts::default() };
    facts.parameters = parameters.iter().map(|(key, n)| ((*key).into(), Parameter::Number(*n))).collect();
    facts.tensors.bytes = tensors.iter().map(|(kind, bytes)| ((*kind).into(), *bytes)).collect();
    facts
}

/// A small llama model: 4 layers, 2 KV heads of 64.
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
    let options = memory_options(build, line);
    memory(&Process { profile: profile(build), options: &options, model, draft, projector: None })
}

#[track_caller]
fn bytes(parts: &[Part], kind: PartKind, owner: Owner) -> u64 {
    parts.iter().filter(|part| part.kind == kind && part.owner == owner).map(|part| part.amount.bytes()).sum()
}

fn sizes(line: &str, model: &Facts) -> ContextParams {
    context_params(&memory_options("b11669", line), model, &layers(model).unwrap(), Owner::Model)
}

/// The expected numbers were read from a running b11434.
#[test]
fn contexts_are_rounded_like_in_the_engine() {
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
fn batches_and_outputs_result_from_the_command_line() {
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
    // Without a `--spec-type` the draft is loaded, but not used.
    assert_eq!(of("-c 8192 -np 2 -md d --spec-draft-n-max 7"), (2048, 512, 2));
    assert_eq!(of("-c 8192 -np 2 --embeddings -b 2048 -ub 600"), (600, 600, 600));
}

/// The context of a draft is the rounded context of its target.
#[test]
fn a_draft_has_the_rounded_context_of_its_target() {
    let small = small();
    let params_of = |owner| {
        context_params(&memory_options("b11669", "-c 300 -np 1"), &small, &layers(&small).unwrap(), owner)
    };
    let (target, draft) = (params_of(Owner::Model), params_of(Owner::Draft));
    assert_eq!((target.context, target.ubatch, draft.context, draft.ubatch), (512, 300, 512, 512));
}

#[test]
fn the_kv_cache_counts_all_slots() {
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
        let found = bytes(&parts, PartKind::Cache, Owner::Model) as f64 / 1_048_576.0;
        assert!((found - mib).abs() < 1e-9, "{line}: {found}");
    }
}

#[test]
fn weights_are_mapped_loaded_or_repacked() {
    let mut model = small();
    model.tensors.in_rows_of_8 = [("q4_0".into(), 10 << 20), ("f32".into(), 1 << 19)].into();
    let of = |line: &str| {
        let parts = parts("b11669", line, &model, None);
        [PartKind::Mapped, PartKind::Loaded, PartKind::Repacked]
            .map(|kind| bytes(&parts, kind, Owner::Model) >> 20)
    };
    assert_eq!(of("-c 512 -np 1"), [9, 0, 10]);
    assert_eq!(of("-c 512 -np 1 --repack"), [9, 0, 10]);
    assert_eq!(of("-c 512 -np 1 --no-repack"), [19, 0, 0]);
    assert_eq!(of("-c 512 -np 1 -nr --load-mode none"), [0, 19, 0]);
    assert_eq!(of("-c 512 -np 1 -nr --load-mode mmap+mlock"), [19, 0, 0]);
    // NextN tensors are not loaded.
    model.tensors.nextn = [("f32".into(), 1 << 20)].into();
    let parts = parts("b11669", "-c 512 -np 1 --no-repack", &model, None);
    assert_eq!(bytes(&parts, PartKind::Mapped, Owner::Model), 18 << 20);
}

/// Tied embeddings are used twice: as a table, and repacked as the output matrix.
#[test]
fn tied_embeddings_are_repacked() {
    let mut model = small();
    model.tensors.token_embd = [("q4_0".into(), 2 << 20)].into();
    model.vocabulary = Some(orchgen::facts::VocabularyFacts { size: 4096, ..Default::default() });
    let copied = |model: &Facts| {
        bytes(&parts("b11669", "-c 512 -np 1", model, None), PartKind::Repacked, Owner::Model)
    };
    assert_eq!(copied(&model), 2 << 20);
    model.tensors.output = [("q6_K".into(), 1 << 20)].into();
    assert_eq!(copied(&model), 0);
}

#[test]
fn a_draft_has_separate_cache_types() {
    let small = small();
    let line = "-c 8192 -np 2 -ctk q8_0 -ctv q8_0 -md d --spec-type draft-simple";
    let drafts = parts("b11669", line, &small, Some(&small));
    assert_eq!(bytes(&drafts, PartKind::Cache, Owner::Model), 17 << 19);
    assert_eq!(bytes(&drafts, PartKind::Cache, Owner::Draft), 16 << 20);
    let typed = parts("b11669", &format!("{line} -ctkd q8_0 -ctvd q8_0"), &small, Some(&small));
    assert_eq!(bytes(&typed, PartKind::Cache, Owner::Draft), 17 << 19);
    // Older builds give the draft a separate context. Its size is unknown.
    let older = parts("2026-03-fork", "-c 8192 -np 2 -md d", &small, Some(&small));
    let unknown = |part: &&Part| part.owner == Owner::Draft && matches!(part.amount, Amount::Unknown(_));
    assert_eq!(older.iter().filter(unknown).count(), 2);
    assert_eq!(bytes(&older, PartKind::Mapped, Owner::Draft), 19 << 20);
}

#[test]
fn prompt_caches_and_checkpoints_are_bounded_by_their_options() {
    let small = small();
    let of = |line: &str| parts("b11669", line, &small, None);
    assert_eq!(bytes(&of("-c 512 -np 1 --cache-ram 100"), PartKind::PromptCache, Owner::Model), 100 << 20);
    let by_default = of("-c 512 -np 1");
    let prompts = by_default.iter().find(|part| part.kind == PartKind::PromptCache).unwrap();
    assert_eq!((&prompts.amount, prompts.amount.bytes()), (&Amount::MayGrow(8192 << 20), 0));
    let unbounded = of("-c 512 -np 1 --cache-ram -1");
    assert!(unbounded.iter().any(
        |part| matches!(&part.amount, Amount::Unknown(why) if why == "the prompt cache has no size limit")
    ));
    // A full KV cache can be rolled back, so it needs no checkpoints.
    assert_eq!(bytes(&of("-c 8192 -np 2 -ctxcp 4"), PartKind::Checkpoints, Owner::Model), 0);
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
    assert_eq!(bytes(&recurrent, PartKind::State, Owner::Model), 2 * state);
    assert_eq!(bytes(&recurrent, PartKind::Checkpoints, Owner::Model), 2 * 4 * (state + 4096));
    assert_eq!(bytes(&recurrent, PartKind::Cache, Owner::Model), 0);
    let by_default = parts("b11669", "-c 8192 -np 2", &mamba, None);
    let checkpoints = by_default.iter().find(|part| part.kind == PartKind::Checkpoints).unwrap();
    assert_eq!(checkpoints.amount, Amount::MayGrow(2 * 32 * (state + 4096)));
}

/// Older builds reserve the compute buffer differently, for at most one output per token.
#[test]
fn the_compute_buffer_of_an_older_build_is_an_upper_bound() {
    let mut model = small();
    model.vocabulary = Some(orchgen::facts::VocabularyFacts { size: 32000, ..Default::default() });
    let amount = |build: &str| {
        let parts = parts(build, "-c 4096 -np 1", &model, None);
        parts.into_iter().find(|part| part.kind == PartKind::Compute).unwrap().amount
    };
    let (newer, older) = (amount("b11669"), amount("b10434"));
    assert!(matches!(newer, Amount::Within { .. }), "{newer:?}");
    assert!(matches!(older, Amount::AtMost(_)) && older.bytes() > newer.bytes(), "{older:?}");
}

#[test]
fn control_vectors_and_offloaded_weights_have_an_unknown_size() {
    let small = small();
    for (line, why) in [
        ("-c 512 -np 1 --control-vector a.gguf", "`--control-vector` loads a control vector of unknown size"),
        ("-c 512 -np 1 -ot x=CPU", "`--override-tensor` may move weights to other devices"),
    ] {
        let parts = parts("b11669", line, &small, None);
        let known: Vec<&Amount> = parts.iter().map(|part| &part.amount).collect();
        assert!(known.contains(&&Amount::Unknown(why.to_owned())), "{line}: {known:?}");
    }
    assert!(memory_options("b11669", "-c 1").may_offload(Owner::Model));
    assert!(!memory_options("b11669", "-c 1 -ngl 0").may_offload(Owner::Model));
}

#[test]
fn a_cache_type_needs_a_head_size_divisible_by_its_block() {
    let q8_0 = tensor_type(8).unwrap();
    let [keys, values] = [CacheHalf::Keys, CacheHalf::Values];
    assert_eq!(indivisible_head(&small(), q8_0, keys), None);
    let mut odd = small();
    odd.parameters.insert("attention.key_length".into(), Parameter::Number(80));
    odd.parameters.insert("attention.value_length".into(), Parameter::Number(64));
    assert_eq!(indivisible_head(&odd, q8_0, keys), Some(80));
    assert_eq!(indivisible_head(&odd, q8_0, values), None);
    assert_eq!(indivisible_head(&odd, tensor_type(1).unwrap(), keys), None);
    // The engine refuses it even for an encoder, which has no KV cache.
    let encoder = facts(
        "bert",
        &[("block_count", 2), ("context_length", 512), ("embedding_length", 64), ("attention.head_count", 4)],
        &[],
    );
    assert_eq!(indivisible_head(&encoder, q8_0, values), Some(16));
}

/// Environment variables are read first; options of the command line override them.
#[test]
fn environment_variables_are_read_like_options() {
    let read = |env: &[(&str, &str)], line: &str| {
        crate::memory_options::memory_options(profile("b11669"), env, line.split_whitespace())
    };
    assert!(read(&[("LLAMA_ARG_SWA_FULL", "1")], "").swa_full);
    assert!(!read(&[("LLAMA_ARG_SWA_FULL", "0")], "").swa_full);
    assert!(!read(&[("LLAMA_ARG_LOAD_MODE", "none")], "").mmap);
    assert!(read(&[("LLAMA_ARG_LOAD_MODE", "none")], "--load-mode mmap").mmap);
    assert!(read(&[("LLAMA_ARG_KV_UNIFIED", "true")], "-np 2").kv_unified);
    assert!(!read(&[("LLAMA_ARG_NO_KV_UNIFIED", "x")], "-np 2 --kv-unified-per-slot 5").kv_unified);
    assert_eq!(read(&[("LLAMA_ARG_CTX_SIZE", "99"), ("OTHER", "1")], ""), read(&[], "-c 99"));
}

/// Backend sampling needs three more numbers per vocabulary entry, and `--spec-default` adds a table of n-grams.
#[test]
fn backend_sampling_and_ngram_tables_need_extra_memory() {
    let mut model = small();
    model.vocabulary = Some(orchgen::facts::VocabularyFacts { size: 1000, ..Default::default() });
    let of = |line: &str| parts("b11669", line, &model, None);
    assert_eq!(bytes(&of("-c 512 -np 2"), PartKind::Output, Owner::Model), 8000);
    assert_eq!(
        bytes(&of("-c 512 -np 2 --backend-sampling"), PartKind::Output, Owner::Model),
        8000 + 2 * 12004
    );
    let hashed = of("-c 8192 -np 2 --spec-default");
    assert_eq!(bytes(&hashed, PartKind::Rest, Owner::Model), 16 << 20);
    assert_eq!(bytes(&hashed, PartKind::Output, Owner::Model), 2 * 65 * 4000);
    for kind in ["draft-mtp", "draft-eagle3", "draft-dflash"] {
        let parts = of(&format!("-c 8192 -np 2 --spec-type {kind}"));
        assert!(
            parts.iter().any(|part| part.kind == PartKind::Rest && matches!(part.amount, Amount::Unknown(_))),
            "{kind}"
        );
    }
}

/// Each server option either affects memory or is in `no_memory.txt`. The test fails for a build with a new option.
#[test]
fn every_option_affects_memory_or_is_listed() {
    let list = include_str!("no_memory.txt");
    let none: std::collections::BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut seen = std::collections::BTreeSet::new();
    for profile in super::profiles() {
        for option in profile.options().iter().filter(|option| profile.tool_accepts("llama-server", option)) {
            let title = option.title();
            let affects_memory = option.row().is_some_and(OptionRow::affects_memory);
            assert_ne!(affects_memory, none.contains(title), "{title} of {}", profile.name());
            seen.insert(title.to_owned());
        }
    }
    for title in none {
        assert!(seen.contains(title), "no build has the option {title}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// Any header and any command line give a positive size or a reason.
    #[test]
    fn any_header_and_command_line_give_an_answer(
        arch in proptest::sample::select(orchgen::engine::architecture::names().collect::<Vec<_>>()),
        numbers in proptest::collection::vec(prop_oneof![0_i64..600, any::<i64>()], 8),
        line in proptest::collection::vec(prop_oneof![
            Just("-c"), Just("-np"), Just("-b"), Just("-ub"), Just("-ctk"), Just("q8_0"), Just("0"), Just("-1"),
            Just("18446744073709551615"), Just("4096"), Just("--embeddings"), Just("--swa-full"), Just("--kv-unified"),
            Just("--spec-type"), Just("draft-dflash"), Just("--spec-draft-n-max"), Just("-fa"), Just("-ctxcp"), Just("off"), Just("x"), Just("--device"), Just("A,B"), Just("none"), Just("-ngl"),
            Just("-ts"), Just("1,0.5"), Just("--n-cpu-moe"), Just("-nkvo"), Just("all"),
        ], 0..12),
    ) {
        let keys = ["block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
            "attention.head_count_kv", "attention.key_length", "attention.sliding_window"];
        let named: Vec<(&str, i64)> = keys.into_iter().zip(numbers).collect();
        let model = facts(arch, &named, &[("f32", u64::MAX)]);
        for part in parts("b11669", &line.join(" "), &model, Some(&model)) {
            prop_assert!(part.amount.bytes() > 0 || part.amount.growth() > 0 || matches!(part.amount, Amount::Unknown(_)), "{part:?}");
        }
    }
}
