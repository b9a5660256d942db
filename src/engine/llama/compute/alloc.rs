//! The sizes of the compute buffers of a graph: the allocator of `ggml/src/ggml-alloc.c` (gallocr), llama.cpp b11434,
//! with sizes only. Each device has one buffer.
//!
//! Inputs are allocated first and freed after their last use; results are allocated when they are computed. An
//! allocation takes the best-fitting free block, or else the end of the buffer. Outputs are never freed.

use super::graph::{Graph, Storage, TensorId};

/// `TENSOR_ALIGNMENT` of `ggml/src/ggml-impl.h`, b11434.
pub(super) const HOST_ALIGNMENT: u64 = 32;

/// The buffers of a graph.
pub(super) struct Buffers {
    /// The buffer of each tensor; the first one for tensors that are not listed.
    pub(super) of_tensor: Vec<usize>,
    /// The alignment of each buffer in bytes.
    pub(super) alignments: Vec<u64>,
    /// True for the buffers of CUDA devices.
    pub(super) are_cuda: Vec<bool>,
}

/// The highest end of any allocation in the memory of the host, in bytes.
pub(super) fn buffer_size(graph: &Graph) -> u64 {
    let buffers = Buffers { of_tensor: Vec::new(), alignments: vec![HOST_ALIGNMENT], are_cuda: vec![false] };
    buffer_sizes(graph, &buffers).into_iter().sum()
}

/// The highest end of any allocation in each buffer, in bytes.
pub(super) fn buffer_sizes(graph: &Graph, buffers: &Buffers) -> Vec<u64> {
    let mut allocator = GraphAllocator::new(graph, buffers);
    for id in &graph.inputs {
        allocator.allocate(*id);
    }
    for id in &graph.nodes {
        let sources = &graph.tensor(*id).sources;
        for source in sources {
            allocator.allocate(*source);
        }
        allocator.allocate(*id);
        for source in sources {
            allocator.release(*source);
        }
    }
    allocator.buffers.iter().map(|buffer| buffer.max_size).collect()
}

/// A free range of the buffer.
#[derive(Clone, Copy)]
struct FreeBlock {
    offset: u64,
    size: u64,
}

impl FreeBlock {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// `ggml_dyn_tallocr`: a buffer of unlimited size.
struct DynAllocator {
    alignment: u64,
    /// Free blocks by offset; the last one has no end.
    free_blocks: Vec<FreeBlock>,
    max_size: u64,
}

impl DynAllocator {
    fn new(alignment: u64) -> Self {
        let free_blocks = vec![FreeBlock { offset: 0, size: u64::MAX }];
        Self { alignment, free_blocks, max_size: 0 }
    }

    fn aligned(&self, size: u64) -> u64 {
        size.checked_next_multiple_of(self.alignment).unwrap_or(u64::MAX)
    }

