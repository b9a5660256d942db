//! What makes writing impossible, as opposed to a conflict with somebody's file.

use crate::diag::words::printable;
use crate::render::RenderError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why nothing could be written or compared; the run cannot go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EmitError {
    /// The disk refused.
    Disk {
        /// What was tried, as "write" or "create the folder".
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the disk said.
        reason: String,
    },
    /// An artifact has no text, which is a fault of the program.
    Render(String),
    /// The watcher asked to stop there and then; all is left lying, as after a kill.
    Stopped,
}

impl EmitError {
    /// What the system said while `doing` something with `path`.
    pub(super) fn disk(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Disk { doing, path: path.to_owned(), reason: reason(error) }
    }

    /// Why we do not do what the system would.
    pub(super) fn refused(doing: &'static str, path: &Path, reason: &str) -> Self {
        Self::Disk { doing, path: path.to_owned(), reason: reason.to_owned() }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { doing, path, reason } => {
                write!(f, "cannot {doing} `{}`: {reason}", printable(&path.to_string_lossy()))
            }
            Self::Render(reason) => f.write_str(reason),
            Self::Stopped => f.write_str("stopped before the output was complete"),
        }
    }
}

impl std::error::Error for EmitError {}

impl From<RenderError> for EmitError {
    fn from(error: RenderError) -> Self {
        Self::Render(error.to_string())
    }
}

fn reason(error: &io::Error) -> String {
    let known = [
        (ErrorKind::NotFound, "there is no such folder or file"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::NotADirectory, "it is not a folder"),
        (ErrorKind::AlreadyExists, "something of that name exists"),
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::QuotaExceeded, "the quota is used up"),
        (ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
        (ErrorKind::CrossesDevices, "it lies on another file system"),
        (ErrorKind::InvalidFilename, "the name is too long or not allowed here"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}
