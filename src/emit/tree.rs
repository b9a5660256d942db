//! The entries of the output folder. Symlinks are never followed, and a fifo is never opened.

use super::EmitError;
use std::collections::BTreeSet;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The kind of an entry of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symlink to anything.
    Symlink,
    /// A fifo, socket or device.
    Other,
}

/// The output folder on disk.
pub(super) struct Tree {
    root: PathBuf,
    /// Folders that are known to exist, so that their ancestors need not be looked up for each file.
    known: BTreeSet<Box<str>>,
}

/// Splits a path into its folder and its name. The root is the empty path.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders above a path, the nearest first, without the root.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| Some(split(path).0)).skip(1).take_while(|path| !path.is_empty())
}

impl Tree {
    /// The tree below a folder, which need not exist.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), known: BTreeSet::new() }
    }

    /// The path on the disk of a path in the tree.
    pub(super) fn path_of(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Looks up folders, parents before their children.
    pub(super) fn look_up(&mut self, folders: &BTreeSet<&str>) -> Result<(), EmitError> {
        for folder in folders {
            if self.has_folder(folder)? {
                self.known.insert((*folder).into());
            }
        }
        Ok(())
    }

    /// True if the path is a folder, and so are its ancestors.
    pub(super) fn has_folder(&self, folder: &str) -> Result<bool, EmitError> {
        let is_known = folder.is_empty() || self.known.contains(folder);
        Ok(is_known || self.kind_at(folder)? == Some(EntryKind::Folder))
    }

    /// The kind of the entry at a path. `None` if there is none, or if an ancestor is not a folder.
    pub(super) fn kind_at(&self, path: &str) -> Result<Option<EntryKind>, EmitError> {
        if !self.has_folder(split(path).0)? {
            return Ok(None);
        }
        Ok(metadata(&self.path_of(path))?.map(|metadata| entry_kind(metadata.file_type())))
    }

    /// The metadata of the entry at a path of the disk, whose folder is a folder of the tree. `None` if there is none.
    pub(super) fn metadata_at(&self, path: &str, place: &Path) -> Result<Option<Metadata>, EmitError> {
        if self.has_folder(split(path).0)? { metadata(place) } else { Ok(None) }
    }

    /// The nearest ancestor of a path that is not a folder, with its kind.
    pub(super) fn blocker<'p>(&self, path: &'p str) -> Result<Option<(&'p str, EntryKind)>, EmitError> {
        for folder in ancestors(path) {
            match self.kind_at(folder)? {
                None => {}
                Some(EntryKind::Folder) => return Ok(None),
                Some(thing) => return Ok(Some((folder, thing))),
            }
        }
        Ok(None)
    }

    /// True if nothing would remain in a folder without the files and empty folders for which `is_removed` is true.
    pub(super) fn is_empty_without(
        &self,
        folder: &str,
        is_removed: &impl Fn(&str) -> bool,
    ) -> Result<bool, EmitError> {
        let place = self.path_of(folder);
        let failed = |error: io::Error| EmitError::disk("read the folder", &place, &error);
        let mut is_empty = true;
        for entry in fs::read_dir(&place).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let is_gone = if entry.file_type().map_err(failed)?.is_dir() {
                self.is_empty_without(&path, is_removed)?
            } else {
                is_removed(&path)
            };
            if !is_gone {
                return Ok(false);
            }
            is_empty = false;
        }
        Ok(!is_empty || is_removed(folder))
    }
}

/// The metadata of an entry. `None` if there is none.
fn metadata(place: &Path) -> Result<Option<Metadata>, EmitError> {
    match fs::symlink_metadata(place) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EmitError::disk("read", place, &error)),
    }
}

/// Converts a file type.
pub(super) fn entry_kind(kind: FileType) -> EntryKind {
    if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Folder
    } else if kind.is_symlink() {
        EntryKind::Symlink
    } else {
        EntryKind::Other
    }
}
