//! Writes a single file that is not an artifact, such as a report, a baseline or the lock.

use super::error::{CREATE_FOLDER, EmitError};
use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Writes a file atomically: other processes see either the old or the new content. Creates the parent folders. A file
/// that already has this content is not touched. A replaced file keeps its mode. A symlink to a file is followed. A
/// pipe or a device is written directly.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    let failed = |error: std::io::Error| EmitError::disk("write", path, &error);
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
    if is_same { Ok(()) } else { replace(&target, bytes, Some(metadata.permissions())).map_err(failed) }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| EmitError::disk(CREATE_FOLDER, folder, &error))?;
    }
    replace(path, bytes, None).map_err(|error| EmitError::disk("write", path, &error))
}

/// Writes a temporary file next to the target and renames it.
fn replace(path: &Path, bytes: &[u8], mode: Option<Permissions>) -> std::io::Result<()> {
    let staged = temporary_path(path);
    // A killed process with the same id may have left this file.
    let _ = fs::remove_file(&staged);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o666)
        .open(&staged)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            mode.map_or(Ok(()), |mode| file.set_permissions(Permissions::from_mode(mode.mode() & 0o7777)))
        })
        .and_then(|()| fs::rename(&staged, path));
    if written.is_err() {
        // Ignore an error here: the first one is reported.
        let _ = fs::remove_file(&staged);
    }
    written
}

/// The path of a hidden temporary file next to a file. The name contains the process id, so it is unique.
pub(super) fn temporary_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.orchgen", std::process::id()));
    path.with_file_name(name)
}
