//! Feed-forward networks and mixtures of experts: `build_ffn` and `build_moe_ffn` of `src/llama-graph.cpp`, llama.cpp
//! b11434.

use super::build::Builder;
use super::graph::{F32_SIZE, TensorId};

/// The activation of a feed-forward network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activation {
    /// Gated (`SwiGLU`, `GeGLU`), with separate up and gate matrices.
    Gated,
    /// Gated, with one matrix of twice the width for up and gate.
    FusedGated,
    /// Not gated (GELU, `ReLU`, squared `ReLU`): one up matrix and an activation in place.
    Ungated,
}

/// The parameters of a mixture of experts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MoeParams {
    /// `n_expert`.
    pub(super) experts: u64,
    /// `n_expert_used`.
    pub(super) used: u64,
    /// The width of an expert (`n_ff_exp`).
    pub(super) ffn_width: u64,
    pub(super) router: Router,
    /// True if the weights of the selected experts are scaled to a sum of one (`norm_w`).
    pub(super) normalizes_weights: bool,
}

/// How the router selects experts, and how their weights are computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Router {
    /// Top-k of the probabilities (softmax or sigmoid), which are also the weights.
    Probs,
    /// Top-k of the probabilities plus a bias; the weights are the probabilities without it.
    BiasedProbs,
    /// Top-k of the logits; a softmax of the selected logits gives the weights.
    SoftmaxAfterTopK,
    /// Top-k of the logits; the weights multiply the inputs of the experts, not their outputs (`weight_before_ffn`).
    WeightBeforeFfn,
}

impl Builder<'_> {
    /// `build_ffn`.
    pub(super) fn ffn(&mut self, input: TensorId, ffn_width: u64, activation: Activation) -> TensorId {
        let [width, ..] = self.graph.shape(input);
        let activated = match activation {
            Activation::Gated => {
                let up = self.mul_mat(ffn_width, input);
                let gate = self.mul_mat(ffn_width, input);
                let shape = self.graph.shape(up);
                self.graph.op(shape, &[gate, up])
            }
            Activation::FusedGated => {
                let up_and_gate = self.mul_mat(ffn_width.saturating_mul(2), input);
                // SwiGLU or GeGLU: the result has half the width.
                self.mul_mat(ffn_width, up_and_gate)
            }
            Activation::Ungated => {
                let up = self.mul_mat(ffn_width, input);
                self.graph.inplace_op(&[up])
            }
        };
        self.mul_mat(width, activated)
    }

    /// `build_moe_ffn`.
    pub(super) fn moe_ffn(&mut self, input: TensorId, moe: MoeParams) -> TensorId {
        let [width, rows, ..] = self.graph.shape(input);
        let MoeParams { experts, used, ffn_width, .. } = moe;
        let logits = self.mul_mat(experts, input);
        let probs =
            if moe.router == Router::SoftmaxAfterTopK { logits } else { self.graph.inplace_op(&[logits]) };
        let selection_probs = match moe.router {
            Router::Probs | Router::SoftmaxAfterTopK => probs,
            Router::BiasedProbs => self.graph.inplace_op(&[probs]),
            Router::WeightBeforeFfn => logits,
        };
        let sorted = self.graph.op([experts, rows, 1, 1], &[selection_probs]);
        let row = experts.saturating_mul(F32_SIZE);
        let selected = self.graph.view(
            sorted,
            [used, rows, 1, 1],
            [row, row.saturating_mul(rows), row.saturating_mul(rows)],
        );
        let weights = self.expert_weights(probs, selected, moe);
        self.graph.expand(weights);
        let mut input = self.graph.reshape(input, [width, 1, rows, 1]);
        if moe.router == Router::WeightBeforeFfn {
            let repeated = self.graph.op([width, used, rows, 1], &[input]);
            input = self.graph.inplace_op(&[repeated, weights]);
        }
        let shape = [ffn_width, used, rows, 1];
        let up = self.graph.op(shape, &[input, selected]);
        let gate = self.graph.op(shape, &[input, selected]);
        let activated = self.graph.op(shape, &[gate, up]);
        let mut expert_outputs = self.graph.op([width, used, rows, 1], &[activated, selected]);
        if moe.router != Router::WeightBeforeFfn {
            expert_outputs = self.graph.inplace_op(&[expert_outputs, weights]);
        }
        self.graph.expand(expert_outputs);
        self.sum_experts(expert_outputs, used)
    }

    /// The weights of the selected experts.
    fn expert_weights(&mut self, probs: TensorId, selected: TensorId, moe: MoeParams) -> TensorId {
        let [experts, rows, ..] = self.graph.shape(probs);
        let used = moe.used;
        let flat = self.graph.reshape(probs, [1, experts, rows, 1]);
        let mut weights = self.graph.op([1, used, rows, 1], &[flat, selected]);
        if moe.router == Router::SoftmaxAfterTopK {
            let flat = self.graph.reshape(weights, [used, rows, 1, 1]);
            let softmax = self.graph.inplace_op(&[flat]);
            weights = self.graph.reshape(softmax, [1, used, rows, 1]);
        }
        if moe.normalizes_weights {
            let flat = self.graph.reshape(weights, [used, rows, 1, 1]);
            let sum = self.graph.op([1, rows, 1, 1], &[flat]);
            let clamped = self.graph.inplace_op(&[sum]);
            let normalized = self.graph.inplace_op(&[flat, clamped]);
            weights = self.graph.reshape(normalized, [1, used, rows, 1]);
        }
        weights
    }

    /// Adds the outputs of the experts one by one.
    fn sum_experts(&mut self, expert_outputs: TensorId, used: u64) -> TensorId {
        let [width, _, rows, _] = self.graph.shape(expert_outputs);
        let [_, _, row, end] = self.graph.strides(expert_outputs);
        let mut views = Vec::new();
        for _ in 0..used {
            let view = self.graph.view(expert_outputs, [width, rows, 1, 1], [row, end, end]);
            self.graph.expand(view);
            views.push(view);
        }
        let Some((first, others)) = views.split_first() else { return expert_outputs };
        let mut sum = *first;
        for view in others {
            sum = self.graph.inplace_op(&[sum, *view]);
            self.graph.expand(sum);
        }
        // A single expert gives a view with gaps, which is copied.
        if others.is_empty() { self.graph.op([width, rows, 1, 1], &[sum]) } else { sum }
    }
}
