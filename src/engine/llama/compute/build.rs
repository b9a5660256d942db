//! The graph parts common to all architectures: inputs, embeddings, output head and pooling.
//!
//! They follow `src/llama-graph.cpp` of llama.cpp b11434. Two things are omitted: operations that run in place and
//! change no size, for example the addition of a bias, and views that only operations with a separate result read.

use super::graph::{
    F16_SIZE, F32_SIZE, Graph, Home, I32_SIZE, I64_SIZE, Op, Section, Shape, TensorId, product,
};
use super::hparams::Hparams;
use super::{ContextParams, Pooling};
use crate::engine::architecture::{Class, Feature, NormKind, Recipe};
use crate::engine::layers::KvCache;

/// A graph under construction. Inputs that no layer reads need no memory.
pub(super) struct Builder<'a> {
    pub(super) graph: Graph,
    pub(super) model: &'a Hparams<'a>,
    pub(super) params: &'a ContextParams,
    pub(super) recipe: &'static Recipe,
    /// False if a few layers of a kind are enough, because they use the same memory again.
    pub(super) builds_all_layers: bool,
    /// Tokens of the batch (`n_tokens`), the same number for each sequence.
    pub(super) tokens: u64,
    /// Tokens with an output (`n_outputs`).
    outputs: u64,
    /// Sequences (`n_seqs`).
    pub(super) seqs: u64,
    /// Tokens per sequence (`n_seq_tokens`).
    pub(super) seq_tokens: u64,
    /// The tokens with an output (`inp_out_ids`).
    out_ids: TensorId,
    /// The positions of the tokens (`inp_pos`).
    pub(super) positions: TensorId,
    /// The inputs of the KV cache of layers with full attention.
    pub(super) full_cache: CacheInputs,
    /// The inputs of the KV cache of layers with a sliding window.
    pub(super) swa_cache: CacheInputs,
    /// The attention masks of a model without a cache: for full attention and for a sliding window.
    pub(super) no_cache_masks: [TensorId; 2],
    /// The cells of the recurrent states of the sequences (`s_copy`).
    pub(super) state_ids: TensorId,
}

/// The inputs of a KV cache (`llm_graph_input_attn_kv`).
#[derive(Clone, Copy)]
pub(super) struct CacheInputs {
    pub(super) is_swa: bool,
    /// True if a layer uses the cache.
    pub(super) is_used: bool,
    /// The attention mask (`kq_mask`).
    pub(super) mask: TensorId,
    /// The cells that the keys are written to (`k_idxs`).
    pub(super) k_idxs: TensorId,
    /// The cells that the values are written to (`v_idxs`).
    pub(super) v_idxs: TensorId,
    /// The Hadamard matrix that rotates queries and keys, for a quantized cache.
    pub(super) k_rot: Option<TensorId>,
    /// The Hadamard matrix that rotates values, for a quantized cache.
    pub(super) v_rot: Option<TensorId>,
}

