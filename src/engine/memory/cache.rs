//! Keys, values and recurrent state: what is kept between tokens.

use crate::engine::compute::Sizes;
use crate::engine::layers::{Cache, Layers, layers};
use crate::facts::{Facts, TensorType};

/// Bytes of a number of recurrent state, always f32 (llama.cpp b11434, `src/llama-model.cpp`).
const NUMBER: u64 = 4;

/// Bytes of the caches of all layers (llama.cpp b11434, `src/llama-kv-cache.cpp` and `src/llama-kv-cache-iswa.cpp`); in words why
/// there cannot be such caches.
pub(super) fn keys_and_values(
    layers: &Layers,
    sizes: &Sizes,
    types: [&TensorType; 2],
) -> Result<u64, String> {
    let mut sum = 0_u64;
    for cache in caches(layers) {
        let cells = if cache.is_windowed { sizes.window_cells } else { sizes.cells };
        let token = token(layers, sizes, cache, types)?;
        sum = sum.saturating_add(token.saturating_mul(cells).saturating_mul(sizes.streams));
    }
    Ok(sum)
}

/// The width of a head that a type of cache does not divide, which a server with flash attention refuses whether it has a cache or
/// not; none where it divides all, or where they are not known (llama.cpp b11434, `src/llama-context.cpp`).
pub fn undivided(facts: &Facts, kind: &TensorType) -> Option<u64> {
    let layers = layers(facts).ok()?;
    let mut heads: Vec<u64> = caches(&layers).flat_map(|cache| [cache.key_head, cache.value_head]).collect();
    if heads.is_empty() {
        let count = facts.number("attention.head_count").filter(|count| *count > 0)?;
        let head = facts.number("embedding_length")? / count;
        heads.extend(
            ["attention.key_length", "attention.value_length"].map(|key| facts.number(key).unwrap_or(head)),
        );
    }
    heads.into_iter().find(|head| !head.is_multiple_of(kind.block))
}

fn caches(layers: &Layers) -> impl Iterator<Item = &Cache> {
    layers.each.iter().filter_map(|layer| layer.cache.as_ref())
}

/// Bytes of one token in one layer. Without flash attention values lie transposed, and are as wide as in the widest layer.
fn token(
    layers: &Layers,
    sizes: &Sizes,
    cache: &Cache,
    [keys, values]: [&TensorType; 2],
) -> Result<u64, String> {
    let is_plain = sizes.flash_attention || layers.is_latent;
    let width = if is_plain { cache.values } else { layers.widest_values };
    if sizes.flash_attention {
        // It reads whole blocks of each head (`src/llama-context.cpp`).
        row(keys, cache.key_head)?;
        row(values, if layers.is_latent { 0 } else { cache.value_head })?;
    }
    Ok(row(keys, cache.keys)?.saturating_add(row(values, width)?))
}

fn row(kind: &TensorType, numbers: u64) -> Result<u64, String> {
    if !numbers.is_multiple_of(kind.block) {
        return Err(format!(
            "{numbers} numbers do not fill blocks of {}, which a cache of `{}` has, and the server would not start",
            kind.block, kind.name
        ));
    }
    Ok((numbers / kind.block).saturating_mul(kind.bytes))
}

/// Bytes of the recurrent state of all slots, each with `rollback` further rows (llama.cpp b11434,
/// `src/llama-memory-recurrent.cpp`).
pub(super) fn state(layers: &Layers, sizes: &Sizes, rollback: u64) -> u64 {
    let rows = sizes.slots.saturating_mul(rollback.saturating_add(1));
    of_sequence(layers).saturating_mul(rows)
}

fn of_sequence(layers: &Layers) -> u64 {
    let count = layers.each.iter().filter(|layer| layer.has_state).count() as u64;
    let numbers = layers.state.rolling.saturating_add(layers.state.fixed);
    numbers.saturating_mul(NUMBER).saturating_mul(count)
}

/// What a token and what all of it takes in a copy beside keys and values, at the most: positions, sequences, lengths.
const OF_TOKEN: u64 = 16;
const OF_COPY: u64 = 4096;

/// Bytes of a context checkpoint of one slot at the most: its state, and the tokens of windowed layers that the next one sees (llama.cpp
/// b11434, `tools/server/server-context.cpp`, `state_write` of `src/llama-kv-cache.cpp`); 0 where all of the memory can be rolled back.
pub(super) fn checkpoint(layers: &Layers, sizes: &Sizes, types: [&TensorType; 2]) -> Result<u64, String> {
    let mut sum = of_sequence(layers);
    if sizes.window_cells > 0 && sizes.window_cells < sizes.cells {
        let tokens = layers.window.min(sizes.window_cells);
        for cache in caches(layers).filter(|cache| cache.is_windowed) {
            sum = sum.saturating_add(token(layers, sizes, cache, types)?.saturating_mul(tokens));
        }
        sum = sum.saturating_add(tokens.saturating_mul(OF_TOKEN));
    }
    Ok(if sum == 0 { 0 } else { sum.saturating_add(OF_COPY) })
}
