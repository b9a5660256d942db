//! RWKV 7: `src/models/rwkv7.cpp` and `rwkv7-base.cpp` of llama.cpp b11434.

use super::build::{Builder, NormKind};
use super::graph::{F32_SIZE, Graph, TensorId};

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let head = b.model.required("wkv.head_size")?.max(1);
    let n_embd = b.model.n_embd;
    let [seq_tokens, seqs] = b.seq_dims();
    let embeddings = b.input_embeddings();
    let mut rows = b.norm(embeddings, NormKind::LayerNorm);
    b.memory_inputs();
    let mut v_first = None;
    for layer in 0..b.model.layers {
        rows = b.graph.reshape(rows, [n_embd, seq_tokens, seqs, 1]);
        let shift_state = b.read_state(n_embd.saturating_mul(2));
        let shift_state = b.graph.reshape(shift_state, [n_embd, 2, seqs, 1]);
        let [_, second, third, fourth] = b.graph.strides(shift_state);
        let [att_shift, ffn_shift] =
            [0, 1].map(|_| b.graph.view(shift_state, [n_embd, 1, seqs, 1], [second, third, fourth]));
        let att_norm = b.norm(rows, NormKind::LayerNorm);
        let previous = b.token_shift(att_shift, att_norm);
        let att_out = b.time_mix([att_norm, previous], head, &mut v_first)?;
        let ffn_inp = b.add(att_out, rows);
        let ffn_norm = b.norm(ffn_inp, NormKind::LayerNorm);
        let previous = b.token_shift(ffn_shift, ffn_norm);
        b.store_token_shift(att_norm, ffn_norm);
        let [mut ffn_inp, mut ffn_norm, mut previous] =
            [ffn_inp, ffn_norm, previous].map(|part| b.graph.reshape(part, b.rows(n_embd)));
        if layer + 1 == b.model.layers {
            [ffn_inp, ffn_norm, previous] = [ffn_inp, ffn_norm, previous].map(|part| b.select_outputs(part));
        }
        let ffn_out = b.channel_mix(ffn_norm, previous, layer)?;
        rows = b.add(ffn_out, ffn_inp);
    }
    Ok(b.final_norm_and_head(rows))
}

