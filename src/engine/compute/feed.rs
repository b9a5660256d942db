//! Feed-forward networks, and mixtures of them: `build_ffn` and `build_moe_ffn` of `src/llama-graph.cpp`, llama.cpp b11434.

use super::build::Builder;
use super::graph::{Id, SINGLE};

/// How a feed-forward network bends what it has widened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bend {
    /// Two matrices side by side, one of which is the gate of the other.
    Gated,
    /// One matrix twice as wide, half of which is the gate of the other.
    Halves,
    /// One matrix, in place.
    Plain,
}

/// A mixture of experts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mixture {
    pub(super) experts: u64,
    pub(super) used: u64,
    pub(super) inner: u64,
    pub(super) choice: Choice,
    /// The weights of the chosen experts are made to sum up to one.
    pub(super) is_even: bool,
}

/// How experts are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    /// By the probabilities.
    Plain,
    /// By the probabilities with a bias, which are not those that count.
    Biased,
    /// By the scores; those of the chosen become probabilities.
    Late,
    /// By the scores, and what goes in is weighed, not what comes out.
    Before,
}

impl Builder<'_> {
    pub(super) fn feed(&mut self, of: Id, inner: u64, bend: Bend) -> Id {
        let [width, ..] = self.graph.shape(of);
        let bent = match bend {
            Bend::Gated => {
                let up = self.times(inner, of);
                let gate = self.times(inner, of);
                let shape = self.graph.shape(up);
                self.graph.made(shape, &[gate, up])
            }
            Bend::Halves => {
                let both = self.times(inner.saturating_mul(2), of);
                self.times(inner, both)
            }
            Bend::Plain => {
                let up = self.times(inner, of);
                self.graph.changed(&[up])
            }
        };
        self.times(width, bent)
    }

    pub(super) fn mix(&mut self, of: Id, mixture: Mixture) -> Id {
        let [width, rows, ..] = self.graph.shape(of);
        let Mixture { experts, used, inner, .. } = mixture;
        let scores = self.times(experts, of);
        let likely = if mixture.choice == Choice::Late { scores } else { self.graph.changed(&[scores]) };
        let ranked = match mixture.choice {
            Choice::Plain | Choice::Late => likely,
            Choice::Biased => self.graph.changed(&[likely]),
            Choice::Before => scores,
        };
        let order = self.graph.made([experts, rows, 1, 1], &[ranked]);
        let row = experts.saturating_mul(SINGLE);
        let chosen = self.graph.view(
            order,
            [used, rows, 1, 1],
            [row, row.saturating_mul(rows), row.saturating_mul(rows)],
        );
        let weights = self.weigh(likely, chosen, mixture);
        self.graph.expand(weights);
        let mut given = self.graph.reshaped(of, [width, 1, rows, 1]);
        if mixture.choice == Choice::Before {
            let repeated = self.graph.made([width, used, rows, 1], &[given]);
            given = self.graph.changed(&[repeated, weights]);
        }
        let wide = [inner, used, rows, 1];
        let up = self.graph.made(wide, &[given, chosen]);
        let gate = self.graph.made(wide, &[given, chosen]);
        let bent = self.graph.made(wide, &[gate, up]);
        let mut parts = self.graph.made([width, used, rows, 1], &[bent, chosen]);
        if mixture.choice != Choice::Before {
            parts = self.graph.changed(&[parts, weights]);
        }
        self.graph.expand(parts);
        self.gather(parts, used)
    }

    fn weigh(&mut self, likely: Id, chosen: Id, mixture: Mixture) -> Id {
        let [experts, rows, ..] = self.graph.shape(likely);
        let used = mixture.used;
        let flat = self.graph.reshaped(likely, [1, experts, rows, 1]);
        let mut weights = self.graph.made([1, used, rows, 1], &[flat, chosen]);
        if mixture.choice == Choice::Late {
            let flat = self.graph.reshaped(weights, [used, rows, 1, 1]);
            let soft = self.graph.changed(&[flat]);
            weights = self.graph.reshaped(soft, [1, used, rows, 1]);
        }
        if mixture.is_even {
            let flat = self.graph.reshaped(weights, [used, rows, 1, 1]);
            let sum = self.graph.made([1, rows, 1, 1], &[flat]);
            let sum = self.graph.changed(&[sum]);
            let even = self.graph.changed(&[flat, sum]);
            weights = self.graph.reshaped(even, [1, used, rows, 1]);
        }
        weights
    }

    /// What the experts made, summed up one by one.
    fn gather(&mut self, parts: Id, used: u64) -> Id {
        let [width, _, rows, _] = self.graph.shape(parts);
        let [_, _, row, end] = self.graph.strides(parts);
        let mut each = Vec::new();
        for _ in 0..used {
            let part = self.graph.view(parts, [width, rows, 1, 1], [row, end, end]);
            self.graph.expand(part);
            each.push(part);
        }
        let Some((first, others)) = each.split_first() else { return parts };
        let mut all = *first;
        for part in others {
            all = self.graph.changed(&[all, *part]);
            self.graph.expand(all);
        }
        if others.is_empty() { self.graph.made([width, rows, 1, 1], &[all]) } else { all }
    }
}
