//! The KV cache and recurrent state of each layer of a model, from the metadata of its file.
//!
//! It follows llama.cpp b11434: `llama_model_base::load_hparams` and `create_memory` (`src/llama-model.cpp`), the
//! loader of each architecture (`src/models/*.cpp`), and the caches (`src/llama-kv-cache*.cpp`,
//! `src/llama-memory-*.cpp`). The special properties of an architecture are in its `Layout`. If llama.cpp would
//! refuse the metadata, or has memory that is not modeled here, the result is an error.

mod counts;
mod header;
mod indexer;
mod model;
mod state;
mod widths;
mod window;

use super::architecture::{Architecture, Class, architecture};
use crate::facts::Facts;
use counts::LayerCounts;
use header::Header;
pub(super) use header::missing_key;
use model::ModelLayers;

/// The KV caches and recurrent states of all layers of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layers {
    /// The layers that a server computes, in order. The multi-token prediction (MTP) layers follow if they have a KV
    /// cache, as in most hybrid architectures.
    pub each: Vec<Layer>,
    /// The KV caches of the layers for multi-token prediction (MTP) in a context that drafts with them, or the reason why
    /// they are not known. Empty without such layers (`create_memory` in `src/llama-model.cpp` of b11434).
    pub mtp: Result<Vec<KvCache>, &'static str>,
    /// The size of the sliding window in tokens; 0 if no layer uses it.
    pub window: u64,
    /// The recurrent state of one layer for one sequence.
    pub state: RecurrentState,
    /// True if only keys are stored, as in multi-head latent attention.
    pub is_mla: bool,
    /// The maximum number of elements of the values over all layers, with or without a cache. Without flash attention
    /// each cache has this size (`n_embd_v_gqa_max` of `src/llama-kv-cache.cpp`, b11434).
    pub max_values: u64,
}

impl Default for Layers {
    fn default() -> Self {
        let (each, mtp, state) = (Vec::new(), Ok(Vec::new()), RecurrentState::default());
        Self { each, mtp, window: 0, state, is_mla: false, max_values: 0 }
    }
}

/// The memory of one layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Layer {
    /// Its KV cache, even if that has no elements: see [`Layers::max_values`].
    pub cache: Option<KvCache>,
    /// True if it has recurrent state.
    pub has_state: bool,
}

/// The elements that the KV cache of one layer stores per token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct KvCache {
    /// True if the layer uses the sliding window.
    pub is_swa: bool,
    /// Elements of the keys of all heads, including that of an indexer (`n_embd_k_gqa`).
    pub keys: u64,
    /// Elements of the values of all heads (`n_embd_v_gqa`); 0 with latent attention.
    pub values: u64,
    /// Elements of the key of one head. The block size of a quantized cache type must divide it.
    pub key_head: u64,
    /// Elements of the value of one head.
    pub value_head: u64,
}

/// The recurrent state of one layer for one sequence, in elements of 4 bytes (f32).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecurrentState {
    /// The last inputs of a convolution or a token shift (`n_embd_r`).
    pub rolling: u64,
    /// The state of the recurrence (`n_embd_s`).
    pub recurrent: u64,
}

/// The architecture of a model, or the reason why llama.cpp cannot load the model.
pub(super) fn loadable_architecture(facts: &Facts) -> Result<&'static Architecture, String> {
    let name = facts.architecture.as_deref().ok_or("the header names no architecture")?;
    let known = architecture(name).filter(|known| !known.is(Class::NotLoadable));
    known.ok_or_else(|| format!("`{name}` is an architecture that b11434 cannot load"))
}

/// Computes the KV caches and recurrent states of a model.
///
/// # Errors
///
/// The reason why they are not known, as a clause: "the header has no `attention.head_count`".
pub fn layers(facts: &Facts) -> Result<Layers, String> {
    let known = loadable_architecture(facts)?;
    let (header, layout) = (Header(facts), known.layout());
    if let Some(unknown) = &layout.unknown {
        let applies = match &unknown.when {
            Some(key) => header.number(key)?.is_some_and(|number| number != 0),
            None => true,
        };
        if applies {
            return Err(format!("`{}` {}", known.name(), unknown.why));
        }
    }
    let counts = LayerCounts::read(header, layout)?;
    if !known.has_memory() {
        let each = (0..counts.computed).map(|_| Layer::default()).collect();
        return Ok(Layers { each, ..Layers::default() });
    }
    ModelLayers::read(header, known, counts)?.layers()
}
