//! Creates new files, such as the initial registry of `orchgen init`.

use super::error::{CREATE_FOLDER, EmitError};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes new files into a folder. Creates the folder and its parents if necessary. If one of the files exists, or if
/// writing fails, no file is written.
pub fn create(folder: &Path, files: &[(&str, &str)]) -> Result<(), EmitError> {
    fs::create_dir_all(folder).map_err(|error| EmitError::disk(CREATE_FOLDER, folder, &error))?;
    let existing =
        files.iter().map(|(name, _)| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = existing {
        return Err(EmitError::disk("write", &path, &ErrorKind::AlreadyExists.into()));
    }
    let mut created: Vec<PathBuf> = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        // `create_new` also protects a file that another process created in the meantime.
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = opened.and_then(|mut file| {
            created.push(path.clone());
            file.write_all(text.as_bytes())
        });
        if let Err(error) = written {
            // Ignore later errors: the first one is reported.
            for path in &created {
                let _ = fs::remove_file(path);
            }
            return Err(EmitError::disk("write", &path, &error));
        }
    }
    Ok(())
}
