//! Layers with recurrent state: Mamba, Mamba 2 and short convolutions.
//!
//! They follow `build_rs` of `src/llama-graph.cpp`, `src/models/mamba-base.cpp` and `src/models/lfm2.cpp`, llama.cpp
//! b11434.

use super::backend::unsupported_scan;
use super::build::Builder;
use super::graph::{F32_SIZE, Op, Shape, TensorId, product};
use crate::engine::architecture::Feature;

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

impl SsmDims {
    /// The width of a convolution over `x`, `B` and `C`, or over queries, keys and values.
    pub(super) fn channels(self) -> u64 {
        self.inner.saturating_add(product(&[2, self.groups, self.state]))
    }
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

    /// `build_rs`: the states of the sequences of the batch, gathered from the cache (`ggml_get_rows`). States of
    /// sequences outside the batch are copied to their new cells; the largest batch has none.
    pub(super) fn read_state(&mut self, width: u64) -> [TensorId; 2] {
        let states = self.states(width);
        // Sets the states of new sequences to zero, in the cache.
        self.graph.store(Op::Other, &[], states);
        let shape = [width, self.seqs, 1, 1];
        let gathered = self.graph.op_of(Op::GetRows, shape, &[states, self.state_ids]);
        self.graph.expand(gathered);
        self.store_part(gathered, 0, states);
        [gathered, states]
    }

    /// Stores some elements of a result in the state.
    pub(super) fn store_part(&mut self, result: TensorId, elements: u64, states: TensorId) {
        let part = self.graph.view(result, [elements, 1, 1, 1]);
        self.graph.store(Op::Other, &[part], states);
    }

    /// The states of all sequences in the current layer, each with `width` elements.
    fn states(&mut self, width: u64) -> TensorId {
        self.graph.cache(product(&[width, self.seqs, F32_SIZE]))
    }

    /// The input of a convolution: its state, followed by the batch. The last rows are stored as the new state.
    pub(super) fn conv_input(&mut self, x: TensorId, channels: u64, conv_rows: u64) -> TensorId {
        let [conv_state, states] = self.read_state(product(&[conv_rows, channels]));
        let shape = [conv_rows.saturating_add(self.seq_tokens), channels, self.seqs, 1];
        let input = self.graph.op(shape, &[conv_state, x]);
        self.graph.store(Op::Other, &[input], states);
        input
    }

    /// `ggml_ssm_conv`, whose weights are always f32.
    pub(super) fn convolution(&mut self, shape: Shape, input: TensorId, conv_rows: u64) -> TensorId {
        let [channels, ..] = shape;
        let weights = self.vector(product(&[conv_rows.saturating_add(1), channels]));
        self.graph.op_of(Op::SsmConv, shape, &[input, weights])
    }

    fn bias_and_silu(&mut self, rows: TensorId) -> TensorId {
        let [width, ..] = self.graph.shape(rows);
        let bias = self.vector(width);
        let sum = self.add(rows, bias);
        self.graph.inplace_op_of(Op::Unary, &[sum])
    }

    /// The product with the output matrix, without a dimension for the sequences.
    pub(super) fn mul_mat_to_rows(&mut self, input: TensorId) -> TensorId {
        let out = self.mul_mat(self.model.n_embd, input);
        self.graph.view(out, self.rows(self.model.n_embd))
    }

    /// `build_mamba_layer`.
    pub(super) fn mamba(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let SsmDims { conv_rows, inner, state, dt_rank, .. } = dims;
        let shape = self.seq_rows(inner);
        let xz = self.mul_mat(inner.saturating_mul(2), input);
        let conv_input = self.conv_input(xz, inner, conv_rows);
        let x = self.convolution(shape, conv_input, conv_rows);
        let x = self.bias_and_silu(x);
        let x_db = self.mul_mat(dt_rank.saturating_add(state.saturating_mul(2)), x);
        let mut dt = self.graph.view(x_db, self.seq_rows(dt_rank));
        let [mut b, mut c] = [0, 1].map(|_| self.graph.view(x_db, [state, 1, self.seq_tokens, self.seqs]));
        if self.recipe.has(Feature::SsmNorm) {
            [dt, b, c] = [dt, b, c].map(|part| self.rms_norm(part));
        } else {
            dt = self.graph.op(self.graph.shape(dt), &[dt]);
        }
        let dt = self.mul_mat(inner, dt);
        let dt = self.graph.inplace_op(&[dt]);
        let scan = self.ssm_scan(&[x, dt, b, c], dims);
        let output = self.graph.view(scan, shape);
        // The skip connection with `ssm_d`.
        let factors = self.vector(inner);
        let skip = self.graph.inplace_op_of(Op::Mul, &[x, factors]);
        let output = self.add(output, skip);
        let z = self.graph.op(shape, &[xz]);
        let output = self.graph.op(shape, &[z, output]);
        Ok(self.mul_mat_to_rows(output))
    }

