//! What each layer of a model keeps between tokens, from the metadata of its file.
//!
//! As llama.cpp b11434 does it: `llama_model_base::load_hparams` and `create_memory` (`src/llama-model.cpp`), the loader of
//! each architecture (`src/models/*.cpp`), and the caches (`src/llama-kv-cache*.cpp`, `src/llama-memory-*.cpp`). What is
//! particular to an architecture is its [`Layout`]. Where the engine would refuse the metadata, or keeps what is not
//! counted here, nothing is known.

mod counts;
mod header;
mod indexer;
mod layout;
mod model;
mod reuse;
mod state;
mod widths;
mod window;

pub use layout::{Caches, Indexer, Kind, Latent, Layout, Pattern, Recurrent, Unknown, When, Window};

use super::architecture::{Class, architecture};
use crate::facts::Facts;
use counts::Counts;
use header::Header;
use model::Model;

/// What the layers of a model keep between tokens.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layers {
    /// Layer by layer, those that a server computes; after them those of next-token prediction where they have a cache all
    /// the same, as most hybrid architectures give them one.
    pub each: Vec<Layer>,
    /// Tokens that a windowed layer looks back; 0 where no layer is windowed.
    pub window: u64,
    /// What one layer with state keeps for one sequence.
    pub state: State,
    /// Whether only keys are kept, as in multi-head latent attention.
    pub is_latent: bool,
    /// The most values of any layer, with a cache or without. Without flash attention each cache takes as many
    /// (`src/llama-kv-cache.cpp` of b11434: `n_embd_v_gqa_max`).
    pub widest_values: u64,
}

/// What one layer keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Layer {
    /// Its KV cache. One of no width is there all the same: see [`Layers::widest_values`].
    pub cache: Option<Cache>,
    /// Whether it keeps state.
    pub has_state: bool,
}

/// Numbers kept for a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cache {
    /// Whether it looks back a window only.
    pub is_windowed: bool,
    /// Numbers of the keys of all heads, with those of an indexer.
    pub keys: u64,
    /// Numbers of the values of all heads; 0 with latent attention.
    pub values: u64,
    /// Numbers of the key of one head, which the block of a quantized type has to divide.
    pub key_head: u64,
    /// Numbers of the value of one head.
    pub value_head: u64,
}

/// Recurrent state that one layer keeps for one sequence, in numbers of 4 bytes (f32).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The last inputs of a convolution or a token shift (`n_embd_r`).
    pub rolling: u64,
    /// The state itself (`n_embd_s`).
    pub fixed: u64,
}

/// What the layers of a model keep.
///
/// # Errors
///
/// Why that is not known, to stand in a sentence: "the header has no `attention.head_count`".
pub fn layers(facts: &Facts) -> Result<Layers, String> {
    let name = facts.architecture.as_deref().ok_or("the header names no architecture")?;
    let known = architecture(name).filter(|known| !known.is(Class::NotLoadable));
    let known = known.ok_or_else(|| format!("`{name}` is an architecture that b11434 cannot load"))?;
    let (header, layout) = (Header(facts), known.layout());
    if let Some(unknown) = &layout.unknown {
        let is_so = match &unknown.when {
            Some(key) => header.number(key)?.is_some_and(|number| number != 0),
            None => true,
        };
        if is_so {
            return Err(format!("`{name}` {}", unknown.why));
        }
    }
    let counts = Counts::of(header, layout)?;
    if !known.has_memory() {
        let each = (0..counts.computed).map(|_| Layer::default()).collect();
        return Ok(Layers { each, ..Layers::default() });
    }
    Model::of(header, known, counts)?.layers()
}
