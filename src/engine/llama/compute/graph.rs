//! A ggml compute graph: the shapes, sources and order of its tensors. No values are computed.
//!
//! The order is that of `ggml_build_forward_expand` (llama.cpp b11434, `ggml/src/ggml.c`): the sources of a tensor come
//! before it, from left to right. Weights and caches are outside the compute buffer and are omitted. So are offsets and
//! strides (`nb` of ggml): only views have unusual ones, and the allocator never allocates a view.

/// The index of a tensor in its graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// In a cache, outside the compute buffer.
    External,
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
    is_visited: false,
};

impl Tensor {
    /// `ggml_nbytes` of a tensor that is no view.
    pub(super) fn bytes(&self) -> u64 {
        product(&self.shape).saturating_mul(self.type_size)
    }

    /// `ggml_are_same_layout` of tensors that are no views.
    pub(super) fn has_same_layout(&self, other: &Self) -> bool {
        self.type_size == other.type_size && self.shape == other.shape
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
        self.tensors.push(Tensor { shape, type_size, storage, sources: sources.to_vec(), ..NO_TENSOR });
        TensorId(self.tensors.len() - 1)
    }

    /// An input, which is set before the graph runs.
    pub(super) fn input(&mut self, type_size: u64, shape: Shape) -> TensorId {
        self.new_tensor(type_size, shape, Storage::Input, &[])
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
    pub(super) fn store(&mut self, sources: &[TensorId]) {
        let stored = self.new_tensor(F32_SIZE, [1; 4], Storage::External, sources);
        self.expand(stored);
    }

    /// `ggml_set_rows`: writes some rows of `into`; the result is a view of it.
    pub(super) fn set_rows(&mut self, sources: &[TensorId], into: TensorId) -> TensorId {
        self.new_tensor(F32_SIZE, self.shape(into), Storage::View(self.view_src(into)), sources)
    }

    /// `ggml_view_4d`, `ggml_reshape_4d` or `ggml_permute`.
    pub(super) fn view(&mut self, src: TensorId, shape: Shape) -> TensorId {
        self.new_tensor(self.tensor(src).type_size, shape, Storage::View(self.view_src(src)), &[src])
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

    fn change(&mut self, id: TensorId, change: impl FnOnce(&mut Tensor)) {
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            change(tensor);
        }
    }

    /// `ggml_build_forward_expand`: appends the tensor to the order, after its sources.
    pub(super) fn expand(&mut self, id: TensorId) {
        let Some(tensor) = self.tensors.get_mut(id.0).filter(|tensor| !tensor.is_visited) else { return };
        tensor.is_visited = true;
        let is_input = tensor.storage == Storage::Input;
        for source in tensor.sources.clone() {
            self.expand(source);
        }
        if is_input { self.inputs.push(id) } else { self.nodes.push(id) }
    }

    pub(super) fn tensor(&self, id: TensorId) -> &Tensor {
        self.tensors.get(id.0).unwrap_or(&NO_TENSOR)
    }

    pub(super) fn shape(&self, id: TensorId) -> Shape {
        self.tensor(id).shape
    }

    /// The tensor that owns the memory of a view; for any other tensor the tensor itself.
    fn view_src(&self, id: TensorId) -> TensorId {
        if let Storage::View(root) = self.tensor(id).storage { root } else { id }
    }
}

/// The largest number instead of one that does not fit in 64 bits: headers may have any numbers.
pub(super) fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product, factor| product.saturating_mul(*factor))
}
