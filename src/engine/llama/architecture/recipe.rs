//! How the graphs of architectures differ in ways that affect memory: `src/models/*.cpp` of llama.cpp b11434.

use serde::Deserialize;

/// The error margin of recipes that agree with a real server (b11669) to the last printed digit, for many contexts,
/// slots, batches and cache types, with and without flash attention.
const MEASURED: u8 = 2;

/// How the graphs of an architecture are built. Absent properties are those of Llama models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The norm of most rows.
    pub norm: NormKind,
    /// The structure of a layer.
    pub block: BlockKind,
    /// The operation that mixes information between tokens.
    pub mixer: Mixer,
    /// The activation of the dense feed-forward network.
    pub activation: Activation,
    /// Which layers have experts.
    pub moe_layers: MoeLayers,
    /// How experts are selected.
    pub router: Router,
    features: Vec<Feature>,
    margin_percent: Option<u8>,
}

impl Recipe {
    /// True if the architecture has the property.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// The error margin of the buffer size in percent. Recipes that follow the source, but are not measured, have a
    /// larger one.
    pub fn margin_percent(&self) -> u8 {
        self.margin_percent.unwrap_or(MEASURED)
    }
}

/// The kind of normalization.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// `ggml_rms_norm`, which ggml can compute in place.
    #[default]
    RmsNorm,
    /// `ggml_norm`, which ggml cannot compute in place.
    LayerNorm,
}

/// The structure of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Attention, then the feed-forward network, each with a norm before it.
    #[default]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixer {
    /// Attention.
    #[default]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoeLayers {
    /// All layers after the leading dense layers.
    #[default]
    AfterDense,
    /// Every second layer. The header does not record this, but all known models do it.
    Odd,
    /// By `interleave_moe_layer_step`.
    Step,
}

/// A property of an architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
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
    /// Additional norms after attention and the feed-forward network, before the residual connection.
    SandwichNorm,
    /// The residual is the first operand of additions. The first operand decides which memory an addition reuses.
    ResidualFirst,
    /// The residual is not the first operand of the addition after the feed-forward network, despite `ResidualFirst`.
    FfnOutputFirst,
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

/// The activation of a feed-forward network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Gated (`SwiGLU`, `GeGLU`), with separate up and gate matrices.
    #[default]
    Gated,
    /// Gated, with one matrix of twice the width for up and gate.
    FusedGated,
    /// Not gated (GELU, `ReLU`, squared `ReLU`): one up matrix and an activation in place.
    Ungated,
}

/// How the router selects experts, and how their weights are computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Router {
    /// Top-k of the probabilities (softmax or sigmoid), which are also the weights.
    #[default]
    Probs,
    /// Top-k of the probabilities plus a bias; the weights are the probabilities without it.
    BiasedProbs,
    /// Top-k of the logits; a softmax of the selected logits gives the weights.
    SoftmaxAfterTopK,
    /// Top-k of the logits; the weights multiply the inputs of the experts, not their outputs (`weight_before_ffn`).
    WeightBeforeFfn,
}
