//! Where text comes from: places in files, the files themselves, and how they are known again. Knows nothing of what the text means.

mod digest;
mod load;
mod map;
mod places;
mod span;

pub use digest::{Digest, Digesting};
pub use load::{Flaw, LOCK, LoadError, Loaded, MAX_FILE_BYTES, is_registry, load, programs, text};
pub use map::{Position, SourceFile, SourceMap};
pub use places::Places;
pub use span::{FileId, Span, Spanned};
