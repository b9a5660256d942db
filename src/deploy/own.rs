//! Files of this run: a private folder, and the program.

use super::DeployError;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The most bytes of the program: a debug build has a few hundred megabytes.
const MAX_PROGRAM: u64 = 1 << 30;

/// The number of names that are tried for a folder.
const ATTEMPTS: u32 = 1000;

/// A folder that only this user can enter. It is removed with its content at the end.
#[derive(Debug)]
pub struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Creates the folder below another one.
    pub fn create(below: &Path) -> Result<Self, DeployError> {
        let own = std::process::id();
        for number in 0..ATTEMPTS {
            let path = below.join(format!("orchgen-{own}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(DeployError::disk("create", &path, &error)),
            }
        }
        Err(DeployError::new(format!("cannot create a folder in {}", below.display())))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // The system removes old folders of `/tmp`.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The bytes of the running program.
pub fn own_program() -> Result<Vec<u8>, DeployError> {
    let path = Path::new("/proc/self/exe");
    let failed = |error| DeployError::disk("read", path, &error);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_PROGRAM).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
