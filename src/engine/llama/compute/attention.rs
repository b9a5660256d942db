//! Attention: `build_qkv`, `build_attn` and `build_attn_mha` of `src/llama-graph.cpp`, llama.cpp b11434.

use super::backend::unsupported_flash_attention;
use super::build::{Builder, CacheInputs};
use super::graph::{F16_SIZE, Op, Shape, TensorId, product};
use super::hparams::Heads;
use crate::engine::architecture::{Feature, Router};

impl Builder<'_> {
    /// Attention of a layer, without the output matrix.
    pub(super) fn attention(&mut self, input: TensorId, heads: Heads, cache: CacheInputs) -> TensorId {
        let uses_rope = !self.recipe.has(Feature::RopeOnlySwa) || cache.is_swa || !self.swa_cache.is_used;
        let positions = self.rope_positions().filter(|_| uses_rope);
        let qkv = self.qkv_rope(input, heads, positions);
        self.attention_with_cache(cache, qkv, heads)
    }

    /// Attention within the batch, without a cache, as in encoders.
    pub(super) fn attention_no_cache(&mut self, input: TensorId, heads: Heads, mask: TensorId) -> TensorId {
        let qkv = self.qkv_rope(input, heads, self.rope_positions());
        for part in qkv {
            self.graph.expand(part);
        }
        let [query, key, value] = qkv;
        let [cells, ..] = self.graph.shape(mask);
        let key_and_value = [key, value].map(|part| {
            let [width, count, ..] = self.graph.shape(part);
            self.graph.op([width, count, cells, 1], &[part])
        });
        self.mha(query, Ok(key_and_value), mask, heads)
    }

    /// The positions for `RoPE`; none for a model without `RoPE`.
    fn rope_positions(&self) -> Option<TensorId> {
        (!self.recipe.has(Feature::NoRope)).then_some(self.positions)
    }

    /// Queries, keys and values by head, after the norms and `RoPE`.
    fn qkv_rope(&mut self, input: TensorId, heads: Heads, positions: Option<TensorId>) -> [TensorId; 3] {
        let [query, key, value] = self.qkv(input, heads);
        let [query, key] = [query, key].map(|part| {
            let part = if self.recipe.has(Feature::QkNorm) { self.norm(part) } else { part };
            positions.map_or(part, |positions| self.graph.inplace_op_of(Op::Rope, &[part, positions]))
        });
        [query, key, value]
    }

    /// `build_qkv`.
    fn qkv(&mut self, input: TensorId, heads: Heads) -> [TensorId; 3] {
        let sizes = [[heads.key, heads.count], [heads.key, heads.kv_count], [heads.value, heads.kv_count]];
        if self.recipe.has(Feature::FusedQkv) {
            let width = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(product(size)));
            let fused = self.mul_mat(width, input);
            return sizes.map(|[head, count]| self.graph.view_heads(fused, [head, count, self.tokens, 1]));
        }
        let has_norm = self.recipe.has(Feature::QkNormAllHeads);
        let [query, key, value] = sizes.map(|size| self.mul_mat(product(&size), input));
        let [query, key] = [query, key].map(|part| if has_norm { self.norm(part) } else { part });
        [
            self.by_head(query, heads.key, heads.count),
            self.by_head(key, heads.key, heads.kv_count),
            self.by_head(value, heads.value, heads.kv_count),
        ]
    }

    /// `build_attn` with a KV cache: stores keys and values in the cache, then attends to all of its cells.
    pub(super) fn attention_with_cache(
        &mut self,
        cache: CacheInputs,
        [query, key, value]: [TensorId; 3],
        heads: Heads,
    ) -> TensorId {
        let [query, key] = [query, key].map(|part| self.hadamard(part, cache.k_rot));
        let value = self.hadamard(value, cache.v_rot);
        let order = if self.swa_cache.is_used { [query, key, value] } else { [query, value, key] };
        for part in order {
            self.graph.expand(part);
        }
        let [cells, _, _, streams] = self.graph.shape(cache.mask);
        let caches = self.caches(heads, cells, streams);
        self.store_in_cache(key, cache.k_idxs, caches[0]);
        let value = self.values_for_cache(value);
        self.store_in_cache(value, cache.v_idxs, caches[1]);
        let attn = self.mha(query, Err(caches), cache.mask, heads);
        let rotated = self.hadamard(attn, cache.v_rot);
        if rotated == attn { attn } else { self.graph.view(rotated, self.graph.shape(attn)) }
    }

    /// Stores keys or values of the batch in a cache.
    pub(super) fn store_in_cache(&mut self, rows: TensorId, idxs: TensorId, cache: TensorId) {
        let [width, count, ..] = self.graph.shape(rows);
        let rows = self.graph.view(rows, self.rows(product(&[width, count])));
        // The cells of several streams are numbered as one sequence.
        let has_streams = self.params.streams > 1;
        let into = if has_streams { self.graph.view(cache, self.graph.shape(cache)) } else { cache };
        self.graph.store(Op::SetRows, &[rows, idxs, into], cache);
    }

    /// Values in the form that is stored (`cpy_v`): one row per token with flash attention; without it single elements,
    /// padded to the width of the widest layer (`n_embd_v_gqa_max`).
    fn values_for_cache(&mut self, value: TensorId) -> TensorId {
        if self.params.flash_attention {
            return value;
        }
        let value = self.contiguous(value);
        let max_values = self.model.memory.max_values;
        let [head, count, ..] = self.graph.shape(value);
        if product(&[head, count]) < max_values {
            self.graph.op(self.rows(max_values), &[value])
        } else {
            value
        }
    }

    /// `ggml_cont` of a view with gaps.
    fn contiguous(&mut self, part: TensorId) -> TensorId {
        let tensor = self.graph.tensor(part);
        if tensor.is_contiguous { part } else { self.graph.op(tensor.shape, &[part]) }
    }

    /// `llama_mul_mat_hadamard`: rotates queries, keys or values for a cache of a quantized type.
    fn hadamard(&mut self, part: TensorId, matrix: Option<TensorId>) -> TensorId {
        let Some(matrix) = matrix else { return part };
        let part = self.contiguous(part);
        self.graph.op(self.graph.shape(part), &[matrix, part])
    }

    /// `build_attn_mha`, with the keys and values of the batch, or with those of the cache.
    fn mha(
        &mut self,
        query: TensorId,
        key_and_value: Result<[TensorId; 2], [TensorId; 2]>,
        mask: TensorId,
        heads: Heads,
    ) -> TensorId {
        let [cells, stream_tokens, _, streams] = self.graph.shape(mask);
        let rows = self.rows(product(&[heads.value, heads.count]));
        let is_cached = key_and_value.is_err();
        let query = self.twice_viewed(query);
        let key_and_value =
            key_and_value.unwrap_or_else(|caches| caches.map(|cache| self.twice_viewed(cache)));
        let attn = if self.params.flash_attention {
            let mut sources = vec![query];
            for part in key_and_value {
                let cast = |b: &mut Self| b.graph.typed_op(F16_SIZE, b.graph.shape(part), &[part]);
                sources.push(if is_cached { part } else { cast(self) });
            }
            sources.push(mask);
            let attn = [heads.value, heads.count, stream_tokens, streams];
            let attn = self.flash_attention(attn, &sources, heads);
            let elements = heads.key.saturating_add(heads.value).saturating_mul(heads.kv_count);
            let extra = self.f16_copies(product(&[elements, cells, streams]));
            self.graph.set_cuda_extra(attn, if is_cached { extra } else { 0 });
            self.graph.view(attn, rows)
        } else {
            let logits = [cells, stream_tokens, heads.count, streams];
            let [key, value] = key_and_value;
            let mut logits = self.graph.op_of(Op::MulMat, logits, &[key, query]);
            if self.recipe.has(Feature::AttnLogitSoftcap) {
                // Scale, tanh, scale.
                logits = self.graph.inplace_ops(3, logits);
            }
            let mut sources = vec![logits, mask];
            if self.recipe.router == Router::SoftmaxAfterTopK {
                // The attention sinks of gpt-oss. A device that has them computes the softmax.
                sources.push(self.vector(heads.count));
            }
            let weights = self.graph.inplace_op(&sources);
            // Caches without flash attention store values transposed.
            let transposed = if is_cached { value } else { self.graph.op(self.graph.shape(value), &[value]) };
            let shape = [heads.value, stream_tokens, heads.count, streams];
            let attn = self.graph.op_of(Op::MulMat, shape, &[transposed, weights]);
            self.graph.op_of(Op::AttentionRows, rows, &[attn])
        };
        self.graph.expand(attn);
        attn
    }

    /// A view, permuted.
    pub(super) fn twice_viewed(&mut self, part: TensorId) -> TensorId {
        let shape = self.graph.shape(part);
        let view = self.graph.view(part, shape);
        self.graph.view(view, shape)
    }

    /// The keys and values of a layer in its cache.
    fn caches(&mut self, heads: Heads, cells: u64, streams: u64) -> [TensorId; 2] {
        let elements = [heads.key, heads.value].map(|head| product(&[head, heads.kv_count, cells, streams]));
        let [keys, values] = elements;
        let sizes = self.model.sizes;
        [sizes.keys(keys), sizes.values(values)].map(|bytes| self.graph.cache(bytes))
    }

    /// `ggml_flash_attn_ext`.
    pub(super) fn flash_attention(&mut self, shape: Shape, sources: &[TensorId], heads: Heads) -> TensorId {
        let attn = self.graph.op_of(Op::FlashAttention, shape, sources);
        let group = heads.count.checked_div(heads.kv_count).unwrap_or(0);
        self.graph.set_unsupported(attn, unsupported_flash_attention(heads.key, heads.value, group));
        attn
    }

    /// Bytes of the copies of quantized keys and values as f16.
    pub(super) fn f16_copies(&self, elements: u64) -> u64 {
        let is_quantized = self.params.has_quantized_keys || self.params.has_quantized_values;
        if is_quantized { elements.saturating_mul(F16_SIZE) } else { 0 }
    }
}
