//! Facts about model architectures, by the name in `general.architecture`.
//!
//! The facts are from llama.cpp b11434: names and classes from `src/llama-arch.cpp`, the architectures without a memory
//! module from `src/llama-model.cpp`, the keys, the layers and the graphs from `src/models/*.cpp`. `architectures.json`
//! has one architecture per line.

mod layout;
mod recipe;

pub use layout::{
    CachedLayers, Indexer, Layout, Mla, RecurrentLayers, SlidingWindow, StateKind, UnknownMemory,
    WindowCondition, WindowPattern,
};
pub use recipe::{Activation, BlockKind, Feature, Mixer, MoeLayers, NormKind, Recipe, Router};

use std::sync::OnceLock;

use serde::Deserialize;

/// A model architecture.
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
    #[serde(default)]
    graph: Option<Recipe>,
}

/// How an architecture differs from a transformer with a KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Recurrent state instead of a KV cache: Mamba, RWKV.
    Recurrent,
    /// Some layers have recurrent state, others a KV cache.
    Hybrid,
    /// A diffusion model, which denoises a block of tokens.
    Diffusion,
    /// The recurrent state can be rolled back by some tokens. With MTP its memory is multiplied by 1 + the draft
    /// length.
    RecurrentPartialRollback,
    /// A batch cannot have both tokens and embeddings.
    NoMixedTokenEmbdBatch,
    /// llama.cpp refuses `--split-mode tensor`.
    NoSplitModeTensor,
    /// No KV cache and no recurrent state: encoders and diffusion models. They have no prompt cache and no speculation.
    NoMemoryModule,
    /// llama.cpp knows the name, but cannot load such a model.
    NotLoadable,
}

#[derive(Deserialize)]
struct Table {
    architectures: Vec<Architecture>,
}

fn table() -> &'static [Architecture] {
    static TABLE: OnceLock<Vec<Architecture>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The text is constant, and a test counts the rows.
        serde_json::from_str::<Table>(include_str!("architectures.json"))
            .map_or_else(|_| Vec::new(), |table| table.architectures)
    })
}

/// The architecture with this name. No value if b11434 does not have it; a fork or a newer build may.
pub fn architecture(name: &str) -> Option<&'static Architecture> {
    let at = table().binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
    table().get(at)
}

/// True if the architecture is known and has no metadata keys for experts.
pub fn lacks_experts(name: &str) -> bool {
    architecture(name).is_some_and(|arch| !arch.experts)
}

/// The names of all architectures, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    table().iter().map(|known| known.name.as_str())
}

impl Architecture {
    /// The name in `general.architecture`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True if the architecture belongs to the class.
    pub fn is(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }

    /// True if all layers have recurrent state instead of a KV cache.
    pub fn is_recurrent(&self) -> bool {
        self.is(Class::Recurrent)
    }

    /// True if some layers have recurrent state.
    pub fn is_hybrid(&self) -> bool {
        self.is(Class::Hybrid)
    }

    /// True if the architecture has a KV cache or recurrent state. Encoders and diffusion models have neither.
    pub fn has_memory(&self) -> bool {
        !self.is(Class::NoMemoryModule)
    }

    /// True for an encoder of text, which computes only embeddings. Other architectures without memory are diffusion
    /// models, `clef` and the vocoder `wavtokenizer-dec`.
    pub fn is_encoder(&self) -> bool {
        !self.has_memory()
            && !self.is(Class::Diffusion)
            && !matches!(self.name(), "clef" | "wavtokenizer-dec")
    }

    /// True if the code of the architecture mentions experts. False does not mean dense: `llama` serves Mixtral and
    /// reads no additional keys for it.
    pub fn names_experts(&self) -> bool {
        self.experts
    }

    /// How the memory of its layers differs from the default.
    pub fn layout(&self) -> &Layout {
        &self.layers
    }

    /// How its graphs are built. No value if they are not known.
    pub fn graph(&self) -> Option<&Recipe> {
        self.graph.as_ref()
    }

    /// The metadata keys that the loader of the architecture reads in addition to the general loader, without the
    /// prefix. A hint only: some are read under a condition, and the general loader reads more.
    pub fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }
}
