//! The size of KV caches, recurrent states and context checkpoints.

use crate::engine::Profile;
use crate::engine::compute::ContextParams;
use crate::engine::layers::{KvCache, Layers, layers};
use crate::engine::offload::Offload;
use crate::facts::{Facts, TensorType};
use std::collections::BTreeMap;

/// Bytes of an element of recurrent state, which is always f32 (llama.cpp b11434, `src/llama-model.cpp`).
const STATE_ELEMENT: u64 = 4;

/// Bytes by device, or of the host.
pub(super) type SumsByPlace = BTreeMap<Option<usize>, u64>;

/// Bytes of the KV caches of all layers (llama.cpp b11434, `src/llama-kv-cache.cpp` and `src/llama-kv-cache-iswa.cpp`). The
/// cache of a layer is on the device of the layer. The error is the reason why llama.cpp would refuse the caches.
pub(super) fn kv_caches(
    layers: &Layers,
    params: &ContextParams,
    types: [&TensorType; 2],
    offload: &Offload,
) -> Result<SumsByPlace, String> {
    let caches = (0..).zip(&layers.each).filter_map(|(at, layer)| Some((at, layer.cache.as_ref()?)));
    sum_of(layers, params, types, offload, caches)
}

/// The same for the layers of a context that drafts with MTP layers. Only these layers have a cache there, also in a hybrid
/// model (`create_memory` in `src/llama-model.cpp` of llama.cpp b11434). They are the last ones of the file.
pub(super) fn mtp_caches(
    layers: &Layers,
    params: &ContextParams,
    types: [&TensorType; 2],
    offload: &Offload,
) -> Result<SumsByPlace, String> {
    let caches = layers.mtp.as_ref().map_err(|why| (*why).to_owned())?;
    let first = (offload.layers.len() as u64).saturating_sub(caches.len() as u64);
    sum_of(layers, params, types, offload, (first..).zip(caches))
}

fn sum_of<'c>(
    layers: &Layers,
    params: &ContextParams,
    types: [&TensorType; 2],
    offload: &Offload,
    caches: impl Iterator<Item = (u64, &'c KvCache)>,
) -> Result<SumsByPlace, String> {
    let mut sums = SumsByPlace::from([(None, 0)]);
    for (layer, cache) in caches {
        let cells = if cache.is_swa { params.swa_cells } else { params.cells };
        let token = token_bytes(layers, params, cache, types)?;
        let bytes = token.saturating_mul(cells).saturating_mul(params.streams);
        let sum = sums.entry(offload.cache_device(layer)).or_default();
        *sum = sum.saturating_add(bytes);
    }
    Ok(sums)
}

/// The half of a KV cache that has its own data type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheHalf {
    /// The keys (`--cache-type-k`).
    Keys,
    /// The values (`--cache-type-v`).
    Values,
}

/// The head size that is not divisible by the block size of a cache type. A server with flash attention refuses such a
/// type, even if the model has no cache (llama.cpp b11434, `src/llama-context.cpp`). No value if all head sizes are
/// divisible or not known.
pub fn indivisible_head(facts: &Facts, cache_type: &TensorType, half: CacheHalf) -> Option<u64> {
    let layers = layers(facts).ok()?;
    let is_key = half == CacheHalf::Keys;
    let head = |cache: &KvCache| if is_key { cache.key_head } else { cache.value_head };
    let mut heads: Vec<u64> = caches(&layers).map(head).collect();
    if heads.is_empty() {
        let count = facts.number("attention.head_count").filter(|count| *count > 0)?;
        let head = facts.number("embedding_length")? / count;
        let key = if is_key { "attention.key_length" } else { "attention.value_length" };
        heads.push(facts.number(key).unwrap_or(head));
    }
    heads.into_iter().find(|head| !head.is_multiple_of(cache_type.block))
}

/// True if a build refuses different types of keys and values for a model: since b10434, for models with multi-head
/// latent attention and for `deepseek4` (`src/llama-context.cpp` of b10429 and b11434; b9093 has no such check).
pub fn needs_equal_cache_types(profile: &Profile, facts: &Facts) -> bool {
    let is_known = profile.build_number().is_some_and(|build| build >= EQUAL_TYPES_SINCE);
    let is_one_cache = || {
        facts.architecture.as_deref() == Some("deepseek4") || layers(facts).is_ok_and(|layers| layers.is_mla)
    };
    is_known && is_one_cache()
}

