//! What the graphs of all architectures have in common: inputs, embeddings, and the way to the logits.
//!
//! `src/llama-graph.cpp` of llama.cpp b11434. What changes a tensor in its own place and no size, such as a bias, is left out.

use super::graph::{Graph, HALF, Id, LONG, SINGLE};
use super::model::Model;
use super::recipes::{Recipe, Trait};
use super::{Pooling, Sizes};
use crate::engine::layers::Cache as Kept;

/// A graph in the making.
pub(super) struct Builder<'a> {
    pub(super) graph: Graph,
    pub(super) model: &'a Model<'a>,
    pub(super) sizes: &'a Sizes,
    pub(super) recipe: &'static Recipe,
    /// Tokens of the batch, of each sequence of it, and sequences.
    pub(super) tokens: u64,
    pub(super) outputs: u64,
    /// Which rows are outputs.
    pub(super) chosen: Id,
    pub(super) positions: Id,
    pub(super) full: Option<Cache>,
    pub(super) window: Option<Cache>,
    /// Which tokens see which where nothing is kept, all of them and those in a window.
    pub(super) masks: Option<[Id; 2]>,
    /// Where the states of the sequences are.
    pub(super) states: Option<Id>,
}

/// The inputs of a KV cache.
#[derive(Clone, Copy)]
pub(super) struct Cache {
    pub(super) is_windowed: bool,
    /// Numbers of a value over all heads, in the widest layer.
    pub(super) width: u64,
    pub(super) mask: Id,
    pub(super) keys: Id,
    pub(super) values: Id,
    pub(super) key_turn: Option<Id>,
    pub(super) value_turn: Option<Id>,
}

