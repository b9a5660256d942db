//! Predicted compute and output buffers, compared with the sizes that a real server (llama.cpp b11669, on a CPU) prints.

use orchgen::engine::architecture::{architecture, names};
use orchgen::engine::compute::{
    ContextParams, Estimate, Pooling, compute_buffer, known_architectures, output_buffer,
};
use orchgen::facts::Facts;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn facts(architecture: &str, vocabulary: u64, parameters: &Value) -> Facts {
    let text = json!({
        "architecture": architecture, "file": "m.gguf", "header": "", "size": 1, "parameters": parameters,
        "vocabulary": {"size": vocabulary, "type": "gpt2"},
    });
    serde_json::from_value(text).unwrap()
}

/// The parameters that a server derives from `-c 4096 -np 2`.
const TWO: ContextParams = ContextParams {
    context: 4096,
    cells: 2048,
    swa_cells: 0,
    slots: 2,
    streams: 2,
    ubatch: 512,
    batch: 2048,
    outputs: 2,
    flash_attention: true,
    has_quantized_keys: false,
    has_quantized_values: false,
    embeddings: None,
};

/// The parameters that a server derives from `-c 4096 -np 1`.
const ONE: ContextParams = ContextParams { cells: 4096, slots: 1, streams: 1, outputs: 1, ..TWO };

/// Compares a predicted compute buffer with the MiB that a server prints, with two decimals.
#[track_caller]
fn assert_compute_buffer(facts: &Facts, sizes: &ContextParams, expected: f64) {
    let Estimate { bytes, margin_percent } = compute_buffer(facts, sizes).unwrap();
    let found = mib(bytes);
    assert!((found - expected).abs() <= 0.006, "predicted {found:.3} MiB, but the server prints {expected}");
    assert!(margin_percent <= 10, "{margin_percent}");
}

#[expect(clippy::cast_precision_loss, reason = "some MiB")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn llama() -> Value {
    json!({"block_count": 8, "embedding_length": 512, "feed_forward_length": 1536, "attention.head_count": 8,
        "attention.head_count_kv": 4, "attention.key_length": 64, "attention.value_length": 64, "rope.dimension_count": 64})
}

#[test]
fn compute_buffers_of_a_dense_model_match_a_server() {
    let model = facts("llama", 512, &llama());
    assert_compute_buffer(&model, &TWO, 16.02);
    assert_compute_buffer(&model, &ContextParams { flash_attention: false, ..TWO }, 43.01);
    assert_compute_buffer(
        &model,
        &ContextParams { context: 16384, cells: 4096, slots: 4, streams: 4, outputs: 4, ..TWO },
        18.02,
    );
    let quantized = ContextParams { has_quantized_keys: true, has_quantized_values: true, ..ONE };
    assert_compute_buffer(&model, &quantized, 18.05);
    let small = ContextParams { context: 8192, cells: 8192, ubatch: 128, batch: 256, ..ONE };
    assert_compute_buffer(&model, &small, 5.50);
    let embeddings = ContextParams { outputs: 2048, embeddings: Some(Pooling::None), ..ONE };
    assert_compute_buffer(&model, &embeddings, 18.02);
    assert_compute_buffer(&model, &ContextParams { ubatch: 2048, ..embeddings }, 72.08);
}

#[test]
fn compute_and_output_buffers_with_a_large_vocabulary_match_a_server() {
    let model = facts(
        "llama",
        151_936,
        &json!({"block_count": 8, "embedding_length": 4096, "feed_forward_length": 12288, "attention.head_count": 32,
            "attention.head_count_kv": 8, "attention.key_length": 128, "attention.value_length": 128}),
    );
    assert_compute_buffer(&model, &TWO, 114.02);
    assert!((mib(output_buffer(&model, &TWO)) - 1.16).abs() < 0.01);
    let embeddings = ContextParams { embeddings: Some(Pooling::Mean), ..TWO };
    assert_eq!(output_buffer(&model, &embeddings) - output_buffer(&model, &TWO), 2 * 4096 * 4);
}

