//! The graph parts common to all architectures: inputs, embeddings, output head and pooling.
//!
//! They follow `src/llama-graph.cpp` of llama.cpp b11434. Operations that run in place and change no size, for example
//! the addition of a bias, are omitted.

use super::graph::{F16_SIZE, F32_SIZE, Graph, I32_SIZE, I64_SIZE, TensorId};
use super::hparams::Hparams;
use super::recipes::{Feature, Recipe};
use super::{ContextParams, Pooling};
use crate::engine::layers::KvCache;

/// A graph under construction.
pub(super) struct Builder<'a> {
    pub(super) graph: Graph,
    pub(super) model: &'a Hparams<'a>,
    pub(super) params: &'a ContextParams,
    pub(super) recipe: &'static Recipe,
    /// Tokens of the batch (`n_tokens`), the same number for each sequence.
    pub(super) tokens: u64,
    /// Tokens with an output (`n_outputs`).
    pub(super) outputs: u64,
    /// The tokens with an output (`inp_out_ids`).
    pub(super) out_ids: TensorId,
    /// The positions of the tokens (`inp_pos`).
    pub(super) positions: TensorId,
    /// The inputs of the KV cache of layers with full attention.
    pub(super) full_cache: Option<CacheInputs>,
    /// The inputs of the KV cache of layers with a sliding window.
    pub(super) swa_cache: Option<CacheInputs>,
    /// The attention masks of a model without a cache: for full attention and for a sliding window.
    pub(super) no_cache_masks: Option<[TensorId; 2]>,
    /// The cells of the recurrent states of the sequences (`s_copy`).
    pub(super) state_ids: Option<TensorId>,
}

