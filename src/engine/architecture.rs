//! What is known of each model architecture, by the name that `general.architecture` carries.
//!
//! Facts of llama.cpp b11434: names and classes from `src/llama-arch.cpp`, the architectures without a memory module from
//! `src/llama-model.cpp`, the keys and the layers from `src/models/*.cpp`. They stand in `architectures.json`, one
//! architecture a line.

use std::sync::OnceLock;

use super::layers::Layout;
use serde::Deserialize;

/// One architecture.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    name: String,
    #[serde(default)]
    classes: Vec<Class>,
    #[serde(default)]
    experts: bool,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    layers: Layout,
}

/// What an architecture is, where it is not a plain transformer with a KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// State instead of a KV cache: Mamba, RWKV.
    Recurrent,
    /// Layers with state beside layers with a KV cache.
    Hybrid,
    /// Denoises a block of tokens.
    Diffusion,
    /// The state can be rolled back by some tokens; its memory grows by a factor of 1 + the draft length with MTP.
    RecurrentPartialRollback,
    /// No batch may hold tokens and embeddings.
    NoMixedTokenEmbdBatch,
    /// `--split-mode tensor` is refused.
    NoSplitModeTensor,
    /// No KV cache and no state: encoders and diffusion models. No prompt cache, no speculation.
    NoMemoryModule,
    /// A name that no model can be loaded under.
    NotLoadable,
}

#[derive(Deserialize)]
struct Table {
    architectures: Vec<Architecture>,
}

fn table() -> &'static [Architecture] {
    static TABLE: OnceLock<Vec<Architecture>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // A table that cannot be read is empty: a test counts its rows.
        serde_json::from_str::<Table>(include_str!("architectures.json"))
            .map_or_else(|_| Vec::new(), |table| table.architectures)
    })
}

/// The architecture of that name, as b11434 knows it; none may still be one of a fork or a newer build.
pub fn architecture(name: &str) -> Option<&'static Architecture> {
    let at = table().binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
    table().get(at)
}

/// All names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    table().iter().map(|known| known.name.as_str())
}

impl Architecture {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it belongs to a class.
    pub fn is(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }

    /// Whether all its layers keep state instead of a KV cache.
    pub fn is_recurrent(&self) -> bool {
        self.is(Class::Recurrent)
    }

    /// Whether some of its layers keep state.
    pub fn is_hybrid(&self) -> bool {
        self.is(Class::Hybrid)
    }

    /// Whether it has a KV cache or state. Encoders and diffusion models have none.
    pub fn has_memory(&self) -> bool {
        !self.is(Class::NoMemoryModule)
    }

    /// Whether its code names experts. False does not mean dense: `llama` serves Mixtral without reading a key of its own.
    pub fn names_experts(&self) -> bool {
        self.experts
    }

    /// What its layers keep, where that is not the plain case.
    pub fn layout(&self) -> &Layout {
        &self.layers
    }

    /// The metadata keys that its own loader reads besides the general one, without the prefix. A strong hint and no
    /// proof: some are read under a condition, and the general loader reads more.
    pub fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }
}
