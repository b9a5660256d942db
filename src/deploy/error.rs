//! Errors of reading and changing a host.

use std::fmt;
use std::io;
use std::path::Path;

/// Why a host could not be read or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeployError {
    /// A file or folder could not be read or written, or a program could not run.
    Failed(String),
    /// The observer of a test stopped the run here, as a crash would.
    Stopped,
}

impl DeployError {
    /// An error with a text for users.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// An error of the disk.
    pub fn disk(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::Failed(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl fmt::Display for DeployError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) => f.write_str(text),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for DeployError {}
