//! The buffers that a context computes in, against what a real server (llama.cpp b11669, on a CPU) says of them.

use orchgen::engine::architecture::{architecture, names};
use orchgen::engine::compute::{Estimate, Pooling, Sizes, compute, known, output};
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

/// `-c 4096 -np 2`, with what a server makes of it.
const TWO: Sizes = Sizes {
    context: 4096,
    cells: 2048,
    window_cells: 0,
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

/// `-c 4096 -np 1`.
const ONE: Sizes = Sizes { cells: 4096, slots: 1, streams: 1, outputs: 1, ..TWO };

/// MiB as a server prints them, with two decimals.
#[track_caller]
fn takes(facts: &Facts, sizes: &Sizes, expected: f64) {
    let Estimate { bytes, within } = compute(facts, sizes).unwrap();
    let found = mib(bytes);
    assert!((found - expected).abs() <= 0.006, "{found:.3} MiB, and the server says {expected}");
    assert!(within <= 10, "{within}");
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
fn a_plain_model_takes_what_a_server_says() {
    let model = facts("llama", 512, &llama());
    takes(&model, &TWO, 16.02);
    takes(&model, &Sizes { flash_attention: false, ..TWO }, 43.01);
    takes(&model, &Sizes { context: 16384, cells: 4096, slots: 4, streams: 4, outputs: 4, ..TWO }, 18.02);
    let quantized = Sizes { has_quantized_keys: true, has_quantized_values: true, ..ONE };
    takes(&model, &quantized, 18.05);
    let small = Sizes { context: 8192, cells: 8192, ubatch: 128, batch: 256, ..ONE };
    takes(&model, &small, 5.50);
    let embeddings = Sizes { outputs: 2048, embeddings: Some(Pooling::None), ..ONE };
    takes(&model, &embeddings, 18.02);
    takes(&model, &Sizes { ubatch: 2048, ..embeddings }, 72.08);
}

#[test]
fn a_vocabulary_as_large_as_real_ones_takes_its_part() {
    let model = facts(
        "llama",
        151_936,
        &json!({"block_count": 8, "embedding_length": 4096, "feed_forward_length": 12288, "attention.head_count": 32,
            "attention.head_count_kv": 8, "attention.key_length": 128, "attention.value_length": 128}),
    );
    takes(&model, &TWO, 114.02);
    assert!((mib(output(&model, &TWO)) - 1.16).abs() < 0.01);
    let embeddings = Sizes { embeddings: Some(Pooling::Mean), ..TWO };
    assert_eq!(output(&model, &embeddings) - output(&model, &TWO), 2 * 4096 * 4);
}

#[test]
fn experts_take_what_a_server_says() {
    let mixture = |more: Value| {
        let mut all = json!({"block_count": 8, "embedding_length": 512, "feed_forward_length": 256, "attention.head_count": 8,
            "attention.head_count_kv": 2, "attention.key_length": 64, "attention.value_length": 64, "expert_count": 32,
            "expert_used_count": 8, "expert_feed_forward_length": 256});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let model = facts("qwen3moe", 512, &mixture(json!({})));
    takes(&model, &TWO, 19.02);
    takes(&model, &Sizes { flash_attention: false, ..TWO }, 42.51);
    let late = json!({"attention.head_count": 16, "attention.head_count_kv": 4, "expert_count": 16, "expert_used_count": 4,
        "expert_feed_forward_length": 512, "feed_forward_length": 512, "attention.sliding_window": 128});
    takes(&facts("gpt-oss", 512, &mixture(late)), &Sizes { window_cells: 768, ..TWO }, 19.78);
    let step = json!({"feed_forward_length": 1024, "expert_count": 16, "expert_used_count": 1, "interleave_moe_layer_step": 2});
    takes(&facts("llama4", 512, &mixture(step)), &Sizes { window_cells: 2048, ..TWO }, 15.03);
}

#[test]
fn windows_and_low_ranks_take_what_a_server_says() {
    let windowed = json!({"block_count": 12, "embedding_length": 640, "feed_forward_length": 2048, "attention.head_count": 4,
        "attention.head_count_kv": 1, "attention.key_length": 256, "attention.value_length": 256,
        "attention.sliding_window": 512});
    let model = facts("gemma3", 2048, &windowed);
    takes(&model, &Sizes { window_cells: 1024, ..TWO }, 21.28);
    let low = json!({"block_count": 6, "embedding_length": 512, "feed_forward_length": 1024, "leading_dense_block_count": 1,
        "expert_count": 16, "expert_used_count": 4, "expert_shared_count": 1, "expert_feed_forward_length": 128,
        "attention.q_lora_rank": 128, "attention.kv_lora_rank": 256, "rope.dimension_count": 32, "attention.head_count": 8,
        "attention.head_count_kv": 1, "attention.key_length": 288, "attention.value_length": 256,
        "attention.key_length_mla": 96, "attention.value_length_mla": 64});
    takes(&facts("deepseek2", 512, &low), &TWO, 17.01);
}

#[test]
fn state_takes_what_a_server_says() {
    let state = |more: Value| {
        let mut all = json!({"block_count": 8, "embedding_length": 512, "feed_forward_length": 1024, "attention.head_count": 8,
            "attention.key_length": 64, "attention.value_length": 64, "ssm.conv_kernel": 4, "ssm.inner_size": 1024});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let first = json!({"ssm.state_size": 16, "ssm.time_step_rank": 32, "attention.head_count": 0, "feed_forward_length": 0});
    takes(&facts("mamba", 512, &state(first)), &TWO, 15.16);
    let mixed = json!({"ssm.state_size": 16, "ssm.time_step_rank": 32, "expert_count": 8, "expert_used_count": 2,
        "attention.head_count_kv": [0, 0, 2, 0, 0, 0, 2, 0]});
    takes(&facts("jamba", 512, &state(mixed)), &TWO, 19.02);
    let second = json!({"ssm.state_size": 64, "ssm.time_step_rank": 16, "ssm.group_count": 1,
        "attention.head_count_kv": [0, 0, 0, 2, 0, 0, 0, 2]});
    takes(&facts("granitehybrid", 512, &state(second)), &TWO, 20.33);
    let beside = json!({"block_count": 6, "ssm.inner_size": 768, "ssm.state_size": 64, "ssm.time_step_rank": 12,
        "ssm.group_count": 1, "attention.head_count_kv": 2});
    takes(&facts("falcon-h1", 512, &state(beside)), &TWO, 16.69);
    let delta = json!({"ssm.inner_size": 512, "ssm.state_size": 64, "ssm.time_step_rank": 8, "ssm.group_count": 4,
        "attention.head_count_kv": 2, "expert_count": 16, "expert_used_count": 4, "feed_forward_length": 128,
        "expert_feed_forward_length": 128, "expert_shared_feed_forward_length": 128});
    takes(&facts("qwen3next", 512, &state(delta)), &TWO, 14.02);
    let convolution = json!({"feed_forward_length": 1536, "shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 2, 0, 0, 2, 0, 0]});
    takes(&facts("lfm2", 512, &state(convolution)), &TWO, 16.02);
}

#[test]
fn encoders_and_rwkv_take_what_a_server_says() {
    let encoder = json!({"block_count": 6, "embedding_length": 384, "feed_forward_length": 1536, "attention.head_count": 12,
        "attention.causal": false});
    let model = facts("bert", 4096, &encoder);
    takes(&model, &TWO, 8.01);
    takes(&model, &Sizes { flash_attention: false, ..TWO }, 18.26);
    let embeddings = Sizes { batch: 512, outputs: 512, embeddings: Some(Pooling::Row), ..TWO };
    takes(&model, &embeddings, 8.01);
    let shifting = json!({"block_count": 6, "embedding_length": 512, "feed_forward_length": 2048, "wkv.head_size": 64,
        "token_shift_count": 2, "attention.decay_lora_rank": 64, "attention.iclr_lora_rank": 64,
        "attention.value_residual_mix_lora_rank": 32, "attention.gate_lora_rank": 128, "attention.head_count": 0});
    takes(&facts("rwkv7", 512, &shifting), &TWO, 20.26);
}

/// Metadata with which most graphs can be built.
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
fn most_architectures_take_something() {
    let sizes = Sizes { window_cells: 1024, ..TWO };
    let unknown: Vec<_> =
        known().filter_map(|name| compute(&facts(name, 512, &all_kinds()), &sizes).err()).collect();
    assert!(unknown.len() < 6, "{unknown:#?}");
}

#[test]
fn layers_all_unlike_are_built_all() {
    let heads: Vec<i64> = (1..=512).collect();
    let mixture = json!({"block_count": 512, "attention.head_count": heads, "attention.head_count_kv": heads, "expert_count": 512,
        "expert_used_count": 512, "embedding_length": 64, "feed_forward_length": 64});
    let many = compute(&facts("qwen3moe", 512, &mixture), &TWO).unwrap();
    let fewer = json!({"block_count": 511, "attention.head_count": heads[..511], "attention.head_count_kv": heads[..511]});
    let mut mixture = mixture;
    mixture.as_object_mut().unwrap().extend(fewer.as_object().unwrap().clone());
    assert!(many.bytes > compute(&facts("qwen3moe", 512, &mixture), &TWO).unwrap().bytes);
}

#[test]
fn many_layers_alike_take_as_much_as_some() {
    let with = |layers: u64| {
        let mut parameters = llama();
        parameters["block_count"] = layers.into();
        compute(&facts("llama", 512, &parameters), &TWO).unwrap()
    };
    assert_eq!(with(8), with(512));
    assert_eq!(with(8), with(5));
}

#[test]
fn what_is_not_known_is_said() {
    let error = |name: &str, parameters: &Value| compute(&facts(name, 512, parameters), &TWO).unwrap_err();
    assert_eq!(error("grok", &llama()), "the graphs of `grok` are not known");
    assert_eq!(error("llama", &json!({"block_count": 8})), "the header has no `embedding_length`");
    assert_eq!(
        error("mamba", &json!({"block_count": 8, "embedding_length": 8})),
        "the header has no `ssm.conv_kernel`"
    );
    let nameless = Facts::default();
    assert_eq!(compute(&nameless, &TWO).unwrap_err(), "the header names no architecture");
}

#[test]
fn graphs_are_of_architectures_that_there_are() {
    let all: Vec<&str> = known().collect();
    assert!(all.len() > 50, "{}", all.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "twice: {all:?}");
    let strange: Vec<&&str> = all.iter().filter(|name| architecture(name).is_none()).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// Keys that graphs are built with.
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

fn sizes() -> impl Strategy<Value = Sizes> {
    let number = || prop_oneof![3 => 0..9000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let embeddings = prop_oneof![
        Just(None),
        Just(Some(Pooling::Mean)),
        Just(Some(Pooling::Row)),
        Just(Some(Pooling::None))
    ];
    (proptest::array::uniform8(number()), any::<[bool; 3]>(), embeddings).prop_map(
        |(numbers, flags, embeddings)| {
            let [context, cells, window_cells, slots, streams, ubatch, batch, outputs] = numbers;
            let [flash_attention, has_quantized_keys, has_quantized_values] = flags;
            Sizes {
                context,
                cells,
                window_cells,
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
    fn no_numbers_make_it_panic(name in 0..154_usize, parameters in parameters(), sizes in sizes(), vocabulary: u64) {
        let model = facts(names().nth(name).unwrap(), vocabulary, &parameters);
        let _ = compute(&model, &sizes);
        let _ = output(&model, &sizes);
    }

    #[test]
    fn no_numbers_in_a_model_that_is_right_otherwise_make_it_panic(
        name in proptest::sample::select(known().collect::<Vec<_>>()),
        changes in proptest::collection::vec((0..KEYS.len(), number()), 0..3),
        sizes in sizes(),
    ) {
        let mut parameters = all_kinds();
        for (key, number) in changes {
            parameters[KEYS[key]] = number.into();
        }
        let _ = compute(&facts(name, 1000, &parameters), &sizes);
    }

    #[test]
    fn more_cells_take_no_less(cells in 1..500_u64, more in 0..500_u64, flash_attention: bool, slots in 1..5_u64) {
        let model = facts("llama", 512, &llama());
        let with = |cells| Sizes { context: 1 << 20, cells, slots, streams: slots, flash_attention, ..TWO };
        let [few, many] = [cells, cells + more].map(|cells| compute(&model, &with(cells * 256)).unwrap().bytes);
        prop_assert!(few <= many, "{few} of {cells}, {many} of {more} more");
    }
}
