//! KV caches and recurrent state of layers: computed by hand from the source of b11434, and compared with its allocations.

mod allocated;

use orchgen::engine::architecture::names;
use orchgen::engine::layers::{KvCache, Layer, Layers, RecurrentState, layers};
use orchgen::facts::{Facts, Parameter};
use proptest::prelude::*;

/// Architectures whose memory orchgen cannot compute, each for another reason.
const UNKNOWN: [&str; 6] =
    ["deepseek4", "dots3note", "gemma4-assistant", "glm5-next", "minimax-m3", "qwen4exp"];

fn header(architecture: &str, parameters: &[(&str, Parameter)]) -> Facts {
    let parameters = parameters.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
    Facts { architecture: Some(architecture.into()), parameters, ..Facts::default() }
}

/// A model of `count` layers: embedding length 64, 4 attention heads of 16, 2 KV heads.
fn model(architecture: &str, count: i64, more: &[(&str, Parameter)]) -> Facts {
    let mut facts = header(architecture, more);
    for (key, value) in [
        ("block_count", count),
        ("embedding_length", 64),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ] {
        facts.parameters.entry(key.into()).or_insert(Parameter::Number(value));
    }
    facts
}

fn n(number: i64) -> Parameter {
    Parameter::Number(number)
}

fn list(numbers: &[i64]) -> Parameter {
    Parameter::List(numbers.to_vec())
}

#[track_caller]
fn known_layers(facts: &Facts) -> Layers {
    layers(facts).unwrap()
}

#[track_caller]
fn error_of(facts: &Facts) -> String {
    layers(facts).unwrap_err()
}

/// One letter per layer: full cache, windowed cache, state, both, or none.
fn letters(layers: &Layers) -> String {
    let letter = |layer: &Layer| match (layer.cache.map(|cache| cache.is_swa), layer.has_state) {
        (Some(false), false) => 'f',
        (Some(true), false) => 'w',
        (None, true) => 's',
        (Some(_), true) => 'b',
        (None, false) => '-',
    };
    layers.each.iter().map(letter).collect()
}

#[test]
fn a_dense_model_has_a_kv_cache_in_each_layer() {
    let found = known_layers(&model("llama", 3, &[]));
    let cache = KvCache { is_swa: false, keys: 32, values: 32, key_head: 16, value_head: 16 };
    assert_eq!(found.each, [Layer { cache: Some(cache), has_state: false }; 3]);
    assert_eq!((found.window, found.state, found.is_mla), (0, RecurrentState::default(), false));
    assert_eq!(found.max_values, 32);
    let wide = known_layers(&model(
        "qwen3moe",
        1,
        &[("attention.key_length", n(128)), ("attention.value_length", n(96))],
    ));
    let cache = KvCache { is_swa: false, keys: 256, values: 192, key_head: 128, value_head: 96 };
    assert_eq!(wide.each[0].cache, Some(cache));
}

#[test]
fn layers_may_have_different_numbers_of_heads() {
    let found = known_layers(&model("deci", 3, &[("attention.head_count_kv", list(&[2, 0, 4]))]));
    let keys = found.each.iter().map(|layer| layer.cache.unwrap().keys);
    assert_eq!(keys.collect::<Vec<_>>(), [32, 0, 64]);
    assert_eq!(found.max_values, 64);
    let short = model("deci", 3, &[("attention.head_count_kv", list(&[2, 4]))]);
    assert_eq!(error_of(&short), "`attention.head_count_kv` has 2 entries for 3 layers");
}

#[test]
fn nextn_layers_have_no_kv_cache() {
    let nextn = ("nextn_predict_layers", n(1));
    assert_eq!(letters(&known_layers(&model("glm4moe", 4, std::slice::from_ref(&nextn)))), "fff");
    let heads = ("attention.head_count_kv", list(&[0, 2, 0, 2]));
    let more = [nextn, heads, ("shortconv.l_cache", n(3))];
    assert_eq!(letters(&known_layers(&model("lfm2", 4, &more))), "sfsf");
    let too_many = model("glm4moe", 4, &[("nextn_predict_layers", n(5))]);
    assert_eq!(error_of(&too_many), "`nextn_predict_layers` is 5, but `block_count` is only 4");
}