impl CacheInputs {
    /// The inputs of a KV cache with `cells` cells per stream, for layers with the caches `layers`.
    fn new(
        graph: &mut Graph,
        (model, params): (&Hparams<'_>, &ContextParams),
        tokens: u64,
        cells: u64,
        layers: &[KvCache],
    ) -> Self {
        // Without flash attention values are stored transposed, so each element has an index.
        let values_per_token = if params.flash_attention { 1 } else { model.memory.max_values };
        let streams = params.streams.max(1);
        // `llama_kv_cache` rotates keys by the largest power of two that divides the head size, and values by 64.
        let key = rotatable_head(layers, |cache| cache.key_head).filter(|_| params.has_quantized_keys);
        let value = rotatable_head(layers, |cache| cache.value_head).filter(|_| params.has_quantized_values);
        let [k_rot, v_rot] = [key.map(|head| 1 << head.trailing_zeros()), value.map(|_| 64)]
            .map(|size| size.map(|size| graph.input(F32_SIZE, [size, size, 1, 1])));
        Self {
            is_swa: layers.iter().any(|cache| cache.is_swa),
            is_used: !layers.is_empty(),
            mask: graph.input(mask_type_size(params), [cells, tokens / streams, 1, streams]),
            k_idxs: graph.input(I64_SIZE, [tokens, 1, 1, 1]),
            v_idxs: graph.input(I64_SIZE, [tokens.saturating_mul(values_per_token), 1, 1, 1]),
            k_rot,
            v_rot,
        }
    }
}

/// The head size, if it is the same in all layers and a multiple of 64.
fn rotatable_head(layers: &[KvCache], size: fn(&KvCache) -> u64) -> Option<u64> {
    let first = layers.first().map(size)?;
    (first > 0 && first % 64 == 0 && layers.iter().all(|cache| size(cache) == first)).then_some(first)
}

/// Flash attention reads masks of f16.
fn mask_type_size(params: &ContextParams) -> u64 {
    if params.flash_attention { F16_SIZE } else { F32_SIZE }
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a Hparams<'a>, params: &'a ContextParams) -> Self {
        let (mut graph, recipe) = (Graph::default(), model.recipe);
        let seqs = params.slots.max(1);
        let max_tokens = params.context.min(params.ubatch).max(1);
        let tokens = max_tokens.div_ceil(seqs).saturating_mul(seqs);
        let outputs = max_tokens.min(params.outputs.max(1));
        let positions_per_token = if recipe.has(Feature::MRope) { 4 } else { 1 };
        let positions = graph.input(I32_SIZE, [tokens.saturating_mul(positions_per_token), 1, 1, 1]);
        // The size of b11669, which pads this mask to a multiple of 256 tokens; b11434 does not.
        let padded = tokens.checked_next_multiple_of(256).unwrap_or(tokens);
        let mut no_cache_mask = || graph.input(mask_type_size(params), [padded, tokens, 1, 1]);
        let full = no_cache_mask();
        let has_window = model.number("attention.sliding_window").is_some_and(|window| window > 0);
        let no_cache_masks = [full, if has_window { no_cache_mask() } else { full }];
        let caches = model.memory.each.iter().filter_map(|layer| layer.cache);
        let (swa, full): (Vec<_>, Vec<_>) = caches.partition(|cache| cache.is_swa);
        let full_cache = CacheInputs::new(&mut graph, (model, params), tokens, params.cells, &full);
        let swa_cache = CacheInputs::new(&mut graph, (model, params), tokens, params.swa_cells, &swa);
        Self {
            model,
            params,
            recipe,
            builds_all_layers: false,
            tokens,
            outputs,
            seqs,
            seq_tokens: tokens / seqs,
            out_ids: graph.input(I32_SIZE, [outputs, 1, 1, 1]),
            positions,
            full_cache,
            swa_cache,
            no_cache_masks,
            state_ids: graph.input(I32_SIZE, [seqs, 1, 1, 1]),
            graph,
        }
    }

    /// The shape of a row of `width` elements per token.
    pub(super) fn rows(&self, width: u64) -> Shape {
        [width, self.tokens, 1, 1]
    }

    /// The same, by sequence.
    pub(super) fn seq_rows(&self, width: u64) -> Shape {
        [width, self.seq_tokens, self.seqs, 1]
    }

    /// A view of `count` heads per token.
    pub(super) fn by_head(&mut self, rows: TensorId, head: u64, count: u64) -> TensorId {
        self.graph.view(rows, [head, count, self.tokens, 1])
    }

    /// `build_inp_embd`. The input for raw embeddings is allocated even if the batch has none. With deepstack layers
    /// (Qwen3-VL) its rows are wider: each of the first layers adds one part of them.
    pub(super) fn input_embeddings(&mut self) -> TensorId {
        let parts = self.model.deepstack_layers.saturating_add(1);
        let shape = self.rows(self.model.n_embd.saturating_mul(parts));
        let embeddings = self.lookup_embeddings(shape);
        let raw = self.graph.input(F32_SIZE, shape);
        self.graph.expand(raw);
        if !self.model.architecture.is(Class::NoMixedTokenEmbdBatch) {
            let token_rows = self.graph.input(I64_SIZE, [self.tokens, 1, 1, 1]);
            let raw = self.graph.input(F32_SIZE, shape);
            let copy = self.graph.op(shape, &[raw]);
            let mixed = self.lookup_embeddings(shape);
            self.graph.expand(embeddings);
            let merged = self.graph.set_rows(&[mixed, token_rows, copy], copy);
            self.graph.expand(merged);
        }
        self.graph.expand(embeddings);
        if parts == 1 { embeddings } else { self.without_deepstack(embeddings) }
    }

    /// The embeddings of tokens (`ggml_get_rows`), padded for deepstack layers.
    fn lookup_embeddings(&mut self, padded: Shape) -> TensorId {
        let tokens = self.graph.input(I32_SIZE, [self.tokens, 1, 1, 1]);
        let matrix = product(&[self.model.n_embd, self.model.vocabulary]);
        let matrix = self.graph.external(Home::Input, self.model.sizes.matrix(matrix));
        let embeddings = self.graph.op_of(Op::GetRows, self.rows(self.model.n_embd), &[matrix, tokens]);
        self.graph.expand(embeddings);
        if self.model.deepstack_layers == 0 { embeddings } else { self.graph.op(padded, &[embeddings]) }
    }

