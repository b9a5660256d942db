//! Speculation of a role: with a draft, or with n-grams of the prompt.

use super::gpu::{CPU_EXPERTS, GPU_LAYERS};
use super::shape::Shape;
use super::{CpuExperts, GpuLayers, Id, Model, Serving, Text};
use crate::source::Spanned;

declare! {
    /// A draft for speculative decoding: a draft model, or the model's own layers.
    pub block Draft = with_principal("model") {
        /// The draft model. Required, unless `self` is true.
        model: Option<Spanned<Id<Model>>> = optional("model", Shape::Name("model")).example("qwen3-0.6b"),
        /// True if the model drafts with its own layers for multi-token prediction (MTP); excludes `model`.
        own: Option<Spanned<bool>> = optional("self", Shape::Flag).example("true"),
        /// The kind of drafting; default: the kind for the file of the draft, mostly `simple`.
        kind: Option<Spanned<DraftKind>> = optional("kind", Shape::Word(DraftKind::WORDS)).example("mtp"),
        /// Maximum number of draft tokens, 1 to 1024; default 16 for the kind `simple`, 3 for the others.
        max: Option<Spanned<u32>> = optional("max", Shape::Count(1, 1024)).example("16").unit("tokens"),
        /// Minimum number of draft tokens that the target verifies, 0 to 1024.
        min: Option<Spanned<u32>> = optional("min", Shape::Count(0, 1024)).example("2").unit("tokens"),
        /// Minimum probability of a draft token, 0 to 1.
        p_min: Option<Spanned<f64>> = optional("p-min", Shape::Fraction),
        // `[none]` keeps the draft off the GPUs of the role.
        /// GPUs of the host for the draft, or `none`; default: those of the role.
        gpu: Vec<Text> = repeated("gpu", Shape::Text).example("CUDA1"),
        /// Number of layers of the draft on the GPUs, `all`, or `fit`; default `all`, or `fit` if the role has `fit`.
        layers: Option<Spanned<GpuLayers>> = optional("layers", GPU_LAYERS).example("20").unit("layers").needs("gpu", "CUDA1"),
        /// Number of leading layers of the draft whose experts stay in the memory of the host, or `all`; default: none.
        cpu_experts: Option<Spanned<CpuExperts>> = optional("cpu-experts", CPU_EXPERTS).example("all").unit("layers").needs("gpu", "CUDA1"),
    }
}

declare! {
    /// Speculation from n-grams of the prompt.
    pub block Lookup = or_bare("ngram-min") {
        /// Length of an n-gram, 1 to 1024; default 3 for the kind `simple`, 24 for `mod`, 12 for the others.
        ngram_min: Option<Spanned<u32>> = optional("ngram-min", Shape::Count(1, 1024)).example("3").unit("tokens"),
        /// The kind of lookup; default `simple`. `cache` needs the option `lookup-cache-static` or `lookup-cache-dynamic`.
        kind: Option<Spanned<LookupKind>> = optional("kind", Shape::Word(LookupKind::WORDS)).example("map-k"),
    }
}

declare_words! {
    /// The kinds of drafting: the types `draft-*` of `--spec-type` (`common/speculative.cpp` of llama.cpp b11434).
    pub enum DraftKind {
        /// An ordinary model with the same vocabulary.
        Simple = "simple",
        /// Layers for multi-token prediction, of the model itself or in a separate file.
        Mtp = "mtp",
        /// An EAGLE-3 head.
        Eagle3 = "eagle3",
        /// A model that drafts a block of tokens at once.
        Dflash = "dflash",
        /// The same, with a Markov head.
        Dspark = "dspark",
    }
}

declare_words! {
    /// The kinds of lookup: the types `ngram-*` of `--spec-type` (`common/speculative.cpp` of llama.cpp b11434).
    pub enum LookupKind {
        /// The tokens after the last n-gram like the current one.
        Simple = "simple",
        /// The same, with a map of n-grams.
        MapK = "map-k",
        /// The same, with up to four continuations of each n-gram.
        MapK4v = "map-k4v",
        /// A table of hashes of n-grams, which all slots share.
        Mod = "mod",
        /// n-gram files.
        Cache = "cache",
    }
}

impl Draft {
    /// True if the model drafts with its own layers.
    pub fn is_own(&self) -> bool {
        self.own.is_some_and(|own| own.value)
    }
}

impl Serving {
    /// The draft with its model. `None` without a draft, and if the model drafts with its own layers.
    pub fn draft_model(&self) -> Option<(&Spanned<Draft>, Spanned<Id<Model>>)> {
        let draft = self.draft.as_deref()?;
        Some((draft, draft.value.model?))
    }
}
