//! The states of the files of a registry, to notice changes.

use super::load::{LOCK, REGISTRY_EXTENSIONS, files};
use std::path::Path;

/// The state of a file of a registry folder. It changes if the file is written, replaced or renamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileStamp {
    /// The name of the file.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its inode, and the time of the last change of its content or attributes, in seconds and nanoseconds.
    identity: (u64, i64, i64),
}

/// The states of the files that [`load`](super::load()) reads. Empty if the folder cannot be read.
pub fn stamps(folder: &Path) -> Vec<FileStamp> {
    let mut names = files(folder, REGISTRY_EXTENSIONS).unwrap_or_default();
    names.extend(files(folder, &["json"]).unwrap_or_default());
    names.push(LOCK.to_owned());
    names.into_iter().filter_map(|name| stamp(&folder.join(&name), name)).collect()
}

/// The state of one file. `None` if there is none.
pub fn stamp(path: &Path, name: String) -> Option<FileStamp> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(path).ok()?;
    Some(FileStamp { name, bytes: about.len(), identity: (about.ino(), about.ctime(), about.ctime_nsec()) })
}
