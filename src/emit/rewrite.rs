//! Changes files of the user: all of them or none, and only if they did not change since they were read.

use super::EmitError;
use super::single::StagedFile;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;

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
    for (file, one) in files.iter().zip(&staged) {
        one.place().map_err(|error| EmitError::disk("write", &file.path, &error))?;
    }
    Ok(())
}

fn stage(file: &Rewrite) -> Result<StagedFile, EmitError> {
    let failed = |error: io::Error| EmitError::disk("write", &file.path, &error);
    let target = fs::canonicalize(&file.path).map_err(failed)?;
    let metadata = fs::metadata(&target).map_err(failed)?;
    // For root, only the mode shows that a file is read-only: opening it succeeds.
    if metadata.permissions().readonly() {
        return Err(EmitError::refused("write", &file.path, "it is read-only"));
    }
    OpenOptions::new().append(true).open(&target).map_err(failed)?;
    let staged = StagedFile::write(target, file.new.as_bytes()).map_err(failed)?;
    // Only root can change the owner. For other users, an error is acceptable: they own the file already, or become the
    // owner.
    let _ = chown(&staged.temporary, Some(metadata.uid()), Some(metadata.gid()));
    fs::set_permissions(&staged.temporary, metadata.permissions()).map_err(failed)?;
    Ok(staged)
}
