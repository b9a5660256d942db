//! The output folder before anything is done there: where it really is, whether it exists, and whose turn it is.

use super::EmitError;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What a build is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Write a changed file where nobody looks for it.
    Stage,
    /// Note what will be put in place.
    Journal,
    /// Make a folder.
    Folder,
    /// Put a staged file in its place, or the whole folder where there was none.
    Place,
    /// Remove a file or folder of ours that is no longer wanted.
    Remove,
    /// Put the new manifest in its place.
    Commit,
    /// Remove what was needed only meanwhile.
    Tidy,
}

/// Whoever wants to know how a build goes on.
pub trait Watch: Sync {
    /// Another build is at work in the folder, and this one waits for it.
    fn waiting(&self) {}

    /// Called before each step; a break stops there and then, as a kill would, and leaves all lying.
    fn step(&self, step: Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }
}

/// Nobody.
impl Watch for () {}

/// Asks the watcher whether to go on.
pub(super) fn before(step: Step, watch: &dyn Watch) -> Result<(), EmitError> {
    if watch.step(step).is_break() { Err(EmitError::Stopped) } else { Ok(()) }
}

/// Where the output folder is, with symlinks to it resolved.
pub(super) struct Ground {
    parent: PathBuf,
    name: OsString,
    /// Whether it is there.
    pub(super) exists: bool,
}

impl Ground {
    /// Finds the folder, or the place where it would be.
    pub(super) fn find(out: &Path) -> Result<Self, EmitError> {
        let failed = |error: io::Error| EmitError::disk("use", out, &error);
        match fs::symlink_metadata(out) {
            Ok(_) => {
                let real = out.canonicalize().map_err(failed)?;
                if !fs::metadata(&real).map_err(failed)?.is_dir() {
                    return Err(failed(io::ErrorKind::NotADirectory.into()));
                }
                let parent = real.parent().unwrap_or(&real).to_owned();
                Ok(Self { parent, name: real.file_name().unwrap_or_default().to_owned(), exists: true })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = out.file_name().ok_or_else(|| failed(error))?;
                let parent = match out.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent,
                    _ => Path::new("."),
                };
                let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
                Ok(Self { parent, name: name.to_owned(), exists: false })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The output folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    /// Where a folder that is not there yet is made ready.
    pub(super) fn nursery(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(".orchgen-staging");
        self.parent.join(name)
    }

    /// Makes the folders above it.
    pub(super) fn prepare(&self) -> Result<(), EmitError> {
        fs::create_dir_all(&self.parent)
            .map_err(|error| EmitError::disk("create the folder", &self.parent, &error))
    }

    /// Waits for its turn; the lock is on the folder above, which exists whether or not there was a build before, and
    /// ends with the value. Where the file system knows no locks there is none.
    pub(super) fn lock(&self, watch: &dyn Watch) -> Option<File> {
        let folder = File::open(&self.parent).ok()?;
        match folder.try_lock() {
            Ok(()) => Some(folder),
            Err(TryLockError::WouldBlock) => {
                watch.waiting();
                folder.lock().ok().map(|()| folder)
            }
            Err(TryLockError::Error(_)) => None,
        }
    }

    /// The same for one who only reads: others may read too.
    pub(super) fn lock_for_reading(&self) -> Option<File> {
        let folder = File::open(&self.parent).ok()?;
        folder.lock_shared().ok().map(|()| folder)
    }
}
