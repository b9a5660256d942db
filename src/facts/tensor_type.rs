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
    /// The number of bytes that each row has in addition to its blocks.
    pub row: u64,
}

/// F16, the default type of KV caches.
pub const F16: TensorType = TensorType { id: 1, name: "f16", block: 1, bytes: 2, row: 0 };

/// All types of llama.cpp b11434 and of `ik_llama.cpp` 8337e4cd3 (`ggml/src/ggml.c`), sorted by id. A profile lists those
/// of its build. Both engines use id 41 for the same layout, here under the name of llama.cpp. The size of `i2_s` (id 36)
/// does not follow from its shape, so it is missing.
static TYPES: &[TensorType] = &[
    TensorType { id: 0, name: "f32", block: 1, bytes: 4, row: 0 },
    F16,
    TensorType { id: 2, name: "q4_0", block: 32, bytes: 18, row: 0 },
    TensorType { id: 3, name: "q4_1", block: 32, bytes: 20, row: 0 },
    TensorType { id: 6, name: "q5_0", block: 32, bytes: 22, row: 0 },
    TensorType { id: 7, name: "q5_1", block: 32, bytes: 24, row: 0 },
    TensorType { id: 8, name: "q8_0", block: 32, bytes: 34, row: 0 },
    TensorType { id: 9, name: "q8_1", block: 32, bytes: 36, row: 0 },
    TensorType { id: 10, name: "q2_K", block: 256, bytes: 84, row: 0 },
    TensorType { id: 11, name: "q3_K", block: 256, bytes: 110, row: 0 },
    TensorType { id: 12, name: "q4_K", block: 256, bytes: 144, row: 0 },
    TensorType { id: 13, name: "q5_K", block: 256, bytes: 176, row: 0 },
    TensorType { id: 14, name: "q6_K", block: 256, bytes: 210, row: 0 },
    TensorType { id: 15, name: "q8_K", block: 256, bytes: 292, row: 0 },
    TensorType { id: 16, name: "iq2_xxs", block: 256, bytes: 66, row: 0 },
    TensorType { id: 17, name: "iq2_xs", block: 256, bytes: 74, row: 0 },
    TensorType { id: 18, name: "iq3_xxs", block: 256, bytes: 98, row: 0 },
    TensorType { id: 19, name: "iq1_s", block: 256, bytes: 50, row: 0 },
    TensorType { id: 20, name: "iq4_nl", block: 32, bytes: 18, row: 0 },
    TensorType { id: 21, name: "iq3_s", block: 256, bytes: 110, row: 0 },
    TensorType { id: 22, name: "iq2_s", block: 256, bytes: 82, row: 0 },
    TensorType { id: 23, name: "iq4_xs", block: 256, bytes: 136, row: 0 },
    TensorType { id: 24, name: "i8", block: 1, bytes: 1, row: 0 },
    TensorType { id: 25, name: "i16", block: 1, bytes: 2, row: 0 },
    TensorType { id: 26, name: "i32", block: 1, bytes: 4, row: 0 },
    TensorType { id: 27, name: "i64", block: 1, bytes: 8, row: 0 },
    TensorType { id: 28, name: "f64", block: 1, bytes: 8, row: 0 },
    TensorType { id: 29, name: "iq1_m", block: 256, bytes: 56, row: 0 },
    TensorType { id: 30, name: "bf16", block: 1, bytes: 2, row: 0 },
    TensorType { id: 31, name: "q4_0_4_4", block: 32, bytes: 18, row: 0 },
    TensorType { id: 32, name: "q4_0_4_8", block: 32, bytes: 18, row: 0 },
    TensorType { id: 33, name: "q4_0_8_8", block: 32, bytes: 18, row: 0 },
    TensorType { id: 34, name: "tq1_0", block: 256, bytes: 54, row: 0 },
    TensorType { id: 35, name: "tq2_0", block: 256, bytes: 66, row: 0 },
    TensorType { id: 39, name: "mxfp4", block: 32, bytes: 17, row: 0 },
    TensorType { id: 40, name: "nvfp4", block: 64, bytes: 36, row: 0 },
    TensorType { id: 41, name: "q1_0", block: 128, bytes: 18, row: 0 },
    TensorType { id: 42, name: "q2_0", block: 64, bytes: 18, row: 0 },
    TensorType { id: 97, name: "q8_0_x4", block: 32, bytes: 34, row: 0 },
    TensorType { id: 98, name: "q8_1_x4", block: 32, bytes: 36, row: 0 },
    TensorType { id: 99, name: "q8_2_x4", block: 32, bytes: 36, row: 0 },
    TensorType { id: 133, name: "q6_0", block: 32, bytes: 26, row: 0 },
    TensorType { id: 134, name: "iq1_bn", block: 64, bytes: 13, row: 2 },
    TensorType { id: 135, name: "iq2_bn", block: 64, bytes: 16, row: 4 },
    TensorType { id: 136, name: "q8_K64", block: 64, bytes: 68, row: 0 },
    TensorType { id: 137, name: "iq2_k", block: 256, bytes: 76, row: 0 },
    TensorType { id: 138, name: "iq3_k", block: 256, bytes: 110, row: 0 },
    TensorType { id: 139, name: "iq4_k", block: 256, bytes: 144, row: 0 },
    TensorType { id: 140, name: "iq5_k", block: 256, bytes: 176, row: 0 },
    TensorType { id: 141, name: "iq6_k", block: 256, bytes: 212, row: 0 },
    TensorType { id: 144, name: "iq4_ks", block: 256, bytes: 136, row: 4 },
    TensorType { id: 145, name: "iq2_ks", block: 256, bytes: 70, row: 2 },
    TensorType { id: 146, name: "iq4_kss", block: 256, bytes: 128, row: 4 },
    TensorType { id: 147, name: "q8_K16", block: 64, bytes: 64, row: 20 },
    TensorType { id: 148, name: "q8_K32", block: 256, bytes: 296, row: 0 },
    TensorType { id: 149, name: "q8_KR8", block: 256, bytes: 296, row: 0 },
    TensorType { id: 150, name: "q8_K128", block: 128, bytes: 140, row: 0 },
    TensorType { id: 151, name: "q8_KV", block: 32, bytes: 32, row: 8 },
    TensorType { id: 152, name: "iq5_ks", block: 256, bytes: 168, row: 4 },
    TensorType { id: 153, name: "iq2_kt", block: 256, bytes: 68, row: 4 },
    TensorType { id: 154, name: "iq3_kt", block: 256, bytes: 100, row: 4 },
    TensorType { id: 155, name: "iq4_kt", block: 256, bytes: 128, row: 4 },
    TensorType { id: 156, name: "iq3_ks", block: 256, bytes: 102, row: 2 },
    TensorType { id: 157, name: "iq2_kl", block: 256, bytes: 86, row: 2 },
    TensorType { id: 158, name: "iq1_kt", block: 256, bytes: 56, row: 4 },
    TensorType { id: 202, name: "q4_0_r8", block: 32, bytes: 18, row: 0 },
    TensorType { id: 206, name: "q5_0_r4", block: 32, bytes: 22, row: 0 },
    TensorType { id: 208, name: "q8_0_r8", block: 32, bytes: 34, row: 0 },
    TensorType { id: 210, name: "q2_k_r4", block: 256, bytes: 84, row: 0 },
    TensorType { id: 211, name: "q3_k_r4", block: 256, bytes: 110, row: 0 },
    TensorType { id: 212, name: "q4_k_r4", block: 256, bytes: 144, row: 0 },
    TensorType { id: 213, name: "q5_k_r4", block: 256, bytes: 176, row: 0 },
    TensorType { id: 214, name: "q6_k_r4", block: 256, bytes: 210, row: 0 },
    TensorType { id: 216, name: "iq2_xxs_r4", block: 256, bytes: 66, row: 0 },
    TensorType { id: 217, name: "iq2_xs_r4", block: 256, bytes: 74, row: 0 },
    TensorType { id: 218, name: "iq3_xxs_r4", block: 256, bytes: 98, row: 0 },
    TensorType { id: 219, name: "iq1_s_r4", block: 32, bytes: 6, row: 2 },
    TensorType { id: 220, name: "iq4_nl_r4", block: 32, bytes: 18, row: 0 },
    TensorType { id: 221, name: "iq3_s_r4", block: 256, bytes: 110, row: 0 },
    TensorType { id: 222, name: "iq2_s_r4", block: 256, bytes: 82, row: 0 },
    TensorType { id: 223, name: "iq4_xs_r8", block: 256, bytes: 136, row: 0 },
    TensorType { id: 229, name: "iq1_m_r4", block: 32, bytes: 7, row: 2 },
    TensorType { id: 230, name: "bf16_r16", block: 1, bytes: 2, row: 0 },
    TensorType { id: 233, name: "q6_0_r4", block: 32, bytes: 26, row: 0 },
    TensorType { id: 335, name: "iq2_bn_r4", block: 64, bytes: 16, row: 4 },
    TensorType { id: 337, name: "iq2_k_r4", block: 256, bytes: 76, row: 0 },
    TensorType { id: 338, name: "iq3_k_r4", block: 256, bytes: 110, row: 0 },
    TensorType { id: 339, name: "iq4_k_r4", block: 256, bytes: 144, row: 0 },
    TensorType { id: 340, name: "iq5_k_r4", block: 256, bytes: 176, row: 0 },
    TensorType { id: 344, name: "iq4_ks_r4", block: 256, bytes: 136, row: 4 },
    TensorType { id: 352, name: "iq5_ks_r4", block: 256, bytes: 168, row: 4 },
    TensorType { id: 353, name: "mxfp4_r8", block: 32, bytes: 17, row: 0 },
    TensorType { id: 397, name: "q8_k_r16", block: 256, bytes: 258, row: 0 },
    TensorType { id: 398, name: "q8_KV_r8", block: 32, bytes: 32, row: 4 },
    TensorType { id: 399, name: "q8_k_r8", block: 256, bytes: 258, row: 0 },
];

