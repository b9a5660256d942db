//! The graph of a model, layer by layer.

use super::build::Builder;
use super::encoder;
use super::ffn::MoeParams;
use super::graph::{Graph, Op, Section, TensorId};
use super::hparams::Hparams;
use super::rwkv;
use crate::engine::architecture::{Activation, BlockKind, Feature, Mixer, Router};
use std::collections::BTreeMap;

pub(super) fn graph(builder: Builder<'_>) -> Result<Graph, String> {
    match builder.recipe.block {
        BlockKind::Encoder => encoder::graph(builder),
        BlockKind::Rwkv => rwkv::graph(builder),
        BlockKind::PreNorm
        | BlockKind::Parallel
        | BlockKind::ParallelMamba
        | BlockKind::SingleOp
        | BlockKind::PostNorm => decoder(builder),
    }
}

fn decoder(mut b: Builder<'_>) -> Result<Graph, String> {
    let recipe = b.recipe;
    let mut rows = b.input_embeddings();
    if recipe.has(Feature::ScaledEmbeddings) {
        rows = b.graph.inplace_op(&[rows]);
        b.graph.expand(rows);
    }
    if recipe.has(Feature::EmbeddingNorm) {
        // Its weights are in the first layer.
        b.graph.section = Section::Layer(0);
        rows = b.norm(rows);
    }
    let embeddings = rows;
    let all = || (0..b.model.layers).collect();
    for layer in if b.builds_all_layers { all() } else { distinct_layers(b.model) } {
        b.graph.section = Section::Layer(layer);
        rows = b.layer(rows, layer)?;
        if layer < b.model.deepstack_layers {
            let deepstack = b.without_deepstack(embeddings);
            rows = b.add(rows, deepstack);
        }
    }
    b.graph.section = Section::Output;
    if recipe.has(Feature::HiddenStateOutput) {
        let normed = b.norm(rows);
        b.graph.set_output(normed);
        let selected = b.select_outputs(normed);
        return Ok(b.output_head(selected));
    }
    if recipe.has(Feature::LateOutputSelection) {
        b.graph.set_output(rows);
        rows = b.select_outputs(rows);
    }
    Ok(b.final_norm_and_head(rows))
}

/// The layers to build. Identical layers reuse the same memory, so three of a kind with the same predecessor are
/// enough. The last layer is always built.
fn distinct_layers(model: &Hparams<'_>) -> Vec<u64> {
    const MAX_REPEATS: u64 = 3;
    // Layers with the same properties have the same graph.
    let properties = |layer| {
        let heads = model.heads(layer).ok().map(|heads| heads.count);
        let widths = [model.ffn_width(layer).ok(), model.expert_ffn_width(layer).ok(), heads];
        (model.memory(layer), model.is_moe(layer), widths)
    };
    let (mut counts, mut previous) = (BTreeMap::new(), None);
    let is_needed = |layer: &u64| {
        let this = properties(*layer);
        let count = counts.entry((previous.replace(this).unwrap_or(this), this)).or_insert(0);
        *count += 1;
        *count <= MAX_REPEATS || layer + 1 == model.layers
    };
    (0..model.layers).filter(is_needed).collect()
}

