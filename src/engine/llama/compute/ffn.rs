//! Feed-forward networks and mixtures of experts: `build_ffn` and `build_moe_ffn` of `src/llama-graph.cpp`, llama.cpp
//! b11434.

use super::build::Builder;
use super::graph::{F32_SIZE, Home, Op, Section, TensorId, product};
use crate::engine::architecture::{Activation, Router};

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
                let [_, second, third, fourth] = self.graph.shape(up_and_gate);
                self.graph.op([ffn_width, second, third, fourth], &[up_and_gate])
            }
            Activation::Ungated => {
                let up = self.mul_mat(ffn_width, input);
                self.graph.inplace_op_of(Op::Unary, &[up])
            }
        };
        self.mul_mat(width, activated)
    }

    /// `build_moe_ffn`.
    pub(super) fn moe_ffn(&mut self, input: TensorId, moe: MoeParams) -> TensorId {
        let [width, rows, ..] = self.graph.shape(input);
        let MoeParams { experts, used, ffn_width, router, .. } = moe;
        let router_weights = self.vector(product(&[experts, width]));
        let logits = self.graph.op_of(Op::MulMat, [experts, rows, 1, 1], &[router_weights, input]);
        let probs =
            if router == Router::SoftmaxAfterTopK { logits } else { self.graph.inplace_op(&[logits]) };
        let selection_probs = match router {
            Router::Probs | Router::SoftmaxAfterTopK => probs,
            Router::BiasedProbs => {
                let bias = self.vector(experts);
                self.graph.inplace_op(&[probs, bias])
            }
            Router::WeightBeforeFfn => logits,
        };
        let selected = self.graph.op([experts, rows, 1, 1], &[selection_probs]);
        let weights = self.expert_weights(probs, selected, moe);
        if router != Router::WeightBeforeFfn {
            let first = if router == Router::SoftmaxAfterTopK { selected } else { probs };
            self.graph.fuse_since(first);
        }
        self.graph.expand(weights);
        let mut input = input;
        if router == Router::WeightBeforeFfn {
            let repeated = self.graph.op([width, used, rows, 1], &[input]);
            input = self.graph.inplace_op(&[repeated, weights]);
        }
        let shape = [ffn_width, used, rows, 1];
        let matrix = product(&[width, ffn_width, experts]);
        let [up, gate] = [0, 1].map(|_| {
            let matrix = self.experts(matrix);
            let product = self.graph.op_of(Op::MulMatId, shape, &[matrix, input, selected]);
            self.expert_bias(product, selected, moe)
        });
        let activated = self.graph.op(shape, &[gate, up]);
        let matrix = self.experts(matrix);
        let sources = [matrix, activated, selected];
        let mut expert_outputs = self.graph.op_of(Op::MulMatId, [width, used, rows, 1], &sources);
        expert_outputs = self.expert_bias(expert_outputs, selected, moe);
        if router != Router::WeightBeforeFfn {
            expert_outputs = self.graph.inplace_op_of(Op::Mul, &[expert_outputs, weights]);
        }
        self.graph.expand(expert_outputs);
        self.sum_experts(expert_outputs, used)
    }

    /// Adds the biases of the selected experts, which only gpt-oss has (`ggml_add_id`).
    fn expert_bias(&mut self, rows: TensorId, selected: TensorId, moe: MoeParams) -> TensorId {
        if moe.router != Router::SoftmaxAfterTopK {
            return rows;
        }
        let [width, ..] = self.graph.shape(rows);
        let home = self.experts_home();
        let bias = self.graph.external(home, product(&[width, moe.experts, F32_SIZE]));
        self.graph.inplace_op_of(Op::AddId, &[rows, bias, selected])
    }

    /// A matrix of all experts of the current layer.
    fn experts(&mut self, elements: u64) -> TensorId {
        self.graph.external(self.experts_home(), self.model.sizes.experts(elements))
    }

    fn experts_home(&self) -> Home {
        match self.graph.section {
            Section::Layer(layer) => Home::Experts(layer),
            Section::Input | Section::Output => self.graph.weight_home(),
        }
    }

    /// The weights of the selected experts.
    fn expert_weights(&mut self, probs: TensorId, selected: TensorId, moe: MoeParams) -> TensorId {
        let [_, rows, ..] = self.graph.shape(probs);
        let (flat, by_expert) = ([moe.used, rows, 1, 1], [1, moe.used, rows, 1]);
        let mut weights = self.graph.op_of(Op::GetRows, by_expert, &[probs, selected]);
        if moe.router == Router::SoftmaxAfterTopK {
            let logits = self.graph.view(weights, flat);
            let softmax = self.graph.inplace_op(&[logits]);
            weights = self.graph.view(softmax, by_expert);
        }
        if moe.normalizes_weights {
            let weights_of_token = self.graph.view(weights, flat);
            let sum = self.graph.op([1, rows, 1, 1], &[weights_of_token]);
            let clamped = self.graph.inplace_op(&[sum]);
            let normalized = self.graph.inplace_op(&[weights_of_token, clamped]);
            weights = self.graph.view(normalized, by_expert);
        }
        weights
    }

    /// Adds the outputs of the experts one by one.
    fn sum_experts(&mut self, expert_outputs: TensorId, used: u64) -> TensorId {
        let [width, _, rows, _] = self.graph.shape(expert_outputs);
        let shape = [width, rows, 1, 1];
        let mut views = Vec::new();
        for _ in 0..used {
            let view = self.graph.view(expert_outputs, shape);
            self.graph.expand(view);
            views.push(view);
        }
        let Some((first, others)) = views.split_first() else { return expert_outputs };
        let mut sum = *first;
        for view in others {
            sum = self.add(sum, *view);
            self.graph.expand(sum);
        }
        // A single expert gives a view with gaps, which is copied.
        if others.is_empty() { self.graph.op(shape, &[sum]) } else { sum }
    }
}
