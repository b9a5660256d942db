//! The copies between devices: `ggml_backend_sched_split_graph` of `ggml/src/ggml-backend.cpp`, llama.cpp b11434, from pass
//! 5 on.
//!
//! A split is a sequence of operations on one device. Its inputs from other devices, also weights, are copied into the
//! compute buffer of the device at the start of the split.

use super::backend::Api;
use super::graph::{Graph, Op, TensorId};
use super::reorder::vulkan_order;
use super::schedule::Machine;
use std::collections::BTreeMap;

/// Adds the copies to a graph. `backends` has the back end of each tensor, and gets those of the copies.
pub(super) fn add_copies(graph: &mut Graph, backends: &mut Vec<usize>, machine: &Machine<'_>) {
    let nodes = std::mem::take(&mut graph.nodes);
    let inputs = std::mem::take(&mut graph.inputs);
    let mut splitter = Splitter { graph, backends, machine, copies: BTreeMap::new(), splits: Vec::new() };
    splitter.split(&nodes);
    splitter.finish(&nodes, &inputs);
}

/// `ggml_backend_sched_split`.
#[derive(Default)]
struct Split {
    backend: usize,
    /// The index of its first operation.
    start: usize,
    /// The tensors of other back ends that it reads.
    inputs: Vec<TensorId>,
}

struct Splitter<'a> {
    graph: &'a mut Graph,
    backends: &'a mut Vec<usize>,
    machine: &'a Machine<'a>,
    /// The copies of a tensor on a back end.
    copies: BTreeMap<(TensorId, usize), Vec<TensorId>>,
    splits: Vec<Split>,
}

impl Splitter<'_> {
    fn backend_of(&self, id: TensorId) -> usize {
        self.backends.get(id.index()).copied().unwrap_or(self.machine.host())
    }

    /// True if a back end can read a tensor where it is: views are where their source is.
    fn is_on(&self, id: TensorId, backend: usize) -> bool {
        self.backend_of(id) == backend || self.backend_of(self.graph.view_src(id)) == backend
    }

    /// Pass 5.
    fn split(&mut self, nodes: &[TensorId]) {
        for (at, id) in nodes.iter().enumerate() {
            if self.graph.tensor(*id).op == Op::View {
                continue;
            }
            let backend = self.backend_of(*id);
            if self.splits.is_empty() || self.needs_new_split(*id, backend) {
                let start = if self.splits.is_empty() { 0 } else { at };
                self.splits.push(Split { backend, start, inputs: Vec::new() });
            }
            for place in 0..self.graph.tensor(*id).sources.len() {
                self.copy_source(*id, place, backend);
            }
        }
    }

    /// An operation starts a split if its back end changes. It also does if it needs a copy of a weight, so that the memory
    /// of earlier copies can be reused.
    fn needs_new_split(&self, id: TensorId, backend: usize) -> bool {
        let Some(split) = self.splits.last() else { return true };
        let mut sources = self.graph.tensor(id).sources.iter();
        split.backend != backend
            || (!split.inputs.is_empty()
                && sources
                    .any(|source| self.graph.tensor(*source).is_weight() && !self.is_on(*source, backend)))
    }

    fn copy_source(&mut self, id: TensorId, place: usize, backend: usize) {
        let Some(source) = self.graph.tensor(id).sources.get(place).copied() else { return };
        if self.is_on(source, backend) {
            return;
        }
        if !self.copies.contains_key(&(source, backend)) {
            let copies = self.make_copies(source, backend, self.machine.copies);
            self.copies.insert((source, backend), copies);
            if let Some(split) = self.splits.last_mut() {
                split.inputs.push(source);
            }
        }
        if let Some(copy) = self.copies.get(&(source, backend)).and_then(|copies| copies.first()) {
            self.graph.replace_source(id, place, *copy);
        }
    }

    /// With pipeline parallelism copies stay allocated until the end.
    fn make_copies(&mut self, source: TensorId, backend: usize, count: usize) -> Vec<TensorId> {
        let copies: Vec<TensorId> = (0..count).map(|_| self.graph.copy_of(source)).collect();
        self.backends.resize(self.graph.tensors.len(), backend);
        if self.machine.copies > 1 {
            for copy in &copies {
                self.graph.set_output(*copy);
            }
        }
        copies
    }

    /// The new order: each split begins with its inputs.
    fn finish(&mut self, nodes: &[TensorId], inputs: &[TensorId]) {
        let mut order = Vec::new();
        let ends = self.splits.iter().skip(1).map(|split| split.start).chain([nodes.len()]);
        let ends: Vec<usize> = ends.collect();
        let splits = std::mem::take(&mut self.splits);
        for (split, end) in splits.iter().zip(ends) {
            for input in &split.inputs {
                let dependency = self.graph.dependency(*input);
                self.backends.resize(self.graph.tensors.len(), split.backend);
                order.push(dependency);
                order.extend(self.copies.get(&(*input, split.backend)).and_then(|copies| copies.first()));
            }
            let nodes = nodes.get(split.start..end).unwrap_or_default();
            if self.machine.apis.get(split.backend) == Some(&Api::Vulkan) {
                order.extend(vulkan_order(self.graph, nodes));
            } else {
                order.extend(nodes);
            }
        }
        self.graph.nodes = order;
        self.graph.inputs = self.allocated_first(&splits, inputs);
    }

    /// The tensors that are allocated before all others. With pipeline parallelism these are all copies of inputs, of the
    /// graph and of its splits.
    fn allocated_first(&mut self, splits: &[Split], inputs: &[TensorId]) -> Vec<TensorId> {
        if self.machine.copies < 2 {
            return inputs.to_vec();
        }
        let mut leafs = Vec::new();
        for input in inputs.iter().copied() {
            self.graph.set_output(input);
            leafs.push(input);
            leafs.extend(self.make_copies(input, self.machine.host(), self.machine.copies - 1));
        }
        for split in splits {
            let copies = split.inputs.iter().filter_map(|input| self.copies.get(&(*input, split.backend)));
            leafs.extend(copies.flatten());
        }
        leafs
    }
}