    /// `ggml_ssm_scan`: its output, followed by the new states. It reads the states of the batch from the cache; only
    /// those of other sequences are gathered.
    fn ssm_scan(&mut self, inputs: &[TensorId], dims: SsmDims) -> TensorId {
        let width = product(&[dims.state, dims.inner]);
        let output_len = product(&[dims.inner, self.tokens]);
        let elements = output_len.saturating_add(product(&[width, self.seqs]));
        let states = self.states(width);
        self.graph.store(Op::Other, &[], states);
        let sources: Vec<TensorId> = [states].iter().chain(inputs).copied().chain([self.state_ids]).collect();
        let scan = self.graph.op([elements, 1, 1, 1], &sources);
        // Only the scans of Mamba 2 have heads.
        let heads = (dims.groups > 0).then_some(dims.dt_rank);
        self.graph.set_unsupported(scan, unsupported_scan(dims.state, dims.inner, heads));
        let others = [width, self.seqs - 1, 1, 1];
        let others = self.graph.op_of(Op::GetRows, others, &[states, self.state_ids]);
        self.graph.expand(scan);
        self.graph.store(Op::Other, &[others], states);
        self.store_part(scan, product(&[width, self.seqs]), states);
        scan
    }

    /// `build_mamba2_layer`.
    pub(super) fn mamba2(&mut self, input: TensorId) -> Result<TensorId, String> {
        let dims = self.ssm_dims()?;
        let SsmDims { conv_rows, inner, dt_rank: heads, groups, .. } = dims;
        let channels = dims.channels();
        let zxbcdt = self.mul_mat(inner.saturating_add(channels).saturating_add(heads), input);
        let conv_input = self.conv_input(zxbcdt, channels, conv_rows);
        let xbc = self.convolution(self.seq_rows(channels), conv_input, conv_rows);
        let xbc = self.bias_and_silu(xbc);
        let dt = self.graph.op(self.seq_rows(heads), &[zxbcdt]);
        let dt = self.graph.inplace_op(&[dt]);
        let by_head = [inner.checked_div(heads).unwrap_or(0), heads, self.seq_tokens, self.seqs];
        let x = self.graph.view(xbc, by_head);
        let shape = [dims.state, groups, self.seq_tokens, self.seqs];
        let [b, c] = [0, 1].map(|_| self.graph.view(xbc, shape));
        let scan = self.ssm_scan(&[x, dt, b, c], dims);
        let output = self.graph.view(scan, by_head);
        // The skip connection with `ssm_d`.
        let factors = self.vector(heads);
        let skip = self.graph.op_of(Op::Mul, by_head, &[x, factors]);
        let output = self.add(output, skip);
        let z = self.graph.op(by_head, &[zxbcdt]);
        let mut output = self.graph.op(by_head, &[z, output]);
        if self.recipe.has(Feature::SsmNorm) {
            let group = inner.checked_div(groups).unwrap_or(0);
            let by_group = self.graph.view(output, [group, groups, self.seq_tokens, self.seqs]);
            output = self.rms_norm(by_group);
        }
        let output = self.graph.view(output, self.rows(inner));
        Ok(self.mul_mat(self.model.n_embd, output))
    }

    /// `build_shortconv_block` of LFM2.
    pub(super) fn short_conv(&mut self, input: TensorId) -> Result<TensorId, String> {
        let conv_rows = self.model.required("shortconv.l_cache")?.saturating_sub(1);
        let n_embd = self.model.n_embd;
        let shape = self.seq_rows(n_embd);
        let bcx = self.mul_mat(n_embd.saturating_mul(3), input);
        let bx = self.graph.op(shape, &[bcx]);
        let conv_input = self.conv_input(bx, n_embd, conv_rows);
        let conv = self.convolution(shape, conv_input, conv_rows);
        let c = self.graph.view(bcx, shape);
        let output = self.graph.inplace_op(&[c, conv]);
        Ok(self.mul_mat_to_rows(output))
    }
}
