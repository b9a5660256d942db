//! The graph of a model, layer by layer.

use super::build::Builder;
use super::encoder;
use super::feed::{Bend, Choice, Mixture};
use super::graph::{Graph, Id};
use super::recipes::{Flow, Mixer, Sparse, Trait};
use super::rwkv;

pub(super) fn graph(builder: Builder<'_>) -> Result<Graph, String> {
    match builder.recipe.flow {
        Flow::Encoder => encoder::graph(builder),
        Flow::Shifting => rwkv::graph(builder),
        Flow::Serial | Flow::Parallel | Flow::Beside | Flow::Single | Flow::After => decoder(builder),
    }
}

fn decoder(mut b: Builder<'_>) -> Result<Graph, String> {
    let recipe = b.recipe;
    let mut rows = b.embed();
    if recipe.has(Trait::Scaled) {
        let scale = b.scale();
        rows = b.graph.changed(&[rows, scale]);
        b.graph.expand(rows);
    }
    if recipe.has(Trait::NormAtStart) {
        rows = b.norm(rows, recipe.norm);
    }
    b.caches();
    let embedded = rows;
    for layer in layers(&b) {
        rows = b.layer(rows, layer)?;
        if layer < b.model.depths() {
            let part = b.part_of(embedded);
            rows = b.graph.changed(&[rows, part]);
        }
    }
    if recipe.has(Trait::KeepsHidden) {
        let even = b.norm(rows, recipe.norm);
        b.graph.output(even);
        let chosen = b.choose(even);
        return Ok(b.head(chosen));
    }
    if recipe.has(Trait::ChoosesLate) {
        b.graph.output(rows);
        rows = b.choose(rows);
    }
    Ok(b.finish(rows))
}

/// The layers to build. The graph of a layer lies where that of one like it lay, so that of many alike after ones alike some
/// are enough; the last one is there always.
fn layers(b: &Builder<'_>) -> Vec<u64> {
    const ENOUGH: usize = 3;
    let model = b.model;
    let last = model.layers.saturating_sub(1);
    let mut seen: Vec<([Kind; 2], usize)> = Vec::new();
    let mut before = None;
    let mut chosen = Vec::new();
    for layer in 0..model.layers {
        let kind = Kind::of(b, layer);
        let pair = [before.unwrap_or(kind), kind];
        before = Some(kind);
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
        if count <= ENOUGH || layer == last {
            chosen.push(layer);
        }
    }
    chosen
}

/// What makes the graphs of two layers alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Kind {
    cache: Option<crate::engine::layers::Cache>,
    has_state: bool,
    is_sparse: bool,
    widths: [Option<u64>; 3],
}

impl Kind {
    fn of(b: &Builder<'_>, layer: u64) -> Self {
        let model = b.model;
        let widths = [
            model.inner(layer).ok(),
            model.heads(layer).ok().map(|heads| heads.count),
            model.expert_inner(layer).ok(),
        ];
        let is_sparse = is_sparse(b, layer);
        Self { cache: model.cache(layer), has_state: model.has_state(layer), is_sparse, widths }
    }
}

fn is_sparse(b: &Builder<'_>, layer: u64) -> bool {
    let model = b.model;
    let dense = model.number("leading_dense_block_count").unwrap_or(0);
    model.experts() > 0
        && layer >= dense
        && match b.recipe.sparse {
            Sparse::Every => true,
            Sparse::Odd => layer % 2 == 1,
            Sparse::Step => {
                let step = model.number("interleave_moe_layer_step").unwrap_or(1);
                (layer + 1).checked_rem(step) == Some(0)
            }
        }
}

