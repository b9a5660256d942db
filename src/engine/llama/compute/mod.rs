//! The size of the compute buffer of a context, from the metadata of a model.
//!
//! llama.cpp builds the largest graph that it may have to run and asks the ggml allocator for its buffer size
//! (`llama_context::sched_reserve` of `src/llama-context.cpp`, b11434). This module does the same: `graph` has the
//! tensors, `alloc` is the allocator, and the other modules build the graphs of the architectures as `src/models/*.cpp`
//! does.

mod alloc;
mod attention;
mod backend;
mod build;
mod delta_net;
mod devices;
mod encoder;
mod ffn;
mod graph;
mod hparams;
mod layers;
mod mla;
mod op;
mod recurrent;
mod reorder;
mod rwkv;
mod schedule;
mod sizes;
mod split;

pub use devices::{ComputeBuffers, DeviceOptions, MAX_VULKAN_TENSOR, compute_buffers};

use super::architecture::{architecture, names};
use crate::facts::Facts;

/// The parameters of a context, as llama.cpp computes them (`llama_cparams`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContextParams {
    /// Tokens of all streams: `n_ctx`.
    pub context: u64,
    /// Cells of a stream: `n_ctx_seq`.
    pub cells: u64,
    /// Cells of a stream in the cache of layers with a sliding window; 0 if there are none.
    pub swa_cells: u64,
    /// Maximum number of sequences: `n_seq_max`.
    pub slots: u64,
    /// Streams: 1 if all sequences share one cache (`kv_unified`), otherwise one per sequence.
    pub streams: u64,
    /// Maximum size of a physical batch: `n_ubatch`.
    pub ubatch: u64,
    /// Maximum size of a logical batch: `n_batch`.
    pub batch: u64,
    /// Maximum number of tokens with logits or embeddings in a batch: `n_outputs_max`.
    pub outputs: u64,
    /// True if flash attention is used.
    pub flash_attention: bool,
    /// True if the cache stores keys in a quantized type.
    pub has_quantized_keys: bool,
    /// True if the cache stores values in a quantized type.
    pub has_quantized_values: bool,
    /// The pooling of embeddings; none if no embeddings are requested.
    pub embeddings: Option<Pooling>,
}

/// How the embeddings of a sequence are pooled (`llama_pooling_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pooling {
    /// No pooling: one embedding per token.
    None,
    /// The mean over all tokens.
    Mean,
    /// One token: `cls` (the first), `last`, or `rank`.
    SingleRow,
}

/// A predicted size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Bytes that the allocator reserves.
    pub bytes: u64,
    /// The error margin in percent.
    pub margin_percent: u8,
}

/// The compute buffer of a model on a machine without GPUs. It excludes additions by draft models, adapters and images.
///
/// # Errors
///
/// The reason why the size is not known, as a clause: "the graphs of `x` are not known".
pub fn compute_buffer(facts: &Facts, params: &ContextParams) -> Result<Estimate, String> {
    let model = hparams::Hparams::read(facts)?;
    let graph = layers::graph(build::Builder::new(&model, params))?;
    Ok(Estimate { bytes: alloc::buffer_size(&graph), margin_percent: model.recipe.margin_percent() })
}

/// All architectures whose graphs are known.
pub fn known_architectures() -> impl Iterator<Item = &'static str> {
    names().filter(|name| architecture(name).is_some_and(|known| known.graph().is_some()))
}

/// The buffer for logits and embeddings: `llama_context::output_reserve` of `src/llama-context.cpp`, b11434, as it is
/// before the first batch.
pub fn output_buffer(facts: &Facts, params: &ContextParams) -> u64 {
    let tokens = facts.vocabulary.as_ref().map_or(0, |tokens| tokens.size);
    let width = if params.embeddings.is_some() { facts.number("embedding_length").unwrap_or(0) } else { 0 };
    tokens.saturating_add(width).saturating_mul(params.slots).saturating_mul(graph::F32_SIZE)
}
