//! What layers keep: by hand from the source of b11434, and against what its own code allocates.

mod allocated;

use orchgen::engine::architecture::names;
use orchgen::engine::layers::{Cache, Layer, Layers, State, layers};
use orchgen::facts::{Facts, Parameter};
use proptest::prelude::*;

/// Architectures that keep what is not counted, each for its own reason.
const UNKNOWN: [&str; 6] =
    ["deepseek4", "dots3note", "gemma4-assistant", "glm5-next", "minimax-m3", "qwen4exp"];

fn header(architecture: &str, parameters: &[(&str, Parameter)]) -> Facts {
    let parameters = parameters.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
    Facts { architecture: Some(architecture.into()), parameters, ..Facts::default() }
}

/// A model of so many layers of 64 numbers, with 4 heads of 16, 2 of them for keys and values.
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
fn known(facts: &Facts) -> Layers {
    layers(facts).unwrap()
}

#[track_caller]
fn why(facts: &Facts) -> String {
    layers(facts).unwrap_err()
}

/// A letter a layer: a full cache, a windowed one, state, both, nothing.
fn drawn(layers: &Layers) -> String {
    let letter = |layer: &Layer| match (layer.cache.map(|cache| cache.is_windowed), layer.has_state) {
        (Some(false), false) => 'f',
        (Some(true), false) => 'w',
        (None, true) => 's',
        (Some(_), true) => 'b',
        (None, false) => '-',
    };
    layers.each.iter().map(letter).collect()
}

#[test]
fn a_plain_model_keeps_keys_and_values_in_each_layer() {
    let found = known(&model("llama", 3, &[]));
    let cache = Cache { is_windowed: false, keys: 32, values: 32, key_head: 16, value_head: 16 };
    assert_eq!(found.each, [Layer { cache: Some(cache), has_state: false }; 3]);
    assert_eq!((found.window, found.state, found.is_latent), (0, State::default(), false));
    assert_eq!(found.widest_values, 32);
    let wide =
        known(&model("qwen3moe", 1, &[("attention.key_length", n(128)), ("attention.value_length", n(96))]));
    let cache = Cache { is_windowed: false, keys: 256, values: 192, key_head: 128, value_head: 96 };
    assert_eq!(wide.each[0].cache, Some(cache));
}

#[test]
fn heads_may_differ_by_layer() {
    let found = known(&model("deci", 3, &[("attention.head_count_kv", list(&[2, 0, 4]))]));
    let keys = found.each.iter().map(|layer| layer.cache.unwrap().keys);
    assert_eq!(keys.collect::<Vec<_>>(), [32, 0, 64]);
    assert_eq!(found.widest_values, 64);
    let short = model("deci", 3, &[("attention.head_count_kv", list(&[2, 4]))]);
    assert_eq!(why(&short), "`attention.head_count_kv` lists 2 of 3 layers");
}

#[test]
fn layers_of_next_token_prediction_have_no_cache_in_a_plain_model() {
    let nextn = ("nextn_predict_layers", n(1));
    assert_eq!(drawn(&known(&model("glm4moe", 4, std::slice::from_ref(&nextn)))), "fff");
    let heads = ("attention.head_count_kv", list(&[0, 2, 0, 2]));
    let more = [nextn, heads, ("shortconv.l_cache", n(3))];
    assert_eq!(drawn(&known(&model("lfm2", 4, &more))), "sfsf");
    let too_many = model("glm4moe", 4, &[("nextn_predict_layers", n(5))]);
    assert_eq!(why(&too_many), "`nextn_predict_layers` is 5 of 4 layers");
}

#[test]
fn windows_follow_the_period_of_the_architecture() {
    let window = ("attention.sliding_window", n(512));
    for (architecture, drawing) in [
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
        let found = known(&model(architecture, 8, std::slice::from_ref(&window)));
        assert_eq!(drawn(&found), drawing, "{architecture}");
        assert_eq!(found.window, if drawing.contains('w') { 512 } else { 0 }, "{architecture}");
    }
    let exaone = known(&model("exaone4", 64, &[]));
    assert_eq!((drawn(&exaone), exaone.window), ("wwwf".repeat(16), 4096));
}

