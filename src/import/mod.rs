//! Reads the configurations of other tools, and makes a registry of them.
//!
//! ```text
//! text --reader--> Sources --raise--> Raised --assemble--> items --write--> registry files
//! ```
//!
//! A reader knows one format, and expands it to command lines. Raising is the inverse of lowering. The caller compiles the
//! registry, and compares each command line with that of its source: each difference is in the report.

pub mod assemble;
pub mod codes;
pub mod compare;
pub mod compose;
pub mod given;
mod inline;
pub mod llama_swap;
mod plain;
pub mod prefix;
pub mod presets;
pub mod quadlet;
pub mod raise;
mod read;
pub mod report;
pub mod running;
pub mod secret;
pub mod shell;
pub mod source;
pub mod unit;
pub mod words;
pub mod write;

pub use read::{Format, Input, read, read_running};
