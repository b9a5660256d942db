//! Layers that read the KV cache of another layer (`gemma3n` and `gemma4`, `create_memory` in `src/llama-model.cpp` of
//! llama.cpp b11434).

use super::header::Header;
use super::layout::CachedLayers;
use super::model::ModelLayers;

/// The number of leading layers with a separate KV cache (`n_layer_kv_from_start`).
pub(super) fn kv_from_start(
    header: Header<'_>,
    caches: CachedLayers,
    stored_layers: u64,
) -> Result<u64, String> {
    let count = match caches {
        CachedLayers::First(count) => count,
        CachedLayers::ExceptShared => {
            let shared = header.number("attention.shared_kv_layers")?.unwrap_or(0);
            stored_layers.saturating_sub(shared)
        }
        CachedLayers::ExceptNextn | CachedLayers::All | CachedLayers::Looped | CachedLayers::Routed => {
            return Ok(u64::MAX);
        }
    };
    // Two are needed: layers with a sliding window read the cache of the second to last of them.
    if count < 2 {
        Err(format!("only {count} of its layers have a separate KV cache, and 2 are needed"))
    } else {
        Ok(count)
    }
}

/// Checks that each layer without a cache reads the cache of a layer of the same kind. Layers with full attention read
/// the last cache, layers with a sliding window the second to last. llama.cpp aborts if the kinds differ.
pub(super) fn check_reuse(model: &ModelLayers<'_>) -> Result<(), String> {
    let is_valid = (model.kv_from_start..model.counts.cached).all(|layer| {
        let is_swa = model.is_swa(layer);
        let source = model.kv_from_start.saturating_sub(if is_swa { 2 } else { 1 });
        model.is_swa(source) == is_swa
    });
    if is_valid {
        Ok(())
    } else {
        Err("a layer without a KV cache would read the cache of a layer with another kind of attention"
            .to_owned())
    }
}
