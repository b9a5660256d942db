//! Layers with recurrent state: Mamba, Mamba 2 and short convolutions.
//!
//! They follow `build_rs` of `src/llama-graph.cpp`, `src/models/mamba-base.cpp` and `src/models/lfm2.cpp`, llama.cpp
//! b11434.

use super::build::{Builder, NormKind};
use super::graph::{F32_SIZE, I32_SIZE, TensorId};
use super::recipes::Feature;

/// The dimensions of a state space model (SSM) layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SsmDims {
    /// Rows of the convolution state: `ssm_d_conv` - 1.
    pub(super) conv_rows: u64,
    /// `ssm_d_inner`.
    pub(super) inner: u64,
    /// `ssm_d_state`.
    pub(super) state: u64,
    /// `ssm_dt_rank`: the rank of the time step in Mamba, the number of heads in Mamba 2.
    pub(super) dt_rank: u64,
    /// `ssm_n_group`.
    pub(super) groups: u64,
}

impl Builder<'_> {
    pub(super) fn ssm_dims(&self) -> Result<SsmDims, String> {
        let required = |key: &str| self.model.required(key);
        let conv_rows = required("ssm.conv_kernel")?.saturating_sub(1);
        let (inner, state) = (required("ssm.inner_size")?, required("ssm.state_size")?);
        let dt_rank = required("ssm.time_step_rank")?;
        let groups = self.model.number("ssm.group_count").unwrap_or(0);
        Ok(SsmDims { conv_rows, inner, state, dt_rank, groups })
    }

    /// Tokens per sequence and number of sequences (`n_seq_tokens`, `n_seqs`).
    pub(super) fn seq_dims(&self) -> [u64; 2] {
        let seqs = self.params.slots.max(1);
        [self.tokens / seqs, seqs]
    }

    /// `build_rs`: the states of the sequences of the batch, gathered from the cache (`ggml_get_rows`).
    pub(super) fn read_state(&mut self, width: u64) -> TensorId {
        let [_, seqs] = self.seq_dims();
        let sources: Vec<TensorId> = self.state_ids.into_iter().collect();
        let gathered = self.graph.op([width, seqs, 1, 1], &sources);
        let row = width.saturating_mul(F32_SIZE);
        let end = row.saturating_mul(seqs);
        let states = self.graph.view(gathered, [width, seqs, 1, 1], [row, end, end]);
        self.graph.expand(states);
        self.copy_extra_states(gathered, width, seqs);
        states
    }

    /// Like `read_state`, for an operation that reads its states from the cache (`ggml_ssm_scan`): only the extra
    /// states are gathered.
    fn read_state_in_op(&mut self, result: TensorId, width: u64) {
        let [_, seqs] = self.seq_dims();
        let extra = seqs - 1;
        let ids = self
            .state_ids
            .map(|ids| self.graph.view(ids, [extra, 1, 1, 1], [I32_SIZE.saturating_mul(extra); 3]));
        let sources: Vec<TensorId> = ids.into_iter().collect();
        let gathered = self.graph.op([width, extra, 1, 1], &sources);
        self.graph.expand(result);
        self.copy_extra_states(gathered, width, extra);
    }

    /// Copies the states of sequences outside the batch to their new cells. The largest batch has none.
    fn copy_extra_states(&mut self, gathered: TensorId, width: u64, count: u64) {
        let row = width.saturating_mul(F32_SIZE);
        let extra = self.graph.view(gathered, [width, 0, 1, 1], [row, row.saturating_mul(count), 0]);
        let stored = self.graph.store(&[extra]);
        self.graph.expand(stored);
    }

    /// The cells of the states of the batch (`s_copy_main`), for an operation that reads them from the cache.
    fn main_state_ids(&mut self) -> Option<TensorId> {
        let [_, seqs] = self.seq_dims();
        self.state_ids.map(|ids| self.graph.view(ids, [seqs, 1, 1, 1], [I32_SIZE.saturating_mul(seqs); 3]))
    }

    /// The input of a convolution: its state, followed by the batch. The last rows are stored as the new state.
    pub(super) fn conv_input(&mut self, conv_state: TensorId, x: TensorId, conv_rows: u64) -> TensorId {
        let [channels, seq_tokens, seqs, _] = self.graph.shape(x);
        let x = self.graph.transpose(x);
        let shape = [conv_rows.saturating_add(seq_tokens), channels, seqs, 1];
        let input = self.graph.op(shape, &[conv_state, x]);
        self.store_conv_state(input, conv_rows);
        input
    }

    fn store_conv_state(&mut self, input: TensorId, conv_rows: u64) {
        let [_, channels, seqs, _] = self.graph.shape(input);
        let [_, second, third, fourth] = self.graph.strides(input);
        let last = self.graph.view(input, [conv_rows, channels, seqs, 1], [second, third, fourth]);
        let stored = self.graph.store(&[last]);
        self.graph.expand(stored);
    }

    /// Stores the new states, which an operation writes after its output in the same tensor.
    pub(super) fn store_trailing_state(&mut self, result: TensorId, elements: u64) {
        let bytes = elements.saturating_mul(F32_SIZE);
        let state = self.graph.view(result, [elements, 1, 1, 1], [bytes; 3]);
        let stored = self.graph.store(&[state]);
        self.graph.expand(stored);
    }

    /// `build_mamba_layer`.
    pub(super) fn mamba(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let [seq_tokens, seqs] = self.seq_dims();
        let SsmDims { conv_rows, inner, state, dt_rank, .. } = dims;
        let conv_state = self.read_state(conv_rows.saturating_mul(inner));
        let conv_state = self.graph.reshape(conv_state, [conv_rows, inner, seqs, 1]);
        let input = self.graph.reshape(input, [self.model.n_embd, seq_tokens, seqs, 1]);
        let xz = self.mul_mat(inner.saturating_mul(2), input);
        let shape = [inner, seq_tokens, seqs, 1];
        let [_, second, third, fourth] = self.graph.strides(xz);
        let [x, z] = [0, 1].map(|_| self.graph.view(xz, shape, [second, third, fourth]));
        let conv_input = self.conv_input(conv_state, x, conv_rows);
        let x = self.graph.op(shape, &[conv_input]);
        // Bias and SiLU.
        let x = self.graph.inplace_op(&[x]);
        let x = self.graph.inplace_op(&[x]);
        let x_db = self.mul_mat(dt_rank.saturating_add(state.saturating_mul(2)), x);
        let [_, second, third, _] = self.graph.strides(x_db);
        let dt = self.graph.view(x_db, [dt_rank, seq_tokens, seqs, 1], [second, third, third]);
        let [b, c] = [0, 1].map(|_| {
            let strides = [state.saturating_mul(F32_SIZE), second, third];
            self.graph.view(x_db, [state, 1, seq_tokens, seqs], strides)
        });
        let (dt, b, c) = if self.recipe.has(Feature::SsmNorm) {
            let kind = NormKind::RmsNorm;
            (self.norm(dt, kind), self.norm(b, kind), self.norm(c, kind))
        } else {
            (self.graph.op([dt_rank, seq_tokens, seqs, 1], &[dt]), b, c)
        };
        let dt = self.mul_mat(inner, dt);
        let dt = self.graph.inplace_op(&[dt]);
        let heads = self.graph.reshape(x, [1, inner, seq_tokens, seqs]);
        let states = state.saturating_mul(inner).saturating_mul(seqs);
        let scan = self.ssm_scan(&[heads, dt, b, c], inner.saturating_mul(self.tokens), states);
        let second = inner.saturating_mul(F32_SIZE);
        let third = inner.saturating_mul(seq_tokens).saturating_mul(F32_SIZE);
        let output = self.graph.view(scan, shape, [second, third, third.saturating_mul(seqs)]);
        // The skip connection with `ssm_d`.
        let skip = self.graph.inplace_op(&[x]);
        let output = self.graph.inplace_op(&[output, skip]);
        let z = self.graph.op(shape, &[z]);
        let output = self.graph.op(shape, &[z, output]);
        let out = self.mul_mat(self.model.n_embd, output);
        Ok(self.graph.reshape(out, self.rows(self.model.n_embd)))
    }

    /// `ggml_ssm_scan`: its output, followed by the new states.
    fn ssm_scan(&mut self, inputs: &[TensorId], output_len: u64, states: u64) -> TensorId {
        let [_, seqs] = self.seq_dims();
        let sources: Vec<TensorId> = inputs.iter().copied().chain(self.main_state_ids()).collect();
        let scan = self.graph.op([output_len.saturating_add(states), 1, 1, 1], &sources);
        self.read_state_in_op(scan, states.checked_div(seqs).unwrap_or(0));
        self.store_trailing_state(scan, states);
        scan
    }

    /// `build_mamba2_layer`.
    pub(super) fn mamba2(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let [seq_tokens, seqs] = self.seq_dims();
        let SsmDims { conv_rows, inner, state, dt_rank: heads, groups, .. } = dims;
        let channels = inner.saturating_add(groups.saturating_mul(state).saturating_mul(2));
        let conv_state = self.read_state(conv_rows.saturating_mul(channels));
        let conv_state = self.graph.reshape(conv_state, [conv_rows, channels, seqs, 1]);
        let zxbcdt = self.mul_mat(inner.saturating_add(channels).saturating_add(heads), input);
        let [width, ..] = self.graph.shape(zxbcdt);
        let zxbcdt = self.graph.reshape(zxbcdt, [width, seq_tokens, seqs, 1]);
        let head = inner.checked_div(heads).unwrap_or(0);
        let by_head = [head, heads, seq_tokens, seqs];
        let [_, second, third, fourth] = self.graph.strides(zxbcdt);
        let z = self.graph.view(zxbcdt, by_head, [head.saturating_mul(F32_SIZE), second, third]);
        let xbc = self.graph.view(zxbcdt, [channels, seq_tokens, seqs, 1], [second, third, fourth]);
        let dt = self.graph.view(zxbcdt, [heads, seq_tokens, seqs, 1], [second, third, fourth]);
        let conv_input = self.conv_input(conv_state, xbc, conv_rows);
        let xbc = self.graph.op([channels, seq_tokens, seqs, 1], &[conv_input]);
        // Bias and SiLU.
        let xbc = self.graph.inplace_op(&[xbc]);
        let xbc = self.graph.inplace_op(&[xbc]);
        let [_, second, third, _] = self.graph.strides(xbc);
        let [b, c] = [0, 1].map(|_| {
            let strides = [state.saturating_mul(F32_SIZE), second, third];
            self.graph.view(xbc, [state, groups, seq_tokens, seqs], strides)
        });
        let x = self.graph.view(xbc, by_head, [head.saturating_mul(F32_SIZE), second, third]);
        let dt = self.graph.op([heads, seq_tokens, seqs, 1], &[dt]);
        let dt = self.graph.inplace_op(&[dt]);
        let states = state.saturating_mul(inner).saturating_mul(seqs);
        let scan = self.ssm_scan(&[x, dt, b, c], inner.saturating_mul(self.tokens), states);
        let [second, third] = [head, inner].map(|elements| elements.saturating_mul(F32_SIZE));
        let fourth = inner.saturating_mul(seq_tokens).saturating_mul(F32_SIZE);
        let output = self.graph.view(scan, by_head, [second, third, fourth]);
        // The skip connection with `ssm_d`.
        let skip = self.graph.op(by_head, &[x]);
        let output = self.graph.inplace_op(&[output, skip]);
        let z = self.graph.op(by_head, &[z]);
        let mut output = self.graph.op(by_head, &[z, output]);
        if self.recipe.has(Feature::SsmNorm) {
            let group = inner.checked_div(groups).unwrap_or(0);
            let by_group = self.graph.reshape(output, [group, groups, seq_tokens, seqs]);
            output = self.norm(by_group, NormKind::RmsNorm);
        }
        let output = self.graph.reshape(output, self.rows(inner));
        Ok(self.mul_mat(self.model.n_embd, output))
    }

    /// `build_shortconv_block` of LFM2.
    pub(super) fn short_conv(&mut self, input: TensorId) -> Result<TensorId, String> {
        let conv_rows = self.model.required("shortconv.l_cache")?.saturating_sub(1);
        let [seq_tokens, seqs] = self.seq_dims();
        let n_embd = self.model.n_embd;
        let shape = [n_embd, seq_tokens, seqs, 1];
        let input = self.graph.reshape(input, shape);
        let bcx = self.mul_mat(n_embd.saturating_mul(3), input);
        let [_, second, third, fourth] = self.graph.strides(bcx);
        let [b, c, x] = [0, 1, 2].map(|_| self.graph.view(bcx, shape, [second, third, fourth]));
        let bx = self.graph.op(shape, &[b, x]);
        let conv_state = self.read_state(conv_rows.saturating_mul(n_embd));
        let conv_state = self.graph.reshape(conv_state, [conv_rows, n_embd, seqs, 1]);
        let conv_input = self.conv_input(conv_state, bx, conv_rows);
        let conv = self.graph.op(shape, &[conv_input]);
        let output = self.graph.inplace_op(&[c, conv]);
        let output = self.mul_mat(n_embd, output);
        Ok(self.graph.reshape(output, self.rows(n_embd)))
    }
}
