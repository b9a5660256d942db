//! The output folder: its resolved path, its existence and its lock. Also the observer of a build.

use super::error::{CREATE_FOLDER, EmitError};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The next step of a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Write a changed file to the staging folder.
    Stage,
    /// Write the journal.
    Journal,
    /// Create a folder.
    Folder,
    /// Move a staged file into place, or the whole output folder if it did not exist.
    Place,
    /// Remove a generated file or folder that is no longer needed.
    Remove,
    /// Move the new manifest into place.
    Commit,
    /// Remove temporary files.
    Tidy,
}

/// Progress observer.
pub trait Observer: Sync {
    /// Called if the build waits for another build in the same folder.
    fn waiting(&self) {}

    /// Called before each step. A break stops the build immediately, like a kill: temporary files remain.
    fn step(&self, step: Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }
}

/// No observer.
impl Observer for () {}

/// Announces a step to the observer, which may stop the build.
pub(super) fn announce(step: Step, observer: &dyn Observer) -> Result<(), EmitError> {
    if observer.step(step).is_break() { Err(EmitError::Stopped) } else { Ok(()) }
}

/// The location of the output folder, with symlinks resolved.
pub(super) struct OutputDir {
    parent: PathBuf,
    name: OsString,
    /// True if the folder exists.
    pub(super) exists: bool,
}

impl OutputDir {
    /// Finds the folder, or the path where it would be created.
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

    /// The folder in which a missing output folder is staged.
    pub(super) fn staging(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(".orchgen-staging");
        self.parent.join(name)
    }

    /// Creates the parent folders.
    pub(super) fn create_parents(&self) -> Result<(), EmitError> {
        fs::create_dir_all(&self.parent).map_err(|error| EmitError::disk(CREATE_FOLDER, &self.parent, &error))
    }

    /// Waits for the exclusive lock. It locks the parent folder, which exists even before the first build, until the
    /// returned value is dropped. `None` if the file system does not support locks.
    pub(super) fn lock(&self, observer: &dyn Observer) -> Option<File> {
        let folder = File::open(&self.parent).ok()?;
        match folder.try_lock() {
            Ok(()) => Some(folder),
            Err(TryLockError::WouldBlock) => {
                observer.waiting();
                folder.lock().ok().map(|()| folder)
            }
            Err(TryLockError::Error(_)) => None,
        }
    }

    /// Waits for the shared lock of a reader.
    pub(super) fn lock_shared(&self) -> Option<File> {
        let folder = File::open(&self.parent).ok()?;
        folder.lock_shared().ok().map(|()| folder)
    }
}
