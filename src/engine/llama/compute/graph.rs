//! A ggml compute graph: the shapes, sources and order of its tensors. No values are computed.
//!
//! The order is that of `ggml_build_forward_expand` (llama.cpp b11434, `ggml/src/ggml.c`): the sources of a tensor come
//! before it, from left to right. Weights and caches are outside the compute buffer. They are sources, because they decide
//! on which device ggml computes a result, but only where that matters. Offsets and strides (`nb` of ggml) are omitted:
//! only views have unusual ones, and the allocator never allocates a view.

use super::backend::Unsupported;
pub(super) use super::op::{Home, Op, Section};

/// The index of a tensor in its graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TensorId(usize);

/// `ne` of ggml: the number of elements in each dimension, the innermost first.
pub(super) type Shape = [u64; 4];

/// Bytes per element (`ggml_type_size`).
pub(super) const F16_SIZE: u64 = 2;
pub(super) const F32_SIZE: u64 = 4;
pub(super) const I32_SIZE: u64 = 4;
pub(super) const I64_SIZE: u64 = 8;

/// Where the data of a tensor is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Storage {
    /// In the compute buffer from the start: an input, set before the graph runs.
    Input,
    /// In the compute buffer, in a separate allocation.
    Separate,
    /// In the memory of one of its sources, if that has the same layout and no further use; otherwise separate.
    InPlace,
    /// In the memory of another tensor (a view).
    View(TensorId),
    /// In a weight or a cache, outside the compute buffer.
    External,
    /// Nowhere: it only keeps its source allocated until it is reached.
    Dependency,
}

#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) shape: Shape,
    type_size: u64,
    pub(super) storage: Storage,
    pub(super) sources: Vec<TensorId>,
    pub(super) is_output: bool,
    /// False for a view that skips elements (`ggml_is_contiguous`).
    pub(super) is_contiguous: bool,
    pub(super) op: Op,
    /// The section of a computed tensor.
    pub(super) section: Section,
    /// The place of a weight or a cache, or of a result that is stored in a cache.
    pub(super) home: Option<Home>,
    /// The back ends that do not compute it.
    pub(super) unsupported: Unsupported,
    /// Bytes that CUDA allocates in addition: copies of quantized keys and values as f16
    /// (`ggml_cuda_flash_attn_ext_get_alloc_size` of `ggml/src/ggml-cuda/fattn.cu`, b11434).
    pub(super) cuda_extra: u64,
    /// The number of a sequence of operations that Vulkan computes at once.
    pub(super) fused: Option<usize>,
    is_visited: bool,
}

/// The tensor for an id of another graph.
static NO_TENSOR: Tensor = Tensor {
    shape: [0; 4],
    type_size: 0,
    storage: Storage::External,
    sources: Vec::new(),
    is_output: false,
    is_contiguous: true,
    op: Op::Other,
    section: Section::Input,
    home: None,
    unsupported: Unsupported { by_cuda: false, by_vulkan: false },
    cuda_extra: 0,
    fused: None,
    is_visited: false,
};

impl Tensor {
    /// The number of rows of a batch for which a device takes over an operation from the host (`get_op_batch_size` of
    /// `ggml/src/ggml-cuda/ggml-cuda.cu`, b11434).
    pub(super) fn batch_size(&self) -> u64 {
        let [_, rows, matrices, others] = self.shape;
        if self.op == Op::GetRows {
            0
        } else if self.op == Op::MulMat {
            rows
        } else if self.op == Op::MulMatId {
            matrices
        } else {
            product(&[rows, matrices, others])
        }
    }

    /// `ggml_nbytes` of a tensor that is no view.
    pub(super) fn bytes(&self) -> u64 {
        product(&self.shape).saturating_mul(self.type_size)
    }

    /// `ggml_are_same_layout` of tensors that are no views.
    pub(super) fn has_same_layout(&self, other: &Self) -> bool {
        self.type_size == other.type_size && self.shape == other.shape
    }

    /// True for a weight (`GGML_BACKEND_BUFFER_USAGE_WEIGHTS`).
    pub(super) fn is_weight(&self) -> bool {
        self.home.is_some_and(|home| !matches!(home, Home::Cache(_)))
    }
}

/// All tensors, and the order in which the needed ones are computed.
#[derive(Default, Debug)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    /// Inputs, in the order in which `expand` reaches them. Others need no memory.
    pub(super) inputs: Vec<TensorId>,
    /// Computed tensors, in the order of computation.
    pub(super) nodes: Vec<TensorId>,
    /// The part of the model that new tensors belong to.
    pub(super) section: Section,
}

