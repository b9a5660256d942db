//! Attention: `build_qkv`, `build_attn` and `build_attn_mha` of `src/llama-graph.cpp`, llama.cpp b11434.

use super::build::{Builder, CacheInputs};
use super::graph::{F16_SIZE, F32_SIZE, Shape, TensorId};
use super::hparams::Heads;
use super::recipes::Feature;

/// The mask, and the keys and values that the queries attend to.
#[derive(Clone, Copy)]
struct MhaInputs {
    mask: TensorId,
    /// Keys and values of the batch; none if they are read from the cache.
    uncached: Option<[TensorId; 2]>,
}

impl Builder<'_> {
    /// Attention of a layer, without the output matrix.
    pub(super) fn attention(&mut self, input: TensorId, heads: Heads, cache: CacheInputs) -> TensorId {
        let uses_rope = !self.recipe.has(Feature::RopeOnlySwa) || cache.is_swa || self.swa_cache.is_none();
        let positions = if uses_rope { self.rope_positions() } else { None };
        let qkv = self.qkv_rope(input, heads, positions);
        self.attention_with_cache(cache, qkv, heads)
    }

    /// Attention within the batch, without a cache, as in encoders.
    pub(super) fn attention_no_cache(&mut self, input: TensorId, heads: Heads, mask: TensorId) -> TensorId {
        let positions = self.rope_positions();
        let qkv = self.qkv_rope(input, heads, positions);
        for part in qkv {
            self.graph.expand(part);
        }
        let [query, key, value] = qkv;
        let [cells, ..] = self.graph.shape(mask);
        let uncached = [key, value].map(|part| {
            let [width, count, ..] = self.graph.shape(part);
            let part = self.graph.op([width, count, cells, 1], &[part]);
            self.graph.permute(part, [0, 2, 1, 3])
        });
        self.mha(query, MhaInputs { mask, uncached: Some(uncached) }, heads)
    }

    /// The positions for `RoPE`; none for a model without `RoPE`.
    fn rope_positions(&self) -> Option<TensorId> {
        (!self.recipe.has(Feature::NoRope)).then_some(self.positions)
    }

    /// Queries, keys and values by head, after the norms and `RoPE`.
    fn qkv_rope(&mut self, input: TensorId, heads: Heads, positions: Option<TensorId>) -> [TensorId; 3] {
        let [query, key, value] = self.qkv(input, heads);
        let [query, key] = [query, key].map(|part| {
            let part =
                if self.recipe.has(Feature::QkNorm) { self.norm(part, self.recipe.norm) } else { part };
            positions.map_or(part, |positions| self.graph.inplace_op(&[part, positions]))
        });
        [query, key, value]
    }

    /// `build_qkv`.
    fn qkv(&mut self, input: TensorId, heads: Heads) -> [TensorId; 3] {
        let sizes = [(heads.key, heads.count), (heads.key, heads.kv_count), (heads.value, heads.kv_count)];
        let tokens = self.tokens;
        if self.recipe.has(Feature::FusedQkv) {
            let width = sizes
                .iter()
                .fold(0_u64, |sum, (head, count)| sum.saturating_add(head.saturating_mul(*count)));
            let fused = self.mul_mat(width, input);
            let [_, row, ..] = self.graph.strides(fused);
            let end = row.saturating_mul(tokens);
            return sizes.map(|(head, count)| {
                self.graph.view(fused, [head, count, tokens, 1], [head.saturating_mul(F32_SIZE), row, end])
            });
        }
        let [query, key, value] = sizes.map(|(head, count)| self.mul_mat(head.saturating_mul(count), input));
        let norm = |b: &mut Self, part: TensorId| {
            if b.recipe.has(Feature::QkNormAllHeads) { b.norm(part, b.recipe.norm) } else { part }
        };
        let parts = [norm(self, query), norm(self, key), value];
        let mut sizes = sizes.into_iter();
        parts.map(|part| {
            let (head, count) = sizes.next().unwrap_or_default();
            self.graph.reshape(part, [head, count, tokens, 1])
        })
    }

    /// `build_attn` with a KV cache: stores keys and values in the cache, then attends to all of its cells.
    pub(super) fn attention_with_cache(
        &mut self,
        cache: CacheInputs,
        qkv: [TensorId; 3],
        heads: Heads,
    ) -> TensorId {
        let [query, key, value] = qkv;
        let query = self.hadamard(query, cache.k_rot);
        let key = self.hadamard(key, cache.k_rot);
        let value = self.hadamard(value, cache.v_rot);
        let order = if self.swa_cache.is_some() { [query, key, value] } else { [query, value, key] };
        for part in order {
            self.graph.expand(part);
        }
        let keys = self.merge_heads(key);
        let stored = self.graph.store(&[keys, cache.k_idxs]);
        self.graph.expand(stored);
        let values = self.values_for_cache(value, cache.max_values);
        let stored = self.graph.store(&[values, cache.v_idxs]);
        self.graph.expand(stored);
        let attn = self.mha(query, MhaInputs { mask: cache.mask, uncached: None }, heads);
        let rotated = self.hadamard(attn, cache.v_rot);
        if cache.v_rot.is_some() { self.graph.reshape(rotated, self.graph.shape(attn)) } else { rotated }
    }

    /// A view with all heads of a token in one row.
    fn merge_heads(&mut self, part: TensorId) -> TensorId {
        let [head, count, tokens, _] = self.graph.shape(part);
        let [_, _, row, end] = self.graph.strides(part);
        self.graph.view(part, [head.saturating_mul(count), tokens, 1, 1], [row, end, end])
    }

    /// Values in the form that is stored (`cpy_v`): one row per token with flash attention; without it single elements,
    /// padded to the width of the widest layer.
    fn values_for_cache(&mut self, part: TensorId, max_values: u64) -> TensorId {
        if self.params.flash_attention {
            return self.merge_heads(part);
        }
        let [head, count, tokens, _] = self.graph.shape(part);
        let width = head.saturating_mul(count);
        let shape = [width, tokens, 1, 1];
        let rows = if self.graph.is_contiguous(part) {
            self.graph.reshape(part, shape)
        } else {
            self.graph.op(shape, &[part])
        };
        let padded = [max_values, tokens, 1, 1];
        let rows = if width < max_values { self.graph.op(padded, &[rows]) } else { rows };
        let elements = element_count(self.graph.shape(rows));
        self.graph.reshape(rows, [1, elements, 1, 1])
    }

    /// `llama_mul_mat_hadamard`: rotates queries, keys or values for a cache of a quantized type.
    fn hadamard(&mut self, part: TensorId, matrix: Option<TensorId>) -> TensorId {
        let Some(matrix) = matrix else { return part };
        let shape = self.graph.shape(part);
        let [size, ..] = self.graph.shape(matrix);
        let rows = [size, element_count(shape).checked_div(size).unwrap_or(0), 1, 1];
        let flat = if self.graph.is_contiguous(part) {
            self.graph.reshape(part, rows)
        } else {
            self.graph.op(rows, &[part])
        };
        let rotated = self.graph.op(rows, &[matrix, flat]);
        self.graph.reshape(rotated, shape)
    }

    /// `build_attn_mha`.
    fn mha(&mut self, query: TensorId, inputs: MhaInputs, heads: Heads) -> TensorId {
        let [cells, stream_tokens, _, streams] = self.graph.shape(inputs.mask);
        let [_, second, third, _] = self.graph.strides(query);
        let by_stream = [heads.key, heads.count, stream_tokens, streams];
        let strides = [second, third, third.saturating_mul(stream_tokens)];
        let query = self.graph.view(query, by_stream, strides);
        let query = self.graph.permute(query, [0, 2, 1, 3]);
        let width = heads.value.saturating_mul(heads.count);
        let attn = if self.params.flash_attention {
            let mut sources = vec![query];
            sources.extend(inputs.uncached.into_iter().flatten().map(|part| self.graph.cast(F16_SIZE, part)));
            sources.push(inputs.mask);
            let attn = self.graph.op([heads.value, heads.count, stream_tokens, streams], &sources);
            self.graph.reshape(attn, self.rows(width))
        } else {
            let logits = [cells, stream_tokens, heads.count, streams];
            let [key, value] = inputs.uncached.map_or([None, None], |uncached| uncached.map(Some));
            let weights = self.attn_weights(logits, key, [query, inputs.mask]);
            let value = value.map(|value| {
                let transposed = self.graph.transpose(value);
                self.graph.op(self.graph.shape(transposed), &[transposed])
            });
            let sources: Vec<TensorId> = value.into_iter().chain([weights]).collect();
            let attn = self.graph.op([heads.value, stream_tokens, heads.count, streams], &sources);
            let attn = self.graph.permute(attn, [0, 2, 1, 3]);
            self.graph.op(self.rows(width), &[attn])
        };
        self.graph.expand(attn);
        attn
    }

    /// The softmax of the attention logits (`kq_soft_max`). Flash attention does not store it.
    fn attn_weights(
        &mut self,
        shape: Shape,
        key: Option<TensorId>,
        [query, mask]: [TensorId; 2],
    ) -> TensorId {
        let sources: Vec<TensorId> = key.into_iter().chain([query]).collect();
        let mut logits = self.graph.op(shape, &sources);
        if self.recipe.has(Feature::AttnLogitSoftcap) {
            // Scale, tanh, scale.
            for _ in 0..3 {
                logits = self.graph.inplace_op(&[logits]);
            }
        }
        self.graph.inplace_op(&[logits, mask])
    }
}

fn element_count(shape: Shape) -> u64 {
    shape.iter().fold(1_u64, |product, n| product.saturating_mul(*n))
}
