//! Artifacts to disk: what would change, and making it so, all or nothing.
//!
//! The disk is surveyed first (`diff`), changed files are staged meanwhile (`stage`), and only when all are staged and
//! nothing of anybody else stands in the way is anything put in its place (`apply`). The manifest says which files are ours. What
//! is no artifact is written by itself (`single`), and what the user wrote only where it is still what was read (`rewrite`).

mod apply;
pub mod codes;
mod diff;
mod error;
mod finding;
mod fresh;
mod ground;
mod judge;
mod manifest;
mod rewrite;
mod single;
mod stage;
mod tree;
mod write;

pub use diff::{Change, What, check};
pub use error::EmitError;
pub use finding::finding;
pub use fresh::create;
pub use ground::{Step, Watch};
pub use manifest::MANIFEST;
pub use rewrite::{Rewrite, rewrite};
pub use single::put;
pub use tree::Thing;
pub use write::{Force, Outcome, Written, write};