impl Builder<'_> {
    /// For each row, the row of the previous token. The first row comes from the state.
    fn token_shift(&mut self, state: TensorId, rows: TensorId) -> TensorId {
        let [width, seq_tokens, seqs, _] = self.graph.shape(rows);
        let [_, second, third, fourth] = self.graph.strides(rows);
        let shape = [width, seq_tokens.saturating_sub(1), seqs, 1];
        let all_but_last = self.graph.view(rows, shape, [second, third, fourth]);
        self.graph.op([width, seq_tokens, seqs, 1], &[state, all_but_last])
    }

    /// `build_rwkv_token_shift_store`: keeps the last rows for the next batch.
    fn store_token_shift(&mut self, att_norm: TensorId, ffn_norm: TensorId) {
        let [width, _, seqs, _] = self.graph.shape(att_norm);
        let last_rows = [att_norm, ffn_norm].map(|rows| {
            let [_, second, third, fourth] = self.graph.strides(rows);
            self.graph.view(rows, [width, 1, seqs, 1], [second, third, fourth])
        });
        let state = self.graph.op([width, 2, seqs, 1], &last_rows);
        let elements = width.saturating_mul(2).saturating_mul(seqs);
        let flat = self.graph.reshape(state, [elements, 1, 1, 1]);
        let stored = self.graph.store(&[flat]);
        self.graph.expand(stored);
    }

    /// `build_rwkv7_channel_mix`: the feed-forward network.
    fn channel_mix(&mut self, rows: TensorId, previous: TensorId, layer: u64) -> Result<TensorId, String> {
        let ffn_width = self.model.ffn_width(layer)?;
        let difference = self.graph.inplace_op(&[previous, rows]);
        let scaled = self.graph.inplace_op(&[difference]);
        let mixed = self.graph.inplace_op(&[scaled, rows]);
        let key = self.mul_mat(ffn_width, mixed);
        // ReLU and square.
        let key = self.graph.inplace_op(&[key]);
        let key = self.graph.inplace_op(&[key]);
        Ok(self.mul_mat(self.model.n_embd, key))
    }

    /// Two matrices: to a low rank, and back to the full width.
    fn lora(&mut self, input: TensorId, rank_key: &str) -> Result<TensorId, String> {
        let rank = self.model.required(rank_key)?;
        let low_rank = self.mul_mat(rank, input);
        Ok(self.mul_mat(self.model.n_embd, low_rank))
    }

    /// `build_rwkv7_time_mix`.
    fn time_mix(
        &mut self,
        rows: [TensorId; 2],
        head: u64,
        v_first: &mut Option<TensorId>,
    ) -> Result<TensorId, String> {
        let (n_embd, tokens) = (self.model.n_embd, self.tokens);
        let [seq_tokens, seqs] = self.seq_dims();
        let [xr, xw, xk, xv, xa, xg] = self.token_shift_mixes(rows);
        let r = self.mul_mat(n_embd, xr);
        let w = self.lora(xw, "attention.decay_lora_rank")?;
        let k = self.mul_mat(n_embd, xk);
        let v = self.value_with_residual(xv, v_first)?;
        let gate = if self.has_gate() { Some(self.lora(xg, "attention.gate_lora_rank")?) } else { None };
        // The in-context learning rate.
        let iclr = self.lora(xa, "attention.iclr_lora_rank")?;
        let by_head = [head, n_embd.checked_div(head).unwrap_or(0), tokens, 1];
        let kk = self.graph.inplace_op(&[k]);
        let kk = self.graph.reshape(kk, by_head);
        let kk = self.graph.op(by_head, &[kk]);
        let ka = self.graph.inplace_op(&[k]);
        let product = self.graph.inplace_op(&[iclr, ka]);
        let difference = self.graph.inplace_op(&[product, ka]);
        let k = self.graph.inplace_op(&[k, difference]);
        let [r, w, k, v, iclr] = [r, w, k, v, iclr].map(|part| self.graph.reshape(part, by_head));
        let state = self.read_state(n_embd.saturating_mul(head));
        let negative_kk = self.graph.inplace_op(&[kk]);
        let kk_iclr = self.graph.inplace_op(&[kk, iclr]);
        let out = self.wkv7([r, w, k, v, negative_kk, kk_iclr, state], head);
        // The group norm.
        let out = self.graph.reshape(out, by_head);
        let out = self.graph.op(by_head, &[out]);
        let out = self.graph.reshape(out, self.rows(n_embd));
        let out = self.graph.inplace_op(&[out]);
        let rk = self.graph.inplace_op(&[k, r]);
        let rk = self.graph.inplace_op(&[rk]);
        let [_, heads, ..] = by_head;
        let sums = self.graph.op([1, heads, tokens, 1], &[rk]);
        let bonus = self.graph.inplace_op(&[v, sums]);
        let bonus = self.graph.reshape(bonus, self.rows(n_embd));
        let mut out = self.graph.inplace_op(&[out, bonus]);
        if let Some(gate) = gate {
            out = self.graph.inplace_op(&[out, gate]);
        }
        let out = self.mul_mat(n_embd, out);
        Ok(self.graph.reshape(out, [n_embd, seq_tokens, seqs, 1]))
    }

    fn has_gate(&self) -> bool {
        self.model.number("attention.gate_lora_rank").is_some_and(|rank| rank > 0)
    }

    /// Interpolations between each row and the previous row, for r, w, k, v, a and g. Only a model with a gate uses g.
    fn token_shift_mixes(&mut self, [rows, previous]: [TensorId; 2]) -> [TensorId; 6] {
        let [seq_tokens, seqs] = self.seq_dims();
        let n_embd = self.model.n_embd;
        let difference = self.graph.inplace_op(&[previous, rows]);
        let count = if self.has_gate() { 6 } else { 5 };
        let repeated = self.graph.op([n_embd, seq_tokens, seqs, count], &[difference]);
        let scaled = self.graph.inplace_op(&[repeated]);
        let mixes = self.graph.inplace_op(&[scaled, rows]);
        let [_, row, ..] = self.graph.strides(mixes);
        let end = row.saturating_mul(self.tokens);
        [0; 6].map(|_| self.graph.view(mixes, self.rows(n_embd), [row, end, end]))
    }

    /// The values. From the second layer on, they are mixed with the values of the first layer.
    fn value_with_residual(
        &mut self,
        input: TensorId,
        v_first: &mut Option<TensorId>,
    ) -> Result<TensorId, String> {
        let value = self.mul_mat(self.model.n_embd, input);
        let Some(first) = *v_first else {
            *v_first = Some(value);
            return Ok(value);
        };
        let mix = self.lora(input, "attention.value_residual_mix_lora_rank")?;
        let difference = self.graph.inplace_op(&[first, value]);
        let product = self.graph.inplace_op(&[difference, mix]);
        Ok(self.graph.inplace_op(&[value, product]))
    }

    /// `ggml_rwkv_wkv7`: its output, followed by the new states, which are stored.
    fn wkv7(&mut self, sources: [TensorId; 7], head: u64) -> TensorId {
        let [_, seqs] = self.seq_dims();
        let output_len = self.model.n_embd.saturating_mul(self.tokens);
        let states = self.model.n_embd.saturating_mul(head).saturating_mul(seqs);
        let result = self.graph.op([output_len.saturating_add(states), 1, 1, 1], &sources);
        let out = self.graph.view(result, [output_len, 1, 1, 1], [output_len.saturating_mul(F32_SIZE); 3]);
        self.store_trailing_state(result, states);
        out
    }
}
