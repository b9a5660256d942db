//! A graph of tensors as the engine builds one: shapes, who is made from what, and in which order. No numbers are computed.
//!
//! The order is that of `ggml_build_forward_expand` (llama.cpp b11434, `ggml/src/ggml.c`): what a tensor is made from comes
//! first, from left to right. Weights and caches lie outside of the buffer and are left out.

/// A tensor of a graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Id(usize);

/// Numbers along each of the four dimensions, the fastest first.
pub(super) type Shape = [u64; 4];

/// Bytes of a number.
pub(super) const HALF: u64 = 2;
pub(super) const SINGLE: u64 = 4;
pub(super) const LONG: u64 = 8;

/// Where the numbers of a tensor lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the buffer, and there from the start: what is set before the graph runs.
    Input,
    /// In the buffer, at a place of its own.
    Own,
    /// In the place of a tensor that it is made from, if that one is of the same layout and nobody needs it any more.
    Reuse,
    /// In the place of another tensor.
    Of(Id),
    /// In a cache.
    Elsewhere,
}

#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) shape: Shape,
    strides: Shape,
    width: u64,
    pub(super) place: Place,
    pub(super) sources: Vec<Id>,
    pub(super) is_output: bool,
    is_listed: bool,
}

impl Tensor {
    /// `ggml_nbytes`: from the first byte to the last one.
    pub(super) fn bytes(&self) -> u64 {
        if self.shape.contains(&0) {
            return 0;
        }
        let steps = self.shape.iter().zip(self.strides);
        steps.fold(self.width, |sum, (n, stride)| sum.saturating_add((n - 1).saturating_mul(stride)))
    }

    pub(super) fn is_laid_out_as(&self, other: &Self) -> bool {
        self.width == other.width && self.shape == other.shape && self.strides == other.strides
    }
}

/// Tensors, and those that are needed in the order in which they are computed.
#[derive(Default, Debug)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    /// What is set from outside, in the order in which it is first met.
    pub(super) inputs: Vec<Id>,
    /// What is computed, in that order.
    pub(super) nodes: Vec<Id>,
}

impl Id {
    pub(super) fn index(self) -> usize {
        self.0
    }
}

impl Graph {
    fn add(&mut self, width: u64, shape: Shape, place: Place, sources: &[Id]) -> Id {
        let strides = packed(width, shape);
        let sources = sources.to_vec();
        self.tensors.push(Tensor {
            shape,
            strides,
            width,
            place,
            sources,
            is_output: false,
            is_listed: false,
        });
        Id(self.tensors.len() - 1)
    }

    /// What is set before the graph runs.
    pub(super) fn input(&mut self, width: u64, shape: Shape) -> Id {
        self.add(width, shape, Place::Input, &[])
    }

    /// A result at a place of its own.
    pub(super) fn made(&mut self, shape: Shape, sources: &[Id]) -> Id {
        self.add(SINGLE, shape, Place::Own, sources)
    }

    /// A result in numbers of another width.
    pub(super) fn stored(&mut self, width: u64, shape: Shape, sources: &[Id]) -> Id {
        self.add(width, shape, Place::Own, sources)
    }

    /// A copy in numbers of another width.
    pub(super) fn cast(&mut self, width: u64, of: Id) -> Id {
        self.add(width, self.shape(of), Place::Own, &[of])
    }

    /// A result of the shape of its first source, in its place if that is possible.
    pub(super) fn changed(&mut self, sources: &[Id]) -> Id {
        let shape = sources.first().map_or([0; 4], |first| self.shape(*first));
        self.add(SINGLE, shape, Place::Reuse, sources)
    }

    /// A result that is written to a cache.
    pub(super) fn kept(&mut self, sources: &[Id]) -> Id {
        self.add(SINGLE, [1; 4], Place::Elsewhere, sources)
    }

