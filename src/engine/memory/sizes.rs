//! What the engine makes of the sizes that it is asked for: it rounds, divides and caps in silence.

use super::Asked;
use crate::engine::architecture::{Class, architecture};
use crate::engine::compute::{Pooling, Sizes};
use crate::facts::Facts;

/// What a cell of a cache is rounded up to, in tokens (llama.cpp b11434, `src/llama-context.cpp`).
const PAD: u64 = 256;
/// The slots of a server that is told no number, which then share one cache (llama.cpp b11434, `tools/server/server.cpp`).
const OWN_SLOTS: u64 = 4;

/// A number of tokens, rounded up as caches are.
pub(super) fn pad(tokens: u64) -> u64 {
    tokens.checked_next_multiple_of(PAD).unwrap_or(u64::MAX)
}

/// The sizes of the context of a model whose windowed layers look back at `window` tokens, 0 where it has none (llama.cpp b11434:
/// `src/llama-context.cpp`, `src/llama-kv-cache-iswa.cpp`, `server_output_limits` of `tools/server/server-context.cpp`).
pub(super) fn of(asked: &Asked, facts: &Facts, window: u64) -> Sizes {
    let slots = slots(asked);
    let is_unified = asked.is_unified || asked.slots.is_none();
    let wanted = wanted(asked, facts);
    let (context, cells) = context(asked, wanted, slots);
    let ubatch = if asked.ubatch == 0 { asked.batch } else { asked.ubatch };
    // A batch of an embedding server is no larger than what is computed at once (`tools/server/server.cpp`).
    let batch = if asked.embeds { asked.batch.min(ubatch) } else { asked.batch };
    // Where tokens see those before them alone, there is no batch beyond the context, as it is before it is rounded.
    let batch = if is_causal(facts) { batch.min(wanted) } else { batch };
    let ubatch = ubatch.min(batch);
    let sharing = if is_unified { slots } else { 1 };
    let window_cells = match window {
        0 => 0,
        _ if asked.full_window => cells,
        tokens => pad(cells.min(tokens.saturating_mul(sharing).saturating_add(ubatch))),
    };
    let outputs = if asked.embeds { batch } else { batch.min(rows(asked, slots)) };
    Sizes {
        context,
        cells,
        window_cells,
        slots,
        streams: if is_unified { 1 } else { slots },
        ubatch,
        batch,
        outputs: outputs.max(1),
        flash_attention: asked.flash_attention,
        has_quantized_keys: asked.keys.block > 1,
        has_quantized_values: asked.values.block > 1,
        embeddings: asked.embeds.then(|| pooling(asked, facts)),
    }
}

/// The sizes of the context of a draft, which are those of its target but for what it puts out and the types of its caches (llama.cpp
/// b11434, `common_base_params_to_speculative` of `common/speculative.cpp`). It is asked for the context that its target has, which is
/// rounded already.
pub(super) fn of_draft(asked: &Asked, facts: &Facts, window: u64) -> Sizes {
    let mut own = asked.clone();
    own.embeds = false;
    if asked.draft_ubatch > 0 {
        own.ubatch = asked.draft_ubatch;
    }
    own.context = context(asked, wanted(asked, facts), slots(asked)).0;
    [own.keys, own.values] = asked.of_draft;
    let sizes = of(&own, facts, window);
    // One token a slot; a block of them at once where the draft predicts blocks.
    let per_slot = if asked.predicts_blocks() { asked.drafted().saturating_add(1) } else { 1 };
    Sizes { outputs: sizes.slots.saturating_mul(per_slot), ..sizes }
}

/// Whether tokens see those before them alone: as the header says, except where the architecture does (`src/models/*.cpp`).
fn is_causal(facts: &Facts) -> bool {
    let name = facts.architecture.as_deref().unwrap_or_default();
    let sees_all =
        name == "gemma-embedding" || architecture(name).is_some_and(|known| known.is(Class::Diffusion));
    !sees_all && facts.flag("attention.causal").unwrap_or(true)
}

fn slots(asked: &Asked) -> u64 {
    asked.slots.unwrap_or(OWN_SLOTS).max(1)
}

/// The tokens that are asked for: as many as it was trained on, where it is left to the engine.
fn wanted(asked: &Asked, facts: &Facts) -> u64 {
    let trained = || facts.number("context_length").unwrap_or(0);
    if asked.context == 0 { trained() } else { asked.context }
}

/// Tokens of all streams, and of one.
fn context(asked: &Asked, wanted: u64, slots: u64) -> (u64, u64) {
    let padded = pad(wanted);
    if asked.is_unified || asked.slots.is_none() {
        return (padded, padded);
    }
    let cells = pad(padded / slots);
    (cells.saturating_mul(slots), cells)
}

/// Tokens that each give an output in one batch, at the most.
fn rows(asked: &Asked, slots: u64) -> u64 {
    slots.saturating_mul(asked.drafted().saturating_add(1))
}

/// How embeddings are pooled: as is said, else as the model was trained (`src/llama-context.cpp`).
fn pooling(asked: &Asked, facts: &Facts) -> Pooling {
    let trained = || facts.number("pooling_type").unwrap_or(0);
    match asked.pooling.as_deref() {
        Some("none") => Pooling::None,
        Some("mean") => Pooling::Mean,
        Some(_) => Pooling::Row,
        None => match trained() {
            0 => Pooling::None,
            1 => Pooling::Mean,
            _ => Pooling::Row,
        },
    }
}
