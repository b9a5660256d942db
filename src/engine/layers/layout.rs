//! How the layers of an architecture differ from the plain case: a KV cache in each, over the whole context, and no state.

use serde::Deserialize;

/// What is particular to the layers of an architecture (`src/models/*.cpp` and `llama_model::create_memory` of llama.cpp
/// b11434). What is absent is as in the plain case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    /// The sliding window.
    pub window: Option<Window>,
    /// Which layers keep state.
    pub recurrent: Option<Recurrent>,
    /// What that state is.
    pub state: Option<Kind>,
    /// Whether the keys of multi-head latent attention are read.
    pub latent: Option<Latent>,
    /// The indexer that chooses the tokens to attend to.
    pub indexer: Option<Indexer>,
    /// Which layers have a cache.
    pub caches: Caches,
    /// Whether the widths of heads are read where the first layer has no heads.
    pub explicit_heads: bool,
    /// The key that says how wide a head of the values is, whatever the others say.
    pub value_head: Option<String>,
    /// Where what is kept is not known.
    pub unknown: Option<Unknown>,
}

/// A sliding window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The layers that look back a window only.
    pub pattern: Pattern,
    /// When there is one.
    #[serde(default)]
    pub when: When,
    /// Its tokens where the header does not say them; none where it has to.
    #[serde(default)]
    pub default: Option<u64>,
    /// Its tokens whatever the header says.
    #[serde(default)]
    pub fixed: Option<u64>,
}

/// Which layers look back a window only. A list or a period in the header goes before the period here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// All but the last of each so many.
    Every(u64),
    /// All but the first of each so many.
    EveryAfter(u64),
    /// Those that the header lists.
    Listed,
    /// Those without state.
    Caches,
}

/// When an architecture has a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// When the header has one that is not 0.
    #[default]
    Given,
    /// Always.
    Always,
    /// Except when the header says 0.
    UnlessZero,
    /// When there are so many layers.
    Layers(u64),
}

/// Which layers keep state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrent {
    /// Those without heads of keys and values; all others have a cache.
    WithoutHeads,
    /// Those with neither heads nor a feed-forward part; those with heads and without feed-forward part have a cache.
    WithoutHeadsAndFeedForward,
    /// All, and all have a cache too.
    Beside,
    /// All but the last of each so many, unless the header has a period or a list.
    UnlessEvery(u64),
}

/// What the state of a layer is (`llama_hparams::n_embd_r` and `n_embd_s`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// That of Mamba.
    Mamba,
    /// That of Mamba 2 and of gated delta networks, in groups.
    MambaInGroups,
    /// That of RWKV.
    Rwkv,
    /// A short convolution alone.
    ShortConvolution,
    /// That of Kimi delta attention.
    DeltaAttention,
    /// That of linear attention.
    LinearAttention,
}

/// Whether multi-head latent attention is read from the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latent {
    /// Where it is there.
    Optional,
    /// It has to be there.
    Required,
}

/// Which layers have an indexer, which keeps one key of its own for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indexer {
    /// All.
    Each,
    /// Those that the header lists; without a list all, or those of GLM 5.2 where the context is as long as there.
    EachUnlessListed,
    /// Those that the header lists, where `attention.indexer.top_k` is not 0.
    Listed,
}

/// Which layers have a cache, of those without state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caches {
    /// All but those of next-token prediction.
    #[default]
    Computed,
    /// Also those of next-token prediction.
    All,
    /// The first so many; the others read theirs.
    First(u64),
    /// All but the last `attention.shared_kv_layers`, which read those of others.
    Unshared,
    /// Each as often as `num_loops`.
    Looped,
    /// All, and one more with one head.
    Routed,
}

/// Where what is kept is not known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// The key that makes it so where it is there and not 0; none for always.
    #[serde(default)]
    pub when: Option<String>,
    /// Why, after the name of the architecture.
    pub why: String,
}