#[test]
fn compute_buffers_of_moe_models_match_a_server() {
    let mixture = |more: Value| {
        let mut all = json!({"block_count": 8, "embedding_length": 512, "feed_forward_length": 256, "attention.head_count": 8,
            "attention.head_count_kv": 2, "attention.key_length": 64, "attention.value_length": 64, "expert_count": 32,
            "expert_used_count": 8, "expert_feed_forward_length": 256});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let model = facts("qwen3moe", 512, &mixture(json!({})));
    assert_compute_buffer(&model, &TWO, 19.02);
    assert_compute_buffer(&model, &ContextParams { flash_attention: false, ..TWO }, 42.51);
    let late = json!({"attention.head_count": 16, "attention.head_count_kv": 4, "expert_count": 16, "expert_used_count": 4,
        "expert_feed_forward_length": 512, "feed_forward_length": 512, "attention.sliding_window": 128});
    assert_compute_buffer(
        &facts("gpt-oss", 512, &mixture(late)),
        &ContextParams { swa_cells: 768, ..TWO },
        19.78,
    );
    let step = json!({"feed_forward_length": 1024, "expert_count": 16, "expert_used_count": 1, "interleave_moe_layer_step": 2});
    assert_compute_buffer(
        &facts("llama4", 512, &mixture(step)),
        &ContextParams { swa_cells: 2048, ..TWO },
        15.03,
    );
}

#[test]
fn compute_buffers_with_sliding_windows_or_mla_match_a_server() {
    let windowed = json!({"block_count": 12, "embedding_length": 640, "feed_forward_length": 2048, "attention.head_count": 4,
        "attention.head_count_kv": 1, "attention.key_length": 256, "attention.value_length": 256,
        "attention.sliding_window": 512});
    let model = facts("gemma3", 2048, &windowed);
    assert_compute_buffer(&model, &ContextParams { swa_cells: 1024, ..TWO }, 21.28);
    let low = json!({"block_count": 6, "embedding_length": 512, "feed_forward_length": 1024, "leading_dense_block_count": 1,
        "expert_count": 16, "expert_used_count": 4, "expert_shared_count": 1, "expert_feed_forward_length": 128,
        "attention.q_lora_rank": 128, "attention.kv_lora_rank": 256, "rope.dimension_count": 32, "attention.head_count": 8,
        "attention.head_count_kv": 1, "attention.key_length": 288, "attention.value_length": 256,
        "attention.key_length_mla": 96, "attention.value_length_mla": 64});
    assert_compute_buffer(&facts("deepseek2", 512, &low), &TWO, 17.01);
}

#[test]
fn compute_buffers_of_recurrent_and_hybrid_models_match_a_server() {
    let state = |more: Value| {
        let mut all = json!({"block_count": 8, "embedding_length": 512, "feed_forward_length": 1024, "attention.head_count": 8,
            "attention.key_length": 64, "attention.value_length": 64, "ssm.conv_kernel": 4, "ssm.inner_size": 1024});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let first = json!({"ssm.state_size": 16, "ssm.time_step_rank": 32, "attention.head_count": 0, "feed_forward_length": 0});
    assert_compute_buffer(&facts("mamba", 512, &state(first)), &TWO, 15.16);
    let mixed = json!({"ssm.state_size": 16, "ssm.time_step_rank": 32, "expert_count": 8, "expert_used_count": 2,
        "attention.head_count_kv": [0, 0, 2, 0, 0, 0, 2, 0]});
    assert_compute_buffer(&facts("jamba", 512, &state(mixed)), &TWO, 19.02);
    let second = json!({"ssm.state_size": 64, "ssm.time_step_rank": 16, "ssm.group_count": 1,
        "attention.head_count_kv": [0, 0, 0, 2, 0, 0, 0, 2]});
    assert_compute_buffer(&facts("granitehybrid", 512, &state(second)), &TWO, 20.33);
    let parallel = json!({"block_count": 6, "ssm.inner_size": 768, "ssm.state_size": 64, "ssm.time_step_rank": 12,
        "ssm.group_count": 1, "attention.head_count_kv": 2});
    assert_compute_buffer(&facts("falcon-h1", 512, &state(parallel)), &TWO, 16.69);
    let delta = json!({"ssm.inner_size": 512, "ssm.state_size": 64, "ssm.time_step_rank": 8, "ssm.group_count": 4,
        "attention.head_count_kv": 2, "expert_count": 16, "expert_used_count": 4, "feed_forward_length": 128,
        "expert_feed_forward_length": 128, "expert_shared_feed_forward_length": 128});
    assert_compute_buffer(&facts("qwen3next", 512, &state(delta)), &TWO, 14.02);
    let convolution = json!({"feed_forward_length": 1536, "shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 2, 0, 0, 2, 0, 0]});
    assert_compute_buffer(&facts("lfm2", 512, &state(convolution)), &TWO, 16.02);
}

#[test]
fn compute_buffers_of_encoders_and_rwkv_match_a_server() {
    let encoder = json!({"block_count": 6, "embedding_length": 384, "feed_forward_length": 1536, "attention.head_count": 12,
        "attention.causal": false});
    let model = facts("bert", 4096, &encoder);
    assert_compute_buffer(&model, &TWO, 8.01);
    assert_compute_buffer(&model, &ContextParams { flash_attention: false, ..TWO }, 18.26);
    let embeddings = ContextParams { batch: 512, outputs: 512, embeddings: Some(Pooling::SingleRow), ..TWO };
    assert_compute_buffer(&model, &embeddings, 8.01);
    let shifting = json!({"block_count": 6, "embedding_length": 512, "feed_forward_length": 2048, "wkv.head_size": 64,
        "token_shift_count": 2, "attention.decay_lora_rank": 64, "attention.iclr_lora_rank": 64,
        "attention.value_residual_mix_lora_rank": 32, "attention.gate_lora_rank": 128, "attention.head_count": 0});
    assert_compute_buffer(&facts("rwkv7", 512, &shifting), &TWO, 20.26);
}

/// Metadata that is enough to build most graphs.
fn all_kinds() -> Value {
    let more = json!({"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 64, "ssm.conv_kernel": 4,
        "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.time_step_rank": 8, "ssm.group_count": 2, "shortconv.l_cache": 3,
        "attention.kv_lora_rank": 32, "wkv.head_size": 32, "token_shift_count": 2, "attention.decay_lora_rank": 8,
        "attention.iclr_lora_rank": 8, "attention.value_residual_mix_lora_rank": 8, "attention.gate_lora_rank": 8,
        "attention.sliding_window": 128});
    let mut all = llama();
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

#[test]
fn most_architectures_give_an_estimate() {
    let sizes = ContextParams { swa_cells: 1024, ..TWO };
    let unknown: Vec<_> = known_architectures()
        .filter_map(|name| compute_buffer(&facts(name, 512, &all_kinds()), &sizes).err())
        .collect();
    assert!(unknown.len() < 6, "{unknown:#?}");
}

#[test]
fn all_layers_count_if_they_differ() {
    let heads: Vec<i64> = (1..=512).collect();
    let mixture = json!({"block_count": 512, "attention.head_count": heads, "attention.head_count_kv": heads, "expert_count": 512,
        "expert_used_count": 512, "embedding_length": 64, "feed_forward_length": 64});
    let many = compute_buffer(&facts("qwen3moe", 512, &mixture), &TWO).unwrap();
    let fewer = json!({"block_count": 511, "attention.head_count": heads[..511], "attention.head_count_kv": heads[..511]});
    let mut mixture = mixture;
    mixture.as_object_mut().unwrap().extend(fewer.as_object().unwrap().clone());
    assert!(many.bytes > compute_buffer(&facts("qwen3moe", 512, &mixture), &TWO).unwrap().bytes);
}

#[test]
fn identical_layers_reuse_the_same_buffer() {
    let with = |layers: u64| {
        let mut parameters = llama();
        parameters["block_count"] = layers.into();
        compute_buffer(&facts("llama", 512, &parameters), &TWO).unwrap()
    };
    assert_eq!(with(8), with(512));
    assert_eq!(with(8), with(5));
}

#[test]
fn missing_facts_are_errors_with_a_reason() {
    let error =
        |name: &str, parameters: &Value| compute_buffer(&facts(name, 512, parameters), &TWO).unwrap_err();
    assert_eq!(error("grok", &llama()), "the graphs of `grok` are not known");
    assert_eq!(error("llama", &json!({"block_count": 8})), "the header has no `embedding_length`");
    assert_eq!(
        error("mamba", &json!({"block_count": 8, "embedding_length": 8})),
        "the header has no `ssm.conv_kernel`"
    );
    let no_architecture = Facts::default();
    assert_eq!(compute_buffer(&no_architecture, &TWO).unwrap_err(), "the header names no architecture");
}

#[test]
fn every_known_graph_belongs_to_a_known_architecture() {
    let all: Vec<&str> = known_architectures().collect();
    assert!(all.len() > 50, "{}", all.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "duplicate: {all:?}");
    let unknown: Vec<&&str> = all.iter().filter(|name| architecture(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Metadata keys that the graphs depend on.
const KEYS: &[&str] = &[
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.key_length_mla",
    "attention.kv_lora_rank",
    "attention.q_lora_rank",
    "attention.sliding_window",
    "attention.value_length",
    "attention.value_length_mla",
    "block_count",
    "embedding_length",
    "expert_count",
    "expert_feed_forward_length",
    "expert_shared_count",
    "expert_used_count",
    "feed_forward_length",
    "interleave_moe_layer_step",
    "leading_dense_block_count",
    "n_deepstack_layers",
    "nextn_predict_layers",
    "rope.dimension_count",
    "shortconv.l_cache",
    "ssm.conv_kernel",
    "ssm.group_count",
    "ssm.inner_size",
    "ssm.state_size",
    "ssm.time_step_rank",
    "token_shift_count",
    "wkv.head_size",
];

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..40_i64, 2 => 0..5000_i64, 1 => any::<i64>(), 1 => Just(i64::from(u32::MAX))]
}

fn parameters() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        8 => number().prop_map(Value::from),
        1 => proptest::collection::vec(number(), 0..20).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ];
    proptest::collection::vec(proptest::option::weighted(0.9, value), KEYS.len()).prop_map(|values| {
        let some = KEYS.iter().zip(values).filter_map(|(key, value)| Some(((*key).to_owned(), value?)));
        Value::Object(some.collect())
    })
}

fn sizes() -> impl Strategy<Value = ContextParams> {
    let number = || prop_oneof![3 => 0..9000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let embeddings = prop_oneof![
        Just(None),
        Just(Some(Pooling::Mean)),
        Just(Some(Pooling::SingleRow)),
        Just(Some(Pooling::None))
    ];
    (proptest::array::uniform8(number()), any::<[bool; 3]>(), embeddings).prop_map(
        |(numbers, flags, embeddings)| {
            let [context, cells, swa_cells, slots, streams, ubatch, batch, outputs] = numbers;
            let [flash_attention, has_quantized_keys, has_quantized_values] = flags;
            ContextParams {
                context,
                cells,
                swa_cells,
                slots,
                streams,
                ubatch,
                batch,
                outputs,
                flash_attention,
                has_quantized_keys,
                has_quantized_values,
                embeddings,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_metadata_does_not_panic(name in 0..154_usize, parameters in parameters(), sizes in sizes(), vocabulary: u64) {
        let model = facts(names().nth(name).unwrap(), vocabulary, &parameters);
        let _ = compute_buffer(&model, &sizes);
        let _ = output_buffer(&model, &sizes);
    }

    #[test]
    fn a_few_arbitrary_numbers_in_valid_metadata_do_not_panic(
        name in proptest::sample::select(known_architectures().collect::<Vec<_>>()),
        changes in proptest::collection::vec((0..KEYS.len(), number()), 0..3),
        sizes in sizes(),
    ) {
        let mut parameters = all_kinds();
        for (key, number) in changes {
            parameters[KEYS[key]] = number.into();
        }
        let _ = compute_buffer(&facts(name, 1000, &parameters), &sizes);
    }

    #[test]
    fn more_cells_never_need_less_memory(cells in 1..500_u64, more in 0..500_u64, flash_attention: bool, slots in 1..5_u64) {
        let model = facts("llama", 512, &llama());
        let with = |cells| ContextParams { context: 1 << 20, cells, slots, streams: slots, flash_attention, ..TWO };
        let [few, many] = [cells, cells + more].map(|cells| compute_buffer(&model, &with(cells * 256)).unwrap().bytes);
        prop_assert!(few <= many, "{few} bytes for {cells} blocks of cells, {many} bytes for {more} more");
    }
}
