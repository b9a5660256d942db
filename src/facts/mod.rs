//! Facts about model files: headers of GGUF files, and the lock that records them.
//!
//! Only `gguf.rs` opens model files, and it never reads weights. A [`Header`] is the complete header of one file.
//! [`Facts`] are the values of a model (all shards together) that the rest of orchgen needs. A [`Lock`] has the facts
//! of all models in `registry.lock`, with their places in that text.

mod difference;
mod fault;
mod file_type;
mod gguf;
mod header;
pub mod lock;
mod model;
mod tensor_sums;
mod tensor_type;

pub use difference::{MAX_SIZE_DIFFERENCE, VocabularyDifference, are_compared, distinct_vocabularies};
pub use fault::{Damage, ReadError};
pub use file_type::{file_type, file_types};
pub use gguf::{ModelHeaders, ShardError, missing_file, read_header};
pub use header::{
    ByteOrder, FIRST_COMPARED, GgufType, Header, MAX_LIST, MAX_TEXT, Tensor, TokenTexts, Value, ValueData,
    Vocabulary, VocabularyDetail,
};
pub use lock::{Lock, LockEntry};
pub use model::{Facts, LayerTensors, Parameter, Tensors, VocabularyFacts};
pub use tensor_type::{F16, TensorType, TypeOrigin, tensor_type, tensor_types, type_origin};
