//! The size of the compute buffer of a graph: the allocator of `ggml/src/ggml-alloc.c` (gallocr), llama.cpp b11434,
//! with sizes only.
//!
//! Inputs are allocated first and freed after their last use; results are allocated when they are computed. An
//! allocation takes the best-fitting free block, or else the end of the buffer. Outputs are never freed.

use super::graph::{Graph, Storage, TensorId};

/// `TENSOR_ALIGNMENT` of `ggml/src/ggml-impl.h`, b11434.
const ALIGNMENT: u64 = 32;

/// The highest end of any allocation, in bytes.
pub(super) fn buffer_size(graph: &Graph) -> u64 {
    let mut allocator = GraphAllocator::new(graph);
    for id in &graph.inputs {
        allocator.allocate(*id);
    }
    for id in &graph.nodes {
        let sources = allocator.sources(*id);
        for source in &sources {
            allocator.allocate(*source);
        }
        allocator.allocate(*id);
        for source in &sources {
            allocator.release(*source);
        }
    }
    allocator.buffer.max_size
}

/// A free range of the buffer.
#[derive(Clone, Copy)]
struct FreeBlock {
    offset: u64,
    size: u64,
}

/// `ggml_dyn_tallocr`: a buffer of unlimited size.
struct DynAllocator {
    /// Free blocks by offset; the last one has no end.
    free_blocks: Vec<FreeBlock>,
    max_size: u64,
}

impl DynAllocator {
    /// `ggml_dyn_tallocr_alloc`.
    fn alloc(&mut self, size: u64) -> u64 {
        let last = self.free_blocks.len().saturating_sub(1);
        let fitting = self.free_blocks.iter().take(last).enumerate().filter(|(_, block)| block.size >= size);
        // Of several blocks of the same size, ggml takes the last.
        let at = fitting.rev().min_by_key(|(_, block)| block.size).map_or(last, |(at, _)| at);
        let Some(block) = self.free_blocks.get_mut(at) else { return 0 };
        let offset = block.offset;
        block.offset = block.offset.saturating_add(size);
        if at < last {
            block.size -= size;
            if block.size == 0 {
                self.free_blocks.remove(at);
            }
        }
        self.max_size = self.max_size.max(offset.saturating_add(size));
        offset
    }

    /// `ggml_dyn_tallocr_free_bytes`: merges the range with adjacent free blocks.
    fn free(&mut self, offset: u64, size: u64) {
        let end = offset.saturating_add(size);
        let ends_here =
            |block: &FreeBlock| block.offset.saturating_add(block.size) == offset && block.size < u64::MAX;
        for at in 0..self.free_blocks.len() {
            let next = self.free_blocks.get(at + 1).copied();
            let Some(block) = self.free_blocks.get_mut(at) else { return };
            if ends_here(block) {
                block.size = block.size.saturating_add(size);
                if let Some(next) = next.filter(|next| next.offset == block.offset.saturating_add(block.size))
                {
                    block.size = block.size.saturating_add(next.size);
                    self.free_blocks.remove(at + 1);
                }
                return;
            }
            if end == block.offset {
                block.offset = offset;
                block.size = block.size.saturating_add(size);
                let merged = *block;
                let previous = at.checked_sub(1).and_then(|at| self.free_blocks.get_mut(at));
                if let Some(previous) = previous.filter(|p| p.offset.saturating_add(p.size) == merged.offset)
                {
                    previous.size = previous.size.saturating_add(merged.size);
                    self.free_blocks.remove(at);
                }
                return;
            }
        }
        let at = self.free_blocks.partition_point(|block| block.offset < offset);
        self.free_blocks.insert(at, FreeBlock { offset, size });
    }
}

/// `hash_node` of ggml: the state of a tensor while the graph is allocated.
#[derive(Clone, Copy, Default)]
struct HashNode {
    /// Results not yet computed that read it.
    n_children: u32,
    /// Tensors that are views of it.
    n_views: u32,
    /// Its offset in the buffer while it is allocated.
    offset: Option<u64>,
}

