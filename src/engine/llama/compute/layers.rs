//! The graph of a model, layer by layer.

use super::build::Builder;
use super::encoder;
use super::ffn::{Activation, MoeParams, Router};
use super::graph::{Graph, TensorId};
use super::recipes::{BlockKind, Feature, Mixer, MoeLayers};
use super::rwkv;

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
        let scale = b.embedding_scale();
        rows = b.graph.inplace_op(&[rows, scale]);
        b.graph.expand(rows);
    }
    if recipe.has(Feature::EmbeddingNorm) {
        rows = b.norm(rows, recipe.norm);
    }
    b.memory_inputs();
    let embeddings = rows;
    for layer in layers(&b) {
        rows = b.layer(rows, layer)?;
        if layer < b.model.deepstack_layers() {
            let deepstack = b.without_deepstack(embeddings);
            rows = b.graph.inplace_op(&[rows, deepstack]);
        }
    }
    if recipe.has(Feature::HiddenStateOutput) {
        let normed = b.norm(rows, recipe.norm);
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
fn layers(b: &Builder<'_>) -> Vec<u64> {
    const MAX_REPEATS: usize = 3;
    let model = b.model;
    let last = model.layers.saturating_sub(1);
    let mut seen: Vec<([LayerSignature; 2], usize)> = Vec::new();
    let mut previous = None;
    let mut selected = Vec::new();
    for layer in 0..model.layers {
        let signature = LayerSignature::new(b, layer);
        let pair = [previous.unwrap_or(signature), signature];
        previous = Some(signature);
        let at = seen.iter().position(|(known, _)| *known == pair);
        let count = match at.and_then(|at| seen.get_mut(at)) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                seen.push((pair, 1));
                1
            }
        };
        if count <= MAX_REPEATS || layer == last {
            selected.push(layer);
        }
    }
    selected
}

/// Layers with the same signature have the same graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct LayerSignature {
    cache: Option<crate::engine::layers::KvCache>,
    has_state: bool,
    is_moe: bool,
    /// The width of the feed-forward network, the number of heads, and the width of an expert.
    widths: [Option<u64>; 3],
}

impl LayerSignature {
    fn new(b: &Builder<'_>, layer: u64) -> Self {
        let model = b.model;
        let widths = [
            model.ffn_width(layer).ok(),
            model.heads(layer).ok().map(|heads| heads.count),
            model.expert_ffn_width(layer).ok(),
        ];
        let is_moe = is_moe(b, layer);
        Self { cache: model.cache(layer), has_state: model.has_state(layer), is_moe, widths }
    }
}

fn is_moe(b: &Builder<'_>, layer: u64) -> bool {
    let model = b.model;
    let dense = model.number("leading_dense_block_count").unwrap_or(0);
    model.experts() > 0
        && layer >= dense
        && match b.recipe.moe_layers {
            MoeLayers::AfterDense => true,
            MoeLayers::Odd => layer % 2 == 1,
            MoeLayers::Step => {
                let step = model.number("interleave_moe_layer_step").unwrap_or(1);
                (layer + 1).checked_rem(step) == Some(0)
            }
        }
}

