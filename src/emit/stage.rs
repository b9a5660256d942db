//! Files made ready on the same file system, with their modes, before anybody sees them.

use super::EmitError;
use crate::render::Artifact;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The name of the staging folder in the output folder.
pub(super) const STAGING: &str = ".orchgen-staging";

const FOLDER: u32 = 0o755;

/// The mode of what is no program.
pub(super) const PLAIN: u32 = 0o644;

/// The mode of an artifact.
pub(super) fn mode(artifact: &Artifact<'_>) -> u32 {
    if artifact.is_executable() { 0o755 } else { PLAIN }
}

/// A folder of files to be; made when the first one comes.
pub(super) struct Stage {
    folder: PathBuf,
    /// The bits that the umask takes away from what is made here.
    mask: OnceLock<Result<u32, EmitError>>,
}

impl Stage {
    /// A stage at this place, where nothing needs to be.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder, mask: OnceLock::new() }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder, if that was not done.
    pub(super) fn open(&self) -> Result<u32, EmitError> {
        self.mask.get_or_init(|| open(&self.folder)).clone()
    }

    /// Writes a file; nothing of its name may be there.
    pub(super) fn put(&self, name: &str, text: &[u8], mode: u32) -> Result<(), EmitError> {
        self.put_with(name, mode, |file| file.write_all(text))
    }

    /// Writes a file by its parts; nothing of its name may be there.
    pub(super) fn put_with(
        &self,
        name: &str,
        mode: u32,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), EmitError> {
        let mask = self.open()?;
        let path = self.folder.join(name);
        let put = create(&path, mode, mask).and_then(|mut file| fill(&mut file));
        put.map_err(|error| EmitError::disk("write", &path, &error))
    }

    /// Makes a folder, here or elsewhere on the same file system.
    pub(super) fn make(&self, folder: &Path) -> Result<(), EmitError> {
        let mask = self.open()?;
        let failed = |error: io::Error| EmitError::disk("create the folder", folder, &error);
        DirBuilder::new().mode(FOLDER).create(folder).map_err(failed)?;
        if mask & FOLDER != 0 {
            fs::set_permissions(folder, Permissions::from_mode(FOLDER)).map_err(failed)?;
        }
        Ok(())
    }

    /// Removes it with all that is in it, also what an earlier run left.
    pub(super) fn clear(&self) -> Result<(), EmitError> {
        let removed = match fs::symlink_metadata(&self.folder) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(&self.folder),
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

    /// Whether anything was put here.
    pub(super) fn is_open(&self) -> bool {
        self.mask.get().is_some()
    }
}

fn open(folder: &Path) -> Result<u32, EmitError> {
    let failed = |error: io::Error| EmitError::disk("create the folder", folder, &error);
    DirBuilder::new().mode(0o777).create(folder).map_err(failed)?;
    let made = fs::symlink_metadata(folder).map_err(failed)?.permissions().mode();
    // The folder becomes `out` where there was none; what it inherited (setgid) stays.
    let wanted = made & 0o7000 | FOLDER;
    if made & 0o7777 != wanted {
        fs::set_permissions(folder, Permissions::from_mode(wanted)).map_err(failed)?;
    }
    Ok(0o777 & !made)
}

fn create(path: &Path, mode: u32, mask: u32) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    if mask & mode != 0 {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}
