//! How the layers of an architecture differ from the default: a KV cache over the whole context in each layer, and no
//! recurrent state.

use serde::Deserialize;

/// The special properties of the layers of an architecture (`src/models/*.cpp` and `llama_model::create_memory` of
/// llama.cpp b11434). Absent properties have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    /// The sliding window.
    pub window: Option<SlidingWindow>,
    /// Which layers have recurrent state.
    pub recurrent: Option<RecurrentLayers>,
    /// The kind of that state.
    pub state: Option<StateKind>,
    /// How multi-head latent attention (MLA) is read from the header.
    pub mla: Option<Mla>,
    /// The indexer of sparse attention, which selects the tokens to attend to.
    pub indexer: Option<Indexer>,
    /// Which layers have a KV cache.
    pub caches: CachedLayers,
    /// True if the head sizes are read even if the first layer has no heads.
    pub explicit_heads: bool,
    /// The key of the value head size; it overrides all others.
    pub value_head_key: Option<String>,
    /// When the memory of the layers is not known.
    pub unknown: Option<UnknownMemory>,
}

/// Sliding window attention (SWA).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlidingWindow {
    /// Which layers use the window.
    pub pattern: WindowPattern,
    /// When the window exists.
    #[serde(default)]
    pub when: WindowCondition,
    /// Its size in tokens if the header has none. No value if the header must have it.
    #[serde(default)]
    pub default: Option<u64>,
    /// A fixed size in tokens, which overrides the header.
    #[serde(default)]
    pub fixed: Option<u64>,
}

/// Which layers use the sliding window. A list or a period in the header overrides the period here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowPattern {
    /// All except the last of every n layers.
    FullLastOf(u64),
    /// All except the first of every n layers.
    FullFirstOf(u64),
    /// The layers that the header lists.
    Listed,
    /// All layers without recurrent state.
    WithoutState,
}

/// When an architecture has a sliding window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowCondition {
    /// If the header has a size other than 0.
    #[default]
    IfNonZero,
    /// Always.
    Always,
    /// Unless the header has the size 0.
    UnlessZero,
    /// If the model has this number of layers.
    Layers(u64),
}

/// Which layers have recurrent state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecurrentLayers {
    /// Layers without key and value heads; all others have a cache.
    WithoutHeads,
    /// Layers without heads and without a feed-forward network. Layers with heads and without a feed-forward network
    /// have a cache.
    WithoutHeadsAndFeedForward,
    /// All layers, and all of them also have a cache.
    AllWithCache,
    /// All except the last of every n layers, unless the header has a period or a list.
    FullAttentionEvery(u64),
}

/// The kind of recurrent state (`llama_hparams::n_embd_r` and `n_embd_s`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// Mamba.
    Mamba,
    /// Mamba 2 and gated delta net, with groups.
    Mamba2,
    /// RWKV.
    Rwkv,
    /// A short convolution.
    ShortConv,
    /// Kimi delta attention.
    Kda,
    /// Linear attention.
    LinearAttention,
}

/// How multi-head latent attention (MLA) is read from the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mla {
    /// If the header has its keys.
    Optional,
    /// Always; a header without its keys is an error.
    Required,
}

/// Which layers have an indexer, which stores one additional key per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indexer {
    /// All layers.
    All,
    /// The layers that the header lists. Without a list: those of GLM 5.2 if the context is at least as long, otherwise
    /// all.
    AllUnlessListed,
    /// The layers that the header lists, if `attention.indexer.top_k` is not 0.
    Listed,
}

/// Which layers without recurrent state have a KV cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CachedLayers {
    /// All layers except the multi-token prediction (MTP) layers.
    #[default]
    ExceptNextn,
    /// All layers, including the MTP layers.
    All,
    /// The first n layers; the others read the caches of these.
    First(u64),
    /// All except the last `attention.shared_kv_layers`, which read the caches of others.
    ExceptShared,
    /// All layers, each `num_loops` times.
    Looped,
    /// All layers, and one additional router layer with one head.
    Routed,
}

/// When the memory of an architecture is not known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownMemory {
    /// The key that must be present and not 0. No value if the memory is never known.
    #[serde(default)]
    pub when: Option<String>,
    /// The reason, as the predicate of a clause about the architecture.
    pub why: String,
}
