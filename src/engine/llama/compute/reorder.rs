//! The order in which Vulkan computes a split: `ggml_vk_graph_optimize` of `ggml/src/ggml-vulkan/ggml-vulkan.cpp`, llama.cpp
//! b11434.
//!
//! Vulkan computes operations earlier that do not depend on the previous ones, so that they run at the same time. That
//! keeps more results allocated at the same time, or fewer.

use super::graph::{Graph, Op, Storage, TensorId};

/// How many nodes ahead an operation is looked for.
const WINDOW: usize = 20;
/// How many nodes ahead the next operation of a fused sequence is looked for.
const FUSED_WINDOW: usize = 15;

/// Sequences that are computed at once, so nothing comes between.
const FUSED: &[&[Op]] = &[
    &[Op::RmsNorm, Op::Mul, Op::Add, Op::Mul],
    &[Op::RmsNorm, Op::Mul, Op::Add],
    &[Op::RmsNorm, Op::Mul, Op::Rope, Op::View, Op::SetRows],
    &[Op::RmsNorm, Op::View, Op::SetRows],
    &[Op::Rope, Op::View, Op::SetRows],
];

/// Pairs of adjacent operations that are computed together.
const FUSED_PAIRS: &[[Op; 2]] = &[
    [Op::MulMat, Op::Add],
    [Op::MulMatId, Op::AddId],
    [Op::MulMatId, Op::Mul],
    [Op::Add, Op::Add],
    [Op::SsmConv, Op::Add],
    [Op::SsmConv, Op::Unary],
];

/// The nodes of a split in the order in which Vulkan computes them.
pub(super) fn vulkan_order(graph: &Graph, nodes: &[TensorId]) -> Vec<TensorId> {
    let mut order = Order { graph, nodes, used: vec![false; nodes.len()], result: Vec::new() };
    while let Some(first) = order.used.iter().position(|used| !used) {
        let fused = order.fused_at(first);
        if fused > 0 {
            order.take(first..first + fused);
            continue;
        }
        let mut set = vec![first];
        order.pick_operations(first, &mut set);
        if set.last().is_some_and(|last| order.op(*last) != Op::Add) {
            order.pick_views(first, &mut set);
        }
        order.take(set);
    }
    order.result
}

struct Order<'a> {
    graph: &'a Graph,
    nodes: &'a [TensorId],
    used: Vec<bool>,
    result: Vec<TensorId>,
}