impl Builder<'_> {
    fn layer(&mut self, rows: Id, layer: u64) -> Result<Id, String> {
        let recipe = self.recipe;
        let is_end = layer + 1 == self.model.layers && !recipe.has(Trait::ChoosesLate);
        let even = if recipe.flow == Flow::After { rows } else { self.norm(rows, recipe.norm) };
        if recipe.has(Trait::ListsNorms) {
            self.graph.expand(even);
        }
        let mixed = self.mix_tokens(even, layer)?;
        let end = |b: &mut Self, rows: Id| if is_end { b.choose(rows) } else { rows };
        match recipe.flow {
            Flow::Beside => {
                let middle = self.beside(rows, mixed)?;
                let middle = end(self, middle);
                let even = self.norm(middle, recipe.norm);
                let fed = self.feed_tokens(even, layer)?;
                Ok(self.sum(fed, middle))
            }
            Flow::Parallel => {
                let [mixed, rows, even] = [mixed, rows, even].map(|part| end(self, part));
                let fed = self.feed_tokens(even, layer)?;
                if recipe.has(Trait::EarlierFirst) {
                    let sum = self.sum(mixed, fed);
                    return Ok(self.sum(sum, rows));
                }
                let sum = self.sum(fed, rows);
                Ok(self.sum(sum, mixed))
            }
            Flow::Single => {
                let [mixed, rows] = [mixed, rows].map(|part| end(self, part));
                Ok(self.sum(mixed, rows))
            }
            Flow::Serial | Flow::After | Flow::Encoder | Flow::Shifting => {
                let [mixed, rows] = [mixed, rows].map(|part| end(self, part));
                self.serial(rows, mixed, layer)
            }
        }
    }

    fn serial(&mut self, rows: Id, mixed: Id, layer: u64) -> Result<Id, String> {
        let recipe = self.recipe;
        let has_norm_after = recipe.has(Trait::NormAfter) || recipe.flow == Flow::After;
        let after = |b: &mut Self, part: Id| if has_norm_after { b.norm(part, recipe.norm) } else { part };
        let sum = |b: &mut Self, old: Id, new: Id| {
            if recipe.has(Trait::EarlierFirst) { b.sum(old, new) } else { b.sum(new, old) }
        };
        let mixed = after(self, mixed);
        let middle = sum(self, rows, mixed);
        let even = if recipe.flow == Flow::After { middle } else { self.norm(middle, recipe.norm) };
        let fed = self.feed_tokens(even, layer)?;
        let fed = after(self, fed);
        Ok(sum(self, middle, fed))
    }

    /// A Mamba layer beside attention, both added to the rows.
    fn beside(&mut self, rows: Id, mixed: Id) -> Result<Id, String> {
        let even = self.norm(rows, self.recipe.norm);
        let state = self.mamba2(even)?;
        let both = self.sum(mixed, state);
        Ok(self.sum(both, rows))
    }

    fn mix_tokens(&mut self, even: Id, layer: u64) -> Result<Id, String> {
        let recipe = self.recipe;
        if self.model.has_state(layer) && recipe.flow != Flow::Beside {
            return match recipe.mixer {
                Mixer::Mamba => self.mamba(even),
                Mixer::Mamba2 => self.mamba2(even),
                Mixer::Delta => self.delta(even),
                Mixer::Convolution => self.convolution(even),
                Mixer::Attention | Mixer::Latent => Err("it keeps state that is not known".to_owned()),
            };
        }
        if let Some(masks) = self.masks {
            let heads = self.model.heads(layer)?;
            // Every third layer sees all, or every sixth: both masks are there until the end.
            let [all, window] = masks;
            let met = self.attend_here(even, heads, if layer.is_multiple_of(3) { all } else { window });
            return Ok(self.times(self.model.width, met));
        }
        let Some(kept) = self.model.cache(layer) else {
            return if recipe.flow == Flow::Single {
                self.feed_tokens(even, layer)
            } else {
                Err("it has layers without attention".to_owned())
            };
        };
        let cache = if kept.is_windowed { self.window } else { self.full };
        let cache = cache.ok_or("it has no cache for a layer")?;
        let heads = self.model.heads(layer)?;
        let met = match recipe.mixer {
            Mixer::Latent => self.attend_latent(even, heads, cache)?,
            Mixer::Delta => self.attend_with_gate(even, heads, cache),
            Mixer::Attention | Mixer::Mamba | Mixer::Mamba2 | Mixer::Convolution => {
                self.attend(even, heads, cache)
            }
        };
        Ok(self.times(self.model.width, met))
    }

    fn feed_tokens(&mut self, even: Id, layer: u64) -> Result<Id, String> {
        let (recipe, model) = (self.recipe, self.model);
        if !is_sparse(self, layer) {
            return Ok(self.feed(even, model.inner(layer)?, recipe.bend));
        }
        let inner = model.expert_inner(layer)?;
        let is_even = !recipe.has(Trait::EvenIfSaid) || model.is("expert_weights_norm");
        let is_biased = recipe.choice == Choice::Plain && model.number("expert_gating_func") == Some(2);
        let choice = if is_biased { Choice::Biased } else { recipe.choice };
        let mixture =
            Mixture { experts: model.experts(), used: model.experts_used(), inner, choice, is_even };
        let mixed = self.mix(even, mixture);
        let shared = match model.shared_inner(layer)? {
            0 if recipe.has(Trait::Shares) => inner,
            shared => shared,
        };
        if shared == 0 {
            return Ok(mixed);
        }
        let mut fed = self.feed(even, shared, Bend::Gated);
        if recipe.has(Trait::GatedShare) {
            let gate = self.times(1, even);
            let gate = self.graph.changed(&[gate]);
            fed = self.graph.changed(&[fed, gate]);
        }
        Ok(self.sum(mixed, fed))
    }
}
