//! Multi-head latent attention (MLA): `src/models/deepseek2.cpp` of llama.cpp b11434, with and without weight
//! absorption.

use super::build::{Builder, CacheInputs, NormKind};
use super::graph::{F16_SIZE, F32_SIZE, TensorId};
use super::hparams::Heads;

impl Builder<'_> {
    /// Attention of a layer, without the output matrix.
    pub(super) fn mla_attention(
        &mut self,
        input: TensorId,
        heads: Heads,
        cache: CacheInputs,
    ) -> Result<TensorId, String> {
        let model = self.model;
        let tokens = self.tokens;
        let kv_lora_rank = model.required("attention.kv_lora_rank")?;
        let n_rot = model.required("rope.dimension_count")?;
        let is_absorbed = model.memory.is_mla;
        // The heads before absorption.
        let expanded = if is_absorbed {
            let key = model.required("attention.key_length_mla")?;
            let value = model.required("attention.value_length_mla")?;
            Heads { key, value, ..heads }
        } else {
            heads
        };
        let nope = expanded.key.saturating_sub(n_rot);
        let mut query = input;
        if let Some(rank) = model.number("attention.q_lora_rank").filter(|rank| *rank > 0) {
            let compressed = self.mul_mat(rank, query);
            query = self.norm(compressed, NormKind::RmsNorm);
        }
        let query = self.mul_mat(expanded.key.saturating_mul(heads.count), query);
        let query = self.graph.reshape(query, [expanded.key, heads.count, tokens, 1]);
        let compressed = self.mul_mat(kv_lora_rank.saturating_add(n_rot), input);
        let [_, row, end, _] = self.graph.strides(compressed);
        let k_pe = self.graph.view(compressed, [n_rot, 1, tokens, 1], [row, row, end]);
        let kv_cmpr = self.graph.view(compressed, [kv_lora_rank, tokens, 1, 1], [row, end, end]);
        let k_pe = self.graph.inplace_op(&[k_pe, self.positions]);
        let kv_cmpr = self.norm(kv_cmpr, NormKind::RmsNorm);
        if !is_absorbed {
            return Ok(self.mla_expanded([query, kv_cmpr, k_pe], expanded, nope, cache));
        }
        let [_, second, third, fourth] = self.graph.strides(query);
        let q_nope = self.graph.view(query, [nope, heads.count, tokens, 1], [second, third, fourth]);
        let q_pe = self.graph.view(query, [n_rot, heads.count, tokens, 1], [second, third, fourth]);
        let q_pe = self.graph.inplace_op(&[q_pe, self.positions]);
        let q_nope = self.graph.permute(q_nope, [0, 2, 1, 3]);
        let absorbed = self.graph.op([kv_lora_rank, tokens, heads.count, 1], &[q_nope]);
        let absorbed = self.graph.permute(absorbed, [0, 2, 1, 3]);
        let width = kv_lora_rank.saturating_add(n_rot);
        let query = self.graph.op([width, heads.count, tokens, 1], &[absorbed, q_pe]);
        let value = self.graph.reshape(kv_cmpr, [kv_lora_rank, 1, tokens, 1]);
        let key = self.graph.op([width, 1, tokens, 1], &[value, k_pe]);
        for part in [query, value, key] {
            self.graph.expand(part);
        }
        let rows = self.graph.reshape(key, [width, tokens, 1, 1]);
        let stored = self.graph.store(&[rows, cache.k_idxs]);
        self.graph.expand(stored);
        let latent = Heads { key: width, value: kv_lora_rank, ..heads };
        Ok(self.mla_absorbed(query, cache.mask, latent, expanded.value))
    }

    /// Attention to the latent vectors in the cache; `value` is the size of a value head after the product with `wv_b`.
    fn mla_absorbed(&mut self, query: TensorId, mask: TensorId, heads: Heads, value: u64) -> TensorId {
        let [cells, stream_tokens, _, streams] = self.graph.shape(mask);
        let [_, second, third, _] = self.graph.strides(query);
        let by_stream = [heads.key, heads.count, stream_tokens, streams];
        let strides = [second, third, third.saturating_mul(stream_tokens)];
        let query = self.graph.view(query, by_stream, strides);
        let query = self.graph.permute(query, [0, 2, 1, 3]);
        let attn = if self.params.flash_attention {
            let attn = self.graph.op([heads.value, heads.count, stream_tokens, streams], &[query, mask]);
            self.graph.permute(attn, [0, 2, 1, 3])
        } else {
            let logits = self.graph.op([cells, stream_tokens, heads.count, streams], &[query]);
            let weights = self.graph.inplace_op(&[logits, mask]);
            // Without flash attention values are transposed, which copies them for all cells.
            let transposed = self.graph.typed_op(F16_SIZE, [cells, heads.value, 1, streams], &[]);
            self.graph.op([heads.value, stream_tokens, heads.count, streams], &[transposed, weights])
        };
        let expanded = self.graph.op([value, stream_tokens, heads.count, streams], &[attn]);
        let attn = self.graph.permute(expanded, [0, 2, 1, 3]);
        let attn = self.graph.op([value, heads.count, stream_tokens, streams], &[attn]);
        let attn = self.graph.reshape(attn, self.rows(value.saturating_mul(heads.count)));
        self.graph.expand(attn);
        attn
    }

    /// Attention without absorption: keys and values are expanded to one head per query head.
    fn mla_expanded(
        &mut self,
        [query, kv_cmpr, k_pe]: [TensorId; 3],
        heads: Heads,
        nope: u64,
        cache: CacheInputs,
    ) -> TensorId {
        let tokens = self.tokens;
        let head = nope.saturating_add(heads.value);
        let key_and_value = self.mul_mat(head.saturating_mul(heads.count), kv_cmpr);
        let head_stride = head.saturating_mul(F32_SIZE);
        let row = head_stride.saturating_mul(heads.count);
        let strides = [head_stride, row, row.saturating_mul(tokens)];
        let k_nope = self.graph.view(key_and_value, [nope, heads.count, tokens, 1], strides);
        let value = self.graph.view(key_and_value, [heads.value, heads.count, tokens, 1], strides);
        let value = self.graph.op([heads.value, heads.count, tokens, 1], &[value]);
        let query = self.graph.inplace_op(&[query, self.positions]);
        let [n_rot, ..] = self.graph.shape(k_pe);
        let k_pe = self.graph.op([n_rot, heads.count, tokens, 1], &[k_pe]);
        let key = self.graph.op([heads.key, heads.count, tokens, 1], &[k_nope, k_pe]);
        self.attention_with_cache(cache, [query, key, value], heads)
    }
}