    /// `ggml_dyn_tallocr_alloc`.
    fn alloc(&mut self, size: u64) -> u64 {
        let size = self.aligned(size);
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

    /// `ggml_dyn_tallocr_free_bytes`: merges the range with adjacent free blocks. As in ggml, the first adjacent block
    /// counts, although ranges of 0 bytes can leave the blocks unsorted.
    fn free(&mut self, offset: u64, size: u64) {
        let size = self.aligned(size);
        let end = offset.saturating_add(size);
        let ends_here = |block: &FreeBlock| block.size < u64::MAX && block.end() == offset;
        let adjacent = self.free_blocks.iter().position(|block| ends_here(block) || block.offset == end);
        let Some(at) = adjacent else {
            let at = self.free_blocks.partition_point(|block| block.offset < offset);
            return self.free_blocks.insert(at, FreeBlock { offset, size });
        };
        let Some(block) = self.free_blocks.get_mut(at) else { return };
        let first = if ends_here(block) {
            Some(at)
        } else {
            block.offset = offset;
            at.checked_sub(1)
        };
        block.size = block.size.saturating_add(size);
        if let Some(first) = first {
            self.merge_with_next(first);
        }
    }

    fn merge_with_next(&mut self, at: usize) {
        let Some([block, next]) = self.free_blocks.get_mut(at..).and_then(|blocks| blocks.first_chunk_mut())
        else {
            return;
        };
        if block.end() == next.offset {
            block.size = block.size.saturating_add(next.size);
            self.free_blocks.remove(at + 1);
        }
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

impl HashNode {
    fn is_needed(self) -> bool {
        self.n_children > 0 || self.n_views > 0
    }
}

/// `ggml_gallocr`.
struct GraphAllocator<'graph> {
    graph: &'graph Graph,
    hash_nodes: Vec<HashNode>,
    places: &'graph Buffers,
    buffers: Vec<DynAllocator>,
}

impl<'graph> GraphAllocator<'graph> {
    fn new(graph: &'graph Graph, buffers: &'graph Buffers) -> Self {
        let hash_nodes = vec![HashNode::default(); graph.tensors.len()];
        let places = buffers;
        let buffers = places.alignments.iter().copied().map(DynAllocator::new).collect();
        let mut allocator = Self { graph, hash_nodes, places, buffers };
        for id in &graph.nodes {
            let tensor = graph.tensor(*id);
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

    /// The buffer of a tensor, and its size there (`ggml_backend_buft_get_alloc_size`).
    fn place_of(&mut self, id: TensorId) -> (Option<&mut DynAllocator>, u64) {
        let at = self.places.of_tensor.get(id.index()).copied().unwrap_or(0);
        let tensor = self.graph.tensor(id);
        let is_cuda = self.places.are_cuda.get(at) == Some(&true);
        let extra = if is_cuda { tensor.cuda_extra } else { 0 };
        (self.buffers.get_mut(at), tensor.bytes().saturating_add(extra))
    }

    /// `ggml_gallocr_allocate_node`. Views need no allocation.
    fn allocate(&mut self, id: TensorId) {
        let storage = self.graph.tensor(id).storage;
        let is_allocated = self.hash_node(id).offset.is_some();
        if is_allocated || matches!(storage, Storage::View(_) | Storage::External | Storage::Dependency) {
            return;
        }
        let reused = if storage == Storage::InPlace { self.reusable_source(id) } else { None };
        let offset = match reused {
            Some((source, offset)) => {
                self.update(source, |source| source.offset = None);
                offset
            }
            None => {
                let (buffer, bytes) = self.place_of(id);
                buffer.map_or(0, |buffer| buffer.alloc(bytes))
            }
        };
        self.update(id, |node| node.offset = Some(offset));
    }

    /// The first source whose memory the result can take over, with its offset. A view has no offset, so it never
    /// qualifies.
    fn reusable_source(&self, id: TensorId) -> Option<(TensorId, u64)> {
        let tensor = self.graph.tensor(id);
        tensor.sources.iter().find_map(|source| {
            let (node, from) = (self.hash_node(*source), self.graph.tensor(*source));
            let is_last_use = node.n_children == 1 && node.n_views == 0 && !from.is_output;
            (is_last_use && tensor.has_same_layout(from)).then_some((*source, node.offset?))
        })
    }

    /// Counts one use of a tensor as done, and frees its memory after the last use.
    fn release(&mut self, id: TensorId) {
        self.update(id, |node| node.n_children = node.n_children.saturating_sub(1));
        if self.hash_node(id).is_needed() {
            return;
        }
        let mut owner = id;
        if let Storage::View(src) = self.graph.tensor(id).storage {
            owner = src;
            self.update(src, |src| src.n_views = src.n_views.saturating_sub(1));
        }
        let node = self.hash_node(owner);
        let Some(offset) = node.offset.filter(|_| !node.is_needed()) else { return };
        if !self.graph.tensor(owner).is_output {
            if let (Some(buffer), bytes) = self.place_of(owner) {
                buffer.free(offset, bytes);
            }
            self.update(owner, |owner| owner.offset = None);
        }
    }
}
