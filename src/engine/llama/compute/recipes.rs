//! How the graphs of architectures differ in ways that affect memory: `src/models/*.cpp` of llama.cpp b11434.
//!
//! Recipes with a margin of `MEASURED` agree with a real server (b11669) to the last printed digit, for many contexts,
//! slots, batches and cache types, with and without flash attention. The others follow the source and are not measured.

use super::build::NormKind;
use super::ffn::{Activation, Router};

/// The structure of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BlockKind {
    /// Attention, then the feed-forward network, each with a norm before it.
    PreNorm,
    /// Attention and the feed-forward network read the same normalized input.
    Parallel,
    /// Like `PreNorm`, with a Mamba layer in parallel with attention.
    ParallelMamba,
    /// One operation per layer: attention, Mamba or the feed-forward network.
    SingleOp,
    /// Like `PreNorm`, with the norms after each operation instead of before it.
    PostNorm,
    /// BERT: no cache, and a norm after each residual connection.
    Encoder,
    /// RWKV.
    Rwkv,
}

/// The operation that mixes information between tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mixer {
    /// Attention.
    Attention,
    /// Multi-head latent attention.
    Mla,
    /// Attention; Mamba in recurrent layers.
    Mamba,
    /// Attention; Mamba 2 in recurrent layers.
    Mamba2,
    /// Gated attention; gated delta net in recurrent layers.
    GatedDeltaNet,
    /// Attention; a short convolution in recurrent layers.
    ShortConv,
}

/// Which layers of a mixture-of-experts model have experts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MoeLayers {
    /// All layers after the leading dense layers.
    AfterDense,
    /// Every second layer. The header does not record this, but all known models do it.
    Odd,
    /// By `interleave_moe_layer_step`.
    Step,
}

/// A property of an architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Feature {
    /// One matrix for queries, keys and values.
    FusedQkv,
    /// Norm of queries and keys, per head.
    QkNorm,
    /// Norm of queries and keys over all heads of a token.
    QkNormAllHeads,
    /// No `RoPE`.
    NoRope,
    /// `RoPE` only in layers with a sliding window, if the model has any.
    RopeOnlySwa,
    /// tanh soft-capping of attention logits.
    AttnLogitSoftcap,
    /// Embeddings are scaled by a factor per token.
    ScaledEmbeddings,
    /// A norm of the embeddings.
    EmbeddingNorm,
    /// No KV cache; embeddings are the output, without logits.
    EncoderOnly,
    /// Additional norms after attention and the feed-forward network, before the residual connection.
    SandwichNorm,
    /// The residual is the first operand of additions. The first operand decides which memory an addition reuses.
    ResidualFirst,
    /// The tokens with an output are selected after the last layer, not within it.
    LateOutputSelection,
    /// The normalized hidden state of all tokens is an output.
    HiddenStateOutput,
    /// The norm before attention is added to the graph before everything else in the layer.
    ExpandNorms,
    /// Norms within Mamba layers.
    SsmNorm,
    /// The weights of experts are normalized only if `expert_weights_norm` is true.
    OptionalWeightsNorm,
    /// A shared expert, by default as wide as the other experts.
    SharedExpert,
    /// The shared expert has a gate.
    GatedSharedExpert,
    /// Learned position embeddings.
    PositionEmbeddings,
    /// Separate matrices for `beta` and `alpha` of the gated delta net.
    SeparateBetaAlpha,
    /// M-RoPE: four positions per token.
    MRope,
}

/// How the graphs of one or more architectures are built.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    names: &'static [&'static str],
    pub(super) norm: NormKind,
    pub(super) block: BlockKind,
    pub(super) mixer: Mixer,
    pub(super) activation: Activation,
    pub(super) moe_layers: MoeLayers,
    pub(super) router: Router,
    features: &'static [Feature],
    /// The error margin of the buffer size in percent.
    pub(super) margin_percent: u8,
}

impl Recipe {
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

/// The recipe of an architecture.
pub(super) fn recipe(name: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.names.contains(&name))
}

/// All architectures with a recipe.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().flat_map(|recipe| recipe.names.iter().copied())
}

/// The error margin of recipes that were compared with a real server.
const MEASURED: u8 = 2;