#[test]
fn windowed_layers_follow_the_period_of_the_architecture() {
    let window = ("attention.sliding_window", n(512));
    for (architecture, expected) in [
        ("gemma2", "wfwfwfwf"),
        ("gemma3", "wwwwwfww"),
        ("gemma3n", "wwwwfwww"),
        ("gpt-oss", "wfwfwfwf"),
        ("cohere2", "wwwfwwwf"),
        ("cohere2moe", "fwwwfwww"),
        ("olmo2", "wwwfwwwf"),
        ("exaone-moe", "wwwfwwwf"),
        ("plamo3", "wwwwwwwf"),
        ("llama", "ffffffff"),
        ("phi3", "ffffffff"),
        ("exaone4", "ffffffff"),
    ] {
        let found = known_layers(&model(architecture, 8, std::slice::from_ref(&window)));
        assert_eq!(letters(&found), expected, "{architecture}");
        assert_eq!(found.window, if expected.contains('w') { 512 } else { 0 }, "{architecture}");
    }
    let exaone = known_layers(&model("exaone4", 64, &[]));
    assert_eq!((letters(&exaone), exaone.window), ("wwwf".repeat(16), 4096));
}

#[test]
fn a_window_pattern_in_the_header_overrides_the_period() {
    let window = || ("attention.sliding_window", n(512));
    let pattern = |pattern| ("attention.sliding_window_pattern", pattern);
    let found = |parameter| letters(&known_layers(&model("gemma3", 4, &[window(), pattern(parameter)])));
    assert_eq!(found(n(2)), "wfwf");
    assert_eq!(found(n(0)), "wwww");
    assert_eq!(found(list(&[0, 1, 1])), "fwwf");
    assert_eq!(
        error_of(&model("gemma3", 4, &[window(), pattern(n(1))])),
        "it has a sliding window that no layer uses"
    );
    assert_eq!(
        error_of(&model("step35", 4, &[window()])),
        "the header has no `attention.sliding_window_pattern`"
    );
    assert_eq!(letters(&known_layers(&model("step35", 2, &[window(), pattern(list(&[1, 0]))]))), "wf");
}

#[test]
fn some_architectures_ignore_the_window_of_the_header() {
    let of = |architecture: &str, tokens: Option<i64>| {
        let more: Vec<_> = tokens.map(|tokens| ("attention.sliding_window", n(tokens))).into_iter().collect();
        layers(&model(architecture, 5, &more)).map(|found| (letters(&found), found.window))
    };
    assert_eq!(of("llama4", None), Ok(("wwwfw".to_owned(), 8192)));
    assert_eq!(of("llama4", Some(100)), Ok(("wwwfw".to_owned(), 8192)));
    assert_eq!(of("llama4", Some(0)), Ok(("fffff".to_owned(), 0)));
    assert_eq!(of("smallthinker", Some(100)), Ok(("fwwwf".to_owned(), 4096)));
    assert_eq!(of("smallthinker", None), Ok(("fffff".to_owned(), 0)));
    assert_eq!(of("gemma3", Some(0)), Ok(("fffff".to_owned(), 0)));
    assert_eq!(of("gemma2", None), Ok(("wfwfw".to_owned(), 4096)));
    assert_eq!(of("gpt-oss", None), Err("the header has no `attention.sliding_window`".to_owned()));
}

#[test]
fn windowed_layers_may_have_other_head_sizes() {
    let pattern: Vec<i64> = (0..6).map(|layer| i64::from(layer % 3 != 2)).collect();
    let more = [
        ("attention.sliding_window", n(1024)),
        ("attention.sliding_window_pattern", list(&pattern)),
        ("attention.key_length", n(512)),
        ("attention.value_length", n(512)),
        ("attention.key_length_swa", n(256)),
        ("attention.value_length_swa", n(256)),
    ];
    let found = known_layers(&model("gemma4", 6, &more));
    assert_eq!(letters(&found), "wwfwwf");
    let widths = |at: usize| found.each[at].cache.map(|cache| (cache.keys, cache.key_head, cache.values));
    assert_eq!((widths(0), widths(2)), (Some((512, 256, 512)), Some((1024, 512, 1024))));
    assert_eq!(found.max_values, 1024);
}

