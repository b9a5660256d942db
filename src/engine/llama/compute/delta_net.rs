//! Gated delta net layers and the gated attention used next to them: `src/models/qwen3next.cpp`, `qwen35.cpp` and
//! `delta-net-base.cpp` of llama.cpp b11434, with the fused operation `ggml_gated_delta_net`, which the CPU backend
//! supports.

use super::build::{Builder, CacheInputs};
use super::graph::{Op, TensorId, product};
use super::hparams::Heads;
use crate::engine::architecture::Feature;

impl Builder<'_> {
    /// Attention whose output is multiplied by a gate; one matrix gives queries and gates.
    pub(super) fn gated_attention(&mut self, input: TensorId, heads: Heads, cache: CacheInputs) -> TensorId {
        let query_and_gate = self.mul_mat(product(&[2, heads.key, heads.count]), input);
        let key = self.mul_mat(product(&[heads.key, heads.kv_count]), input);
        let value = self.mul_mat(product(&[heads.value, heads.kv_count]), input);
        let query = self.by_head(query_and_gate, heads.key, heads.count);
        let key = self.by_head(key, heads.key, heads.kv_count);
        let value = self.by_head(value, heads.value, heads.kv_count);
        let [query, key] = [query, key].map(|part| {
            let part = self.rms_norm(part);
            self.graph.inplace_op_of(Op::Rope, &[part, self.positions])
        });
        let attn = self.attention_with_cache(cache, [query, key, value], heads);
        let gate = self.graph.op(self.rows(product(&[heads.key, heads.count])), &[query_and_gate]);
        let gate = self.graph.inplace_op_of(Op::Unary, &[gate]);
        self.graph.inplace_op_of(Op::Mul, &[attn, gate])
    }

    /// A gated delta net layer (`build_layer_attn_linear`).
    pub(super) fn gated_delta_net(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let (key_heads, value_heads, head) = (dims.groups, dims.dt_rank, dims.state);
        let value_head = dims.inner.checked_div(value_heads).unwrap_or(0);
        let value_width = product(&[value_head, value_heads]);
        let channels = dims.channels();
        let qkv = self.mul_mat(channels, input);
        let z = self.mul_mat(value_width, input);
        let [beta, decay] = self.beta_and_decay(input, value_heads);
        let conv_input = self.conv_input(qkv, channels, dims.conv_rows);
        let state_width = product(&[value_head, value_width]);
        let [state, states] = self.read_state(state_width);
        let conv = self.convolution(self.seq_rows(channels), conv_input, dims.conv_rows);
        let conv = self.graph.inplace_op_of(Op::Unary, &[conv]);
        let by_head = |head, count| [head, count, self.seq_tokens, self.seqs];
        let (key_shape, value_shape) = (by_head(head, key_heads), by_head(value_head, value_heads));
        let [query, key] = [0, 1].map(|_| {
            // `ggml_l2_norm`.
            let normed = self.graph.op(key_shape, &[conv]);
            if key_heads == value_heads || self.recipe.has(Feature::SeparateBetaAlpha) {
                return normed;
            }
            // Each key head is repeated for the value heads that share it.
            let repeats = value_heads.checked_div(key_heads).unwrap_or(1);
            self.graph.op([head, repeats, key_heads, self.tokens], &[normed])
        });
        // The output, followed by the new states.
        let output_len = product(&[self.tokens, value_width]);
        let elements = output_len.saturating_add(product(&[state_width, self.seqs]));
        let result = self.graph.op([elements, 1, 1, 1], &[query, key, conv, decay, beta, state]);
        self.store_part(result, product(&[state_width, self.seqs]), states);
        let out = self.graph.view(result, value_shape);
        let normed = self.rms_norm(out);
        let gate = self.graph.view(z, value_shape);
        let gate = self.graph.inplace_op_of(Op::Unary, &[gate]);
        let gated = self.graph.inplace_op_of(Op::Mul, &[normed, gate]);
        let rows = self.graph.view(gated, self.seq_rows(value_width));
        Ok(self.mul_mat_to_rows(rows))
    }

    /// The write strength (`beta`) and the decay (from `alpha`) of the delta rule.
    fn beta_and_decay(&mut self, input: TensorId, value_heads: u64) -> [TensorId; 2] {
        let shape = self.seq_rows(value_heads);
        let [beta, alpha] = if self.recipe.has(Feature::SeparateBetaAlpha) {
            [0, 1].map(|_| {
                let part = self.mul_mat(value_heads, input);
                self.graph.view(part, shape)
            })
        } else {
            let both = self.mul_mat(value_heads.saturating_mul(2), input);
            [0, 1].map(|_| self.graph.op(shape, &[both]))
        };
        // Sigmoid; bias, softplus, and the product with `ssm_a`.
        [self.graph.inplace_op(&[beta]), self.graph.inplace_ops(3, alpha)]
    }
}