impl Builder<'_> {
    fn layer(&mut self, rows: TensorId, layer: u64) -> Result<TensorId, String> {
        let recipe = self.recipe;
        let selects_outputs = layer + 1 == self.model.layers && !recipe.has(Feature::LateOutputSelection);
        let select =
            |b: &mut Self, rows: TensorId| if selects_outputs { b.select_outputs(rows) } else { rows };
        let normed = if recipe.block == BlockKind::PostNorm { rows } else { self.norm(rows) };
        if recipe.has(Feature::ExpandNorms) {
            self.graph.expand(normed);
        }
        let mixed = self.token_mixer(normed, layer)?;
        if recipe.block == BlockKind::ParallelMamba {
            // Falcon-H1 adds both results to the residual.
            let normed = self.norm(rows);
            let mamba = self.mamba2(normed)?;
            let sum = self.add(mixed, mamba);
            let ffn_inp = self.add(sum, rows);
            let ffn_inp = select(self, ffn_inp);
            let normed = self.norm(ffn_inp);
            let ffn_out = self.ffn_or_moe(normed, layer)?;
            return Ok(self.add(ffn_out, ffn_inp));
        }
        let [mixed, rows] = [mixed, rows].map(|part| select(self, part));
        match recipe.block {
            BlockKind::Parallel => {
                let normed = select(self, normed);
                let ffn_out = self.ffn_or_moe(normed, layer)?;
                if recipe.has(Feature::ResidualFirst) {
                    let sum = self.add(mixed, ffn_out);
                    return Ok(self.add(sum, rows));
                }
                let sum = self.add(ffn_out, rows);
                Ok(self.add(sum, mixed))
            }
            BlockKind::SingleOp => Ok(self.add(mixed, rows)),
            BlockKind::PreNorm
            | BlockKind::PostNorm
            | BlockKind::ParallelMamba
            | BlockKind::Encoder
            | BlockKind::Rwkv => self.residual_and_ffn(rows, mixed, layer),
        }
    }

    /// The residual connection after the token mixer, then the feed-forward network with its own residual connection.
    fn residual_and_ffn(&mut self, rows: TensorId, mixed: TensorId, layer: u64) -> Result<TensorId, String> {
        let recipe = self.recipe;
        let has_post_norm = recipe.has(Feature::SandwichNorm) || recipe.block == BlockKind::PostNorm;
        let post_norm = |b: &mut Self, part: TensorId| if has_post_norm { b.norm(part) } else { part };
        let add_residual = |b: &mut Self, residual: TensorId, new: TensorId| {
            if recipe.has(Feature::ResidualFirst) { b.add(residual, new) } else { b.add(new, residual) }
        };
        let mixed = post_norm(self, mixed);
        let ffn_inp = add_residual(self, rows, mixed);
        let normed = if recipe.block == BlockKind::PostNorm { ffn_inp } else { self.norm(ffn_inp) };
        let ffn_out = self.ffn_or_moe(normed, layer)?;
        let ffn_out = post_norm(self, ffn_out);
        if recipe.has(Feature::FfnOutputFirst) {
            return Ok(self.add(ffn_out, ffn_inp));
        }
        Ok(add_residual(self, ffn_inp, ffn_out))
    }

    /// Attention or a recurrent operation, with its output matrix.
    fn token_mixer(&mut self, normed: TensorId, layer: u64) -> Result<TensorId, String> {
        let (recipe, model) = (self.recipe, self.model);
        let memory = model.memory(layer);
        if memory.has_state && recipe.block != BlockKind::ParallelMamba {
            return match recipe.mixer {
                Mixer::Mamba => self.mamba(normed),
                Mixer::Mamba2 => self.mamba2(normed),
                Mixer::GatedDeltaNet => self.gated_delta_net(normed),
                Mixer::ShortConv => self.short_conv(normed),
                Mixer::Attention | Mixer::Mla => {
                    Err("the graph of its layers with recurrent state is not known".to_owned())
                }
            };
        }
        let attn = if let Some(cache) = memory.cache {
            let heads = model.heads(layer)?;
            let cache = if cache.is_swa { self.swa_cache } else { self.full_cache };
            match recipe.mixer {
                Mixer::Mla => self.mla_attention(normed, heads, cache)?,
                Mixer::GatedDeltaNet => self.gated_attention(normed, heads, cache),
                Mixer::Attention | Mixer::Mamba | Mixer::Mamba2 | Mixer::ShortConv => {
                    self.attention(normed, heads, cache)
                }
            }
        } else if !model.architecture.has_memory() {
            // Full attention is in every third or every sixth layer. That makes no difference: both masks stay
            // allocated until the end.
            let [full, swa] = self.no_cache_masks;
            let mask = if layer.is_multiple_of(3) { full } else { swa };
            self.attention_no_cache(normed, model.heads(layer)?, mask)
        } else if recipe.block == BlockKind::SingleOp {
            return self.ffn_or_moe(normed, layer);
        } else {
            return Err("it has layers without attention".to_owned());
        };
        Ok(self.mul_mat(model.n_embd, attn))
    }

    /// The feed-forward network of a layer: dense, or a mixture of experts with or without a shared expert.
    fn ffn_or_moe(&mut self, normed: TensorId, layer: u64) -> Result<TensorId, String> {
        let (recipe, model) = (self.recipe, self.model);
        if !model.is_moe(layer) {
            return Ok(self.ffn(normed, model.ffn_width(layer)?, recipe.activation));
        }
        let ffn_width = model.expert_ffn_width(layer)?;
        let normalizes_weights =
            !recipe.has(Feature::OptionalWeightsNorm) || model.flag("expert_weights_norm");
        // 2 is sigmoid (`LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID`).
        let is_biased = recipe.router == Router::Probs && model.number("expert_gating_func") == Some(2);
        let router = if is_biased { Router::BiasedProbs } else { recipe.router };
        let (experts, used) = (model.experts, model.experts_used);
        let moe = MoeParams { experts, used, ffn_width, router, normalizes_weights };
        let moe_out = self.moe_ffn(normed, moe);
        let shared_width = match model.shared_expert_ffn_width(layer)? {
            0 if recipe.has(Feature::SharedExpert) => ffn_width,
            width => width,
        };
        if shared_width == 0 {
            return Ok(moe_out);
        }
        let mut shared_out = self.ffn(normed, shared_width, Activation::Gated);
        if recipe.has(Feature::GatedSharedExpert) {
            let gate = self.mul_mat(1, normed);
            let gate = self.graph.inplace_op_of(Op::Unary, &[gate]);
            shared_out = self.graph.inplace_op_of(Op::Mul, &[shared_out, gate]);
        }
        Ok(self.add(moe_out, shared_out))
    }
}