/// The first built-in build that refuses different types of keys and values for some models.
const EQUAL_TYPES_SINCE: u32 = 10434;

fn caches(layers: &Layers) -> impl Iterator<Item = &KvCache> {
    layers.each.iter().filter_map(|layer| layer.cache.as_ref())
}

/// Bytes of one token in one layer. Without flash attention values are stored transposed, with the size of the widest
/// layer.
fn token_bytes(
    layers: &Layers,
    params: &ContextParams,
    cache: &KvCache,
    [type_k, type_v]: [&TensorType; 2],
) -> Result<u64, String> {
    let has_own_size = params.flash_attention || layers.is_mla;
    let values = if has_own_size { cache.values } else { layers.max_values };
    if params.flash_attention {
        // Flash attention reads whole blocks of each head (`src/llama-context.cpp`).
        row_bytes(type_k, cache.key_head)?;
        row_bytes(type_v, if layers.is_mla { 0 } else { cache.value_head })?;
    }
    Ok(row_bytes(type_k, cache.keys)?.saturating_add(row_bytes(type_v, values)?))
}

/// `ggml_row_size`.
fn row_bytes(tensor_type: &TensorType, elements: u64) -> Result<u64, String> {
    if !elements.is_multiple_of(tensor_type.block) {
        return Err(format!(
            "a KV cache of type `{}` needs sizes divisible by {}, not {elements}; the server would exit at startup",
            tensor_type.name, tensor_type.block
        ));
    }
    Ok((elements / tensor_type.block).saturating_mul(tensor_type.bytes))
}

/// Bytes of the recurrent state of all slots, each with `rollback` additional rows (llama.cpp b11434,
/// `src/llama-memory-recurrent.cpp`). The state of a layer is on the device of the layer.
pub(super) fn recurrent_state(
    layers: &Layers,
    params: &ContextParams,
    rollback: u64,
    offload: &Offload,
) -> SumsByPlace {
    let rows = params.slots.saturating_mul(rollback.saturating_add(1));
    let bytes = layer_state(layers).saturating_mul(rows);
    let mut sums = SumsByPlace::from([(None, 0)]);
    for (layer, _) in (0..).zip(&layers.each).filter(|(_, layer)| layer.has_state) {
        let sum = sums.entry(offload.cache_device(layer)).or_default();
        *sum = sum.saturating_add(bytes);
    }
    sums
}

/// Bytes of the recurrent state of one layer for one sequence.
fn layer_state(layers: &Layers) -> u64 {
    layers.state.rolling.saturating_add(layers.state.recurrent).saturating_mul(STATE_ELEMENT)
}

/// Bytes of the recurrent state of one sequence.
fn sequence_state(layers: &Layers) -> u64 {
    let count = layers.each.iter().filter(|layer| layer.has_state).count() as u64;
    layer_state(layers).saturating_mul(count)
}

/// Maximum bytes of a checkpoint per token and in total, in addition to keys and values: positions, sequences and
/// lengths.
const CHECKPOINT_TOKEN: u64 = 16;
const CHECKPOINT_OVERHEAD: u64 = 4096;

/// Maximum bytes of a context checkpoint of one slot: its recurrent state, and the tokens in the sliding window of the
/// next token (llama.cpp b11434, `tools/server/server-context.cpp`, `state_write` of `src/llama-kv-cache.cpp`). 0 if
/// the whole memory can be rolled back.
pub(super) fn checkpoint(
    layers: &Layers,
    params: &ContextParams,
    types: [&TensorType; 2],
) -> Result<u64, String> {
    let mut sum = sequence_state(layers);
    if params.swa_cells > 0 && params.swa_cells < params.cells {
        let tokens = layers.window.min(params.swa_cells);
        for cache in caches(layers).filter(|cache| cache.is_swa) {
            sum = sum.saturating_add(token_bytes(layers, params, cache, types)?.saturating_mul(tokens));
        }
        sum = sum.saturating_add(tokens.saturating_mul(CHECKPOINT_TOKEN));
    }
    Ok(if sum == 0 { 0 } else { sum.saturating_add(CHECKPOINT_OVERHEAD) })
}
