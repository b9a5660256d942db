//! The operations of a graph, and the parts of a model that they and its weights belong to. They decide on which device an
//! operation runs.

/// The part of a model that a weight or cache belongs to. This decides on which device it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// The embeddings of tokens, which are always on the host.
    Input,
    /// The weights of a layer, except its experts.
    Layer(u64),
    /// The experts of a layer.
    Experts(u64),
    /// The output matrix and the final norm.
    Output,
    /// The KV cache or recurrent state of a layer.
    Cache(u64),
}

/// The part of the model that the following operations belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Section {
    /// Everything before the first layer.
    #[default]
    Input,
    /// A layer.
    Layer(u64),
    /// Everything after the last layer.
    Output,
}

/// The operation of a tensor, as far as the scheduler distinguishes operations (`ggml_op`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Op {
    /// An input, a weight or a cache (`GGML_OP_NONE`).
    None,
    /// A view, which computes nothing.
    View,
    /// Rows of a matrix by index.
    GetRows,
    /// A matrix product.
    MulMat,
    /// A matrix product with the matrices of the selected experts.
    MulMatId,
    /// The normalization of `build_norm` (`ggml_norm`), before its weight.
    LayerNorm,
    /// The same with `ggml_rms_norm`.
    RmsNorm,
    /// A product.
    Mul,
    /// A sum.
    Add,
    /// A sum with the biases of the selected experts.
    AddId,
    /// `RoPE`.
    Rope,
    /// Rows that are stored in a KV cache.
    SetRows,
    /// An activation, not gated.
    Unary,
    /// A convolution of a recurrent layer.
    SsmConv,
    /// Flash attention.
    FlashAttention,
    /// The end of attention without flash attention, as one row per token.
    AttentionRows,
    /// Another operation.
    #[default]
    Other,
}
