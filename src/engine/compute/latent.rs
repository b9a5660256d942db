//! Multi-head latent attention: `src/models/deepseek2.cpp` of llama.cpp b11434, with and without the matrices absorbed.

use super::build::{Builder, Cache, Norm};
use super::graph::{HALF, Id, SINGLE};
use super::model::Heads;

impl Builder<'_> {
    /// Attention of a layer, without the matrix at its end.
    pub(super) fn attend_latent(&mut self, of: Id, heads: Heads, cache: Cache) -> Result<Id, String> {
        let model = self.model;
        let tokens = self.tokens;
        let (rank, turned) = (model.need("attention.kv_lora_rank")?, model.need("rope.dimension_count")?);
        let is_latent = model.kept.is_latent;
        let whole = if is_latent {
            let (key, value) =
                (model.need("attention.key_length_mla")?, model.need("attention.value_length_mla")?);
            Heads { key, value, ..heads }
        } else {
            heads
        };
        let plain = whole.key.saturating_sub(turned);
        let mut query = of;
        if let Some(width) = model.number("attention.q_lora_rank").filter(|width| *width > 0) {
            let low = self.times(width, query);
            query = self.norm(low, Norm::Root);
        }
        let query = self.times(whole.key.saturating_mul(heads.count), query);
        let query = self.graph.reshaped(query, [whole.key, heads.count, tokens, 1]);
        let low = self.times(rank.saturating_add(turned), of);
        let [_, step, end, _] = self.graph.strides(low);
        let turning = self.graph.view(low, [turned, 1, tokens, 1], [step, step, end]);
        let low = self.graph.view(low, [rank, tokens, 1, 1], [step, end, end]);
        let turning = self.graph.changed(&[turning, self.positions]);
        let low = self.norm(low, Norm::Root);
        if !is_latent {
            return Ok(self.attend_whole([query, low, turning], whole, plain, cache));
        }
        let [_, second, third, fourth] = self.graph.strides(query);
        let fixed = self.graph.view(query, [plain, heads.count, tokens, 1], [second, third, fourth]);
        let turns = self.graph.view(query, [turned, heads.count, tokens, 1], [second, third, fourth]);
        let turns = self.graph.changed(&[turns, self.positions]);
        let fixed = self.graph.permuted(fixed, [0, 2, 1, 3]);
        let absorbed = self.graph.made([rank, tokens, heads.count, 1], &[fixed]);
        let absorbed = self.graph.permuted(absorbed, [0, 2, 1, 3]);
        let width = rank.saturating_add(turned);
        let query = self.graph.made([width, heads.count, tokens, 1], &[absorbed, turns]);
        let value = self.graph.reshaped(low, [rank, 1, tokens, 1]);
        let key = self.graph.made([width, 1, tokens, 1], &[value, turning]);
        for part in [query, value, key] {
            self.graph.expand(part);
        }
        let flat = self.graph.reshaped(key, [width, tokens, 1, 1]);
        let kept = self.graph.kept(&[flat, cache.keys]);
        self.graph.expand(kept);
        Ok(self.meet_latent(query, cache.mask, Heads { key: width, value: rank, ..heads }, whole.value))
    }

    fn meet_latent(&mut self, query: Id, mask: Id, heads: Heads, value: u64) -> Id {
        let [cells, each, _, streams] = self.graph.shape(mask);
        let [_, second, third, _] = self.graph.strides(query);
        let split = [heads.key, heads.count, each, streams];
        let query = self.graph.view(query, split, [second, third, third.saturating_mul(each)]);
        let query = self.graph.permuted(query, [0, 2, 1, 3]);
        let met = if self.sizes.flash_attention {
            let met = self.graph.made([heads.value, heads.count, each, streams], &[query, mask]);
            self.graph.permuted(met, [0, 2, 1, 3])
        } else {
            let scores = self.graph.made([cells, each, heads.count, streams], &[query]);
            let scores = self.graph.changed(&[scores, mask]);
            // Without flash attention values are turned, which copies them for all cells.
            let turned = self.graph.stored(HALF, [cells, heads.value, 1, streams], &[]);
            self.graph.made([heads.value, each, heads.count, streams], &[turned, scores])
        };
        let whole = self.graph.made([value, each, heads.count, streams], &[met]);
        let met = self.graph.permuted(whole, [0, 2, 1, 3]);
        let met = self.graph.made([value, heads.count, each, streams], &[met]);
        let met = self.graph.reshaped(met, self.rows(value.saturating_mul(heads.count)));
        self.graph.expand(met);
        met
    }

    /// Keys and values made whole again, as many as queries.
    fn attend_whole(&mut self, parts: [Id; 3], heads: Heads, plain: u64, cache: Cache) -> Id {
        let [query, low, turning] = parts;
        let tokens = self.tokens;
        let both = self.times(plain.saturating_add(heads.value).saturating_mul(heads.count), low);
        let head = plain.saturating_add(heads.value).saturating_mul(SINGLE);
        let row = head.saturating_mul(heads.count);
        let end = row.saturating_mul(tokens);
        let key = self.graph.view(both, [plain, heads.count, tokens, 1], [head, row, end]);
        let value = self.graph.view(both, [heads.value, heads.count, tokens, 1], [head, row, end]);
        let value = self.graph.made([heads.value, heads.count, tokens, 1], &[value]);
        let query = self.graph.changed(&[query, self.positions]);
        let [turned, ..] = self.graph.shape(turning);
        let turning = self.graph.made([turned, heads.count, tokens, 1], &[turning]);
        let key = self.graph.made([heads.key, heads.count, tokens, 1], &[key, turning]);
        self.attend_to(cache, [query, key, value], heads)
    }
}
