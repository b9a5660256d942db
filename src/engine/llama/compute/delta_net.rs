//! Gated delta net layers and the gated attention used next to them: `src/models/qwen3next.cpp`, `qwen35.cpp` and
//! `delta-net-base.cpp` of llama.cpp b11434, with the fused operation `ggml_gated_delta_net`, which the CPU backend
//! supports.

use super::build::{Builder, CacheInputs, NormKind};
use super::graph::{F32_SIZE, TensorId};
use super::hparams::Heads;
use super::recipes::Feature;

impl Builder<'_> {
    /// Attention whose output is multiplied by a gate; one matrix gives queries and gates.
    pub(super) fn gated_attention(&mut self, input: TensorId, heads: Heads, cache: CacheInputs) -> TensorId {
        let tokens = self.tokens;
        let double = heads.key.saturating_mul(2);
        let query_and_gate = self.mul_mat(double.saturating_mul(heads.count), input);
        let query_and_gate = self.graph.reshape(query_and_gate, [double, heads.count, tokens, 1]);
        let key = self.mul_mat(heads.key.saturating_mul(heads.kv_count), input);
        let value = self.mul_mat(heads.value.saturating_mul(heads.kv_count), input);
        let [_, second, third, fourth] = self.graph.strides(query_and_gate);
        let by_head = [heads.key, heads.count, tokens, 1];
        let [query, gate] = [0, 1].map(|_| self.graph.view(query_and_gate, by_head, [second, third, fourth]));
        let key = self.graph.reshape(key, [heads.key, heads.kv_count, tokens, 1]);
        let value = self.graph.reshape(value, [heads.value, heads.kv_count, tokens, 1]);
        let [query, key] = [query, key].map(|part| {
            let part = self.norm(part, NormKind::RmsNorm);
            self.graph.inplace_op(&[part, self.positions])
        });
        let attn = self.attention_with_cache(cache, [query, key, value], heads);
        let gate = self.graph.op(self.rows(heads.key.saturating_mul(heads.count)), &[gate]);
        let gate = self.graph.inplace_op(&[gate]);
        self.graph.inplace_op(&[attn, gate])
    }

    /// A gated delta net layer (`build_layer_attn_linear`).
    pub(super) fn gated_delta_net(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let [seq_tokens, seqs] = self.seq_dims();
        let (key_heads, value_heads, head) = (dims.groups, dims.dt_rank, dims.state);
        let value_head = dims.inner.checked_div(value_heads).unwrap_or(0);
        let channels = dims.inner.saturating_add(key_heads.saturating_mul(head).saturating_mul(2));
        let qkv = self.mul_mat(channels, input);
        let qkv = self.graph.reshape(qkv, [channels, seq_tokens, seqs, 1]);
        let z = self.mul_mat(value_head.saturating_mul(value_heads), input);
        let [beta, decay] = self.beta_and_decay(input, value_heads);
        let conv_state = self.read_state(dims.conv_rows.saturating_mul(channels));
        let conv_state = self.graph.reshape(conv_state, [dims.conv_rows, channels, seqs, 1]);
        let conv_input = self.conv_input(conv_state, qkv, dims.conv_rows);
        let state_width = value_head.saturating_mul(value_head).saturating_mul(value_heads);
        let state = self.read_state(state_width);
        let state = self.graph.reshape(state, [value_head, value_head, value_heads, seqs]);
        let conv = self.graph.op([channels, seq_tokens, seqs, 1], &[conv_input]);
        let conv = self.graph.inplace_op(&[conv]);
        let [_, second, third, _] = self.graph.strides(conv);
        let bytes = |elements: u64| elements.saturating_mul(F32_SIZE);
        let part = |b: &mut Self, head, count| {
            b.graph.view(conv, [head, count, seq_tokens, seqs], [bytes(head), second, third])
        };
        let [query, key] = [0, 1].map(|_| part(self, head, key_heads));
        let value = part(self, value_head, value_heads);
        let [query, key] = [query, key].map(|part| {
            // `ggml_l2_norm`.
            let normed = self.graph.op([head, key_heads, seq_tokens, seqs], &[part]);
            if key_heads == value_heads || self.recipe.has(Feature::SeparateBetaAlpha) {
                normed
            } else {
                self.repeat_heads(normed, value_heads)
            }
        });
        let output_len = self.tokens.saturating_mul(value_head).saturating_mul(value_heads);
        let states_len = state_width.saturating_mul(seqs);
        // The output, followed by the new states.
        let result = self
            .graph
            .op([output_len.saturating_add(states_len), 1, 1, 1], &[query, key, value, decay, beta, state]);
        let out = self.graph.view(
            result,
            [value_head, value_heads, seq_tokens, seqs],
            [
                bytes(value_head),
                bytes(value_head.saturating_mul(value_heads)),
                bytes(value_head.saturating_mul(value_heads).saturating_mul(seq_tokens)),
            ],
        );
        let new_states = self.graph.view(result, [states_len, 1, 1, 1], [0; 3]);
        let stored = self.graph.store(&[new_states]);
        self.graph.expand(stored);
        let gate = self.graph.reshape(z, [value_head, value_heads, seq_tokens, seqs]);
        let normed = self.norm(out, NormKind::RmsNorm);
        let gate = self.graph.inplace_op(&[gate]);
        let gated = self.graph.inplace_op(&[normed, gate]);
        let rows = self.graph.reshape(gated, [value_head.saturating_mul(value_heads), seq_tokens, seqs, 1]);
        let out = self.mul_mat(self.model.n_embd, rows);
        Ok(self.graph.reshape(out, self.rows(self.model.n_embd)))
    }

    /// The write strength (`beta`) and the decay (from `alpha`) of the delta rule.
    fn beta_and_decay(&mut self, input: TensorId, value_heads: u64) -> [TensorId; 2] {
        let [seq_tokens, seqs] = self.seq_dims();
        let shape = [value_heads, seq_tokens, seqs, 1];
        let [beta, alpha] = if self.recipe.has(Feature::SeparateBetaAlpha) {
            [0, 1].map(|_| {
                let part = self.mul_mat(value_heads, input);
                self.graph.reshape(part, shape)
            })
        } else {
            let both = self.mul_mat(value_heads.saturating_mul(2), input);
            let both = self.graph.reshape(both, [value_heads.saturating_mul(2), seq_tokens, seqs, 1]);
            let [_, second, third, fourth] = self.graph.strides(both);
            [0, 1].map(|_| {
                let part = self.graph.view(both, shape, [second, third, fourth]);
                self.graph.op(shape, &[part])
            })
        };
        // Sigmoid.
        let beta = self.graph.inplace_op(&[beta]);
        // Bias, softplus, and the product with `ssm_a`.
        let decay = (0..3).fold(alpha, |decay, _| self.graph.inplace_op(&[decay]));
        [beta, decay].map(|part| self.graph.reshape(part, [1, value_heads, seq_tokens, seqs]))
    }

    /// Repeats each key head for the value heads that share it.
    fn repeat_heads(&mut self, part: TensorId, value_heads: u64) -> TensorId {
        let [head, key_heads, seq_tokens, seqs] = self.graph.shape(part);
        let tokens = seq_tokens.saturating_mul(seqs);
        let flat = self.graph.reshape(part, [head, 1, key_heads, tokens]);
        let repeats = value_heads.checked_div(key_heads).unwrap_or(1);
        let repeated = self.graph.op([head, repeats, key_heads, tokens], &[flat]);
        self.graph.reshape(repeated, [head, value_heads, seq_tokens, seqs])
    }
}
