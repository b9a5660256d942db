//! Layers of the gated delta rule, and the attention with a gate beside them: `src/models/qwen3next.cpp`, `qwen35.cpp` and
//! `delta-net-base.cpp` of llama.cpp b11434, with the rule as one operation, which a CPU has.

use super::build::{Builder, Cache, Norm};
use super::graph::{Id, SINGLE};
use super::model::Heads;
use super::recipes::Trait;

impl Builder<'_> {
    /// Attention in which one half of the queries is a gate.
    pub(super) fn attend_with_gate(&mut self, of: Id, heads: Heads, cache: Cache) -> Id {
        let tokens = self.tokens;
        let double = heads.key.saturating_mul(2);
        let both = self.times(double.saturating_mul(heads.count), of);
        let both = self.graph.reshaped(both, [double, heads.count, tokens, 1]);
        let key = self.times(heads.key.saturating_mul(heads.kept), of);
        let value = self.times(heads.value.saturating_mul(heads.kept), of);
        let [_, second, third, fourth] = self.graph.strides(both);
        let by_head = [heads.key, heads.count, tokens, 1];
        let [query, gate] = [0, 1].map(|_| self.graph.view(both, by_head, [second, third, fourth]));
        let key = self.graph.reshaped(key, [heads.key, heads.kept, tokens, 1]);
        let value = self.graph.reshaped(value, [heads.value, heads.kept, tokens, 1]);
        let [query, key] = [query, key].map(|part| {
            let part = self.norm(part, Norm::Root);
            self.graph.changed(&[part, self.positions])
        });
        let met = self.attend_to(cache, [query, key, value], heads);
        let gate = self.graph.made(self.rows(heads.key.saturating_mul(heads.count)), &[gate]);
        let gate = self.graph.changed(&[gate]);
        self.graph.changed(&[met, gate])
    }

    /// A layer of the gated delta rule.
    pub(super) fn delta(&mut self, of: Id) -> Result<Id, String> {
        let space = self.space()?;
        let [each, sequences] = self.sequences();
        let (keys, values, head) = (space.groups, space.rank, space.state);
        let value_head = space.inner.checked_div(values).unwrap_or(0);
        let channels = space.inner.saturating_add(keys.saturating_mul(head).saturating_mul(2));
        let mixed = self.times(channels, of);
        let mixed = self.graph.reshaped(mixed, [channels, each, sequences, 1]);
        let z = self.times(value_head.saturating_mul(values), of);
        let [strength, decay] = self.strength_and_decay(of, values);
        let old = self.recall(space.back.saturating_mul(channels));
        let old = self.graph.reshaped(old, [space.back, channels, sequences, 1]);
        let row = self.row_of_steps(old, mixed, space.back);
        let states = value_head.saturating_mul(value_head).saturating_mul(values);
        let state = self.recall(states);
        let state = self.graph.reshaped(state, [value_head, value_head, values, sequences]);
        let steps = self.graph.made([channels, each, sequences, 1], &[row]);
        let steps = self.graph.changed(&[steps]);
        let [_, second, third, _] = self.graph.strides(steps);
        let width = |head: u64| head.saturating_mul(SINGLE);
        let part = |b: &mut Self, head, count| {
            b.graph.view(steps, [head, count, each, sequences], [width(head), second, third])
        };
        let [query, key] = [0, 1].map(|_| part(self, head, keys));
        let value = part(self, value_head, values);
        let [query, key] = [query, key].map(|part| {
            let even = self.graph.made([head, keys, each, sequences], &[part]);
            if keys == values || self.recipe.has(Trait::Split) { even } else { self.repeated(even, values) }
        });
        let done = self.tokens.saturating_mul(value_head).saturating_mul(values);
        let all = done.saturating_add(states.saturating_mul(sequences));
        let ruled = self.graph.made([all, 1, 1, 1], &[query, key, value, decay, strength, state]);
        let out = self.graph.view(
            ruled,
            [value_head, values, each, sequences],
            [
                width(value_head),
                width(value_head.saturating_mul(values)),
                width(value_head.saturating_mul(values).saturating_mul(each)),
            ],
        );
        let new = self.graph.view(ruled, [states.saturating_mul(sequences), 1, 1, 1], [0; 3]);
        let kept = self.graph.kept(&[new]);
        self.graph.expand(kept);
        let gate = self.graph.reshaped(z, [value_head, values, each, sequences]);
        let even = self.norm(out, Norm::Root);
        let gate = self.graph.changed(&[gate]);
        let gated = self.graph.changed(&[even, gate]);
        let flat = self.graph.reshaped(gated, [value_head.saturating_mul(values), each, sequences, 1]);
        let out = self.times(self.model.width, flat);
        Ok(self.graph.reshaped(out, self.rows(self.model.width)))
    }

    fn strength_and_decay(&mut self, of: Id, values: u64) -> [Id; 2] {
        let [each, sequences] = self.sequences();
        let shape = [values, each, sequences, 1];
        let parts = if self.recipe.has(Trait::Split) {
            [0, 1].map(|_| {
                let part = self.times(values, of);
                self.graph.reshaped(part, shape)
            })
        } else {
            let both = self.times(values.saturating_mul(2), of);
            let both = self.graph.reshaped(both, [values.saturating_mul(2), each, sequences, 1]);
            let [_, second, third, fourth] = self.graph.strides(both);
            [0, 1].map(|_| {
                let part = self.graph.view(both, shape, [second, third, fourth]);
                self.graph.made(shape, &[part])
            })
        };
        let [strength, decay] = parts;
        let strength = self.graph.changed(&[strength]);
        let decay = (0..3).fold(decay, |decay, _| self.graph.changed(&[decay]));
        [strength, decay].map(|part| self.graph.reshaped(part, [1, values, each, sequences]))
    }

    /// Each head as often as there are values for it.
    fn repeated(&mut self, part: Id, values: u64) -> Id {
        let [head, keys, each, sequences] = self.graph.shape(part);
        let all = each.saturating_mul(sequences);
        let flat = self.graph.reshaped(part, [head, 1, keys, all]);
        let many = self.graph.made([head, values.checked_div(keys).unwrap_or(1), keys, all], &[flat]);
        self.graph.reshaped(many, [head, values, each, sequences])
    }
}