    /// A view of `n_embd` elements per row of an input with deepstack embeddings.
    pub(super) fn without_deepstack(&mut self, rows: TensorId) -> TensorId {
        self.graph.view(rows, self.rows(self.model.n_embd))
    }

    /// `build_norm` with the norm of the architecture.
    pub(super) fn norm(&mut self, input: TensorId) -> TensorId {
        match self.recipe.norm {
            NormKind::RmsNorm => self.rms_norm(input),
            NormKind::LayerNorm => {
                let normed = self.graph.op_of(Op::LayerNorm, self.graph.shape(input), &[input]);
                self.scaled(normed)
            }
        }
    }

    /// The product with a vector of weights.
    fn scaled(&mut self, rows: TensorId) -> TensorId {
        let [width, ..] = self.graph.shape(rows);
        let vector = self.vector(width);
        self.graph.inplace_op_of(Op::Mul, &[rows, vector])
    }

    /// A weight of `width` numbers, which are always f32.
    pub(super) fn vector(&mut self, width: u64) -> TensorId {
        self.graph.external(self.graph.weight_home(), width.saturating_mul(F32_SIZE))
    }

    /// A weight matrix of the current section.
    pub(super) fn matrix(&mut self, elements: u64) -> TensorId {
        self.graph.external(self.graph.weight_home(), self.model.sizes.matrix(elements))
    }

    /// `build_norm` with `ggml_rms_norm`: the normalization, and the multiplication by its weights.
    pub(super) fn rms_norm(&mut self, input: TensorId) -> TensorId {
        let normed = self.graph.inplace_op_of(Op::RmsNorm, &[input]);
        self.scaled(normed)
    }

    /// `ggml_mul_mat` with a weight matrix of `width` rows.
    pub(super) fn mul_mat(&mut self, width: u64, input: TensorId) -> TensorId {
        let [columns, second, third, fourth] = self.graph.shape(input);
        let matrix = self.matrix(product(&[width, columns]));
        self.graph.op_of(Op::MulMat, [width, second, third, fourth], &[matrix, input])
    }

    /// `ggml_add`.
    pub(super) fn add(&mut self, left: TensorId, right: TensorId) -> TensorId {
        self.graph.inplace_op_of(Op::Add, &[left, right])
    }

    /// The rows of the tokens with an output (`ggml_get_rows` with `inp_out_ids`).
    pub(super) fn select_outputs(&mut self, rows: TensorId) -> TensorId {
        let [width, ..] = self.graph.shape(rows);
        self.graph.op_of(Op::GetRows, [width, self.outputs, 1, 1], &[rows, self.out_ids])
    }

    /// The final norm, logits and pooling.
    pub(super) fn final_norm_and_head(mut self, last: TensorId) -> Graph {
        self.graph.section = Section::Output;
        let normed = self.norm(last);
        self.output_head(normed)
    }

    /// Logits and pooling of normalized rows. Encoders have no logits.
    pub(super) fn output_head(mut self, normed: TensorId) -> Graph {
        self.graph.section = Section::Output;
        self.graph.set_output(normed);
        let mut last = normed;
        if self.model.architecture.has_memory() {
            let matrix = self.graph.external(Home::Output, self.model.sizes.output);
            let [_, second, third, fourth] = self.graph.shape(normed);
            let logits = [self.model.vocabulary, second, third, fourth];
            last = self.graph.op_of(Op::MulMat, logits, &[matrix, normed]);
            self.graph.set_output(last);
        }
        self.graph.expand(last);
        self.pooling(normed);
        self.graph
    }

    /// `build_pooling`.
    fn pooling(&mut self, embeddings: TensorId) {
        let [width, ..] = self.graph.shape(embeddings);
        let sources = match self.params.embeddings {
            None | Some(Pooling::None) => return,
            Some(Pooling::Mean) => {
                let means = self.graph.input(F32_SIZE, [self.tokens, self.seqs, 1, 1]);
                let transposed = self.graph.op(self.graph.shape(embeddings), &[embeddings]);
                [transposed, means]
            }
            Some(Pooling::SingleRow) => [embeddings, self.graph.input(I32_SIZE, [self.seqs, 1, 1, 1])],
        };
        let pooled = self.graph.op([width, self.seqs, 1, 1], &sources);
        self.graph.set_output(pooled);
        self.graph.expand(pooled);
    }
}
