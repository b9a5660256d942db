//! Multi-head latent attention (MLA): `src/models/deepseek2.cpp` of llama.cpp b11434, with and without weight
//! absorption.

use super::backend::Unsupported;
use super::build::{Builder, CacheInputs};
use super::graph::{F16_SIZE, Op, TensorId, product};
use super::hparams::Heads;

impl Builder<'_> {
    /// Attention of a layer, without the output matrix.
    pub(super) fn mla_attention(
        &mut self,
        input: TensorId,
        heads: Heads,
        cache: CacheInputs,
    ) -> Result<TensorId, String> {
        let (model, tokens) = (self.model, self.tokens);
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
            query = self.rms_norm(compressed);
        }
        let query = self.mul_mat(product(&[expanded.key, heads.count]), query);
        let width = kv_lora_rank.saturating_add(n_rot);
        let compressed = self.mul_mat(width, input);
        let k_pe = self.by_head(compressed, n_rot, 1);
        let kv_cmpr = self.graph.view(compressed, self.rows(kv_lora_rank));
        let k_pe = self.graph.inplace_op_of(Op::Rope, &[k_pe, self.positions]);
        let kv_cmpr = self.rms_norm(kv_cmpr);
        if !is_absorbed {
            let query = self.by_head(query, expanded.key, heads.count);
            return Ok(self.mla_expanded([query, kv_cmpr, k_pe], expanded, nope, cache));
        }
        let q_pe = self.by_head(query, n_rot, heads.count);
        let q_pe = self.graph.inplace_op_of(Op::Rope, &[q_pe, self.positions]);
        let matrix = self.matrix(product(&[nope, kv_lora_rank, heads.count]));
        let absorbed = [kv_lora_rank, tokens, heads.count, 1];
        let absorbed = self.graph.op_of(Op::MulMat, absorbed, &[matrix, query]);
        let query = self.graph.op([width, heads.count, tokens, 1], &[absorbed, q_pe]);
        let key = self.graph.op([width, 1, tokens, 1], &[kv_cmpr, k_pe]);
        for part in [query, kv_cmpr, key] {
            self.graph.expand(part);
        }
        let [cells, _, _, streams] = self.graph.shape(cache.mask);
        let latent = self.graph.cache(self.model.sizes.keys(product(&[width, cells, streams])));
        self.store_in_cache(key, cache.k_idxs, latent);
        Ok(self.mla_absorbed([query, latent], cache.mask, [kv_lora_rank, width], expanded))
    }

    /// Attention to the latent vectors in the cache. `heads.value` is the size of a value head after the product with
    /// `wv_b`.
    fn mla_absorbed(
        &mut self,
        [query, cached]: [TensorId; 2],
        mask: TensorId,
        [kv_lora_rank, width]: [u64; 2],
        heads: Heads,
    ) -> TensorId {
        let [cells, stream_tokens, _, streams] = self.graph.shape(mask);
        // Values are the first `kv_lora_rank` elements of the keys, so a copy of them spans nearly as much.
        let [query, key, value] = [query, cached, cached].map(|part| self.twice_viewed(part));
        let latent = [kv_lora_rank, stream_tokens, heads.count, streams];
        let attn = if self.params.flash_attention {
            let latent_heads = Heads { kv_count: 1, key: width, value: kv_lora_rank, ..heads };
            let attn = self.flash_attention(latent, &[query, key, value, mask], latent_heads);
            // Values are a view of the keys, so one copy is enough.
            let extra = self.f16_copies(product(&[width, cells, streams]));
            self.graph.set_cuda_extra(attn, extra);
            attn
        } else {
            let logits = [cells, stream_tokens, heads.count, streams];
            let logits = self.graph.op_of(Op::MulMat, logits, &[key, query]);
            let weights = self.graph.inplace_op(&[logits, mask]);
            // Without flash attention values are transposed, which copies them for all cells.
            let transposed = self.graph.typed_op(F16_SIZE, [cells, kv_lora_rank, 1, streams], &[value]);
            self.graph.op_of(Op::MulMat, latent, &[transposed, weights])
        };
        let matrix = self.matrix(product(&[kv_lora_rank, heads.value, heads.count]));
        let [_, second, third, fourth] = latent;
        let expanded = [heads.value, second, third, fourth];
        let expanded = self.graph.op_of(Op::MulMat, expanded, &[matrix, attn]);
        // Vulkan multiplies no matrix with several streams.
        let by_vulkan = streams > 1;
        self.graph.set_unsupported(expanded, Unsupported { by_vulkan, ..Unsupported::default() });
        let op = if self.params.flash_attention { Op::Other } else { Op::AttentionRows };
        let attn = self.graph.op_of(op, self.graph.shape(expanded), &[expanded]);
        let attn = self.graph.view(attn, self.rows(product(&[heads.value, heads.count])));
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
        let (tokens, head) = (self.tokens, nope.saturating_add(heads.value));
        let key_and_value = self.mul_mat(product(&[head, heads.count]), kv_cmpr);
        let value = self.graph.op([heads.value, heads.count, tokens, 1], &[key_and_value]);
        let query = self.graph.inplace_op_of(Op::Rope, &[query, self.positions]);
        let [n_rot, ..] = self.graph.shape(k_pe);
        let k_pe = self.graph.op([n_rot, heads.count, tokens, 1], &[k_pe]);
        let key = self.graph.op([heads.key, heads.count, tokens, 1], &[key_and_value, k_pe]);
        self.attention_with_cache(cache, [query, key, value], heads)
    }
}
