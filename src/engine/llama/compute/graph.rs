//! A ggml compute graph: the shapes, sources and order of its tensors. No values are computed.
//!
//! The order is that of `ggml_build_forward_expand` (llama.cpp b11434, `ggml/src/ggml.c`): the sources of a tensor come
//! before it, from left to right. Weights and caches are outside the compute buffer and are omitted.

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

#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) shape: Shape,
    /// `nb` of ggml: bytes from one element to the next in each dimension.
    strides: Shape,
    type_size: u64,
    pub(super) storage: Storage,
    pub(super) sources: Vec<TensorId>,
    pub(super) is_output: bool,
    is_visited: bool,
}

impl Tensor {
    /// `ggml_nbytes`: bytes from the first to the last element, including gaps.
    pub(super) fn bytes(&self) -> u64 {
        if self.shape.contains(&0) {
            return 0;
        }
        let dimensions = self.shape.iter().zip(self.strides);
        dimensions.fold(self.type_size, |sum, (n, stride)| sum.saturating_add((n - 1).saturating_mul(stride)))
    }

    /// `ggml_are_same_layout`.
    pub(super) fn has_same_layout(&self, other: &Self) -> bool {
        self.type_size == other.type_size && self.shape == other.shape && self.strides == other.strides
    }
}

/// All tensors, and the order in which the needed ones are computed.
#[derive(Default, Debug)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    /// Inputs, in the order in which `expand` reaches them.
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
        let strides = contiguous_strides(type_size, shape);
        let sources = sources.to_vec();
        self.tensors.push(Tensor {
            shape,
            strides,
            type_size,
            storage,
            sources,
            is_output: false,
            is_visited: false,
        });
        TensorId(self.tensors.len() - 1)
    }

    /// An input, which is set before the graph runs.
    pub(super) fn input(&mut self, type_size: u64, shape: Shape) -> TensorId {
        self.new_tensor(type_size, shape, Storage::Input, &[])
    }

    /// An f32 result that is never computed in place.
    pub(super) fn op(&mut self, shape: Shape, sources: &[TensorId]) -> TensorId {
        self.new_tensor(F32_SIZE, shape, Storage::Separate, sources)
    }

    /// Like `op`, with elements of another type.
    pub(super) fn typed_op(&mut self, type_size: u64, shape: Shape, sources: &[TensorId]) -> TensorId {
        self.new_tensor(type_size, shape, Storage::Separate, sources)
    }

    /// `ggml_cast`: a copy with elements of another type.
    pub(super) fn cast(&mut self, type_size: u64, src: TensorId) -> TensorId {
        self.new_tensor(type_size, self.shape(src), Storage::Separate, &[src])
    }

    /// An f32 result with the shape of its first source, computed in place if possible (`ggml_op_can_inplace`).
    pub(super) fn inplace_op(&mut self, sources: &[TensorId]) -> TensorId {
        let shape = sources.first().map_or([0; 4], |first| self.shape(*first));
        self.new_tensor(F32_SIZE, shape, Storage::InPlace, sources)
    }

    /// A result that is written to a cache (`ggml_cpy` or `ggml_set_rows`).
    pub(super) fn store(&mut self, sources: &[TensorId]) -> TensorId {
        self.new_tensor(F32_SIZE, [1; 4], Storage::External, sources)
    }

    /// `ggml_set_rows`: writes some rows of `into`; the result is a view of it.
    pub(super) fn set_rows(&mut self, sources: &[TensorId], into: TensorId) -> TensorId {
        let shape = self.shape(into);
        self.new_tensor(F32_SIZE, shape, Storage::View(self.view_src(into)), sources)
    }

    /// `ggml_view_4d`, with the strides of the outer three dimensions in bytes.
    pub(super) fn view(&mut self, src: TensorId, shape: Shape, strides: [u64; 3]) -> TensorId {
        let root = self.view_src(src);
        let type_size = self.tensor(src).map_or(0, |tensor| tensor.type_size);
        let storage = if self.is_external(root) { Storage::External } else { Storage::View(root) };
        let id = self.new_tensor(type_size, shape, storage, &[src]);
        let [second, third, fourth] = strides;
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.strides = [type_size, second, third, fourth];
        }
        id
    }

    /// `ggml_reshape_4d`.
    pub(super) fn reshape(&mut self, src: TensorId, shape: Shape) -> TensorId {
        let type_size = self.tensor(src).map_or(0, |tensor| tensor.type_size);
        let [_, second, third, fourth] = contiguous_strides(type_size, shape);
        self.view(src, shape, [second, third, fourth])
    }

    /// `ggml_permute`: dimension `i` of the source becomes dimension `axes[i]`.
    pub(super) fn permute(&mut self, src: TensorId, axes: [usize; 4]) -> TensorId {
        let (shape, strides) = self.tensor(src).map_or(([0; 4], [0; 4]), |old| (old.shape, old.strides));
        let (mut new_shape, mut new_strides) = ([0; 4], [0; 4]);
        for (axis, (n, stride)) in axes.into_iter().zip(shape.into_iter().zip(strides)) {
            if let (Some(size), Some(step)) = (new_shape.get_mut(axis), new_strides.get_mut(axis)) {
                (*size, *step) = (n, stride);
            }
        }
        let id = self.reshape(src, new_shape);
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.strides = new_strides;
        }
        id
    }

    /// `ggml_transpose`.
    pub(super) fn transpose(&mut self, src: TensorId) -> TensorId {
        self.permute(src, [1, 0, 2, 3])
    }

    /// `ggml_set_output`: its memory is never reused.
    pub(super) fn set_output(&mut self, id: TensorId) {
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.is_output = true;
        }
    }

    /// `ggml_build_forward_expand`: appends the tensor to the order, after its sources.
    pub(super) fn expand(&mut self, id: TensorId) {
        let Some(tensor) = self.tensors.get_mut(id.0) else { return };
        if tensor.is_visited {
            return;
        }
        tensor.is_visited = true;
        for source in tensor.sources.clone() {
            self.expand(source);
        }
        match self.tensor(id).map(|tensor| tensor.storage) {
            Some(Storage::Input) => self.inputs.push(id),
            _ => self.nodes.push(id),
        }
    }

    pub(super) fn tensor(&self, id: TensorId) -> Option<&Tensor> {
        self.tensors.get(id.0)
    }

    pub(super) fn shape(&self, id: TensorId) -> Shape {
        self.tensor(id).map_or([0; 4], |tensor| tensor.shape)
    }

    pub(super) fn strides(&self, id: TensorId) -> Shape {
        self.tensor(id).map_or([0; 4], |tensor| tensor.strides)
    }

    /// `ggml_is_contiguous`: true if there are no gaps between its elements.
    pub(super) fn is_contiguous(&self, id: TensorId) -> bool {
        self.tensor(id)
            .is_some_and(|tensor| tensor.strides == contiguous_strides(tensor.type_size, tensor.shape))
    }

    /// The tensor that owns the memory of a view; for any other tensor the tensor itself.
    fn view_src(&self, id: TensorId) -> TensorId {
        match self.tensor(id).map(|tensor| tensor.storage) {
            Some(Storage::View(root)) => root,
            _ => id,
        }
    }

    fn is_external(&self, id: TensorId) -> bool {
        self.tensor(id).is_some_and(|tensor| tensor.storage == Storage::External)
    }
}

/// The strides of a tensor without gaps, in bytes.
fn contiguous_strides(type_size: u64, shape: Shape) -> Shape {
    let [first, second, third, _] = shape;
    let row = type_size.saturating_mul(first);
    let plane = row.saturating_mul(second);
    [type_size, row, plane, plane.saturating_mul(third)]
}
