//! Changes files of the user: all of them or none, and only if they did not change since they were read.

use super::EmitError;
use super::single::temporary_path;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// A file with its old and new text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewrite<'t> {
    /// The file. A symlink to a file is followed.
    pub path: PathBuf,
    /// The text that was read.
    pub old: &'t str,
    /// The text to write.
    pub new: &'t str,
}

/// A temporary file next to its target. It is removed on drop, unless it was moved to the target.
struct StagedFile<'f> {
    /// The path as the caller wrote it, for error messages.
    displayed: &'f Path,
    /// The path with symlinks resolved.
    target: PathBuf,
    temporary: PathBuf,
}

/// Writes all files or none. Fails if a file is read-only, or if it changed since it was read.
pub fn rewrite(files: &[Rewrite]) -> Result<(), EmitError> {
    let staged: Vec<StagedFile> = files.iter().map(stage).collect::<Result<_, _>>()?;
    for (file, one) in files.iter().zip(&staged) {
        let found = fs::read(&one.target).map_err(|error| EmitError::disk("read", &file.path, &error))?;
        if found != file.old.as_bytes() {
            return Err(EmitError::refused(
                "write",
                &file.path,
                "it changed while orchgen ran: run the command again",
            ));
        }
    }
    for one in &staged {
        fs::rename(&one.temporary, &one.target)
            .map_err(|error| EmitError::disk("write", one.displayed, &error))?;
    }
    Ok(())
}

fn stage<'f>(file: &'f Rewrite) -> Result<StagedFile<'f>, EmitError> {
    let failed = |error: io::Error| EmitError::disk("write", &file.path, &error);
    let target = fs::canonicalize(&file.path).map_err(failed)?;
    let metadata = fs::metadata(&target).map_err(failed)?;
    // For root, only the mode shows that a file is read-only: opening it succeeds.
    if metadata.permissions().readonly() {
        return Err(EmitError::refused("write", &file.path, "it is read-only"));
    }
    OpenOptions::new().append(true).open(&target).map_err(failed)?;
    let temporary = temporary_path(&target);
    // A killed process with the same id may have left this file.
    let _ = fs::remove_file(&temporary);
    let mut open = OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(failed)?;
    let one = StagedFile { displayed: &file.path, target, temporary };
    open.write_all(file.new.as_bytes()).map_err(failed)?;
    // Only root can change the owner. For other users, an error is acceptable: they own the file already, or become the
    // owner.
    let _ = chown(&one.temporary, Some(metadata.uid()), Some(metadata.gid()));
    open.set_permissions(metadata.permissions()).map_err(failed)?;
    Ok(one)
}

impl Drop for StagedFile<'_> {
    fn drop(&mut self) {
        // Fails harmlessly if the file was moved to its target.
        let _ = fs::remove_file(&self.temporary);
    }
}
