//! RWKV 7: `src/models/rwkv7.cpp` and `rwkv7-base.cpp` of llama.cpp b11434.

use super::build::{Builder, Norm};
use super::graph::{Graph, Id, SINGLE};

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let head = b.model.need("wkv.head_size")?.max(1);
    let width = b.model.width;
    let [each, sequences] = b.sequences();
    let embedded = b.embed();
    let mut rows = b.norm(embedded, Norm::Mean);
    b.caches();
    let mut first = None;
    for layer in 0..b.model.layers {
        let by_sequence = [width, each, sequences, 1];
        rows = b.graph.reshaped(rows, by_sequence);
        let old = b.recall(width.saturating_mul(2));
        let old = b.graph.reshaped(old, [width, 2, sequences, 1]);
        let [_, second, third, fourth] = b.graph.strides(old);
        let [mixed, fed] =
            [0, 1].map(|_| b.graph.view(old, [width, 1, sequences, 1], [second, third, fourth]));
        let even = b.norm(rows, Norm::Mean);
        let before = b.shifted(mixed, even);
        let out = b.time_mix([even, before], head, &mut first)?;
        let middle = b.sum(out, rows);
        let even_middle = b.norm(middle, Norm::Mean);
        let before = b.shifted(fed, even_middle);
        b.keep_shift(even, even_middle);
        let [mut middle, mut even, mut before] =
            [middle, even_middle, before].map(|part| b.graph.reshaped(part, b.rows(width)));
        if layer + 1 == b.model.layers {
            [middle, even, before] = [middle, even, before].map(|part| b.choose(part));
        }
        let out = b.channel_mix(even, before, layer)?;
        rows = b.sum(out, middle);
    }
    Ok(b.finish(rows))
}

