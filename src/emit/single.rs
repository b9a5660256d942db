//! One file that is no artifact: a report, a list of known findings, whatever a command was asked to write.

use super::EmitError;
use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all: others see the bytes that were there before, or these. Folders above it are made. A
/// file that has these bytes is not touched, one that is replaced keeps its mode, and a symlink to a file is followed. What is no
/// file, as a pipe or a device, is written into.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    let failed = |error: std::io::Error| EmitError::disk("write", path, &error);
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == ErrorKind::NotFound => return put_new(path, bytes),
        Err(error) => return Err(failed(error)),
    };
    let about = fs::metadata(&target).map_err(failed)?;
    if about.is_dir() {
        return Err(failed(ErrorKind::IsADirectory.into()));
    }
    if !about.is_file() {
        let written = OpenOptions::new().write(true).open(&target).and_then(|mut file| file.write_all(bytes));
        return match written {
            // A reader who closed the pipe has read enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(error)),
            _ => Ok(()),
        };
    }
    let is_same = about.len() == bytes.len() as u64 && fs::read(&target).is_ok_and(|old| old == bytes);
    if is_same { Ok(()) } else { replace(&target, bytes, Some(about.permissions())).map_err(failed) }
}

fn put_new(path: &Path, bytes: &[u8]) -> Result<(), EmitError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| EmitError::disk("create the folder", folder, &error))?;
    }
    replace(path, bytes, None).map_err(|error| EmitError::disk("write", path, &error))
}

/// Makes the file ready beside its place and renames it.
fn replace(path: &Path, bytes: &[u8], mode: Option<Permissions>) -> std::io::Result<()> {
    let staged = beside(path);
    // A process of the same number may have been killed here.
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
        // What failed first is what the user must know.
        let _ = fs::remove_file(&staged);
    }
    written
}

/// A hidden name beside the file, of this process alone.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.orchgen", std::process::id()));
    path.with_file_name(name)
}