/// The inputs of a KV cache (`llm_graph_input_attn_kv`).
#[derive(Clone, Copy)]
pub(super) struct CacheInputs {
    pub(super) is_swa: bool,
    /// Elements of the values of all heads, in the widest layer (`n_embd_v_gqa_max`).
    pub(super) max_values: u64,
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

/// The kind of normalization.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NormKind {
    /// `ggml_rms_norm`, which ggml can compute in place.
    RmsNorm,
    /// `ggml_norm`, which ggml cannot compute in place.
    LayerNorm,
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a Hparams<'a>, params: &'a ContextParams, recipe: &'static Recipe) -> Self {
        let mut graph = Graph::default();
        let slots = params.slots.max(1);
        let max_tokens = params.context.min(params.ubatch).max(1);
        let tokens = max_tokens.div_ceil(slots).saturating_mul(slots);
        let outputs = max_tokens.min(params.outputs.max(1));
        let positions_per_token = if recipe.has(Feature::MRope) { 4 } else { 1 };
        let positions = graph.input(I32_SIZE, [tokens.saturating_mul(positions_per_token), 1, 1, 1]);
        let out_ids = graph.input(I32_SIZE, [outputs, 1, 1, 1]);
        Self {
            graph,
            model,
            params,
            recipe,
            tokens,
            outputs,
            out_ids,
            positions,
            full_cache: None,
            swa_cache: None,
            no_cache_masks: None,
            state_ids: None,
        }
    }

    /// The shape of a row of `width` elements per token.
    pub(super) fn rows(&self, width: u64) -> [u64; 4] {
        [width, self.tokens, 1, 1]
    }

    /// `build_inp_embd`. The input for raw embeddings is allocated even if the batch has none. With deepstack layers
    /// (Qwen3-VL) its rows are wider: each of the first layers adds one part of them.
    pub(super) fn input_embeddings(&mut self) -> TensorId {
        let n_embd = self.model.n_embd;
        let shape = self.rows(n_embd.saturating_mul(self.model.deepstack_layers().saturating_add(1)));
        let tokens = self.graph.input(I32_SIZE, [self.tokens, 1, 1, 1]);
        let embeddings = self.lookup_embeddings(tokens);
        self.graph.expand(embeddings);
        let raw = self.graph.input(F32_SIZE, shape);
        self.graph.expand(raw);
        if self.allows_mixed_batches() {
            let tokens = self.graph.input(I32_SIZE, [self.tokens, 1, 1, 1]);
            let token_rows = self.graph.input(I64_SIZE, [self.tokens, 1, 1, 1]);
            let raw = self.graph.input(F32_SIZE, shape);
            let copy = self.graph.op(shape, &[raw]);
            let embeddings = self.lookup_embeddings(tokens);
            let merged = self.graph.set_rows(&[embeddings, token_rows, copy], copy);
            self.graph.expand(merged);
        }
        if self.model.deepstack_layers() == 0 { embeddings } else { self.without_deepstack(embeddings) }
    }

    /// The embeddings of tokens (`ggml_get_rows`), padded for deepstack layers.
    fn lookup_embeddings(&mut self, tokens: TensorId) -> TensorId {
        let embeddings = self.graph.op(self.rows(self.model.n_embd), &[tokens]);
        match self.model.deepstack_layers() {
            0 => embeddings,
            layers => {
                let width = self.model.n_embd.saturating_mul(layers.saturating_add(1));
                self.graph.op(self.rows(width), &[embeddings])
            }
        }
    }

    /// A view of `n_embd` elements per row of an input with deepstack embeddings.
    pub(super) fn without_deepstack(&mut self, rows: TensorId) -> TensorId {
        let [_, row, end, _] = self.graph.strides(rows);
        self.graph.view(rows, self.rows(self.model.n_embd), [row, end, end])
    }

    fn allows_mixed_batches(&self) -> bool {
        let known = crate::engine::architecture::architecture(self.model.architecture);
        known.is_none_or(|known| !known.is(crate::engine::architecture::Class::NoMixedTokenEmbdBatch))
    }

    /// The input with a scale per token, for models that scale their embeddings.
    pub(super) fn embedding_scale(&mut self) -> TensorId {
        self.graph.input(F32_SIZE, [1, self.tokens, 1, 1])
    }

    /// The attention mask of a model without a cache. The size is that of b11669, which pads it to a multiple of 256
    /// tokens; b11434 does not.
    pub(super) fn no_cache_mask(&mut self) -> TensorId {
        let type_size = self.mask_type_size();
        let padded = self.tokens.checked_next_multiple_of(256).unwrap_or(self.tokens);
        self.graph.input(type_size, [padded, self.tokens, 1, 1])
    }

    /// Flash attention reads masks of f16.
    fn mask_type_size(&self) -> u64 {
        if self.params.flash_attention { F16_SIZE } else { F32_SIZE }
    }

    /// The inputs of the memory module: masks, KV caches and recurrent states.
    pub(super) fn memory_inputs(&mut self) {
        if self.recipe.has(Feature::EncoderOnly) {
            let full = self.no_cache_mask();
            let has_window = self.model.number("attention.sliding_window").is_some_and(|window| window > 0);
            self.no_cache_masks = Some([full, if has_window { self.no_cache_mask() } else { full }]);
        }
        let layers = &self.model.memory.each;
        let caches = layers.iter().filter_map(|layer| layer.cache);
        let (swa, full): (Vec<_>, Vec<_>) = caches.partition(|cache| cache.is_swa);
        if !full.is_empty() {
            self.full_cache = Some(self.cache_inputs(self.params.cells, &full));
        }
        if !swa.is_empty() {
            self.swa_cache = Some(self.cache_inputs(self.params.swa_cells, &swa));
        }
        if layers.iter().any(|layer| layer.has_state) {
            self.state_ids = Some(self.graph.input(I32_SIZE, [self.params.slots.max(1), 1, 1, 1]));
        }
    }

    /// The inputs of one KV cache with `cells` cells per stream.
    fn cache_inputs(&mut self, cells: u64, layers: &[KvCache]) -> CacheInputs {
        let (streams, max_values) = (self.params.streams.max(1), self.model.memory.max_values);
        let k_idxs = self.graph.input(I64_SIZE, [self.tokens, 1, 1, 1]);
        // Without flash attention values are stored transposed, so each element has an index.
        let indices =
            if self.params.flash_attention { self.tokens } else { self.tokens.saturating_mul(max_values) };
        let v_idxs = self.graph.input(I64_SIZE, [indices, 1, 1, 1]);
        let mask_type_size = self.mask_type_size();
        let mask = self.graph.input(mask_type_size, [cells, self.tokens / streams, 1, streams]);
        // `llama_kv_cache` rotates keys by the largest power of two that divides the head size, and values by 64.
        let has_quantized = [self.params.has_quantized_keys, self.params.has_quantized_values];
        let key = has_quantized[0].then(|| rotatable_head(layers, |cache| cache.key_head)).flatten();
        let value = has_quantized[1].then(|| rotatable_head(layers, |cache| cache.value_head)).flatten();
        let [k_rot, v_rot] = [key.map(|head| 1 << head.trailing_zeros()), value.map(|_| 64)]
            .map(|size| size.map(|size| self.graph.input(F32_SIZE, [size, size, 1, 1])));
        let is_swa = layers.iter().any(|cache| cache.is_swa);
        CacheInputs { is_swa, max_values, mask, k_idxs, v_idxs, k_rot, v_rot }
    }

    /// `build_norm`: the normalization, and the multiplication by its weights.
    pub(super) fn norm(&mut self, input: TensorId, kind: NormKind) -> TensorId {
        let normed = match kind {
            NormKind::RmsNorm => self.graph.inplace_op(&[input]),
            NormKind::LayerNorm => self.graph.op(self.graph.shape(input), &[input]),
        };
        self.graph.inplace_op(&[normed])
    }

    /// `ggml_mul_mat` with a weight matrix of `width` rows.
    pub(super) fn mul_mat(&mut self, width: u64, input: TensorId) -> TensorId {
        let [_, second, third, fourth] = self.graph.shape(input);
        self.graph.op([width, second, third, fourth], &[input])
    }

    /// `ggml_add`.
    pub(super) fn add(&mut self, left: TensorId, right: TensorId) -> TensorId {
        self.graph.inplace_op(&[left, right])
    }

    /// The rows of the tokens with an output (`ggml_get_rows` with `inp_out_ids`).
    pub(super) fn select_outputs(&mut self, rows: TensorId) -> TensorId {
        let [width, ..] = self.graph.shape(rows);
        self.graph.op([width, self.outputs, 1, 1], &[rows, self.out_ids])
    }

    /// The final norm, logits and pooling.
    pub(super) fn final_norm_and_head(mut self, last: TensorId) -> Graph {
        let normed = self.norm(last, self.recipe.norm);
        self.output_head(normed)
    }

    /// Logits and pooling of normalized rows.
    pub(super) fn output_head(mut self, normed: TensorId) -> Graph {
        self.graph.set_output(normed);
        if self.recipe.has(Feature::EncoderOnly) {
            self.graph.expand(normed);
            self.pooling(normed);
            return self.graph;
        }
        let logits = self.mul_mat(self.model.vocabulary, normed);
        self.graph.set_output(logits);
        self.graph.expand(logits);
        self.pooling(normed);
        self.graph
    }

    /// `build_pooling`.
    fn pooling(&mut self, embeddings: TensorId) {
        let sequences = self.params.slots.max(1);
        let [width, rows, ..] = self.graph.shape(embeddings);
        let pooled = match self.params.embeddings {
            None | Some(Pooling::None) => return,
            Some(Pooling::Mean) => {
                let means = self.graph.input(F32_SIZE, [self.tokens, sequences, 1, 1]);
                let transposed = self.graph.transpose(embeddings);
                let transposed = self.graph.op([rows, width, 1, 1], &[transposed]);
                self.graph.op([width, sequences, 1, 1], &[transposed, means])
            }
            Some(Pooling::SingleRow) => {
                let row_ids = self.graph.input(I32_SIZE, [sequences, 1, 1, 1]);
                self.graph.op([width, sequences, 1, 1], &[embeddings, row_ids])
            }
        };
        self.graph.set_output(pooled);
        self.graph.expand(pooled);
    }
}

/// The head size, if it is the same in all layers and a multiple of 64.
fn rotatable_head(layers: &[KvCache], size: impl Fn(&KvCache) -> u64) -> Option<u64> {
    let first = layers.first().map(&size)?;
    (first > 0 && first % 64 == 0 && layers.iter().all(|cache| size(cache) == first)).then_some(first)
}