#[test]
fn layers_that_share_a_kv_cache_allocate_none() {
    let window = ("attention.sliding_window", n(512));
    let found = known_layers(&model("gemma3n", 30, std::slice::from_ref(&window)));
    assert_eq!(letters(&found), format!("{}----------", "wwwwf".repeat(4)));
    let gemma4 = |pattern: &[i64], shared| {
        let pattern = ("attention.sliding_window_pattern", list(pattern));
        let shared = ("attention.shared_kv_layers", n(shared));
        layers(&model("gemma4", 4, &[window.clone(), pattern, shared])).map(|found| letters(&found))
    };
    assert_eq!(gemma4(&[1, 0, 1, 0], 2), Ok("wf--".to_owned()));
    assert_eq!(
        gemma4(&[0, 1, 1, 0], 2),
        Err("a layer without a KV cache would read the cache of a layer with another kind of attention"
            .to_owned())
    );
    assert_eq!(
        gemma4(&[1, 0, 1, 0], 3),
        Err("only 1 of its layers have a separate KV cache, and 2 are needed".to_owned())
    );
}

#[test]
fn mla_caches_only_keys() {
    let widths = [
        ("attention.head_count", n(128)),
        ("attention.head_count_kv", n(1)),
        ("attention.key_length", n(576)),
        ("attention.value_length", n(512)),
    ];
    let mla = [("attention.key_length_mla", n(192)), ("attention.value_length_mla", n(128))];
    let found = known_layers(&model("deepseek2", 61, &[&widths[..], &mla].concat()));
    let cache = KvCache { is_swa: false, keys: 576, values: 0, key_head: 576, value_head: 512 };
    assert_eq!((found.each.len(), found.each[60].cache, found.is_mla), (61, Some(cache), true));
    // An older file stores all heads uncompressed.
    let heads = [
        ("attention.head_count", n(16)),
        ("attention.head_count_kv", n(16)),
        ("attention.key_length", n(192)),
        ("attention.value_length", n(128)),
    ];
    let whole = known_layers(&model("deepseek2", 27, &heads));
    let cache = whole.each[0].cache.unwrap();
    assert_eq!((cache.keys, cache.values, whole.is_mla), (3072, 2048, false));
}

#[test]
fn an_indexer_caches_a_separate_key() {
    let more = [
        ("attention.head_count_kv", n(1)),
        ("attention.key_length", n(576)),
        ("attention.value_length", n(512)),
        ("attention.key_length_mla", n(192)),
        ("attention.value_length_mla", n(128)),
        ("attention.indexer.key_length", n(128)),
        ("attention.indexer.types", list(&[1, 0, 1])),
        ("attention.indexer.top_k", n(2048)),
        ("context_length", n(4096)),
    ];
    let keys = |architecture: &str, more: &[(&str, Parameter)]| {
        let found = known_layers(&model(architecture, 3, more));
        found.each.iter().map(|layer| layer.cache.unwrap().keys).collect::<Vec<_>>()
    };
    assert_eq!(keys("deepseek32", &more), [704, 704, 704]);
    assert_eq!(keys("glm-dsa", &more), [704, 576, 704]);
    assert_eq!(keys("hy_v4", &more), [704, 576, 704]);
    let without: Vec<_> = more.iter().filter(|(key, _)| *key != "attention.indexer.types").cloned().collect();
    assert_eq!(keys("glm-dsa", &without), [704, 704, 704]);
}