impl Order<'_> {
    fn id(&self, at: usize) -> Option<TensorId> {
        self.nodes.get(at).copied()
    }

    fn op(&self, at: usize) -> Op {
        self.id(at).map_or(Op::None, |id| self.graph.tensor(id).op)
    }

    fn is_used(&self, at: usize) -> bool {
        self.used.get(at).copied().unwrap_or(true)
    }

    fn mark_used(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
    }

    fn is_view(&self, at: usize) -> bool {
        matches!(self.op(at), Op::View | Op::None)
    }

    fn take(&mut self, set: impl IntoIterator<Item = usize>) {
        for at in set {
            self.result.extend(self.id(at));
            self.mark_used(at);
        }
    }

    /// The length of the fused sequence that starts at a node; 0 for none.
    fn fused_at(&self, start: usize) -> usize {
        let group = |at: usize| self.id(at).and_then(|id| self.graph.tensor(id).fused);
        if let Some(this) = group(start) {
            let is_start = start.checked_sub(1).and_then(group) != Some(this);
            let len = (start..self.nodes.len()).take_while(|at| group(*at) == Some(this)).count();
            return if is_start && (start..start + len).all(|at| !self.is_used(at)) { len } else { 0 };
        }
        let matches = |pattern: &&&[Op]| {
            pattern.iter().zip(start..).all(|(op, at)| self.op(at) == *op && !self.is_used(at))
        };
        FUSED.iter().find(matches).map_or(0, |pattern| pattern.len())
    }

    /// Adds independent operations to a set.
    fn pick_operations(&mut self, first: usize, set: &mut Vec<usize>) {
        for at in first + 1..self.nodes.len().min(first + WINDOW) {
            if self.is_used(at) || self.is_view(at) || self.fused_at(at) > 0 {
                continue;
            }
            let blocks = |c: usize| {
                !self.is_used(c) && self.depends(at, c) && !(set.last() == Some(&c) && self.is_pair(c, at))
            };
            if (first..at).any(blocks) {
                continue;
            }
            set.push(at);
            self.pull_fused(at, set);
        }
    }

    /// Adds views whose sources are computed.
    fn pick_views(&self, first: usize, set: &mut Vec<usize>) {
        for at in first + 1..self.nodes.len().min(first + WINDOW) {
            if self.is_used(at) || !self.is_view(at) {
                continue;
            }
            let blocks = |c: usize| !self.is_used(c) && self.depends(at, c) && !set.contains(&c);
            if !(first..at).any(blocks) {
                set.push(at);
            }
        }
    }

    /// True if two operations are computed together although the second depends on the first.
    fn is_pair(&self, first: usize, second: usize) -> bool {
        let pair = [self.op(first), self.op(second)];
        if matches!(pair, [Op::RmsNorm | Op::Unary, Op::Mul]) {
            return (first + 1..second).all(|at| self.is_used(at) || self.is_view(at));
        }
        second == first + 1 && FUSED_PAIRS.contains(&pair)
    }

    /// True if one node reads another one, or both use the same memory.
    fn depends(&self, reader: usize, other: usize) -> bool {
        let (Some(reader_id), Some(other_id)) = (self.id(reader), self.id(other)) else { return false };
        let [reader_tensor, other_tensor] = [reader_id, other_id].map(|id| self.graph.tensor(id));
        if reader_tensor.sources.contains(&other_id) {
            return true;
        }
        let [base, other_base] = [reader_id, other_id].map(|id| self.base(id));
        let reads = |sources: &[TensorId], base| sources.iter().any(|source| self.base(*source) == base);
        let are_operations = !self.is_view(reader) && !self.is_view(other);
        base == other_base
            || (are_operations
                && (reads(&reader_tensor.sources, other_base) || reads(&other_tensor.sources, base)))
    }

    /// The tensor in whose memory a tensor is.
    fn base(&self, id: TensorId) -> TensorId {
        let tensor = self.graph.tensor(id);
        if tensor.storage == Storage::External {
            // A stored result is a view of the cache, its last source.
            return tensor.sources.last().copied().unwrap_or(id);
        }
        self.graph.view_src(id)
    }

    /// The first of the next nodes for which a condition is true.
    fn next(&self, after: usize, mut condition: impl FnMut(usize, TensorId) -> bool) -> Option<usize> {
        let end = self.nodes.len().min(after + FUSED_WINDOW);
        (after + 1..end).find(|at| self.id(*at).is_some_and(|id| condition(*at, id)))
    }

    fn is_ready(&self, id: TensorId) -> bool {
        self.graph.tensor(id).op == Op::None || self.result.contains(&id)
    }

    /// Adds the operations that are fused with one that was just added.
    fn pull_fused(&mut self, at: usize, set: &mut Vec<usize>) {
        let Some(id) = self.id(at) else { return };
        let before = at.checked_sub(1).map_or(Op::None, |before| self.op(before));
        let mut last = at;
        let pulled = match [before, self.op(at)] {
            [Op::RmsNorm, Op::Mul] => self.next_reader(at, id, Op::Rope, 1),
            [Op::MulMatId, Op::AddId] => self.next_reader(at, id, Op::Mul, 1),
            [Op::MulMat, Op::Add] => self.next_reader(at, id, Op::Add, 1),
            [Op::SsmConv, Op::Add] => self.next_reader(at, id, Op::Unary, 0),
            [_, Op::Unary] => self.next_product(at, id),
            _ => None,
        };
        if let Some(pulled) = pulled {
            set.push(pulled);
            self.mark_used(pulled);
            if self.op(pulled) == Op::Rope {
                last = pulled;
            }
        }
        if matches!(self.op(last), Op::Rope | Op::RmsNorm) {
            self.pull_store(last, set);
        }
    }

    /// The next operation of a kind whose first source is `id`, and whose next sources are ready.
    fn next_reader(&self, at: usize, id: TensorId, op: Op, others: usize) -> Option<usize> {
        self.next(at, |_, next| {
            let tensor = self.graph.tensor(next);
            let mut others = tensor.sources.iter().skip(1).take(others);
            tensor.op == op
                && tensor.sources.first() == Some(&id)
                && others.all(|other| self.is_ready(*other))
        })
    }

    /// The next product with `id` whose other factor is ready.
    fn next_product(&self, at: usize, id: TensorId) -> Option<usize> {
        self.next(at, |_, next| {
            let tensor = self.graph.tensor(next);
            let mut others = tensor.sources.iter().filter(|source| **source != id);
            tensor.op == Op::Mul && tensor.sources.contains(&id) && others.all(|other| self.is_ready(*other))
        })
    }

    /// Adds the view and the store of keys after `RoPE`.
    fn pull_store(&mut self, at: usize, set: &mut Vec<usize>) {
        let Some(id) = self.id(at) else { return };
        let reads = |next: TensorId, op, source| {
            let tensor = self.graph.tensor(next);
            tensor.op == op && tensor.sources.first() == Some(&source)
        };
        let view = self.next(at, |next, tensor| !self.is_used(next) && reads(tensor, Op::View, id));
        let Some((view, view_id)) = view.and_then(|view| Some((view, self.id(view)?))) else { return };
        let store = self.next(at, |next, tensor| {
            next > view && !self.is_used(next) && reads(tensor, Op::SetRows, view_id)
        });
        let Some(store) = store else { return };
        let blocks = |c: usize| !self.is_used(c) && c != view && !self.is_view(c) && self.depends(store, c);
        if (at + 1..store).any(blocks) {
            return;
        }
        for pulled in [view, store] {
            set.push(pulled);
            self.mark_used(pulled);
        }
    }
}
