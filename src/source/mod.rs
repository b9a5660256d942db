//! Source files: reading them, places in their text, and digests. This module does not know what the text means.

mod digest;
mod find;
mod load;
mod machine;
mod map;
mod model_files;
mod process_facts;
mod processes;
mod report_paths;
mod span;

pub use digest::{Digest, DigestBuilder};
pub use find::{REGISTRY, find_registry};
pub use load::{
    Encoding, FileStamp, Flaw, LOCK, LoadError, Loaded, MAX_FILE_BYTES, file_names, find_program,
    is_registry, libraries, load, programs, stamp, stamps, text,
};
pub use machine::{Card, MachineFacts, MachineNode};
pub use map::{Position, SourceFile, SourceMap};
pub use model_files::{ModelFiles, model_files};
pub use process_facts::{FileState, ProcessFacts, boot_time, file_states, process_facts};
pub use processes::{RunningProcess, running};
pub use report_paths::ReportPaths;
pub use span::{FileId, Span, Spanned};