/// `ggml_gallocr`.
struct GraphAllocator<'graph> {
    graph: &'graph Graph,
    hash_nodes: Vec<HashNode>,
    buffer: DynAllocator,
}

impl<'graph> GraphAllocator<'graph> {
    fn new(graph: &'graph Graph) -> Self {
        let buffer = DynAllocator { free_blocks: vec![FreeBlock { offset: 0, size: u64::MAX }], max_size: 0 };
        let mut allocator =
            Self { graph, hash_nodes: vec![HashNode::default(); graph.tensors.len()], buffer };
        for id in &graph.nodes {
            let Some(tensor) = graph.tensor(*id) else { continue };
            if let Storage::View(src) = tensor.storage {
                allocator.update(src, |src| src.n_views += 1);
            }
            for source in &tensor.sources {
                allocator.update(*source, |source| source.n_children += 1);
            }
        }
        allocator
    }

    fn update(&mut self, id: TensorId, change: impl FnOnce(&mut HashNode)) {
        if let Some(node) = self.hash_nodes.get_mut(id.index()) {
            change(node);
        }
    }

    fn hash_node(&self, id: TensorId) -> HashNode {
        self.hash_nodes.get(id.index()).copied().unwrap_or_default()
    }

    fn sources(&self, id: TensorId) -> Vec<TensorId> {
        self.graph.tensor(id).map(|tensor| tensor.sources.clone()).unwrap_or_default()
    }

    fn aligned_size(&self, id: TensorId) -> u64 {
        self.graph
            .tensor(id)
            .map_or(0, |tensor| tensor.bytes().checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX))
    }

    /// `ggml_gallocr_allocate_node`. Views need no allocation.
    fn allocate(&mut self, id: TensorId) {
        let Some(tensor) = self.graph.tensor(id) else { return };
        if self.hash_node(id).offset.is_some()
            || matches!(tensor.storage, Storage::View(_) | Storage::External)
        {
            return;
        }
        let offset = match (tensor.storage == Storage::InPlace).then(|| self.reusable_source(id)).flatten() {
            Some((source, offset)) => {
                self.update(source, |source| source.offset = None);
                offset
            }
            None => self.buffer.alloc(self.aligned_size(id)),
        };
        self.update(id, |node| node.offset = Some(offset));
    }

    /// The first source whose memory the result can take over, with its offset. A view has no offset, so it never
    /// qualifies.
    fn reusable_source(&self, id: TensorId) -> Option<(TensorId, u64)> {
        let tensor = self.graph.tensor(id)?;
        tensor.sources.iter().find_map(|source| {
            let node = self.hash_node(*source);
            let from = self.graph.tensor(*source)?;
            let is_last_use = node.n_children == 1 && node.n_views == 0 && !from.is_output;
            (is_last_use && tensor.has_same_layout(from)).then_some((*source, node.offset?))
        })
    }

    /// Counts one use of a tensor as done, and frees its memory after the last use.
    fn release(&mut self, id: TensorId) {
        self.update(id, |node| node.n_children = node.n_children.saturating_sub(1));
        let node = self.hash_node(id);
        if node.n_children > 0 || node.n_views > 0 {
            return;
        }
        let owner = match self.graph.tensor(id).map(|tensor| tensor.storage) {
            Some(Storage::View(src)) => {
                self.update(src, |src| src.n_views = src.n_views.saturating_sub(1));
                let node = self.hash_node(src);
                (node.n_views == 0 && node.n_children == 0).then_some(src)
            }
            _ => Some(id),
        };
        let Some(owner) = owner else { return };
        let Some(offset) = self.hash_node(owner).offset else { return };
        if self.graph.tensor(owner).is_some_and(|tensor| !tensor.is_output) {
            self.buffer.free(offset, self.aligned_size(owner));
            self.update(owner, |owner| owner.offset = None);
        }
    }
}
