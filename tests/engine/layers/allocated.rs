//! Predicted KV caches and recurrent state, compared with the allocations of the engine's code.

use super::{UNKNOWN, known_layers};
use orchgen::engine::architecture::{Class, architecture, names};
use orchgen::engine::layers::{Layer, Layers};
use orchgen::facts::{Facts, Parameter};
use std::collections::{BTreeMap, BTreeSet};

#[derive(serde::Deserialize)]
struct Allocated {
    architecture: String,
    parameters: BTreeMap<Box<str>, Parameter>,
    bytes: [u64; 5],
}

/// A context: bytes per number of keys, bytes per number of values, flash attention, unified KV cache, cells, sequences,
/// batch, snapshots.
struct Context(u64, u64, bool, bool, u64, u64, u64, u64);

/// The contexts of the byte counts in `allocated.jsonl`, in the same order.
const CONTEXTS: [Context; 5] = [
    Context(4, 2, true, true, 1024, 1, 64, 0),
    Context(2, 4, true, true, 512, 3, 128, 0),
    Context(2, 2, false, true, 512, 1, 64, 0),
    Context(2, 2, true, false, 768, 2, 32, 2),
    Context(2, 2, true, true, 256, 5, 32, 0),
];

/// The predicted bytes. The size of each state tensor is a multiple of 32 bytes.
fn bytes(layers: &Layers, context: &Context) -> u64 {
    let Context(key, value, flash, unified, cells, sequences, batch, snapshots) = *context;
    let streams = if unified { 1 } else { sequences };
    let window = layers.window * if unified { sequences } else { 1 };
    let windowed = cells.min(window + batch).next_multiple_of(256);
    let layer_bytes = |layer: &Layer| {
        let cache = layer.cache.map_or(0, |cache| {
            let values = if flash { cache.values } else { layers.max_values };
            let cells = if cache.is_swa { windowed } else { cells };
            cells * streams * (cache.keys * key + values * value)
        });
        let state = |numbers: u64| (sequences * (1 + snapshots) * numbers * 4).next_multiple_of(32);
        let state =
            if layer.has_state { state(layers.state.rolling) + state(layers.state.recurrent) } else { 0 };
        cache + state
    };
    layers.each.iter().map(layer_bytes).sum()
}

/// `allocated.jsonl` has artificial headers of each architecture. For each header it lists the bytes that `load_hparams` and
/// `create_memory` of b11434, compiled without the rest of the engine, allocate in each of five contexts.
#[test]
fn predicted_bytes_equal_the_allocations_of_the_engine() {
    let mut seen = BTreeSet::new();
    for line in include_str!("allocated.jsonl").lines() {
        let allocated: Allocated = serde_json::from_str(line).unwrap();
        let architecture = Some(allocated.architecture.as_str().into());
        let facts = Facts { architecture, parameters: allocated.parameters, ..Facts::default() };
        let found = known_layers(&facts);
        assert_eq!(CONTEXTS.map(|context| bytes(&found, &context)), allocated.bytes, "{line}");
        seen.insert(allocated.architecture);
    }
    let is_known =
        |name: &&str| !architecture(name).unwrap().is(Class::NotLoadable) && !UNKNOWN.contains(name);
    let all: BTreeSet<String> = names().filter(is_known).map(str::to_owned).collect();
    assert_eq!(seen, all);
}
