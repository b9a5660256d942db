//! Files that the user wrote, written again with other bytes: all of them or none, and only where they are what was read.

use super::EmitError;
use super::single::beside;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// A file, what was read from it, and what it is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewrite<'t> {
    /// The file; a symlink to one is followed.
    pub path: PathBuf,
    /// What was read.
    pub old: &'t str,
    /// What it is to be.
    pub new: &'t str,
}

/// A file made ready beside its place; goes away unless it was put there.
struct Staged<'f> {
    said: &'f Path,
    place: PathBuf,
    ready: PathBuf,
}

/// Writes all files or none. One that is read-only, or that somebody changed since it was read, is refused.
pub fn rewrite(files: &[Rewrite]) -> Result<(), EmitError> {
    let staged: Vec<Staged> = files.iter().map(stage).collect::<Result<_, _>>()?;
    for (file, one) in files.iter().zip(&staged) {
        let found = fs::read(&one.place).map_err(|error| EmitError::disk("read", &file.path, &error))?;
        if found != file.old.as_bytes() {
            return Err(EmitError::refused(
                "write",
                &file.path,
                "it was changed meanwhile: run the command again",
            ));
        }
    }
    for one in &staged {
        fs::rename(&one.ready, &one.place).map_err(|error| EmitError::disk("write", one.said, &error))?;
    }
    Ok(())
}

fn stage<'f>(file: &'f Rewrite) -> Result<Staged<'f>, EmitError> {
    let failed = |error: io::Error| EmitError::disk("write", &file.path, &error);
    let place = fs::canonicalize(&file.path).map_err(failed)?;
    let about = fs::metadata(&place).map_err(failed)?;
    // To whoever may do everything the mode alone says it.
    if about.permissions().readonly() {
        return Err(EmitError::refused("write", &file.path, "it is read-only"));
    }
    OpenOptions::new().append(true).open(&place).map_err(failed)?;
    let ready = beside(&place);
    // A process of the same number may have been killed here.
    let _ = fs::remove_file(&ready);
    let mut open = OpenOptions::new().write(true).create_new(true).open(&ready).map_err(failed)?;
    let one = Staged { said: &file.path, place, ready };
    open.write_all(file.new.as_bytes()).map_err(failed)?;
    // Whoever may not give files away owns this one already, or takes it over.
    let _ = chown(&one.ready, Some(about.uid()), Some(about.gid()));
    open.set_permissions(about.permissions()).map_err(failed)?;
    Ok(one)
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // There is none any more where it was put in its place.
        let _ = fs::remove_file(&self.ready);
    }
}
