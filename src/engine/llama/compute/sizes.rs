//! Sizes of weights and caches. Where a weight or cache is on another device than the operation that reads it, ggml copies
//! it into the compute buffer of that device.

use crate::facts::{F16, Facts, TensorType, tensor_types};
use std::collections::BTreeMap;

/// F16, the default type of caches.
static F16_TYPE: TensorType = F16;

/// A type must have this share of the bytes of all layers, in percent, to count as a type of large matrices. Smaller
/// shares are those of routers and norms.
const LARGE_SHARE_PERCENT: u64 = 10;
/// The same for experts, which have most bytes of a model.
const EXPERT_SHARE_PERCENT: u64 = 25;

/// The types of weights and caches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// The types of the keys and of the values in the KV cache.
    pub(super) cache_types: [&'static TensorType; 2],
    /// The type of the largest matrices: of several common types the one with the largest elements. A lock records the
    /// types of a model, not those of each layer.
    matrix_type: &'static TensorType,
    expert_type: &'static TensorType,
    /// Bytes of the output matrix: the token embeddings, if the file has no other.
    pub(super) output: u64,
    /// False if the lock has no tensor sizes.
    pub(super) are_known: bool,
    /// True if large matrices have different types.
    pub(super) are_mixed: bool,
}

impl Sizes {
    pub(super) fn read(facts: &Facts) -> Self {
        let tensors = &facts.tensors;
        let layer_bytes = |tensor_type: &TensorType| {
            let bytes = |sizes: &BTreeMap<Box<str>, u64>| sizes.get(tensor_type.name).copied().unwrap_or(0);
            bytes(&tensors.bytes)
                .saturating_sub(bytes(&tensors.token_embd))
                .saturating_sub(bytes(&tensors.output))
        };
        let total = tensor_types().iter().map(layer_bytes).fold(0, u64::saturating_add);
        let large = |percent: u64| {
            tensor_types().iter().filter(move |tensor_type| {
                let bytes = layer_bytes(tensor_type);
                bytes > 0 && bytes.saturating_mul(100) >= total.saturating_mul(percent)
            })
        };
        let largest = |percent| large(percent).max_by_key(|tensor_type| bytes_of(tensor_type, 1 << 16));
        let sum = |sizes: &BTreeMap<Box<str>, u64>| sizes.values().copied().fold(0, u64::saturating_add);
        let output = if tensors.output.is_empty() { &tensors.token_embd } else { &tensors.output };
        let matrix_type = largest(LARGE_SHARE_PERCENT);
        Self {
            cache_types: [&F16_TYPE; 2],
            matrix_type: matrix_type.unwrap_or(&F16_TYPE),
            expert_type: largest(EXPERT_SHARE_PERCENT).or(matrix_type).unwrap_or(&F16_TYPE),
            output: sum(output),
            are_known: matrix_type.is_some(),
            are_mixed: large(LARGE_SHARE_PERCENT).count() > 1,
        }
    }

    /// Bytes of a weight matrix.
    pub(super) fn matrix(&self, elements: u64) -> u64 {
        bytes_of(self.matrix_type, elements)
    }

    /// Bytes of a matrix of all experts of a layer.
    pub(super) fn experts(&self, elements: u64) -> u64 {
        bytes_of(self.expert_type, elements)
    }

    /// Bytes of keys in the cache.
    pub(super) fn keys(&self, elements: u64) -> u64 {
        bytes_of(self.cache_types[0], elements)
    }

    /// Bytes of values in the cache.
    pub(super) fn values(&self, elements: u64) -> u64 {
        bytes_of(self.cache_types[1], elements)
    }
}

/// Bytes of elements in whole blocks.
fn bytes_of(tensor_type: &TensorType, elements: u64) -> u64 {
    elements.div_ceil(tensor_type.block.max(1)).saturating_mul(tensor_type.bytes)
}
