//! Errors that make writing impossible, as opposed to conflicts with existing files.

use crate::diag::words::{printable, quoted};
use crate::render::RenderError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The reason why nothing could be written or compared. The run cannot continue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EmitError {
    /// The file system returned an error.
    Disk {
        /// The failed operation, such as "write" or "create the folder".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// An artifact could not be rendered, which is a bug in orchgen.
    Render(String),
    /// The observer stopped the build immediately. All temporary files remain, as after a kill.
    Stopped,
}

/// The failed operation if a folder could not be created.
pub(super) const CREATE_FOLDER: &str = "create the folder";

impl EmitError {
    /// The system error of a failed operation on `path`.
    pub(super) fn disk(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let mut reason = reason(error);
        if error.kind() == ErrorKind::PermissionDenied
            && doing == CREATE_FOLDER
            && let Some(parent) = existing_parent(path)
        {
            reason.extend(["; ", &*quoted(&parent.to_string_lossy()), " must be writable"]);
        }
        Self::Disk { doing, path: path.to_owned(), reason }
    }

    /// An operation on `path` that orchgen refuses.
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

/// The closest parent folder that exists.
fn existing_parent(path: &Path) -> Option<&Path> {
    let here = Path::new(".");
    let mut parents =
        path.ancestors().skip(1).map(|folder| if folder.as_os_str().is_empty() { here } else { folder });
    parents.find(|folder| folder.exists())
}

fn reason(error: &io::Error) -> String {
    let known = [
        (ErrorKind::NotFound, "no such file or folder"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::NotADirectory, "it is not a folder"),
        (ErrorKind::AlreadyExists, "it already exists"),
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::QuotaExceeded, "the disk quota is exceeded"),
        (ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
        (ErrorKind::CrossesDevices, "it is on another file system"),
        (ErrorKind::InvalidFilename, "the name is too long or not allowed here"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}
