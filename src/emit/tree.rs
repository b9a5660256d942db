//! The entries of the output folder, read folder by folder. Symlinks are never followed.
//!
//! One listing returns the kinds of all entries of a folder, which is cheaper than one call per entry. It also detects
//! a fifo before orchgen would block on reading it.

use super::EmitError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry, FileType};
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

/// The entries of the folders that were read.
pub(super) struct Tree {
    root: PathBuf,
    folders: BTreeMap<Box<str>, Vec<(Box<str>, EntryKind)>>,
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
    /// The tree below a folder that exists.
    pub(super) fn at(root: &Path) -> Result<Self, EmitError> {
        let mut tree = Self { root: root.to_owned(), folders: BTreeMap::new() };
        tree.list("")?;
        Ok(tree)
    }

    /// The tree below a folder that does not exist.
    pub(super) fn missing(root: &Path) -> Self {
        Self { root: root.to_owned(), folders: BTreeMap::from([("".into(), Vec::new())]) }
    }

    /// The path on the disk of a path in the tree.
    pub(super) fn path_of(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Reads a folder and its ancestors, if they exist and are folders.
    pub(super) fn read_folder(&mut self, folder: &str) -> Result<(), EmitError> {
        if self.has_folder(folder) {
            return Ok(());
        }
        self.read_folder(split(folder).0)?;
        if self.kind_at(folder) == Some(EntryKind::Folder) { self.list(folder) } else { Ok(()) }
    }

    /// Reads many folders in parallel. For each folder, the set must contain its ancestors.
    pub(super) fn read_folders(&mut self, folders: &BTreeSet<&str>) -> Result<(), EmitError> {
        for depth in 0.. {
            let level: Vec<&str> =
                folders.iter().copied().filter(|f| f.matches('/').count() == depth).collect();
            if level.is_empty() {
                break;
            }
            let existing =
                level.into_par_iter().filter(|folder| self.kind_at(folder) == Some(EntryKind::Folder));
            let read: Result<Vec<_>, EmitError> =
                existing.map(|f| Ok((f.into(), entries(&self.path_of(f))?))).collect();
            self.folders.extend(read?);
        }
        Ok(())
    }

    /// True if the path is a folder that was read.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.folders.contains_key(folder)
    }

    /// The kind of the entry at a path. The folder of the path must have been read.
    pub(super) fn kind_at(&self, path: &str) -> Option<EntryKind> {
        let (folder, name) = split(path);
        let entries = self.folders.get(folder)?;
        let found = entries.binary_search_by(|(entry, _)| (**entry).cmp(name)).ok()?;
        entries.get(found).map(|(_, thing)| *thing)
    }

    /// The nearest ancestor of a path that is not a folder, with its kind.
    pub(super) fn blocker<'p>(&self, path: &'p str) -> Option<(&'p str, EntryKind)> {
        if self.has_folder(split(path).0) {
            return None;
        }
        ancestors(path).find_map(|folder| match self.kind_at(folder) {
            None | Some(EntryKind::Folder) => None,
            Some(thing) => Some((folder, thing)),
        })
    }

    /// True if nothing would remain in a folder without the files and empty folders for which `is_removed` is true.
    /// Reads the folders below it.
    pub(super) fn is_empty_without(
        &mut self,
        folder: &str,
        is_removed: &impl Fn(&str) -> bool,
    ) -> Result<bool, EmitError> {
        self.read_folder(folder)?;
        let entries = self.folders.get(folder).cloned().unwrap_or_default();
        for (name, thing) in &entries {
            let path = format!("{folder}/{name}");
            let gone = if *thing == EntryKind::Folder {
                self.is_empty_without(&path, is_removed)?
            } else {
                is_removed(&path)
            };
            if !gone {
                return Ok(false);
            }
        }
        Ok(!entries.is_empty() || is_removed(folder))
    }

    fn list(&mut self, folder: &str) -> Result<(), EmitError> {
        self.folders.insert(folder.into(), entries(&self.path_of(folder))?);
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<(Box<str>, EntryKind)>, EmitError> {
    let failed = |error: io::Error| EmitError::disk("read the folder", folder, &error);
    let entries = fs::read_dir(folder).map_err(failed)?.map(|entry| name_and_kind(&entry?));
    let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn name_and_kind(entry: &DirEntry) -> io::Result<(Box<str>, EntryKind)> {
    let name = entry.file_name().to_string_lossy().into_owned().into_boxed_str();
    Ok((name, entry_kind(entry.file_type()?)))
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
