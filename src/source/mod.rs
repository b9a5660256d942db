//! Source files: reading them, places in their text, and digests. This module does not know what the text means.

mod digest;
mod encoding;
mod find;
mod load;
mod machine;
mod map;
mod model_files;
mod process_facts;
mod processes;
mod report_paths;
mod span;
mod stamp;

pub use digest::{Digest, DigestBuilder};
pub use encoding::Encoding;
pub use find::{REGISTRY, find_registry};
pub use load::{
    Flaw, LOCK, LoadError, Loaded, MAX_FILE_BYTES, file_names, find_program, is_registry, is_registry_name,
    libraries, load, load_files, load_text, load_with, programs, registry_files, text,
};
pub use machine::{Card, MachineFacts, MachineNode};
pub use map::{Position, SourceFile, SourceMap};
pub use model_files::{ModelFiles, model_files};
pub use process_facts::{FileState, ProcessFacts, boot_time, file_states, process_facts};
pub use processes::{RunningProcess, running};
pub use report_paths::ReportPaths;
pub use span::{FileId, Span, Spanned};
pub use stamp::{FileStamp, stamp, stamps};
