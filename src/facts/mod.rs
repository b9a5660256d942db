//! What model files say of themselves: headers of GGUF files, and the lock that keeps what was read.
//!
//! `gguf.rs` alone opens model files, and never reads weights. A [`Header`] is all that one file says, [`Facts`] are what the
//! rest of the program needs of a model, shards together; a [`Lock`] is the facts of all models as they stand in
//! `registry.lock`, each with its place in that text.

mod difference;
mod fault;
mod file_type;
mod gguf;
mod header;
pub mod lock;
mod model;
mod tensor_type;

pub use difference::{Difference, MAX_SIZE_DIFFERENCE, are_compared, distinct};
pub use fault::{Damage, Fault};
pub use file_type::{file_type, file_types};
pub use gguf::{PartFault, Parts, read_header};
pub use header::{
    ByteOrder, Data, FIRST_COMPARED, Header, Keep, MAX_LIST, MAX_TEXT, Tensor, TokenTexts, Value, ValueKind,
    Vocabulary,
};
pub use lock::{Lock, Locked};
pub use model::{Facts, Parameter, Tensors, Tokens};
pub use tensor_type::{F16, TensorType, tensor_type, tensor_types};
