//! Staging: writes files with their modes to a hidden folder on the same file system, before they are moved into place.

use super::error::{CREATE_FOLDER, EmitError};
use crate::render::{Artifact, Pieces};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The name of the staging folder in the output folder.
pub(super) const STAGING: &str = ".orchgen-staging";

const FOLDER: u32 = 0o755;

/// The mode of a file that is not executable.
pub(super) const PLAIN: u32 = 0o644;

/// The mode of an artifact.
pub(super) fn mode(artifact: &Artifact<'_>) -> u32 {
    if artifact.is_executable() { 0o755 } else { PLAIN }
}

/// A staging folder. It is created with its first file.
pub(super) struct Stage {
    folder: PathBuf,
    /// The bits that the umask removes from the modes of new files. Known when the folder is created.
    mask: OnceLock<Result<u32, EmitError>>,
}

impl Stage {
    /// A staging folder at a path. The folder need not exist.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder, mask: OnceLock::new() }
    }

    /// The path of the folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates the folder if necessary. Returns the bits that the umask removes.
    pub(super) fn open(&self) -> Result<u32, EmitError> {
        self.mask.get_or_init(|| create_folder(&self.folder)).clone()
    }

    /// Writes a new file. Fails if the name exists.
    pub(super) fn write_file(&self, name: &str, text: &Pieces, mode: u32) -> Result<(), EmitError> {
        self.write_with(name, mode, |file| text.iter().try_for_each(|piece| file.write_all(piece.as_bytes())))
    }

    /// Writes a new file with lines, one after another. Fails if the name exists.
    pub(super) fn write_lines(
        &self,
        name: &str,
        mut lines: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), EmitError> {
        self.write_with(name, PLAIN, |file| {
            let mut buffer = BufWriter::new(file);
            lines.try_for_each(|line| buffer.write_all(&line))?;
            buffer.flush()
        })
    }

    fn write_with(
        &self,
        name: &str,
        mode: u32,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), EmitError> {
        let mask = self.open()?;
        let path = self.folder.join(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let written = opened.and_then(|mut file| {
            if mask & mode != 0 {
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            write(&mut file)
        });
        written.map_err(|error| EmitError::disk("write", &path, &error))
    }

    /// Removes the folder with all its content, including files of an earlier run.
    pub(super) fn clear(&self) -> Result<(), EmitError> {
        let removed = match fs::symlink_metadata(&self.folder) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&self.folder),
            Ok(_) => fs::remove_file(&self.folder),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EmitError::disk("remove", &self.folder, &error))
            }
            _ => Ok(()),
        }
    }

    /// True if the folder was created by this run.
    pub(super) fn is_open(&self) -> bool {
        self.mask.get().is_some()
    }
}

/// Creates a folder with the mode of generated folders. Returns the bits that the umask removed first.
pub(super) fn create_folder(folder: &Path) -> Result<u32, EmitError> {
    let created = DirBuilder::new().mode(FOLDER).create(folder).and_then(|()| {
        let mode = fs::symlink_metadata(folder)?.permissions().mode();
        // Keep inherited bits (setgid).
        fs::set_permissions(folder, Permissions::from_mode((mode & 0o7000) | FOLDER))?;
        Ok(FOLDER & !mode)
    });
    created.map_err(|error| EmitError::disk(CREATE_FOLDER, folder, &error))
}