/// The architecture of Llama models, from which the other recipes are derived.
const PLAIN: Recipe = Recipe {
    names: &[],
    norm: NormKind::RmsNorm,
    block: BlockKind::PreNorm,
    mixer: Mixer::Attention,
    activation: Activation::Gated,
    moe_layers: MoeLayers::AfterDense,
    router: Router::Probs,
    features: &[],
    margin_percent: MEASURED,
};

/// Like `PLAIN`, but not compared with a real server.
const UNMEASURED: Recipe = Recipe { margin_percent: 10, ..PLAIN };

/// Like `PLAIN`, with `LayerNorm` instead of `RmsNorm`.
const LAYER_NORM: Recipe = Recipe { norm: NormKind::LayerNorm, ..PLAIN };

use Feature::{
    AttnLogitSoftcap, EmbeddingNorm, EncoderOnly, ExpandNorms, FusedQkv, GatedSharedExpert,
    HiddenStateOutput, LateOutputSelection, MRope, NoRope, OptionalWeightsNorm, PositionEmbeddings, QkNorm,
    QkNormAllHeads, ResidualFirst, RopeOnlySwa, SandwichNorm, ScaledEmbeddings, SeparateBetaAlpha,
    SharedExpert, SsmNorm,
};

const RECIPES: &[Recipe] = &[
    // Transformers with a KV cache, dense or with experts.
    Recipe {
        names: &["llama", "qwen2", "mistral3", "granite", "granitemoe", "minicpm", "internlm2"],
        ..PLAIN
    },
    Recipe { names: &["exaone", "seed_oss", "smollm3", "xverse", "ernie4_5"], ..PLAIN },
    Recipe { names: &["qwen3", "qwen3moe", "hunyuan-dense"], features: &[QkNorm], ..PLAIN },
    Recipe { names: &["qwen2vl"], features: &[MRope], ..PLAIN },
    Recipe { names: &["qwen3vl", "qwen3vlmoe"], features: &[QkNorm, MRope], ..UNMEASURED },
    Recipe { names: &["qwen2moe"], features: &[OptionalWeightsNorm, GatedSharedExpert], ..PLAIN },
    Recipe { names: &["deepseek", "bailingmoe"], features: &[OptionalWeightsNorm], ..PLAIN },
    Recipe { names: &["dots1", "glm4moe"], features: &[QkNorm, OptionalWeightsNorm], ..PLAIN },
    Recipe { names: &["bailingmoe2"], features: &[FusedQkv, QkNorm, OptionalWeightsNorm], ..PLAIN },
    Recipe { names: &["minimax-m2"], features: &[QkNormAllHeads], ..PLAIN },
    Recipe { names: &["olmoe"], features: &[QkNormAllHeads, OptionalWeightsNorm], ..PLAIN },
    Recipe { names: &["hunyuan-moe"], features: &[QkNorm, SharedExpert], ..PLAIN },
    Recipe { names: &["openelm"], features: &[FusedQkv, QkNorm, ResidualFirst], margin_percent: 6, ..PLAIN },
    Recipe {
        names: &["gpt-oss"],
        router: Router::SoftmaxAfterTopK,
        features: &[OptionalWeightsNorm, LateOutputSelection],
        ..PLAIN
    },
    Recipe { names: &["gemma"], features: &[ScaledEmbeddings], ..PLAIN },
    Recipe { names: &["gemma2"], features: &[ScaledEmbeddings, SandwichNorm, AttnLogitSoftcap], ..PLAIN },
    Recipe { names: &["gemma3"], features: &[ScaledEmbeddings, SandwichNorm, QkNorm], ..PLAIN },
    Recipe {
        names: &["llama4"],
        moe_layers: MoeLayers::Step,
        router: Router::WeightBeforeFfn,
        features: &[OptionalWeightsNorm, SharedExpert],
        ..PLAIN
    },
    Recipe { names: &["deepseek2"], mixer: Mixer::Mla, features: &[OptionalWeightsNorm], ..PLAIN },
    Recipe { names: &["olmo2"], block: BlockKind::PostNorm, features: &[QkNormAllHeads], ..PLAIN },
    Recipe { names: &["exaone4"], block: BlockKind::PostNorm, features: &[QkNorm, RopeOnlySwa], ..PLAIN },
    Recipe {
        names: &["phimoe", "chatglm"],
        activation: Activation::FusedGated,
        features: &[FusedQkv],
        ..PLAIN
    },
    Recipe { names: &["phi3"], activation: Activation::FusedGated, features: &[FusedQkv], ..UNMEASURED },
    Recipe { names: &["glm4"], activation: Activation::FusedGated, features: &[SandwichNorm], ..PLAIN },
    Recipe { names: &["arcee"], activation: Activation::Ungated, ..PLAIN },
    Recipe { names: &["olmo", "orion", "stablelm"], ..LAYER_NORM },
    Recipe { names: &["starcoder2", "nemotron"], activation: Activation::Ungated, ..LAYER_NORM },
    Recipe { names: &["command-r"], block: BlockKind::Parallel, ..LAYER_NORM },
    Recipe { names: &["cohere2"], block: BlockKind::Parallel, features: &[RopeOnlySwa], ..LAYER_NORM },
    Recipe {
        names: &["phi2"],
        block: BlockKind::Parallel,
        activation: Activation::Ungated,
        features: &[FusedQkv, ResidualFirst],
        ..LAYER_NORM
    },
    // Recurrent and hybrid models.
    Recipe { names: &["mamba"], block: BlockKind::SingleOp, mixer: Mixer::Mamba, ..PLAIN },
    Recipe {
        names: &["mamba2"],
        block: BlockKind::SingleOp,
        mixer: Mixer::Mamba2,
        features: &[SsmNorm],
        ..PLAIN
    },
    Recipe { names: &["falcon-h1"], block: BlockKind::ParallelMamba, ..PLAIN },
    Recipe { names: &["granitehybrid"], mixer: Mixer::Mamba2, features: &[SsmNorm], ..PLAIN },
    Recipe {
        names: &["jamba"],
        mixer: Mixer::Mamba,
        moe_layers: MoeLayers::Odd,
        features: &[NoRope, SsmNorm, OptionalWeightsNorm, ResidualFirst],
        ..PLAIN
    },
    Recipe {
        names: &["qwen3next"],
        mixer: Mixer::GatedDeltaNet,
        features: &[GatedSharedExpert, LateOutputSelection, HiddenStateOutput, ExpandNorms],
        ..PLAIN
    },
    Recipe {
        names: &["qwen35", "qwen35moe"],
        mixer: Mixer::GatedDeltaNet,
        features: &[
            SeparateBetaAlpha,
            GatedSharedExpert,
            LateOutputSelection,
            HiddenStateOutput,
            ExpandNorms,
            MRope,
        ],
        ..PLAIN
    },
    Recipe { names: &["lfm2"], mixer: Mixer::ShortConv, features: &[QkNorm, ResidualFirst], ..PLAIN },
    Recipe {
        names: &["lfm2moe"],
        mixer: Mixer::ShortConv,
        router: Router::BiasedProbs,
        features: &[QkNorm, ResidualFirst],
        ..PLAIN
    },
    Recipe {
        names: &["nemotron_h"],
        block: BlockKind::SingleOp,
        mixer: Mixer::Mamba2,
        activation: Activation::Ungated,
        features: &[NoRope, SsmNorm, LateOutputSelection, HiddenStateOutput],
        ..PLAIN
    },
    Recipe { names: &["rwkv7"], norm: NormKind::LayerNorm, block: BlockKind::Rwkv, ..PLAIN },
    // Encoders.
    Recipe {
        names: &["bert"],
        block: BlockKind::Encoder,
        activation: Activation::Ungated,
        features: &[EncoderOnly, NoRope, PositionEmbeddings],
        ..LAYER_NORM
    },
    Recipe {
        names: &["nomic-bert"],
        block: BlockKind::Encoder,
        features: &[EncoderOnly, FusedQkv],
        ..LAYER_NORM
    },
    Recipe {
        names: &["jina-bert-v2"],
        block: BlockKind::Encoder,
        features: &[EncoderOnly, NoRope],
        margin_percent: UNMEASURED.margin_percent,
        ..LAYER_NORM
    },
    Recipe {
        names: &["jina-bert-v3"],
        block: BlockKind::Encoder,
        activation: Activation::Ungated,
        features: &[EncoderOnly, FusedQkv],
        margin_percent: UNMEASURED.margin_percent,
        ..LAYER_NORM
    },
    Recipe {
        names: &["gemma-embedding"],
        features: &[EncoderOnly, ScaledEmbeddings, SandwichNorm, QkNorm],
        ..PLAIN
    },
    Recipe {
        names: &["modern-bert"],
        activation: Activation::FusedGated,
        features: &[EncoderOnly, FusedQkv, EmbeddingNorm],
        ..LAYER_NORM
    },
];