impl TensorId {
    pub(super) fn index(self) -> usize {
        self.0
    }
}

impl Graph {
    fn new_tensor(
        &mut self,
        type_size: u64,
        shape: Shape,
        storage: Storage,
        sources: &[TensorId],
    ) -> TensorId {
        let (sources, section) = (sources.to_vec(), self.section);
        self.tensors.push(Tensor { shape, type_size, storage, sources, section, ..NO_TENSOR });
        TensorId(self.tensors.len() - 1)
    }

    /// A weight or a cache, with its size in bytes.
    pub(super) fn external(&mut self, home: Home, bytes: u64) -> TensorId {
        let id = self.new_tensor(1, [bytes, 1, 1, 1], Storage::External, &[]);
        self.change(id, |tensor| (tensor.op, tensor.home) = (Op::None, Some(home)));
        id
    }

    /// A copy of a tensor for another device. A copy of a view with gaps has the same gaps.
    pub(super) fn copy_of(&mut self, id: TensorId) -> TensorId {
        let tensor = self.tensor(id);
        let src = self.view_src(id);
        let (shape, type_size) = if self.has_gaps(tensor, src) {
            ([self.tensor(src).bytes(), 1, 1, 1], 1)
        } else {
            (tensor.shape, tensor.type_size)
        };
        let copy = self.new_tensor(type_size, shape, Storage::Separate, &[]);
        self.set_op(copy, Op::None);
        copy
    }

    /// True for a view that takes a part of each row.
    fn has_gaps(&self, view: &Tensor, src: TensorId) -> bool {
        let [_, rows, matrices, others] = self.shape(src);
        let has_rows = rows > 1 || matrices > 1 || others > 1;
        has_rows && product(&view.shape) < product(&self.shape(src))
    }

    /// A node that keeps a tensor allocated until it is reached.
    pub(super) fn dependency(&mut self, on: TensorId) -> TensorId {
        self.new_tensor(F32_SIZE, [0; 4], Storage::Dependency, &[on])
    }

    pub(super) fn replace_source(&mut self, id: TensorId, at: usize, new: TensorId) {
        self.change(id, |tensor| {
            if let Some(source) = tensor.sources.get_mut(at) {
                *source = new;
            }
        });
    }

    /// The KV cache or recurrent state of the current layer, with its size in bytes.
    pub(super) fn cache(&mut self, bytes: u64) -> TensorId {
        self.external(self.cache_home(), bytes)
    }

    fn cache_home(&self) -> Home {
        if let Section::Layer(layer) = self.section { Home::Cache(layer) } else { Home::Input }
    }

    /// Where the weights of the current section are.
    pub(super) fn weight_home(&self) -> Home {
        match self.section {
            Section::Input => Home::Input,
            Section::Layer(layer) => Home::Layer(layer),
            Section::Output => Home::Output,
        }
    }

    /// An input, which is set before the graph runs.
    pub(super) fn input(&mut self, type_size: u64, shape: Shape) -> TensorId {
        let id = self.new_tensor(type_size, shape, Storage::Input, &[]);
        self.change(id, |tensor| tensor.op = Op::None);
        id
    }

    /// An f32 result that is never computed in place.
    pub(super) fn op(&mut self, shape: Shape, sources: &[TensorId]) -> TensorId {
        self.typed_op(F32_SIZE, shape, sources)
    }

    /// Like `op`, with elements of another type.
    pub(super) fn typed_op(&mut self, type_size: u64, shape: Shape, sources: &[TensorId]) -> TensorId {
        self.new_tensor(type_size, shape, Storage::Separate, sources)
    }

    /// An f32 result with the shape of its first source, computed in place if possible (`ggml_op_can_inplace`).
    pub(super) fn inplace_op(&mut self, sources: &[TensorId]) -> TensorId {
        let shape = sources.first().map_or([0; 4], |first| self.shape(*first));
        self.new_tensor(F32_SIZE, shape, Storage::InPlace, sources)
    }

    /// Some operations with one source, one after the other, each in place.
    pub(super) fn inplace_ops(&mut self, count: usize, source: TensorId) -> TensorId {
        (0..count).fold(source, |last, _| self.inplace_op(&[last]))
    }

