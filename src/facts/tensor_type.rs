//! Tensor types: the number of values in a block, and the size of a block.

/// A tensor type.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TensorType {
    /// The id in GGUF files.
    pub id: u32,
    /// The name, as llama.cpp prints it.
    pub name: &'static str,
    /// The number of values in a block. A row consists of whole blocks.
    pub block: u64,
    /// The size of a block in bytes.
    pub bytes: u64,
}

/// F16, the default type of KV caches.
pub const F16: TensorType = TensorType { id: 1, name: "f16", block: 1, bytes: 2 };

/// All types of llama.cpp b11434 (`ggml/src/ggml.c`), sorted by id. The missing ids were removed from llama.cpp.
static TYPES: &[TensorType] = &[
    TensorType { id: 0, name: "f32", block: 1, bytes: 4 },
    F16,
    TensorType { id: 2, name: "q4_0", block: 32, bytes: 18 },
    TensorType { id: 3, name: "q4_1", block: 32, bytes: 20 },
    TensorType { id: 6, name: "q5_0", block: 32, bytes: 22 },
    TensorType { id: 7, name: "q5_1", block: 32, bytes: 24 },
    TensorType { id: 8, name: "q8_0", block: 32, bytes: 34 },
    TensorType { id: 9, name: "q8_1", block: 32, bytes: 36 },
    TensorType { id: 10, name: "q2_K", block: 256, bytes: 84 },
    TensorType { id: 11, name: "q3_K", block: 256, bytes: 110 },
    TensorType { id: 12, name: "q4_K", block: 256, bytes: 144 },
    TensorType { id: 13, name: "q5_K", block: 256, bytes: 176 },
    TensorType { id: 14, name: "q6_K", block: 256, bytes: 210 },
    TensorType { id: 15, name: "q8_K", block: 256, bytes: 292 },
    TensorType { id: 16, name: "iq2_xxs", block: 256, bytes: 66 },
    TensorType { id: 17, name: "iq2_xs", block: 256, bytes: 74 },
    TensorType { id: 18, name: "iq3_xxs", block: 256, bytes: 98 },
    TensorType { id: 19, name: "iq1_s", block: 256, bytes: 50 },
    TensorType { id: 20, name: "iq4_nl", block: 32, bytes: 18 },
    TensorType { id: 21, name: "iq3_s", block: 256, bytes: 110 },
    TensorType { id: 22, name: "iq2_s", block: 256, bytes: 82 },
    TensorType { id: 23, name: "iq4_xs", block: 256, bytes: 136 },
    TensorType { id: 24, name: "i8", block: 1, bytes: 1 },
    TensorType { id: 25, name: "i16", block: 1, bytes: 2 },
    TensorType { id: 26, name: "i32", block: 1, bytes: 4 },
    TensorType { id: 27, name: "i64", block: 1, bytes: 8 },
    TensorType { id: 28, name: "f64", block: 1, bytes: 8 },
    TensorType { id: 29, name: "iq1_m", block: 256, bytes: 56 },
    TensorType { id: 30, name: "bf16", block: 1, bytes: 2 },
    TensorType { id: 34, name: "tq1_0", block: 256, bytes: 54 },
    TensorType { id: 35, name: "tq2_0", block: 256, bytes: 66 },
    TensorType { id: 39, name: "mxfp4", block: 32, bytes: 17 },
    TensorType { id: 40, name: "nvfp4", block: 64, bytes: 36 },
    TensorType { id: 41, name: "q1_0", block: 128, bytes: 18 },
    TensorType { id: 42, name: "q2_0", block: 64, bytes: 18 },
];

/// The type with this id. `None` if b11434 does not have it.
pub fn tensor_type(id: u32) -> Option<&'static TensorType> {
    let at = TYPES.binary_search_by_key(&id, |known| known.id).ok()?;
    TYPES.get(at)
}

/// All types, sorted by id.
pub fn tensor_types() -> &'static [TensorType] {
    TYPES
}
