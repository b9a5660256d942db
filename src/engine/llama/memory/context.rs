//! The context parameters that llama.cpp derives from the options of a server. It silently rounds, divides and caps
//! them.

use super::MemoryOptions;
use crate::engine::architecture::{Class, architecture};
use crate::engine::compute::{ContextParams, Pooling};
use crate::facts::Facts;

/// llama.cpp rounds the cells of a cache up to a multiple of this (b11434, `src/llama-context.cpp`).
const CELL_PADDING: u64 = 256;
/// The number of slots of a server without `--parallel`; they share one cache (llama.cpp b11434,
/// `tools/server/server.cpp`).
const DEFAULT_SLOTS: u64 = 4;

/// Rounds a number of cells up as caches do.
fn pad(cells: u64) -> u64 {
    cells.checked_next_multiple_of(CELL_PADDING).unwrap_or(u64::MAX)
}

/// The context parameters of a model with a sliding window of `window` tokens; 0 for no window (llama.cpp b11434:
/// `src/llama-context.cpp`, `src/llama-kv-cache-iswa.cpp`, `server_output_limits` of
/// `tools/server/server-context.cpp`).
pub(super) fn target_params(options: &MemoryOptions, facts: &Facts, window: u64) -> ContextParams {
    let slots = slots(options);
    let is_unified = options.kv_unified || options.slots.is_none();
    let requested = requested_context(options, facts);
    let (context, cells) = context_and_cells(options, requested, slots);
    let ubatch = if options.ubatch == 0 { options.batch } else { options.ubatch };
    // An embedding server limits the logical batch to the physical one (`tools/server/server.cpp`).
    let batch = if options.embeddings { options.batch.min(ubatch) } else { options.batch };
    // With causal attention the batch is limited to the requested context, before rounding.
    let batch = if is_causal(facts) { batch.min(requested) } else { batch };
    let ubatch = ubatch.min(batch);
    let sequences_per_stream = if is_unified { slots } else { 1 };
    let swa_cells = match window {
        0 => 0,
        _ if options.swa_full => cells,
        tokens => pad(cells.min(tokens.saturating_mul(sequences_per_stream).saturating_add(ubatch))),
    };
    let outputs = if options.embeddings { batch } else { batch.min(max_outputs(options, slots)) };
    ContextParams {
        context,
        cells,
        swa_cells,
        slots,
        streams: if is_unified { 1 } else { slots },
        ubatch,
        batch,
        outputs: outputs.max(1),
        flash_attention: options.flash_attention,
        has_quantized_keys: options.cache_type_k.block > 1,
        has_quantized_values: options.cache_type_v.block > 1,
        embeddings: options.embeddings.then(|| pooling(options, facts)),
    }
}

/// The context parameters of a draft: those of its target, except the outputs and cache types (llama.cpp b11434,
/// `common_base_params_to_speculative` of `common/speculative.cpp`). The draft requests the context of its target,
/// which is already rounded.
pub(super) fn draft_params(options: &MemoryOptions, facts: &Facts, window: u64) -> ContextParams {
    let mut draft = options.clone();
    draft.embeddings = false;
    if options.draft_ubatch > 0 {
        draft.ubatch = options.draft_ubatch;
    }
    draft.context = context_and_cells(options, requested_context(options, facts), slots(options)).0;
    [draft.cache_type_k, draft.cache_type_v] = options.draft_cache_types;
    let params = target_params(&draft, facts, window);
    // One output per slot, or a whole block if the draft predicts blocks.
    let per_slot = if options.drafts_blocks() { options.max_drafted().saturating_add(1) } else { 1 };
    ContextParams { outputs: params.slots.saturating_mul(per_slot), ..params }
}

/// True if attention is causal: according to the header, unless the architecture overrides it (`src/models/*.cpp`).
fn is_causal(facts: &Facts) -> bool {
    let name = facts.architecture.as_deref().unwrap_or_default();
    let is_bidirectional =
        name == "gemma-embedding" || architecture(name).is_some_and(|known| known.is(Class::Diffusion));
    !is_bidirectional && facts.flag("attention.causal").unwrap_or(true)
}

fn slots(options: &MemoryOptions) -> u64 {
    options.slots.unwrap_or(DEFAULT_SLOTS).max(1)
}

/// The requested context, by default the trained one. If the engine fits it, its minimum: at most the trained context of
/// each stream (llama.cpp b11434, `common/fit.cpp`).
fn requested_context(options: &MemoryOptions, facts: &Facts) -> u64 {
    let trained = facts.number("context_length").unwrap_or(0);
    match options.context {
        0 if options.fits => {
            let streams = if options.kv_unified || options.slots.is_none() { 1 } else { slots(options) };
            options.least_context.min(trained).saturating_mul(streams)
        }
        0 => trained,
        tokens => tokens,
    }
}

/// The tokens of all streams, and the cells of one stream.
fn context_and_cells(options: &MemoryOptions, requested: u64, slots: u64) -> (u64, u64) {
    let padded = pad(requested);
    if options.kv_unified || options.slots.is_none() {
        return (padded, padded);
    }
    let cells = pad(padded / slots);
    (cells.saturating_mul(slots), cells)
}

/// Maximum number of tokens with an output in one batch: per slot the drafted tokens and one more.
fn max_outputs(options: &MemoryOptions, slots: u64) -> u64 {
    slots.saturating_mul(options.max_drafted().saturating_add(1))
}

/// The pooling of embeddings, by default that of the model (`src/llama-context.cpp`).
fn pooling(options: &MemoryOptions, facts: &Facts) -> Pooling {
    let default = || facts.number("pooling_type").unwrap_or(0);
    match options.pooling.as_deref() {
        Some("none") => Pooling::None,
        Some("mean") => Pooling::Mean,
        Some(_) => Pooling::SingleRow,
        None => match default() {
            0 => Pooling::None,
            1 => Pooling::Mean,
            _ => Pooling::SingleRow,
        },
    }
}
