//! Writes a single file that is not an artifact, such as a report, a baseline or the lock.

use super::error::{CREATE_FOLDER, EmitError};
use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes a file atomically: other processes see either the old or the new content. Creates the parent folders. A file
/// that already has this content is not touched. A replaced file keeps its mode. A symlink to a file is followed. A
/// pipe or a device is written directly.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    let failed = |error: io::Error| EmitError::disk("write", path, &error);
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == ErrorKind::NotFound => return write_new(path, bytes),
        Err(error) => return Err(failed(error)),
    };
    let metadata = fs::metadata(&target).map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        let written = OpenOptions::new().write(true).open(&target).and_then(|mut file| file.write_all(bytes));
        return match written {
            // A closed pipe is not an error: the reader does not need the rest.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(error)),
            _ => Ok(()),
        };
    }
    let is_same = metadata.len() == bytes.len() as u64 && fs::read(&target).is_ok_and(|old| old == bytes);
    if is_same {
        return Ok(());
    }
    let mode = Permissions::from_mode(metadata.permissions().mode() & 0o7777);
    let staged = StagedFile::write(target, bytes).map_err(failed)?;
    fs::set_permissions(&staged.temporary, mode).and_then(|()| staged.place()).map_err(failed)
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| EmitError::disk(CREATE_FOLDER, folder, &error))?;
    }
    let staged = StagedFile::write(path.to_owned(), bytes);
    staged.and_then(|staged| staged.place()).map_err(|error| EmitError::disk("write", path, &error))
}

/// A file with a temporary name next to its target. It is removed on drop, unless it was moved to the target.
pub(super) struct StagedFile {
    pub(super) target: PathBuf,
    pub(super) temporary: PathBuf,
}

impl StagedFile {
    /// Writes a hidden file. Its name contains the process id, so it is unique.
    pub(super) fn write(target: PathBuf, bytes: &[u8]) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{}.orchgen", std::process::id()));
        let temporary = target.with_file_name(name);
        // A killed process with the same id may have left this file.
        let _ = fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let staged = Self { target, temporary };
        file.write_all(bytes)?;
        Ok(staged)
    }

    /// Moves the file to its target.
    pub(super) fn place(&self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // Fails harmlessly if the file was moved to its target.
        let _ = fs::remove_file(&self.temporary);
    }
}