#[test]
fn the_header_goes_before_the_period() {
    let window = || ("attention.sliding_window", n(512));
    let pattern = |pattern| ("attention.sliding_window_pattern", pattern);
    let found = |parameter| drawn(&known(&model("gemma3", 4, &[window(), pattern(parameter)])));
    assert_eq!(found(n(2)), "wfwf");
    assert_eq!(found(n(0)), "wwww");
    assert_eq!(found(list(&[0, 1, 1])), "fwwf");
    assert_eq!(
        why(&model("gemma3", 4, &[window(), pattern(n(1))])),
        "it has a sliding window and no layer with it"
    );
    assert_eq!(why(&model("step35", 4, &[window()])), "the header has no `attention.sliding_window_pattern`");
    assert_eq!(drawn(&known(&model("step35", 2, &[window(), pattern(list(&[1, 0]))]))), "wf");
}

#[test]
fn some_windows_are_not_those_of_the_header() {
    let of = |architecture: &str, tokens: Option<i64>| {
        let more: Vec<_> = tokens.map(|tokens| ("attention.sliding_window", n(tokens))).into_iter().collect();
        layers(&model(architecture, 5, &more)).map(|found| (drawn(&found), found.window))
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
fn windowed_layers_may_have_heads_of_their_own_width() {
    let pattern: Vec<i64> = (0..6).map(|layer| i64::from(layer % 3 != 2)).collect();
    let more = [
        ("attention.sliding_window", n(1024)),
        ("attention.sliding_window_pattern", list(&pattern)),
        ("attention.key_length", n(512)),
        ("attention.value_length", n(512)),
        ("attention.key_length_swa", n(256)),
        ("attention.value_length_swa", n(256)),
    ];
    let found = known(&model("gemma4", 6, &more));
    assert_eq!(drawn(&found), "wwfwwf");
    let widths = |at: usize| found.each[at].cache.map(|cache| (cache.keys, cache.key_head, cache.values));
    assert_eq!((widths(0), widths(2)), (Some((512, 256, 512)), Some((1024, 512, 1024))));
    assert_eq!(found.widest_values, 1024);
}

#[test]
fn layers_that_share_a_cache_have_none() {
    let window = ("attention.sliding_window", n(512));
    let found = known(&model("gemma3n", 30, std::slice::from_ref(&window)));
    assert_eq!(drawn(&found), format!("{}----------", "wwwwf".repeat(4)));
    let gemma4 = |pattern: &[i64], shared| {
        let pattern = ("attention.sliding_window_pattern", list(pattern));
        let shared = ("attention.shared_kv_layers", n(shared));
        layers(&model("gemma4", 4, &[window.clone(), pattern, shared])).map(|found| drawn(&found))
    };
    assert_eq!(gemma4(&[1, 0, 1, 0], 2), Ok("wf--".to_owned()));
    assert_eq!(gemma4(&[0, 1, 1, 0], 2), Err("its layers that share a cache find none to share".to_owned()));
    assert_eq!(gemma4(&[1, 0, 1, 0], 3), Err("1 of its layers have a cache that others read".to_owned()));
}

#[test]
fn latent_attention_keeps_keys_only() {
    let widths = [
        ("attention.head_count", n(128)),
        ("attention.head_count_kv", n(1)),
        ("attention.key_length", n(576)),
        ("attention.value_length", n(512)),
    ];
    let mla = [("attention.key_length_mla", n(192)), ("attention.value_length_mla", n(128))];
    let found = known(&model("deepseek2", 61, &[&widths[..], &mla].concat()));
    let cache = Cache { is_windowed: false, keys: 576, values: 0, key_head: 576, value_head: 512 };
    assert_eq!((found.each.len(), found.each[60].cache, found.is_latent), (61, Some(cache), true));
    // An older file has all heads in full.
    let heads = [
        ("attention.head_count", n(16)),
        ("attention.head_count_kv", n(16)),
        ("attention.key_length", n(192)),
        ("attention.value_length", n(128)),
    ];
    let whole = known(&model("deepseek2", 27, &heads));
    let cache = whole.each[0].cache.unwrap();
    assert_eq!((cache.keys, cache.values, whole.is_latent), (3072, 2048, false));
}

#[test]
fn an_indexer_keeps_a_key_of_its_own() {
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
        let found = known(&model(architecture, 3, more));
        found.each.iter().map(|layer| layer.cache.unwrap().keys).collect::<Vec<_>>()
    };
    assert_eq!(keys("deepseek32", &more), [704, 704, 704]);
    assert_eq!(keys("glm-dsa", &more), [704, 576, 704]);
    assert_eq!(keys("hy_v4", &more), [704, 576, 704]);
    let without: Vec<_> = more.iter().filter(|(key, _)| *key != "attention.indexer.types").cloned().collect();
    assert_eq!(keys("glm-dsa", &without), [704, 704, 704]);
}

#[test]
fn state_stands_in_place_of_a_cache_or_beside_it() {
    let ssm = [
        ("ssm.conv_kernel", n(4)),
        ("ssm.inner_size", n(128)),
        ("ssm.state_size", n(16)),
        ("ssm.group_count", n(2)),
    ];
    let of = |architecture: &str, more: &[(&str, Parameter)]| {
        let found = known(&model(architecture, 8, &[&ssm[..], more].concat()));
        (drawn(&found), found.state.rolling, found.state.fixed)
    };
    // 3 rows of 128 numbers, and 2 groups of 16 twice where groups are read.
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
fn other_states_have_their_own_widths() {
    let of = |architecture: &str, more: &[(&str, Parameter)]| {
        let found = known(&model(architecture, 2, more));
        (found.state.rolling, found.state.fixed)
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
    let found = known(&model("kimi-linear", 2, &kimi));
    assert_eq!((drawn(&found), found.each[1].cache.unwrap().keys), ("sf".to_owned(), 576));
    // A window over all layers without state.
    let windowed = [
        ("attention.head_count_kv", list(&[0, 2])),
        ("shortconv.l_cache", n(3)),
        ("attention.sliding_window", n(64)),
    ];
    assert_eq!(drawn(&known(&model("lfm2", 2, &windowed))), "sw");
}

#[test]
fn layers_can_be_more_than_those_of_the_file() {
    assert_eq!(drawn(&known(&model("nanbeige", 2, &[("num_loops", n(3))]))), "ffffff");
    let routed = known(&model("graniteswitch", 2, &[]));
    let keys = routed.each.iter().map(|layer| layer.cache.unwrap().keys);
    assert_eq!(keys.collect::<Vec<_>>(), [32, 32, 16]);
    assert!(layers(&model("graniteswitch", 512, &[])).is_err());
    assert!(layers(&model("nanbeige", 512, &[("num_loops", n(2))])).is_err());
}

#[test]
fn what_has_no_memory_keeps_nothing() {
    for architecture in ["bert", "nomic-bert", "modern-bert", "gemma-embedding", "dream"] {
        let facts = header(architecture, &[("block_count", n(3))]);
        assert_eq!(known(&facts), Layers { each: vec![Layer::default(); 3], ..Layers::default() });
    }
}

#[test]
fn what_is_not_known_is_said() {
    assert_eq!(why(&Facts::default()), "the header names no architecture");
    for name in ["foo", "clip", "gptj"] {
        assert_eq!(why(&model(name, 2, &[])), format!("`{name}` is an architecture that b11434 cannot load"));
    }
    assert_eq!(why(&header("llama", &[])), "the header has no `block_count`");
    assert_eq!(why(&model("llama", 0, &[])), "`block_count` is 0");
    assert_eq!(why(&model("llama", 513, &[])), "it has 513 layers and b11434 loads 512");
    assert_eq!(why(&model("llama", -1, &[])), "`block_count` has -1, which no layer can have");
    assert_eq!(why(&model("llama", 2, &[("block_count", list(&[2]))])), "`block_count` is not one number");
    let headless = [("block_count", n(2)), ("embedding_length", n(64))];
    assert_eq!(why(&header("llama", &headless)), "the header has no `attention.head_count`");
    let wide = [("attention.key_length", n(1 << 31))];
    assert_eq!(why(&model("llama", 2, &wide)), "its layers are wider than the engine can count");
    for name in UNKNOWN {
        assert!(why(&model(name, 2, &[])).starts_with(&format!("`{name}` ")), "{name}");
    }
}

/// The keys that any of it reads.
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
    fn no_parameters_break_it(
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