/// Ids whose size does not follow from the shape, or is no longer known, with what they are.
static UNREADABLE: &[(u32, &str)] = &[
    (4, "`q4_2`, which llama.cpp removed"),
    (5, "`q4_3`, which llama.cpp removed"),
    (36, "`i2_s` of ik_llama.cpp, or `iq4_nl_4_4`, which llama.cpp removed in favor of `iq4_nl`"),
    (37, "`iq4_nl_4_8`, which llama.cpp removed in favor of `iq4_nl`"),
    (38, "`iq4_nl_8_8`, which llama.cpp removed in favor of `iq4_nl`"),
];

/// The origin of a tensor type that a build of llama.cpp may not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeOrigin {
    /// Only in `ik_llama.cpp`.
    IkLlamaCpp,
    /// Removed from llama.cpp, which repacks `Q4_0` instead (`ggml/src/ggml.c` of b11434).
    Removed,
    /// Not known.
    Unknown,
}

/// The origin of the type with this id. `None` for a type of llama.cpp b11434.
pub fn type_origin(id: u32) -> Option<TypeOrigin> {
    match id {
        4 | 5 | 31..=33 | 36..=38 => Some(TypeOrigin::Removed),
        97.. if tensor_type(id).is_some() => Some(TypeOrigin::IkLlamaCpp),
        _ if tensor_type(id).is_some() => None,
        _ => Some(TypeOrigin::Unknown),
    }
}

/// The id and the name of a type for a finding, with its origin: ``144: `iq4_ks` of ik_llama.cpp``.
pub(super) fn describe_type(id: u32) -> String {
    let name = tensor_type(id).map_or("", |known| known.name);
    let unreadable = UNREADABLE.iter().find(|(known, _)| *known == id);
    match (type_origin(id), unreadable) {
        (_, Some((_, what))) => format!("{id}: {what}"),
        (Some(TypeOrigin::Removed), _) => {
            format!("{id}: `{name}`, which llama.cpp removed in favor of `q4_0`")
        }
        (Some(TypeOrigin::IkLlamaCpp), _) => format!("{id}: `{name}` of ik_llama.cpp"),
        (Some(TypeOrigin::Unknown), _) => {
            format!("{id}, which neither llama.cpp b11669 nor ik_llama.cpp has")
        }
        (None, _) => format!("{id}: `{name}`"),
    }
}

/// The type with this id. `None` if its size is not known.
pub fn tensor_type(id: u32) -> Option<&'static TensorType> {
    let at = TYPES.binary_search_by_key(&id, |known| known.id).ok()?;
    TYPES.get(at)
}

/// All types, sorted by id.
pub fn tensor_types() -> &'static [TensorType] {
    TYPES
}
