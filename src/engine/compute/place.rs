//! How long a buffer has to be for a graph: `ggml/src/ggml-alloc.c` of llama.cpp b11434, with lengths alone.
//!
//! Inputs lie there from the start until their last use, results from when they are computed; what fits best is taken of
//! what is free, else the end. Outputs stay.

use super::graph::{Graph, Id, Place};

/// `TENSOR_ALIGNMENT` of `ggml/src/ggml-impl.h`, b11434.
const ALIGNMENT: u64 = 32;

/// The bytes from the start to the last one that is ever in use.
pub(super) fn length(graph: &Graph) -> u64 {
    let mut places = Places::of(graph);
    for id in &graph.inputs {
        places.put(*id);
    }
    for id in &graph.nodes {
        let sources = places.sources(*id);
        for source in &sources {
            places.put(*source);
        }
        places.put(*id);
        for source in &sources {
            places.used(*source);
        }
    }
    places.buffer.length
}

/// A stretch of the buffer.
#[derive(Clone, Copy)]
struct Stretch {
    start: u64,
    length: u64,
}

/// A buffer without an end.
struct Buffer {
    /// What is free, by start; the last one is endless.
    free: Vec<Stretch>,
    length: u64,
}

impl Buffer {
    fn take(&mut self, length: u64) -> u64 {
        let last = self.free.len().saturating_sub(1);
        let fits = self.free.iter().take(last).enumerate().filter(|(_, free)| free.length >= length);
        // Of several that fit as well, the last one.
        let at = fits.rev().min_by_key(|(_, free)| free.length).map_or(last, |(at, _)| at);
        let Some(free) = self.free.get_mut(at) else { return 0 };
        let start = free.start;
        free.start = free.start.saturating_add(length);
        if at < last {
            free.length -= length;
            if free.length == 0 {
                self.free.remove(at);
            }
        }
        self.length = self.length.max(start.saturating_add(length));
        start
    }

    fn give(&mut self, start: u64, length: u64) {
        let end = start.saturating_add(length);
        let before =
            |free: &Stretch| free.start.saturating_add(free.length) == start && free.length < u64::MAX;
        for at in 0..self.free.len() {
            let next = self.free.get(at + 1).copied();
            let Some(free) = self.free.get_mut(at) else { return };
            if before(free) {
                free.length = free.length.saturating_add(length);
                if let Some(next) = next.filter(|next| next.start == free.start.saturating_add(free.length)) {
                    free.length = free.length.saturating_add(next.length);
                    self.free.remove(at + 1);
                }
                return;
            }
            if end == free.start {
                free.start = start;
                free.length = free.length.saturating_add(length);
                let joined = *free;
                let previous = at.checked_sub(1).and_then(|at| self.free.get_mut(at));
                if let Some(previous) = previous.filter(|p| p.start.saturating_add(p.length) == joined.start)
                {
                    previous.length = previous.length.saturating_add(joined.length);
                    self.free.remove(at);
                }
                return;
            }
        }
        let at = self.free.partition_point(|free| free.start < start);
        self.free.insert(at, Stretch { start, length });
    }
}

/// What is known of a tensor while the graph runs.
#[derive(Clone, Copy, Default)]
struct State {
    /// Results that still have to be made from it.
    children: u32,
    /// Tensors in its place.
    views: u32,
    start: Option<u64>,
}

struct Places<'graph> {
    graph: &'graph Graph,
    states: Vec<State>,
    buffer: Buffer,
}

impl<'graph> Places<'graph> {
    fn of(graph: &'graph Graph) -> Self {
        let buffer = Buffer { free: vec![Stretch { start: 0, length: u64::MAX }], length: 0 };
        let mut places = Self { graph, states: vec![State::default(); graph.tensors.len()], buffer };
        for id in &graph.nodes {
            let Some(tensor) = graph.tensor(*id) else { continue };
            if let Place::Of(root) = tensor.place {
                places.change(root, |root| root.views += 1);
            }
            for source in &tensor.sources {
                places.change(*source, |source| source.children += 1);
            }
        }
        places
    }

    fn change(&mut self, id: Id, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.states.get_mut(id.index()) {
            change(state);
        }
    }

    fn state(&self, id: Id) -> State {
        self.states.get(id.index()).copied().unwrap_or_default()
    }

    fn sources(&self, id: Id) -> Vec<Id> {
        self.graph.tensor(id).map(|tensor| tensor.sources.clone()).unwrap_or_default()
    }

    fn bytes(&self, id: Id) -> u64 {
        self.graph
            .tensor(id)
            .map_or(0, |tensor| tensor.bytes().checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX))
    }

    /// `ggml_gallocr_allocate_node`. A view has no place of its own that could be reused.
    fn put(&mut self, id: Id) {
        let Some(tensor) = self.graph.tensor(id) else { return };
        if self.state(id).start.is_some() || matches!(tensor.place, Place::Of(_) | Place::Elsewhere) {
            return;
        }
        let start = match (tensor.place == Place::Reuse).then(|| self.spent(id)).flatten() {
            Some((source, start)) => {
                self.change(source, |source| source.start = None);
                start
            }
            None => self.buffer.take(self.bytes(id)),
        };
        self.change(id, |state| state.start = Some(start));
    }

    /// The first source in whose place a result can lie.
    fn spent(&self, id: Id) -> Option<(Id, u64)> {
        let tensor = self.graph.tensor(id)?;
        tensor.sources.iter().find_map(|source| {
            let state = self.state(*source);
            let from = self.graph.tensor(*source)?;
            let is_spent = state.children == 1 && state.views == 0 && !from.is_output;
            (is_spent && tensor.is_laid_out_as(from)).then_some((*source, state.start?))
        })
    }

    /// One result less needs it.
    fn used(&mut self, id: Id) {
        self.change(id, |state| state.children = state.children.saturating_sub(1));
        let state = self.state(id);
        if state.children > 0 || state.views > 0 {
            return;
        }
        let owner = match self.graph.tensor(id).map(|tensor| tensor.place) {
            Some(Place::Of(root)) => {
                self.change(root, |root| root.views = root.views.saturating_sub(1));
                let state = self.state(root);
                (state.views == 0 && state.children == 0).then_some(root)
            }
            _ => Some(id),
        };
        let Some(owner) = owner else { return };
        let Some(start) = self.state(owner).start else { return };
        if self.graph.tensor(owner).is_some_and(|tensor| !tensor.is_output) {
            self.buffer.give(start, self.bytes(owner));
            self.change(owner, |owner| owner.start = None);
        }
    }
}
