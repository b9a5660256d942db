//! RWKV 7: `src/models/rwkv7.cpp` and `rwkv7-base.cpp` of llama.cpp b11434.

use super::build::Builder;
use super::graph::{Graph, Op, Section, TensorId, product};

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let head = b.model.required("wkv.head_size")?.max(1);
    let n_embd = b.model.n_embd;
    let embeddings = b.input_embeddings();
    // The weights of this norm are in the first layer.
    b.graph.section = Section::Layer(0);
    let mut rows = b.norm(embeddings);
    let mut v_first = None;
    for layer in 0..b.model.layers {
        b.graph.section = Section::Layer(layer);
        rows = b.graph.view(rows, b.seq_rows(n_embd));
        let [shift_state, shift_states] = b.read_state(n_embd.saturating_mul(2));
        let att_norm = b.norm(rows);
        let previous = b.token_shift(shift_state, att_norm);
        let att_out = b.time_mix([att_norm, previous], head, &mut v_first)?;
        let ffn_inp = b.add(att_out, rows);
        let ffn_norm = b.norm(ffn_inp);
        let previous = b.token_shift(shift_state, ffn_norm);
        // `build_rwkv_token_shift_store`: keeps the last rows for the next batch.
        let last_rows = b.graph.op([n_embd, 2, b.seqs, 1], &[att_norm, ffn_norm]);
        b.graph.store(Op::Other, &[last_rows], shift_states);
        let mut parts = [ffn_inp, ffn_norm, previous].map(|part| b.graph.view(part, b.rows(n_embd)));
        if layer + 1 == b.model.layers {
            parts = parts.map(|part| b.select_outputs(part));
        }
        let [ffn_inp, ffn_norm, previous] = parts;
        let ffn_out = b.channel_mix(ffn_norm, previous, layer)?;
        rows = b.add(ffn_out, ffn_inp);
    }
    Ok(b.final_norm_and_head(rows))
}

impl Builder<'_> {
    /// For each row, the row of the previous token. The first row comes from the state.
    fn token_shift(&mut self, state: TensorId, rows: TensorId) -> TensorId {
        self.graph.op(self.graph.shape(rows), &[state, rows])
    }

    /// `build_rwkv7_channel_mix`: the feed-forward network.
    fn channel_mix(&mut self, rows: TensorId, previous: TensorId, layer: u64) -> Result<TensorId, String> {
        let ffn_width = self.model.ffn_width(layer)?;
        let difference = self.graph.inplace_op(&[previous, rows]);
        let scaled = self.graph.inplace_op(&[difference]);
        let mixed = self.add(scaled, rows);
        let key = self.mul_mat(ffn_width, mixed);
        // ReLU and square.
        let key = self.graph.inplace_ops(2, key);
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
        let n_embd = self.model.n_embd;
        let has_gate = self.model.number("attention.gate_lora_rank").is_some_and(|rank| rank > 0);
        // Only a model with a gate uses the last one.
        let mixed = self.token_shift_mixes(rows, if has_gate { 6 } else { 5 });
        let r = self.mul_mat(n_embd, mixed);
        let w = self.lora(mixed, "attention.decay_lora_rank")?;
        let k = self.mul_mat(n_embd, mixed);
        let v = self.value_with_residual(mixed, v_first)?;
        let gate = if has_gate { Some(self.lora(mixed, "attention.gate_lora_rank")?) } else { None };
        // The in-context learning rate.
        let iclr = self.lora(mixed, "attention.iclr_lora_rank")?;
        let heads = n_embd.checked_div(head).unwrap_or(0);
        let by_head = [head, heads, self.tokens, 1];
        let kk = self.graph.inplace_op(&[k]);
        let kk = self.graph.op(by_head, &[kk]);
        let ka = self.graph.inplace_op(&[k]);
        let product_ka = self.graph.inplace_op(&[iclr, ka]);
        let difference = self.graph.inplace_op(&[product_ka, ka]);
        let k = self.add(k, difference);
        let [r, w, k, v, iclr] = [r, w, k, v, iclr].map(|part| self.graph.view(part, by_head));
        let state_width = product(&[n_embd, head]);
        let [state, states] = self.read_state(state_width);
        let negative_kk = self.graph.inplace_op(&[kk]);
        let kk_iclr = self.graph.inplace_op(&[kk, iclr]);
        // `ggml_rwkv_wkv7`: its output, followed by the new states.
        let elements = product(&[n_embd, self.tokens]).saturating_add(product(&[state_width, self.seqs]));
        let wkv = self.graph.op([elements, 1, 1, 1], &[r, w, k, v, negative_kk, kk_iclr, state]);
        self.store_part(wkv, product(&[state_width, self.seqs]), states);
        // The group norm.
        let out = self.graph.op(by_head, &[wkv]);
        let out = self.graph.view(out, self.rows(n_embd));
        let out = self.graph.inplace_op(&[out]);
        let rk = self.graph.inplace_op(&[k, r]);
        let rk = self.graph.inplace_op(&[rk]);
        let sums = self.graph.op([1, heads, self.tokens, 1], &[rk]);
        let bonus = self.graph.inplace_op(&[v, sums]);
        let bonus = self.graph.view(bonus, self.rows(n_embd));
        let mut out = self.add(out, bonus);
        if let Some(gate) = gate {
            out = self.graph.inplace_op(&[out, gate]);
        }
        let out = self.mul_mat(n_embd, out);
        Ok(self.graph.view(out, self.seq_rows(n_embd)))
    }

    /// Interpolations between each row and the previous row, for r, w, k, v, a and g. Each is a part of the result; one
    /// view represents all.
    fn token_shift_mixes(&mut self, [rows, previous]: [TensorId; 2], count: u64) -> TensorId {
        let n_embd = self.model.n_embd;
        let difference = self.graph.inplace_op(&[previous, rows]);
        let repeated = self.graph.op([n_embd, self.seq_tokens, self.seqs, count], &[difference]);
        let scaled = self.graph.inplace_op(&[repeated]);
        let mixes = self.add(scaled, rows);
        self.graph.view(mixes, self.rows(n_embd))
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
        Ok(self.add(value, product))
    }
}
