//! What lies below the output folder, read folder by folder and never through a symlink.
//!
//! Listing a folder once tells the kind of all its entries, which costs less than asking for each, and a fifo is known
//! before somebody waits for it.

use super::EmitError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// What lies at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symlink, wherever it leads.
    Symlink,
    /// A fifo, socket or device.
    Other,
}

/// The entries of the folders that were looked into.
pub(super) struct Tree {
    root: PathBuf,
    folders: BTreeMap<Box<str>, Vec<(Box<str>, Thing)>>,
}

/// The folder that a path lies in, and its name there; the root is the empty path.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders above a path, the nearest first, without the root.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| Some(split(path).0)).skip(1).take_while(|path| !path.is_empty())
}

impl Tree {
    /// The tree below a folder that exists.
    pub(super) fn at(root: &Path) -> Result<Self, EmitError> {
        let mut tree = Self { root: root.to_owned(), folders: BTreeMap::new() };
        tree.list("")?;
        Ok(tree)
    }

    /// The tree below a folder that does not.
    pub(super) fn none(root: &Path) -> Self {
        Self { root: root.to_owned(), folders: BTreeMap::from([("".into(), Vec::new())]) }
    }

    /// The place of a path on the disk.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Looks into a folder and those above it, as far as they are folders.
    pub(super) fn look(&mut self, folder: &str) -> Result<(), EmitError> {
        if self.has_folder(folder) {
            return Ok(());
        }
        self.look(split(folder).0)?;
        if self.thing(folder) == Some(Thing::Folder) { self.list(folder) } else { Ok(()) }
    }

    /// Looks into many folders, several at a time; each comes with those above it.
    pub(super) fn look_all(&mut self, folders: &BTreeSet<&str>) -> Result<(), EmitError> {
        for depth in 0.. {
            let level: Vec<&str> =
                folders.iter().copied().filter(|f| f.matches('/').count() == depth).collect();
            if level.is_empty() {
                break;
            }
            let there = level.into_par_iter().filter(|folder| self.thing(folder) == Some(Thing::Folder));
            let read: Result<Vec<_>, EmitError> =
                there.map(|f| Ok((f.into(), entries(&self.place(f))?))).collect();
            self.folders.extend(read?);
        }
        Ok(())
    }

    /// Whether it is a folder that was looked into.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.folders.contains_key(folder)
    }

    /// What lies at a path whose folder was looked into.
    pub(super) fn thing(&self, path: &str) -> Option<Thing> {
        let (folder, name) = split(path);
        let entries = self.folders.get(folder)?;
        let found = entries.binary_search_by(|(entry, _)| (**entry).cmp(name)).ok()?;
        entries.get(found).map(|(_, thing)| *thing)
    }

    /// The folder above a path whose place is taken by something else, and by what.
    pub(super) fn blocker<'p>(&self, path: &'p str) -> Option<(&'p str, Thing)> {
        if self.has_folder(split(path).0) {
            return None;
        }
        above(path).find_map(|folder| match self.thing(folder) {
            None | Some(Thing::Folder) => None,
            Some(thing) => Some((folder, thing)),
        })
    }

    /// Whether nothing would be left of a folder without the files and the empty folders of which `goes` is true; looks
    /// into what lies below it.
    pub(super) fn empties(&mut self, folder: &str, goes: &impl Fn(&str) -> bool) -> Result<bool, EmitError> {
        self.look(folder)?;
        let entries = self.folders.get(folder).cloned().unwrap_or_default();
        for (name, thing) in &entries {
            let path = format!("{folder}/{name}");
            let gone = if *thing == Thing::Folder { self.empties(&path, goes)? } else { goes(&path) };
            if !gone {
                return Ok(false);
            }
        }
        Ok(!entries.is_empty() || goes(folder))
    }

    fn list(&mut self, folder: &str) -> Result<(), EmitError> {
        self.folders.insert(folder.into(), entries(&self.place(folder))?);
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<(Box<str>, Thing)>, EmitError> {
    let failed = |error: io::Error| EmitError::disk("read the folder", folder, &error);
    let entries = fs::read_dir(folder).map_err(failed)?.map(|entry| named(&entry?));
    let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn named(entry: &DirEntry) -> io::Result<(Box<str>, Thing)> {
    let name = entry.file_name().to_string_lossy().into_owned().into_boxed_str();
    Ok((name, thing_of(entry.file_type()?)))
}

/// The kind in our words.
pub(super) fn thing_of(kind: FileType) -> Thing {
    if kind.is_file() {
        Thing::File
    } else if kind.is_dir() {
        Thing::Folder
    } else if kind.is_symlink() {
        Thing::Symlink
    } else {
        Thing::Other
    }
}
