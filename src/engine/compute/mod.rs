//! The buffers that a context computes in, from the metadata of a model.
//!
//! The engine builds the largest graph it may have to run, and asks its allocator how long a buffer that takes
//! (`llama_context::sched_reserve` of `src/llama-context.cpp`, llama.cpp b11434). So does this: `graph` holds the tensors,
//! `place` is the allocator, and the rest builds the graphs of architectures as `src/models/*.cpp` does.

mod attention;
mod build;
mod delta;
mod encoder;
mod feed;
mod graph;
mod latent;
mod layers;
mod model;
mod place;
mod recipes;
mod rwkv;
mod state;

use crate::facts::Facts;

/// What a context is asked to hold, as the engine understands it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Tokens of all streams: `n_ctx`.
    pub context: u64,
    /// Cells of a stream: `n_ctx_seq`.
    pub cells: u64,
    /// Cells of a stream in the cache of windowed layers; 0 where none is.
    pub window_cells: u64,
    /// Sequences at once: `n_seq_max`.
    pub slots: u64,
    /// Streams: 1 where all sequences share one cache, else as many as sequences.
    pub streams: u64,
    /// Tokens computed at once: `n_ubatch`.
    pub ubatch: u64,
    /// Tokens handed over at once: `n_batch`.
    pub batch: u64,
    /// Tokens for which there may be logits at once: `n_outputs_max`.
    pub outputs: u64,
    /// Whether attention is computed in one step.
    pub flash_attention: bool,
    /// Whether keys are kept in a quantized type.
    pub has_quantized_keys: bool,
    /// Whether values are kept in a quantized type.
    pub has_quantized_values: bool,
    /// What is made of the embeddings, if they are asked for.
    pub embeddings: Option<Pooling>,
}

/// What is made of the embeddings of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pooling {
    /// Nothing: one for each token.
    None,
    /// Their mean.
    Mean,
    /// The first or the last one, with or without a rank made of it.
    Row,
}

/// Bytes, and how far off they may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Bytes that the allocator reserves.
    pub bytes: u64,
    /// By how many percent that may be off.
    pub within: u8,
}

/// The buffer for the graph of a model, on a machine without cards. What draft models, adapters or embeddings of images add to
/// a graph is not in it.
///
/// # Errors
///
/// Why that is not known, to stand in a sentence: "the graphs of `x` are not known".
pub fn compute(facts: &Facts, sizes: &Sizes) -> Result<Estimate, String> {
    let model = model::Model::of(facts)?;
    let name = model.architecture;
    let recipe = recipes::recipe(name).ok_or_else(|| format!("the graphs of `{name}` are not known"))?;
    let graph = layers::graph(build::Builder::new(&model, sizes, recipe))?;
    Ok(Estimate { bytes: place::length(&graph), within: recipe.within })
}

/// The architectures whose graphs are known.
pub fn known() -> impl Iterator<Item = &'static str> {
    recipes::names()
}

/// The buffer for logits and embeddings: `llama_context::output_reserve` of `src/llama-context.cpp`, b11434, as it is before
/// the first batch.
pub fn output(facts: &Facts, sizes: &Sizes) -> u64 {
    let tokens = facts.vocabulary.as_ref().map_or(0, |tokens| tokens.size);
    let width = if sizes.embeddings.is_some() { facts.number("embedding_length").unwrap_or(0) } else { 0 };
    tokens.saturating_add(width).saturating_mul(sizes.slots).saturating_mul(graph::SINGLE)
}