#[test]
fn a_layer_has_recurrent_state_or_a_kv_cache_or_both() {
    let ssm = [
        ("ssm.conv_kernel", n(4)),
        ("ssm.inner_size", n(128)),
        ("ssm.state_size", n(16)),
        ("ssm.group_count", n(2)),
    ];
    let of = |architecture: &str, more: &[(&str, Parameter)]| {
        let found = known_layers(&model(architecture, 8, &[&ssm[..], more].concat()));
        (letters(&found), found.state.rolling, found.state.recurrent)
    };
    // The rolling state has 3 rows of 128 numbers. Architectures that read groups add 2 * 2 groups of 16 to each row.
    let (plain, grouped, fixed) = (3 * 128, 3 * (128 + 2 * 2 * 16), 16 * 128);
    assert_eq!(of("mamba", &[]), ("ssssssss".to_owned(), plain, fixed));
    assert_eq!(of("mamba2", &[]), ("ssssssss".to_owned(), grouped, fixed));
    assert_eq!(of("qwen3next", &[]), ("sssfsssf".to_owned(), grouped, fixed));
    assert_eq!(of("qwen35moe", &[("full_attention_interval", n(2))]).0, "sfsfsfsf");
    let listed = ("attention.recurrent_layers", list(&[0, 1, 1, 1, 1, 1, 1, 0]));
    assert_eq!(of("qwen35", &[listed]).0, "fssssssf");
    assert_eq!(of("falcon-h1", &[]), ("bbbbbbbb".to_owned(), grouped, fixed));
    let heads = ("attention.head_count_kv", list(&[0, 0, 2, 0, 0, 0, 2, 0]));
    assert_eq!(of("jamba", std::slice::from_ref(&heads)), ("ssfsssfs".to_owned(), plain, fixed));
    assert_eq!(of("granitehybrid", std::slice::from_ref(&heads)), ("ssfsssfs".to_owned(), grouped, fixed));
    let wide = ("feed_forward_length", list(&[0, 64, 0, 64, 0, 64, 0, 64]));
    assert_eq!(of("nemotron_h", &[heads, wide]), ("s-f-s-f-".to_owned(), grouped, fixed));
}

#[test]
fn other_architectures_have_other_state_sizes() {
    let of = |architecture: &str, more: &[(&str, Parameter)]| {
        let found = known_layers(&model(architecture, 2, more));
        (found.state.rolling, found.state.recurrent)
    };
    let wkv = ("wkv.head_size", n(16));
    assert_eq!(of("rwkv7", std::slice::from_ref(&wkv)), (2 * 64, 64 * 16));
    assert_eq!(of("rwkv6qwen2", &[wkv, ("token_shift_count", n(1))]), (64, 64 * 16));
    assert_eq!(of("lfm2", &[("shortconv.l_cache", n(3))]), (2 * 64, 0));
    assert_eq!(of("minimax-01", &[]), (0, 16 * 16 * 4));
    let kimi = [
        ("attention.head_count_kv", list(&[0, 1])),
        ("attention.key_length", n(576)),
        ("attention.key_length_mla", n(192)),
        ("attention.value_length_mla", n(128)),
        ("kda.head_dim", n(128)),
        ("ssm.conv_kernel", n(4)),
    ];
    assert_eq!(of("kimi-linear", &kimi), (3 * 3 * 4 * 128, 128 * 128 * 4));
    let found = known_layers(&model("kimi-linear", 2, &kimi));
    assert_eq!((letters(&found), found.each[1].cache.unwrap().keys), ("sf".to_owned(), 576));
    // The window applies to all layers without state.
    let windowed = [
        ("attention.head_count_kv", list(&[0, 2])),
        ("shortconv.l_cache", n(3)),
        ("attention.sliding_window", n(64)),
    ];
    assert_eq!(letters(&known_layers(&model("lfm2", 2, &windowed))), "sw");
}

