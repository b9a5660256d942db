//! Attention: queries, keys and values, the cache, and what is made of them.
//!
//! `build_qkv`, `build_attn` and `build_attn_mha` of `src/llama-graph.cpp`, llama.cpp b11434.

use super::build::{Builder, Cache};
use super::graph::{HALF, Id, SINGLE, Shape};
use super::model::Heads;
use super::recipes::Trait;

/// What queries meet.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    mask: Id,
    /// Keys and values, where they are not in a cache.
    here: Option<[Id; 2]>,
}

impl Builder<'_> {
    /// Attention of a layer, without the matrix at its end.
    pub(super) fn attend(&mut self, of: Id, heads: Heads, cache: Cache) -> Id {
        let is_turned = !self.recipe.has(Trait::TurnsWindows) || cache.is_windowed || self.window.is_none();
        let turns = if is_turned { self.positions() } else { None };
        let parts = self.parts(of, heads, turns);
        self.attend_to(cache, parts, heads)
    }

    /// Keys and values of this batch alone, as in encoders.
    pub(super) fn attend_here(&mut self, of: Id, heads: Heads, mask: Id) -> Id {
        let turns = self.positions();
        let parts = self.parts(of, heads, turns);
        for part in parts {
            self.graph.expand(part);
        }
        let [query, key, value] = parts;
        let [cells, ..] = self.graph.shape(mask);
        let here = [key, value].map(|part| {
            let [width, count, ..] = self.graph.shape(part);
            let part = self.graph.made([width, count, cells, 1], &[part]);
            self.graph.permuted(part, [0, 2, 1, 3])
        });
        self.meet(query, Seen { mask, here: Some(here) }, heads)
    }

    fn positions(&self) -> Option<Id> {
        (!self.recipe.has(Trait::Unturned)).then_some(self.positions)
    }

    /// Queries, keys and values by head, turned by their positions.
    fn parts(&mut self, of: Id, heads: Heads, turns: Option<Id>) -> [Id; 3] {
        let [query, key, value] = self.split(of, heads);
        let [query, key] = [query, key].map(|part| {
            let part =
                if self.recipe.has(Trait::HeadNorms) { self.norm(part, self.recipe.norm) } else { part };
            turns.map_or(part, |positions| self.graph.changed(&[part, positions]))
        });
        [query, key, value]
    }

    fn split(&mut self, of: Id, heads: Heads) -> [Id; 3] {
        let widths = [(heads.key, heads.count), (heads.key, heads.kept), (heads.value, heads.kept)];
        let tokens = self.tokens;
        if self.recipe.has(Trait::Fused) {
            let all = widths
                .iter()
                .fold(0_u64, |sum, (width, count)| sum.saturating_add(width.saturating_mul(*count)));
            let fused = self.times(all, of);
            let [_, row, ..] = self.graph.strides(fused);
            let end = row.saturating_mul(tokens);
            return widths.map(|(width, count)| {
                self.graph.view(fused, [width, count, tokens, 1], [width.saturating_mul(SINGLE), row, end])
            });
        }
        let [query, key, value] = widths.map(|(width, count)| self.times(width.saturating_mul(count), of));
        let even = |b: &mut Self, part: Id| {
            if b.recipe.has(Trait::RowNorms) { b.norm(part, b.recipe.norm) } else { part }
        };
        let parts = [even(self, query), even(self, key), value];
        let mut shapes = widths.into_iter();
        parts.map(|part| {
            let (width, count) = shapes.next().unwrap_or_default();
            self.graph.reshaped(part, [width, count, tokens, 1])
        })
    }

    /// Keys and values go to the cache, queries meet all of it.
    pub(super) fn attend_to(&mut self, cache: Cache, parts: [Id; 3], heads: Heads) -> Id {
        let [query, key, value] = parts;
        let query = self.turn(query, cache.key_turn);
        let key = self.turn(key, cache.key_turn);
        let value = self.turn(value, cache.value_turn);
        let order = if self.window.is_some() { [query, key, value] } else { [query, value, key] };
        for part in order {
            self.graph.expand(part);
        }
        let keys = self.flat(key);
        let kept = self.graph.kept(&[keys, cache.keys]);
        self.graph.expand(kept);
        let values = self.values(value, cache.width);
        let kept = self.graph.kept(&[values, cache.values]);
        self.graph.expand(kept);
        let met = self.meet(query, Seen { mask: cache.mask, here: None }, heads);
        let turned = self.turn(met, cache.value_turn);
        if cache.value_turn.is_some() { self.graph.reshaped(turned, self.graph.shape(met)) } else { turned }
    }

    /// Heads side by side.
    fn flat(&mut self, part: Id) -> Id {
        let [width, count, tokens, _] = self.graph.shape(part);
        let [_, _, row, end] = self.graph.strides(part);
        self.graph.view(part, [width.saturating_mul(count), tokens, 1, 1], [row, end, end])
    }

    /// Values as they are kept: one by one without flash attention, as many as the widest layer has.
    fn values(&mut self, part: Id, widest: u64) -> Id {
        if self.sizes.flash_attention {
            return self.flat(part);
        }
        let [width, count, tokens, _] = self.graph.shape(part);
        let shape = [width.saturating_mul(count), tokens, 1, 1];
        let flat = if self.graph.is_packed(part) {
            self.graph.reshaped(part, shape)
        } else {
            self.graph.made(shape, &[part])
        };
        let wide = [widest, tokens, 1, 1];
        let flat = if width.saturating_mul(count) < widest { self.graph.made(wide, &[flat]) } else { flat };
        let all = self.graph.shape(flat).iter().fold(1_u64, |product, n| product.saturating_mul(*n));
        self.graph.reshaped(flat, [1, all, 1, 1])
    }

    /// `llama_mul_mat_hadamard`, for caches of quantized types.
    fn turn(&mut self, part: Id, by: Option<Id>) -> Id {
        let Some(by) = by else { return part };
        let shape = self.graph.shape(part);
        let [width, ..] = self.graph.shape(by);
        let all = shape.iter().fold(1_u64, |product, n| product.saturating_mul(*n));
        let rows = [width, all.checked_div(width).unwrap_or(0), 1, 1];
        let flat = if self.graph.is_packed(part) {
            self.graph.reshaped(part, rows)
        } else {
            self.graph.made(rows, &[part])
        };
        let turned = self.graph.made(rows, &[by, flat]);
        self.graph.reshaped(turned, shape)
    }

    /// Every query meets every key, and takes of every value.
    fn meet(&mut self, query: Id, seen: Seen, heads: Heads) -> Id {
        let [cells, each, _, streams] = self.graph.shape(seen.mask);
        let [_, second, third, _] = self.graph.strides(query);
        let split = [heads.key, heads.count, each, streams];
        let query = self.graph.view(query, split, [second, third, third.saturating_mul(each)]);
        let query = self.graph.permuted(query, [0, 2, 1, 3]);
        let width = heads.value.saturating_mul(heads.count);
        let met = if self.sizes.flash_attention {
            let mut sources = vec![query];
            sources.extend(seen.here.into_iter().flatten().map(|part| self.graph.cast(HALF, part)));
            sources.push(seen.mask);
            let met = self.graph.made([heads.value, heads.count, each, streams], &sources);
            self.graph.reshaped(met, self.rows(width))
        } else {
            let scores = [cells, each, heads.count, streams];
            let [key, value] = seen.here.map_or([None, None], |here| here.map(Some));
            let weights = self.weights(scores, key, [query, seen.mask]);
            let value = value.map(|value| {
                let turned = self.graph.transposed(value);
                self.graph.made(self.graph.shape(turned), &[turned])
            });
            let sources: Vec<Id> = value.into_iter().chain([weights]).collect();
            let met = self.graph.made([heads.value, each, heads.count, streams], &sources);
            let met = self.graph.permuted(met, [0, 2, 1, 3]);
            self.graph.made(self.rows(width), &[met])
        };
        self.graph.expand(met);
        met
    }

    /// How much each query takes of each value, where that is a step by itself.
    fn weights(&mut self, shape: Shape, key: Option<Id>, [query, mask]: [Id; 2]) -> Id {
        let sources: Vec<Id> = key.into_iter().chain([query]).collect();
        let mut scores = self.graph.made(shape, &sources);
        if self.recipe.has(Trait::Capped) {
            for _ in 0..3 {
                scores = self.graph.changed(&[scores]);
            }
        }
        self.graph.changed(&[scores, mask])
    }
}
