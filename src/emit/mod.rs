//! Writes artifacts to disk: computes the changes, and applies all of them or none.
//!
//! `diff` compares the disk with the artifacts, and `stage` stages the changed files at the same time. `apply` moves
//! the files into place only after all are staged and no conflict was found. The manifest lists the files that builds
//! wrote. `single` writes other files, such as reports. `rewrite` changes files of the user, and only if they did not
//! change since they were read.

mod apply;
mod classify;
pub mod codes;
mod create;
mod diff;
mod error;
mod finding;
mod manifest;
mod output_dir;
mod rewrite;
mod single;
mod stage;
mod tree;
mod write;

pub use create::create;
pub use diff::{ChangeKind, FileChange, check};
pub use error::EmitError;
pub use finding::finding;
pub use manifest::MANIFEST;
pub use output_dir::{Observer, Step};
pub use rewrite::{Rewrite, rewrite};
pub use single::write_file;
pub use tree::EntryKind;
pub use write::{Force, Outcome, Written, write};