#[test]
fn some_architectures_have_more_layers_than_the_file() {
    assert_eq!(letters(&known_layers(&model("nanbeige", 2, &[("num_loops", n(3))]))), "ffffff");
    let routed = known_layers(&model("graniteswitch", 2, &[]));
    let keys = routed.each.iter().map(|layer| layer.cache.unwrap().keys);
    assert_eq!(keys.collect::<Vec<_>>(), [32, 32, 16]);
    assert!(layers(&model("graniteswitch", 512, &[])).is_err());
    assert!(layers(&model("nanbeige", 512, &[("num_loops", n(2))])).is_err());
}

#[test]
fn architectures_without_memory_have_no_cache_and_no_state() {
    for architecture in ["bert", "nomic-bert", "modern-bert", "gemma-embedding", "dream"] {
        let facts = header(architecture, &[("block_count", n(3))]);
        assert_eq!(known_layers(&facts), Layers { each: vec![Layer::default(); 3], ..Layers::default() });
    }
}

#[test]
fn missing_facts_are_errors_with_a_reason() {
    assert_eq!(error_of(&Facts::default()), "the header names no architecture");
    for name in ["foo", "clip", "gptj"] {
        assert_eq!(
            error_of(&model(name, 2, &[])),
            format!("`{name}` is an architecture that b11434 cannot load")
        );
    }
    assert_eq!(error_of(&header("llama", &[])), "the header has no `block_count`");
    assert_eq!(error_of(&model("llama", 0, &[])), "`block_count` is 0");
    assert_eq!(error_of(&model("llama", 513, &[])), "it has 513 layers, but b11434 loads at most 512");
    assert_eq!(
        error_of(&model("llama", -1, &[])),
        "`block_count` has the value -1, outside of 0 to 4294967295"
    );
    assert_eq!(
        error_of(&model("llama", 2, &[("block_count", list(&[2]))])),
        "`block_count` is not a single number"
    );
    let headless = [("block_count", n(2)), ("embedding_length", n(64))];
    assert_eq!(error_of(&header("llama", &headless)), "the header has no `attention.head_count`");
    let wide = [("attention.key_length", n(1 << 31))];
    assert_eq!(error_of(&model("llama", 2, &wide)), "the size of a layer exceeds 32 bits");
    for name in UNKNOWN {
        assert!(error_of(&model(name, 2, &[])).starts_with(&format!("`{name}` ")), "{name}");
    }
}

/// All metadata keys that decide on the memory of layers.
const KEYS: [&str; 33] = [
    "block_count",
    "embedding_length",
    "nextn_predict_layers",
    "context_length",
    "feed_forward_length",
    "full_attention_interval",
    "num_loops",
    "token_shift_count",
    "hyper_connection.count",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.key_length_swa",
    "attention.value_length_swa",
    "attention.key_length_mla",
    "attention.value_length_mla",
    "attention.kv_lora_rank",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.shared_kv_layers",
    "attention.recurrent_layers",
    "attention.indexer.top_k",
    "attention.indexer.key_length",
    "attention.indexer.types",
    "ssm.conv_kernel",
    "ssm.inner_size",
    "ssm.state_size",
    "ssm.time_step_rank",
    "ssm.group_count",
    "kda.head_dim",
    "wkv.head_size",
    "shortconv.l_cache",
];

fn any_parameter() -> impl Strategy<Value = Parameter> {
    let number = prop_oneof![8 => 0..9_i64, 2 => 0..1_000_000_i64, 1 => any::<i64>()];
    prop_oneof![
        6 => number.clone().prop_map(Parameter::Number),
        2 => prop::collection::vec(number, 0..9).prop_map(Parameter::List),
        1 => any::<bool>().prop_map(Parameter::Flag),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_parameters_do_not_panic(
        at in 0..154_usize,
        parameters in prop::collection::btree_map(prop::sample::select(&KEYS[..]), any_parameter(), 0..33),
    ) {
        let name = names().nth(at).unwrap();
        let parameters: Vec<_> = parameters.into_iter().collect();
        for facts in [header(name, &parameters), model(name, 6, &parameters)] {
            match layers(&facts) {
                Ok(found) => prop_assert!(found.each.len() <= 512),
                Err(why) => prop_assert!(!why.is_empty() && !why.ends_with('.')),
            }
        }
    }
}