    /// The same numbers, of which others made it: a result at the place of its first source.
    pub(super) fn over(&mut self, sources: &[Id], of: Id) -> Id {
        let shape = self.shape(of);
        self.add(SINGLE, shape, Place::Of(self.root(of)), sources)
    }

    /// Some numbers of another tensor, by steps in bytes.
    pub(super) fn view(&mut self, of: Id, shape: Shape, steps: [u64; 3]) -> Id {
        let root = self.root(of);
        let width = self.tensor(of).map_or(0, |tensor| tensor.width);
        let place = if self.is_elsewhere(root) { Place::Elsewhere } else { Place::Of(root) };
        let id = self.add(width, shape, place, &[of]);
        let [second, third, fourth] = steps;
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.strides = [width, second, third, fourth];
        }
        id
    }

    /// The same numbers in another shape.
    pub(super) fn reshaped(&mut self, of: Id, shape: Shape) -> Id {
        let width = self.tensor(of).map_or(0, |tensor| tensor.width);
        let [_, second, third, fourth] = packed(width, shape);
        self.view(of, shape, [second, third, fourth])
    }

    /// The same numbers with dimensions exchanged: that which was at `i` is at `axes[i]`.
    pub(super) fn permuted(&mut self, of: Id, axes: [usize; 4]) -> Id {
        let (shape, strides) = self.tensor(of).map_or(([0; 4], [0; 4]), |old| (old.shape, old.strides));
        let (mut new, mut steps) = ([0; 4], [0; 4]);
        for (axis, (n, stride)) in axes.into_iter().zip(shape.into_iter().zip(strides)) {
            if let (Some(place), Some(step)) = (new.get_mut(axis), steps.get_mut(axis)) {
                (*place, *step) = (n, stride);
            }
        }
        let id = self.reshaped(of, new);
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.strides = steps;
        }
        id
    }

    pub(super) fn transposed(&mut self, of: Id) -> Id {
        self.permuted(of, [1, 0, 2, 3])
    }

    pub(super) fn output(&mut self, id: Id) {
        if let Some(tensor) = self.tensors.get_mut(id.0) {
            tensor.is_output = true;
        }
    }

    /// Puts it into the order, after what it is made from.
    pub(super) fn expand(&mut self, id: Id) {
        let Some(tensor) = self.tensors.get_mut(id.0) else { return };
        if tensor.is_listed {
            return;
        }
        tensor.is_listed = true;
        for source in tensor.sources.clone() {
            self.expand(source);
        }
        match self.tensor(id).map(|tensor| tensor.place) {
            Some(Place::Input) => self.inputs.push(id),
            _ => self.nodes.push(id),
        }
    }

    pub(super) fn tensor(&self, id: Id) -> Option<&Tensor> {
        self.tensors.get(id.0)
    }

    pub(super) fn shape(&self, id: Id) -> Shape {
        self.tensor(id).map_or([0; 4], |tensor| tensor.shape)
    }

    pub(super) fn strides(&self, id: Id) -> Shape {
        self.tensor(id).map_or([0; 4], |tensor| tensor.strides)
    }

    /// Whether nothing lies between its numbers.
    pub(super) fn is_packed(&self, id: Id) -> bool {
        self.tensor(id).is_some_and(|tensor| tensor.strides == packed(tensor.width, tensor.shape))
    }

    fn root(&self, id: Id) -> Id {
        match self.tensor(id).map(|tensor| tensor.place) {
            Some(Place::Of(root)) => root,
            _ => id,
        }
    }

    fn is_elsewhere(&self, id: Id) -> bool {
        self.tensor(id).is_some_and(|tensor| tensor.place == Place::Elsewhere)
    }
}

/// Steps in bytes where nothing lies between the numbers.
fn packed(width: u64, shape: Shape) -> Shape {
    let [first, second, third, _] = shape;
    let row = width.saturating_mul(first);
    let plane = row.saturating_mul(second);
    [width, row, plane, plane.saturating_mul(third)]
}
