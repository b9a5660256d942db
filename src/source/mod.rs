//! Where text comes from: places in files, and the files themselves. Knows nothing of what the text means.

mod load;
mod map;
mod span;

pub use load::{Flaw, LoadError, Loaded, MAX_FILE_BYTES, load, text};
pub use map::{Position, SourceFile, SourceMap};
pub use span::{FileId, Span, Spanned};
