//! Layers with state: Mamba of both kinds and short convolutions.
//!
//! `build_rs` of `src/llama-graph.cpp`, `src/models/mamba-base.cpp` and `src/models/lfm2.cpp`, llama.cpp b11434.

use super::build::{Builder, Norm};
use super::graph::{Id, SINGLE};
use super::recipes::Trait;

/// The sizes of a Mamba layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Space {
    /// Steps that the convolution looks back.
    pub(super) back: u64,
    pub(super) inner: u64,
    pub(super) state: u64,
    /// The rank of the step width in the first kind, heads in the second one.
    pub(super) rank: u64,
    pub(super) groups: u64,
}

impl Builder<'_> {
    pub(super) fn space(&self) -> Result<Space, String> {
        let need = |key: &str| self.model.need(key);
        let back = need("ssm.conv_kernel")?.saturating_sub(1);
        let (inner, state) = (need("ssm.inner_size")?, need("ssm.state_size")?);
        let (rank, groups) = (need("ssm.time_step_rank")?, self.model.number("ssm.group_count").unwrap_or(0));
        Ok(Space { back, inner, state, rank, groups })
    }

    /// Tokens of each sequence, and sequences.
    pub(super) fn sequences(&self) -> [u64; 2] {
        let sequences = self.sizes.slots.max(1);
        [self.tokens / sequences, sequences]
    }

    /// The states of the sequences, gathered from those of all.
    pub(super) fn recall(&mut self, width: u64) -> Id {
        let [_, sequences] = self.sequences();
        let sources: Vec<Id> = self.states.into_iter().collect();
        let all = self.graph.made([width, sequences, 1, 1], &sources);
        let step = width.saturating_mul(SINGLE);
        let end = step.saturating_mul(sequences);
        let found = self.graph.view(all, [width, sequences, 1, 1], [step, end, end]);
        self.graph.expand(found);
        self.leave(all, width, sequences);
        found
    }

    /// As above, where the result reads the states by itself: only those of other sequences are gathered.
    pub(super) fn recall_by(&mut self, result: Id, width: u64) {
        let [_, sequences] = self.sequences();
        let others = sequences - 1;
        let tail = self
            .states
            .map(|states| self.graph.view(states, [others, 1, 1, 1], [SINGLE.saturating_mul(others); 3]));
        let sources: Vec<Id> = tail.into_iter().collect();
        let all = self.graph.made([width, others, 1, 1], &sources);
        self.graph.expand(result);
        self.leave(all, width, others);
    }

    /// States of no sequence of the batch stay as they are: none, in the largest batch.
    fn leave(&mut self, all: Id, width: u64, count: u64) {
        let step = width.saturating_mul(SINGLE);
        let rest = self.graph.view(all, [width, 0, 1, 1], [step, step.saturating_mul(count), 0]);
        let kept = self.graph.kept(&[rest]);
        self.graph.expand(kept);
    }

    /// The main states, as an operation that reads them by itself takes them.
    fn main(&mut self) -> Option<Id> {
        let [_, sequences] = self.sequences();
        self.states.map(|states| {
            self.graph.view(states, [sequences, 1, 1, 1], [SINGLE.saturating_mul(sequences); 3])
        })
    }

    /// Steps back and the batch in one row, the last steps of which are kept.
    pub(super) fn row_of_steps(&mut self, old: Id, new: Id, back: u64) -> Id {
        let [channels, each, sequences, _] = self.graph.shape(new);
        let new = self.graph.transposed(new);
        let row = self.graph.made([back.saturating_add(each), channels, sequences, 1], &[old, new]);
        self.keep_end(row, back);
        row
    }

    fn keep_end(&mut self, row: Id, back: u64) {
        let [_, channels, sequences, _] = self.graph.shape(row);
        let [_, second, third, fourth] = self.graph.strides(row);
        let end = self.graph.view(row, [back, channels, sequences, 1], [second, third, fourth]);
        let kept = self.graph.kept(&[end]);
        self.graph.expand(kept);
    }

    /// Numbers written by an operation that keeps them behind its result.
    pub(super) fn keep_behind(&mut self, result: Id, numbers: u64) {
        let step = numbers.saturating_mul(SINGLE);
        let state = self.graph.view(result, [numbers, 1, 1, 1], [step; 3]);
        let kept = self.graph.kept(&[state]);
        self.graph.expand(kept);
    }

    /// `build_mamba_layer`.
    pub(super) fn mamba(&mut self, of: Id) -> Result<Id, String> {
        let space = self.space()?;
        let [each, sequences] = self.sequences();
        let Space { back, inner, state, rank, .. } = space;
        let old = self.recall(back.saturating_mul(inner));
        let old = self.graph.reshaped(old, [back, inner, sequences, 1]);
        let given = self.graph.reshaped(of, [self.model.width, each, sequences, 1]);
        let both = self.times(inner.saturating_mul(2), given);
        let wide = [inner, each, sequences, 1];
        let [_, second, third, fourth] = self.graph.strides(both);
        let [x, gate] = [0, 1].map(|_| self.graph.view(both, wide, [second, third, fourth]));
        let row = self.row_of_steps(old, x, back);
        let x = self.graph.made(wide, &[row]);
        let x = self.graph.changed(&[x]);
        let x = self.graph.changed(&[x]);
        let parts = self.times(rank.saturating_add(state.saturating_mul(2)), x);
        let [_, second, third, _] = self.graph.strides(parts);
        let step = self.graph.view(parts, [rank, each, sequences, 1], [second, third, third]);
        let [from, to] = [0, 1].map(|_| {
            self.graph.view(parts, [state, 1, each, sequences], [state.saturating_mul(SINGLE), second, third])
        });
        let (step, from, to) = if self.recipe.has(Trait::EvenState) {
            (self.norm(step, Norm::Root), self.norm(from, Norm::Root), self.norm(to, Norm::Root))
        } else {
            (self.graph.made([rank, each, sequences, 1], &[step]), from, to)
        };
        let step = self.times(inner, step);
        let step = self.graph.changed(&[step]);
        let heads = self.graph.reshaped(x, [1, inner, each, sequences]);
        let states = state.saturating_mul(inner).saturating_mul(sequences);
        let scanned = self.scan(&[heads, step, from, to], inner.saturating_mul(self.tokens), states);
        let [second, third] =
            [inner.saturating_mul(SINGLE), inner.saturating_mul(each).saturating_mul(SINGLE)];
        let y = self.graph.view(scanned, wide, [second, third, third.saturating_mul(sequences)]);
        let skipped = self.graph.changed(&[x]);
        let y = self.graph.changed(&[y, skipped]);
        let gate = self.graph.made(wide, &[gate]);
        let y = self.graph.made(wide, &[gate, y]);
        let out = self.times(self.model.width, y);
        Ok(self.graph.reshaped(out, self.rows(self.model.width)))
    }

    /// `ggml_ssm_scan`: results, and the states behind them.
    fn scan(&mut self, parts: &[Id], results: u64, states: u64) -> Id {
        let [_, sequences] = self.sequences();
        let sources: Vec<Id> = parts.iter().copied().chain(self.main()).collect();
        let scanned = self.graph.made([results.saturating_add(states), 1, 1, 1], &sources);
        self.recall_by(scanned, states.checked_div(sequences).unwrap_or(0));
        self.keep_behind(scanned, states);
        scanned
    }

    /// `build_mamba2_layer`.
    pub(super) fn mamba2(&mut self, of: Id) -> Result<Id, String> {
        let space = self.space()?;
        let [each, sequences] = self.sequences();
        let Space { back, inner, state, rank: heads, groups, .. } = space;
        let channels = inner.saturating_add(groups.saturating_mul(state).saturating_mul(2));
        let old = self.recall(back.saturating_mul(channels));
        let old = self.graph.reshaped(old, [back, channels, sequences, 1]);
        let all = self.times(inner.saturating_add(channels).saturating_add(heads), of);
        let [width, ..] = self.graph.shape(all);
        let all = self.graph.reshaped(all, [width, each, sequences, 1]);
        let head = inner.checked_div(heads).unwrap_or(0);
        let by_head = [head, heads, each, sequences];
        let [_, second, third, fourth] = self.graph.strides(all);
        let gate = self.graph.view(all, by_head, [head.saturating_mul(SINGLE), second, third]);
        let x = self.graph.view(all, [channels, each, sequences, 1], [second, third, fourth]);
        let step = self.graph.view(all, [heads, each, sequences, 1], [second, third, fourth]);
        let row = self.row_of_steps(old, x, back);
        let x = self.graph.made([channels, each, sequences, 1], &[row]);
        let x = self.graph.changed(&[x]);
        let x = self.graph.changed(&[x]);
        let [_, second, third, _] = self.graph.strides(x);
        let [from, to] = [0, 1].map(|_| {
            self.graph.view(
                x,
                [state, groups, each, sequences],
                [state.saturating_mul(SINGLE), second, third],
            )
        });
        let x = self.graph.view(x, by_head, [head.saturating_mul(SINGLE), second, third]);
        let step = self.graph.made([heads, each, sequences, 1], &[step]);
        let step = self.graph.changed(&[step]);
        let states = state.saturating_mul(inner).saturating_mul(sequences);
        let scanned = self.scan(&[x, step, from, to], inner.saturating_mul(self.tokens), states);
        let plane = inner.saturating_mul(each).saturating_mul(SINGLE);
        let y = self.graph.view(
            scanned,
            by_head,
            [head.saturating_mul(SINGLE), inner.saturating_mul(SINGLE), plane],
        );
        let skipped = self.graph.made(by_head, &[x]);
        let y = self.graph.changed(&[y, skipped]);
        let gate = self.graph.made(by_head, &[gate]);
        let mut y = self.graph.made(by_head, &[gate, y]);
        if self.recipe.has(Trait::EvenState) {
            let group = inner.checked_div(groups).unwrap_or(0);
            let flat = self.graph.reshaped(y, [group, groups, each, sequences]);
            y = self.norm(flat, Norm::Root);
        }
        let y = self.graph.reshaped(y, self.rows(inner));
        Ok(self.times(self.model.width, y))
    }

    /// `build_shortconv_block` of LFM2.
    pub(super) fn convolution(&mut self, of: Id) -> Result<Id, String> {
        let back = self.model.need("shortconv.l_cache")?.saturating_sub(1);
        let [each, sequences] = self.sequences();
        let width = self.model.width;
        let shape = [width, each, sequences, 1];
        let given = self.graph.reshaped(of, shape);
        let all = self.times(width.saturating_mul(3), given);
        let [_, second, third, fourth] = self.graph.strides(all);
        let [gate, out, x] = [0, 1, 2].map(|_| self.graph.view(all, shape, [second, third, fourth]));
        let gated = self.graph.made(shape, &[gate, x]);
        let old = self.recall(back.saturating_mul(width));
        let old = self.graph.reshaped(old, [back, width, sequences, 1]);
        let row = self.row_of_steps(old, gated, back);
        let steps = self.graph.made(shape, &[row]);
        let y = self.graph.changed(&[out, steps]);
        let y = self.times(width, y);
        Ok(self.graph.reshaped(y, self.rows(width)))
    }
}
