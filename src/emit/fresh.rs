//! Files where there was none: what a command makes to begin with.

use super::EmitError;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes files into a folder, each under its name; the folder and those above it are made. None of the files may be there:
/// then, and where anything else fails, none of them is written.
pub fn create(folder: &Path, files: &[(&str, &str)]) -> Result<(), EmitError> {
    fs::create_dir_all(folder).map_err(|error| EmitError::disk("create the folder", folder, &error))?;
    let taken = files.iter().map(|(name, _)| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = taken {
        return Err(EmitError::disk("write", &path, &ErrorKind::AlreadyExists.into()));
    }
    let mut made: Vec<PathBuf> = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        // Nobody else's file is replaced, even one that came meanwhile.
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = opened.and_then(|mut file| {
            made.push(path.clone());
            file.write_all(text.as_bytes())
        });
        if let Err(error) = written {
            // What failed first is what the user must know.
            for path in &made {
                let _ = fs::remove_file(path);
            }
            return Err(EmitError::disk("write", &path, &error));
        }
    }
    Ok(())
}