    /// A result that is written to a cache (`ggml_cpy` or `ggml_set_rows`). Nothing reads it, so it is expanded.
    pub(super) fn store(&mut self, op: Op, sources: &[TensorId], cache: TensorId) {
        let sources: Vec<TensorId> = sources.iter().copied().chain([cache]).collect();
        let stored = self.new_tensor(F32_SIZE, [1; 4], Storage::External, &sources);
        let home = self.cache_home();
        self.change(stored, |tensor| (tensor.op, tensor.home) = (op, Some(home)));
        self.expand(stored);
    }

    /// `ggml_set_rows`: writes some rows of `into`; the result is a view of it.
    pub(super) fn set_rows(&mut self, sources: &[TensorId], into: TensorId) -> TensorId {
        self.new_tensor(F32_SIZE, self.shape(into), Storage::View(self.view_src(into)), sources)
    }

    /// `ggml_view_4d`, `ggml_reshape_4d` or `ggml_permute`.
    pub(super) fn view(&mut self, src: TensorId, shape: Shape) -> TensorId {
        let view_src = Storage::View(self.view_src(src));
        let id = self.new_tensor(self.tensor(src).type_size, shape, view_src, &[src]);
        self.set_op(id, Op::View);
        id
    }

    /// `ggml_view_3d` of some heads of each row.
    pub(super) fn view_heads(&mut self, src: TensorId, shape: Shape) -> TensorId {
        let ([row, ..], [head, count, ..]) = (self.shape(src), shape);
        let id = self.view(src, shape);
        self.change(id, |tensor| tensor.is_contiguous = row == product(&[head, count]));
        id
    }

    /// `ggml_set_output`: its memory is never reused.
    pub(super) fn set_output(&mut self, id: TensorId) {
        self.change(id, |tensor| tensor.is_output = true);
    }

    pub(super) fn set_op(&mut self, id: TensorId, op: Op) {
        self.change(id, |tensor| tensor.op = op);
    }

    /// The result of an operation that the scheduler distinguishes.
    pub(super) fn op_of(&mut self, op: Op, shape: Shape, sources: &[TensorId]) -> TensorId {
        let id = self.op(shape, sources);
        self.set_op(id, op);
        id
    }

    pub(super) fn set_unsupported(&mut self, id: TensorId, by: Unsupported) {
        self.change(id, |tensor| tensor.unsupported = by);
    }

    pub(super) fn set_cuda_extra(&mut self, id: TensorId, bytes: u64) {
        self.change(id, |tensor| tensor.cuda_extra = bytes);
    }

    /// An in-place operation that the scheduler distinguishes.
    pub(super) fn inplace_op_of(&mut self, op: Op, sources: &[TensorId]) -> TensorId {
        let id = self.inplace_op(sources);
        self.set_op(id, op);
        id
    }

    /// Marks the tensors since `first` as computed at once.
    pub(super) fn fuse_since(&mut self, first: TensorId) {
        for tensor in self.tensors.iter_mut().skip(first.0) {
            tensor.fused = Some(first.0);
        }
    }

    fn change(&mut self, id: TensorId, change: impl FnOnce(&mut Tensor)) {
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            change(tensor);
        }
    }

    /// `ggml_build_forward_expand`: appends the tensor to the order, after its sources.
    pub(super) fn expand(&mut self, id: TensorId) {
        let Some(tensor) = self.tensors.get_mut(id.0).filter(|tensor| !tensor.is_visited) else { return };
        tensor.is_visited = true;
        let (is_input, op) = (tensor.storage == Storage::Input, tensor.op);
        for source in tensor.sources.clone() {
            self.expand(source);
        }
        if is_input {
            self.inputs.push(id);
        } else if op != Op::None {
            self.nodes.push(id);
        }
    }

    pub(super) fn tensor(&self, id: TensorId) -> &Tensor {
        self.tensors.get(id.0).unwrap_or(&NO_TENSOR)
    }

    pub(super) fn shape(&self, id: TensorId) -> Shape {
        self.tensor(id).shape
    }

    /// The tensor that owns the memory of a view; for any other tensor the tensor itself.
    pub(super) fn view_src(&self, id: TensorId) -> TensorId {
        if let Storage::View(root) = self.tensor(id).storage { root } else { id }
    }
}

/// The largest number instead of one that does not fit in 64 bits: headers may have any numbers.
pub(super) fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product, factor| product.saturating_mul(*factor))
}