impl Builder<'_> {
    fn layer(&mut self, rows: TensorId, layer: u64) -> Result<TensorId, String> {
        let recipe = self.recipe;
        let selects_outputs = layer + 1 == self.model.layers && !recipe.has(Feature::LateOutputSelection);
        let normed = if recipe.block == BlockKind::PostNorm { rows } else { self.norm(rows, recipe.norm) };
        if recipe.has(Feature::ExpandNorms) {
            self.graph.expand(normed);
        }
        let mixed = self.token_mixer(normed, layer)?;
        let select =
            |b: &mut Self, rows: TensorId| if selects_outputs { b.select_outputs(rows) } else { rows };
        match recipe.block {
            BlockKind::ParallelMamba => {
                let ffn_inp = self.add_parallel_mamba(rows, mixed)?;
                let ffn_inp = select(self, ffn_inp);
                let normed = self.norm(ffn_inp, recipe.norm);
                let ffn_out = self.ffn_or_moe(normed, layer)?;
                Ok(self.add(ffn_out, ffn_inp))
            }
            BlockKind::Parallel => {
                let [mixed, rows, normed] = [mixed, rows, normed].map(|part| select(self, part));
                let ffn_out = self.ffn_or_moe(normed, layer)?;
                if recipe.has(Feature::ResidualFirst) {
                    let sum = self.add(mixed, ffn_out);
                    return Ok(self.add(sum, rows));
                }
                let sum = self.add(ffn_out, rows);
                Ok(self.add(sum, mixed))
            }
            BlockKind::SingleOp => {
                let [mixed, rows] = [mixed, rows].map(|part| select(self, part));
                Ok(self.add(mixed, rows))
            }
            BlockKind::PreNorm | BlockKind::PostNorm | BlockKind::Encoder | BlockKind::Rwkv => {
                let [mixed, rows] = [mixed, rows].map(|part| select(self, part));
                self.residual_and_ffn(rows, mixed, layer)
            }
        }
    }

    /// The residual connection after the token mixer, then the feed-forward network with its own residual connection.
    fn residual_and_ffn(&mut self, rows: TensorId, mixed: TensorId, layer: u64) -> Result<TensorId, String> {
        let recipe = self.recipe;
        let has_post_norm = recipe.has(Feature::SandwichNorm) || recipe.block == BlockKind::PostNorm;
        let post_norm =
            |b: &mut Self, part: TensorId| if has_post_norm { b.norm(part, recipe.norm) } else { part };
        let add_residual = |b: &mut Self, residual: TensorId, new: TensorId| {
            if recipe.has(Feature::ResidualFirst) { b.add(residual, new) } else { b.add(new, residual) }
        };
        let mixed = post_norm(self, mixed);
        let ffn_inp = add_residual(self, rows, mixed);
        let normed =
            if recipe.block == BlockKind::PostNorm { ffn_inp } else { self.norm(ffn_inp, recipe.norm) };
        let ffn_out = self.ffn_or_moe(normed, layer)?;
        let ffn_out = post_norm(self, ffn_out);
        Ok(add_residual(self, ffn_inp, ffn_out))
    }

    /// A Mamba layer next to attention (Falcon-H1): both results are added to the residual.
    fn add_parallel_mamba(&mut self, rows: TensorId, attn: TensorId) -> Result<TensorId, String> {
        let normed = self.norm(rows, self.recipe.norm);
        let mamba = self.mamba2(normed)?;
        let sum = self.add(attn, mamba);
        Ok(self.add(sum, rows))
    }

    /// Attention or a recurrent operation, with its output matrix.
    fn token_mixer(&mut self, normed: TensorId, layer: u64) -> Result<TensorId, String> {
        let recipe = self.recipe;
        if self.model.has_state(layer) && recipe.block != BlockKind::ParallelMamba {
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
        if let Some([full, swa]) = self.no_cache_masks {
            let heads = self.model.heads(layer)?;
            // Full attention is in every third or every sixth layer. That makes no difference: both masks stay
            // allocated until the end.
            let mask = if layer.is_multiple_of(3) { full } else { swa };
            let attn = self.attention_no_cache(normed, heads, mask);
            return Ok(self.mul_mat(self.model.n_embd, attn));
        }
        let Some(layer_cache) = self.model.cache(layer) else {
            return if recipe.block == BlockKind::SingleOp {
                self.ffn_or_moe(normed, layer)
            } else {
                Err("it has layers without attention".to_owned())
            };
        };
        let cache = if layer_cache.is_swa { self.swa_cache } else { self.full_cache };
        let cache = cache.ok_or("it has no cache for a layer")?;
        let heads = self.model.heads(layer)?;
        let attn = match recipe.mixer {
            Mixer::Mla => self.mla_attention(normed, heads, cache)?,
            Mixer::GatedDeltaNet => self.gated_attention(normed, heads, cache),
            Mixer::Attention | Mixer::Mamba | Mixer::Mamba2 | Mixer::ShortConv => {
                self.attention(normed, heads, cache)
            }
        };
        Ok(self.mul_mat(self.model.n_embd, attn))
    }

    /// The feed-forward network of a layer: dense, or a mixture of experts with or without a shared expert.
    fn ffn_or_moe(&mut self, normed: TensorId, layer: u64) -> Result<TensorId, String> {
        let (recipe, model) = (self.recipe, self.model);
        if !is_moe(self, layer) {
            return Ok(self.ffn(normed, model.ffn_width(layer)?, recipe.activation));
        }
        let ffn_width = model.expert_ffn_width(layer)?;
        let normalizes_weights =
            !recipe.has(Feature::OptionalWeightsNorm) || model.flag("expert_weights_norm");
        // 2 is sigmoid (`LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID`).
        let is_biased = recipe.router == Router::Probs && model.number("expert_gating_func") == Some(2);
        let router = if is_biased { Router::BiasedProbs } else { recipe.router };
        let (experts, used) = (model.experts(), model.experts_used());
        let moe_out =
            self.moe_ffn(normed, MoeParams { experts, used, ffn_width, router, normalizes_weights });
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
            let gate = self.graph.inplace_op(&[gate]);
            shared_out = self.graph.inplace_op(&[shared_out, gate]);
        }
        Ok(self.add(moe_out, shared_out))
    }
}