/// How rows are made even.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Norm {
    /// `ggml_rms_norm`, which may work in place.
    Root,
    /// `ggml_norm`, which may not.
    Mean,
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a Model<'a>, sizes: &'a Sizes, recipe: &'static Recipe) -> Self {
        let mut graph = Graph::default();
        let slots = sizes.slots.max(1);
        let most = sizes.context.min(sizes.ubatch).max(1);
        let tokens = most.div_ceil(slots).saturating_mul(slots);
        let outputs = most.min(sizes.outputs.max(1));
        let parts = if recipe.has(Trait::FourPositions) { 4 } else { 1 };
        let positions = graph.input(SINGLE, [tokens.saturating_mul(parts), 1, 1, 1]);
        let chosen = graph.input(SINGLE, [outputs, 1, 1, 1]);
        Self {
            graph,
            model,
            sizes,
            recipe,
            tokens,
            outputs,
            chosen,
            positions,
            full: None,
            window: None,
            masks: None,
            states: None,
        }
    }

    /// Rows of the batch, `width` numbers each.
    pub(super) fn rows(&self, width: u64) -> [u64; 4] {
        [width, self.tokens, 1, 1]
    }

    /// `build_inp_embd`: the input of embeddings lies there whether any come or not. Embeddings of images may come with more
    /// rows, which layers take from.
    pub(super) fn embed(&mut self) -> Id {
        let width = self.model.width;
        let wide = self.rows(width.saturating_mul(self.model.depths().saturating_add(1)));
        let tokens = self.graph.input(SINGLE, [self.tokens, 1, 1, 1]);
        let found = self.find(tokens);
        self.graph.expand(found);
        let given = self.graph.input(SINGLE, wide);
        self.graph.expand(given);
        if self.takes_mixed_batches() {
            let mixed = self.graph.input(SINGLE, [self.tokens, 1, 1, 1]);
            let slots = self.graph.input(LONG, [self.tokens, 1, 1, 1]);
            let given = self.graph.input(SINGLE, wide);
            let copy = self.graph.made(wide, &[given]);
            let found = self.find(mixed);
            let both = self.graph.over(&[found, slots, copy], copy);
            self.graph.expand(both);
        }
        if self.model.depths() == 0 { found } else { self.part_of(found) }
    }

    /// The rows of tokens.
    fn find(&mut self, tokens: Id) -> Id {
        let found = self.graph.made(self.rows(self.model.width), &[tokens]);
        match self.model.depths() {
            0 => found,
            depths => {
                let width = self.model.width.saturating_mul(depths.saturating_add(1));
                self.graph.made(self.rows(width), &[found])
            }
        }
    }

    /// As many numbers of each row as an embedding has.
    pub(super) fn part_of(&mut self, rows: Id) -> Id {
        let [_, row, end, _] = self.graph.strides(rows);
        self.graph.view(rows, self.rows(self.model.width), [row, end, end])
    }

    fn takes_mixed_batches(&self) -> bool {
        let known = crate::engine::architecture::architecture(self.model.architecture);
        known.is_none_or(|known| !known.is(crate::engine::architecture::Class::NoMixedTokenEmbdBatch))
    }

    /// A number for each row.
    pub(super) fn scale(&mut self) -> Id {
        self.graph.input(SINGLE, [1, self.tokens, 1, 1])
    }

    /// Which tokens of a batch see which, where nothing is kept. Build b11669 pads what is seen; b11434 does not.
    pub(super) fn mask(&mut self) -> Id {
        let number = if self.sizes.flash_attention { HALF } else { SINGLE };
        let seen = self.tokens.checked_next_multiple_of(256).unwrap_or(self.tokens);
        self.graph.input(number, [seen, self.tokens, 1, 1])
    }

    /// The inputs of what the model keeps.
    pub(super) fn caches(&mut self) {
        if self.recipe.has(Trait::Encodes) {
            let all = self.mask();
            let has_window = self.model.number("attention.sliding_window").is_some_and(|window| window > 0);
            self.masks = Some([all, if has_window { self.mask() } else { all }]);
        }
        let layers = &self.model.kept.each;
        let caches = layers.iter().filter_map(|layer| layer.cache);
        let (windowed, full): (Vec<_>, Vec<_>) = caches.partition(|cache| cache.is_windowed);
        if !full.is_empty() {
            self.full = Some(self.cache(self.sizes.cells, &full));
        }
        if !windowed.is_empty() {
            self.window = Some(self.cache(self.sizes.window_cells, &windowed));
        }
        if layers.iter().any(|layer| layer.has_state) {
            self.states = Some(self.graph.input(SINGLE, [self.sizes.slots.max(1), 1, 1, 1]));
        }
    }

    /// The inputs of one cache of `cells` for each stream.
    fn cache(&mut self, cells: u64, layers: &[Kept]) -> Cache {
        let (streams, width) = (self.sizes.streams.max(1), self.model.kept.widest_values);
        let (flash, each) = (self.sizes.flash_attention, self.tokens / streams);
        let keys = self.graph.input(LONG, [self.tokens, 1, 1, 1]);
        let places = if flash { self.tokens } else { self.tokens.saturating_mul(width) };
        let values = self.graph.input(LONG, [places, 1, 1, 1]);
        let mask = self.graph.input(if flash { HALF } else { SINGLE }, [cells, each, 1, streams]);
        // `llama_kv_cache` turns keys by the largest power of two that divides those of a head, values by 64.
        let key = self.sizes.has_quantized_keys.then(|| turn(layers, |cache| cache.key_head)).flatten();
        let value = self.sizes.has_quantized_values.then(|| turn(layers, |cache| cache.value_head)).flatten();
        let [key_turn, value_turn] = [key.map(|width| 1 << width.trailing_zeros()), value.map(|_| 64)]
            .map(|width| width.map(|width| self.graph.input(SINGLE, [width, width, 1, 1])));
        let is_windowed = layers.iter().any(|cache| cache.is_windowed);
        Cache { is_windowed, width, mask, keys, values, key_turn, value_turn }
    }

    pub(super) fn norm(&mut self, of: Id, norm: Norm) -> Id {
        let even = match norm {
            Norm::Root => self.graph.changed(&[of]),
            Norm::Mean => self.graph.made(self.graph.shape(of), &[of]),
        };
        self.graph.changed(&[even])
    }

    /// A matrix of the model times what there is.
    pub(super) fn times(&mut self, width: u64, of: Id) -> Id {
        let [_, second, third, fourth] = self.graph.shape(of);
        self.graph.made([width, second, third, fourth], &[of])
    }

    pub(super) fn sum(&mut self, one: Id, other: Id) -> Id {
        self.graph.changed(&[one, other])
    }

    /// Only the rows that are outputs.
    pub(super) fn choose(&mut self, of: Id) -> Id {
        let [width, ..] = self.graph.shape(of);
        self.graph.made([width, self.outputs, 1, 1], &[of, self.chosen])
    }

    /// The last norm and the logits, and what is asked of embeddings.
    pub(super) fn finish(mut self, last: Id) -> Graph {
        let even = self.norm(last, self.recipe.norm);
        self.head(even)
    }

    /// The logits, of rows that are even.
    pub(super) fn head(mut self, even: Id) -> Graph {
        self.graph.output(even);
        if self.recipe.has(Trait::Encodes) {
            self.graph.expand(even);
            self.pool(even);
            return self.graph;
        }
        let logits = self.times(self.model.vocabulary, even);
        self.graph.output(logits);
        self.graph.expand(logits);
        self.pool(even);
        self.graph
    }

    /// `build_pooling`.
    pub(super) fn pool(&mut self, of: Id) {
        let sequences = self.sizes.slots.max(1);
        let [width, rows, ..] = self.graph.shape(of);
        let pooled = match self.sizes.embeddings {
            None | Some(Pooling::None) => return,
            Some(Pooling::Mean) => {
                let means = self.graph.input(SINGLE, [self.tokens, sequences, 1, 1]);
                let turned = self.graph.transposed(of);
                let turned = self.graph.made([rows, width, 1, 1], &[turned]);
                self.graph.made([width, sequences, 1, 1], &[turned, means])
            }
            Some(Pooling::Row) => {
                let chosen = self.graph.input(SINGLE, [sequences, 1, 1, 1]);
                self.graph.made([width, sequences, 1, 1], &[of, chosen])
            }
        };
        self.graph.output(pooled);
        self.graph.expand(pooled);
    }
}

/// The width of a head, if it is the same in all layers and 64 divides it.
fn turn(layers: &[Kept], width: impl Fn(&Kept) -> u64) -> Option<u64> {
    let first = layers.first().map(&width)?;
    (first > 0 && first % 64 == 0 && layers.iter().all(|cache| width(cache) == first)).then_some(first)
}