impl Builder<'_> {
    /// Each row as it was one token before.
    fn shifted(&mut self, old: Id, rows: Id) -> Id {
        let [width, each, sequences, _] = self.graph.shape(rows);
        let [_, second, third, fourth] = self.graph.strides(rows);
        let others =
            self.graph.view(rows, [width, each.saturating_sub(1), sequences, 1], [second, third, fourth]);
        self.graph.made([width, each, sequences, 1], &[old, others])
    }

    fn keep_shift(&mut self, one: Id, other: Id) {
        let [width, _, sequences, _] = self.graph.shape(one);
        let ends = [one, other].map(|rows| {
            let [_, second, third, fourth] = self.graph.strides(rows);
            self.graph.view(rows, [width, 1, sequences, 1], [second, third, fourth])
        });
        let both = self.graph.made([width, 2, sequences, 1], &ends);
        let all = width.saturating_mul(2).saturating_mul(sequences);
        let flat = self.graph.reshaped(both, [all, 1, 1, 1]);
        let kept = self.graph.kept(&[flat]);
        self.graph.expand(kept);
    }

    fn channel_mix(&mut self, rows: Id, before: Id, layer: u64) -> Result<Id, String> {
        let inner = self.model.inner(layer)?;
        let change = self.graph.changed(&[before, rows]);
        let scaled = self.graph.changed(&[change]);
        let given = self.graph.changed(&[scaled, rows]);
        let key = self.times(inner, given);
        let key = self.graph.changed(&[key]);
        let key = self.graph.changed(&[key]);
        Ok(self.times(self.model.width, key))
    }

    /// A matrix to a low rank, and one back.
    fn low(&mut self, of: Id, key: &str) -> Result<Id, String> {
        let rank = self.model.need(key)?;
        let low = self.times(rank, of);
        Ok(self.times(self.model.width, low))
    }

    /// `build_rwkv7_time_mix`.
    fn time_mix(&mut self, rows: [Id; 2], head: u64, first: &mut Option<Id>) -> Result<Id, String> {
        let (width, tokens) = (self.model.width, self.tokens);
        let [each, sequences] = self.sequences();
        let [to_r, to_w, to_k, to_v, to_a, to_g] = self.mixtures(rows);
        let reception = self.times(width, to_r);
        let decay = self.low(to_w, "attention.decay_lora_rank")?;
        let key = self.times(width, to_k);
        let value = self.value(to_v, first)?;
        let gate = if self.has_gate() { Some(self.low(to_g, "attention.gate_lora_rank")?) } else { None };
        let rate = self.low(to_a, "attention.iclr_lora_rank")?;
        let by_head = [head, width.checked_div(head).unwrap_or(0), tokens, 1];
        let even_key = self.graph.changed(&[key]);
        let even_key = self.graph.reshaped(even_key, by_head);
        let even_key = self.graph.made(by_head, &[even_key]);
        let scaled = self.graph.changed(&[key]);
        let part = self.graph.changed(&[rate, scaled]);
        let part = self.graph.changed(&[part, scaled]);
        let key = self.graph.changed(&[key, part]);
        let [reception, decay, key, value, rate] =
            [reception, decay, key, value, rate].map(|part| self.graph.reshaped(part, by_head));
        let state = self.recall(width.saturating_mul(head));
        let away = self.graph.changed(&[even_key]);
        let toward = self.graph.changed(&[even_key, rate]);
        let mixed = self.weigh_and_keep([reception, decay, key, value, away, toward, state], head);
        let mixed = self.graph.reshaped(mixed, by_head);
        let mixed = self.graph.made(by_head, &[mixed]);
        let mixed = self.graph.reshaped(mixed, self.rows(width));
        let mixed = self.graph.changed(&[mixed]);
        let product = self.graph.changed(&[key, reception]);
        let product = self.graph.changed(&[product]);
        let [_, heads, ..] = by_head;
        let sums = self.graph.made([1, heads, tokens, 1], &[product]);
        let part = self.graph.changed(&[value, sums]);
        let part = self.graph.reshaped(part, self.rows(width));
        let mut mixed = self.graph.changed(&[mixed, part]);
        if let Some(gate) = gate {
            mixed = self.graph.changed(&[mixed, gate]);
        }
        let out = self.times(width, mixed);
        Ok(self.graph.reshaped(out, [width, each, sequences, 1]))
    }

    fn has_gate(&self) -> bool {
        self.model.number("attention.gate_lora_rank").is_some_and(|rank| rank > 0)
    }

    /// Rows mixed with those before them, once for each use; the last one is of use with a gate only.
    fn mixtures(&mut self, [even, before]: [Id; 2]) -> [Id; 6] {
        let [each, sequences] = self.sequences();
        let width = self.model.width;
        let change = self.graph.changed(&[before, even]);
        let uses = if self.has_gate() { 6 } else { 5 };
        let change = self.graph.made([width, each, sequences, uses], &[change]);
        let scaled = self.graph.changed(&[change]);
        let all = self.graph.changed(&[scaled, even]);
        let [_, row, ..] = self.graph.strides(all);
        let end = row.saturating_mul(self.tokens);
        [0; 6].map(|_| self.graph.view(all, self.rows(width), [row, end, end]))
    }

    /// Values, with a share of those of the first layer.
    fn value(&mut self, of: Id, first: &mut Option<Id>) -> Result<Id, String> {
        let value = self.times(self.model.width, of);
        let Some(first) = *first else {
            *first = Some(value);
            return Ok(value);
        };
        let share = self.low(of, "attention.value_residual_mix_lora_rank")?;
        let apart = self.graph.changed(&[first, value]);
        let part = self.graph.changed(&[apart, share]);
        Ok(self.graph.changed(&[value, part]))
    }

    /// `ggml_rwkv_wkv7`: results, and the states behind them, which are kept.
    fn weigh_and_keep(&mut self, sources: [Id; 7], head: u64) -> Id {
        let [_, sequences] = self.sequences();
        let flat = self.model.width.saturating_mul(self.tokens);
        let states = self.model.width.saturating_mul(head).saturating_mul(sequences);
        let out = self.graph.made([flat.saturating_add(states), 1, 1, 1], &sources);
        let mixed = self.graph.view(out, [flat, 1, 1, 1], [flat.saturating_mul(SINGLE); 3]);
        self.keep_behind(out, states);
        mixed
    }
}
