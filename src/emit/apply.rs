//! The visible part of a build: moves staged files into place, removes stale files, and writes the manifest last.

use super::EmitError;
use super::classify::vacated_folders;
use super::diff::{ChangeKind, Comparison, DiskState, FileChange, folders};
use super::manifest::{self, BuildRecords, Digest, Entry, JOURNAL, Listing, MANIFEST};
use super::output_dir::{Observer, Step, announce};
use super::stage::{Stage, create_folder};
use super::tree::{EntryKind, split};
use super::write::Written;
use crate::render::ArtifactPath;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The name of a file that is created and removed to test if a folder is writable.
const PROBE: &str = ".orchgen-probe";

/// A build whose files are all staged.
pub(super) struct Job<'j, 's, 'p> {
    pub(super) comparison: &'j Comparison<'s, 'p>,
    pub(super) stage: &'j Stage,
    pub(super) observer: &'j dyn Observer,
    pub(super) changes: &'j [FileChange],
    pub(super) records: &'j BuildRecords,
}

impl<'j> Job<'j, '_, '_> {
    /// Tests if the folders are writable, before anything is changed.
    pub(super) fn probe(&self) -> Result<(), EmitError> {
        let placed = self.staged().into_iter().map(|(_, path)| path);
        let touched = placed.chain(self.removals()).map(|path| split(path.as_str()).0);
        for folder in touched.collect::<BTreeSet<&str>>() {
            if !self.comparison.disk.has_folder(folder)? {
                continue;
            }
            let path = self.comparison.disk.path_of(folder);
            probe(&path.join(PROBE)).map_err(|error| EmitError::disk("write into", &path, &error))?;
        }
        Ok(())
    }

    /// Writes the journal: the hashes of the files that will be moved into place, in addition to those of an
    /// interrupted build.
    pub(super) fn write_journal(&self) -> Result<(), EmitError> {
        let staged = self.staged();
        if staged.is_empty() {
            return Ok(());
        }
        let earlier = [&self.records.journal, &self.records.kept_journal];
        let mut entries: Vec<Entry> = earlier.iter().flat_map(|list| list.entries()).cloned().collect();
        for (artifact, seen) in self.comparison.each().filter(|(_, seen)| seen.state != DiskState::Same) {
            let (path, executable) = (artifact.path().clone(), artifact.is_executable());
            entries.push(Entry { path, digest: seen.digest, executable });
        }
        let listing = Listing::new(entries);
        self.write_record(JOURNAL, listing.listed(), Step::Journal)
    }

    /// Moves files into place and removes stale files. A stale file is removed first if a new folder needs its path, or
    /// if a new file needs the path of its folder. The other stale files are removed last.
    pub(super) fn apply(&self) -> Result<(), EmitError> {
        let disk = &self.comparison.disk;
        let (first, last): (Vec<_>, Vec<_>) = self.removals().partition(|path| {
            self.comparison.has_artifact_below(path.as_str()) || self.comparison.needs_path(path.as_str())
        });
        let vacated = vacated_folders(self.comparison, self.records)?;
        let (replaced, vacated) = vacated.into_iter().partition(|folder| self.comparison.needs_path(folder));
        self.remove(&first, &replaced)?;
        for folder in folders(self.comparison.set)? {
            if !disk.has_folder(folder)? {
                announce(Step::Folder, self.observer)?;
                create_folder(&disk.path_of(folder))?;
            }
        }
        self.staged().into_par_iter().try_for_each(|(number, path)| {
            announce(Step::Place, self.observer)?;
            self.move_into_place(&number.to_string(), path.as_str())
        })?;
        self.remove(&last, &vacated)
    }

    /// Writes the manifest of this build with the kept entries. Then removes the journal, or reduces it to its kept
    /// entries.
    pub(super) fn commit(&self) -> Result<(), EmitError> {
        let mut listed: Vec<_> = self.comparison.listed().chain(self.records.kept.listed()).collect();
        listed.sort_by_key(|(path, ..)| *path);
        self.write_record(MANIFEST, listed.into_iter(), Step::Commit)?;
        let journal = &self.records.kept_journal;
        if journal.entries().is_empty() {
            announce(Step::Tidy, self.observer)?;
            unlink(&self.comparison.disk.path_of(JOURNAL))?;
        } else {
            self.write_record(JOURNAL, journal.listed(), Step::Tidy)?;
        }
        announce(Step::Tidy, self.observer)
    }

    /// A summary of the build.
    pub(super) fn summary(&self) -> Written {
        let mut written = Written::default();
        for (artifact, seen) in self.comparison.each() {
            match seen.state {
                DiskState::Same => written.unchanged += 1,
                DiskState::Missing | DiskState::InTheWay(EntryKind::Folder) => {
                    written.created.push(artifact.path().clone());
                }
                DiskState::Mode | DiskState::Differs(_) | DiskState::InTheWay(_) => {
                    written.updated.push(artifact.path().clone());
                }
            }
        }
        written.removed = self.removals().cloned().collect();
        written
    }

    /// The number and the path of each artifact whose file is missing or differs.
    fn staged(&self) -> Vec<(usize, &'j ArtifactPath)> {
        let each = self.comparison.artifacts.iter().zip(&self.comparison.states).enumerate();
        each.filter(|(_, (_, seen))| seen.state != DiskState::Same).map(|(n, (a, _))| (n, a.path())).collect()
    }

    /// The files to remove: stale files, and files at the path of a folder.
    fn removals(&self) -> impl Iterator<Item = &'j ArtifactPath> {
        let is_removed = |change: &&FileChange| {
            matches!(
                change.kind,
                ChangeKind::Remove
                    | ChangeKind::EditedStale
                    | ChangeKind::InTheWay { wanted: EntryKind::Folder, .. }
            )
        };
        self.changes.iter().filter(is_removed).map(|change| &change.path)
    }

    /// Writes the manifest or the journal.
    fn write_record<'e>(
        &self,
        name: &str,
        listed: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
        step: Step,
    ) -> Result<(), EmitError> {
        announce(Step::Stage, self.observer)?;
        self.stage.write_lines(name, manifest::lines(listed))?;
        announce(step, self.observer)?;
        self.move_into_place(name, name)
    }

    fn move_into_place(&self, staged: &str, path: &str) -> Result<(), EmitError> {
        let place = self.comparison.disk.path_of(path);
        fs::rename(self.stage.folder().join(staged), &place)
            .map_err(|error| EmitError::disk("write", &place, &error))
    }

    fn remove(&self, paths: &[&ArtifactPath], vacated: &BTreeSet<&str>) -> Result<(), EmitError> {
        paths.par_iter().try_for_each(|path| {
            announce(Step::Remove, self.observer)?;
            unlink(&self.comparison.disk.path_of(path.as_str()))
        })?;
        // Children follow their parents in this order, so it is reversed.
        for folder in vacated.iter().rev() {
            announce(Step::Remove, self.observer)?;
            remove_if_empty(&self.comparison.disk.path_of(folder))?;
        }
        Ok(())
    }
}

fn probe(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)?;
    fs::remove_file(path)
}

fn unlink(path: &Path) -> Result<(), EmitError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(EmitError::disk("remove", path, &error)),
        _ => Ok(()),
    }
}

fn remove_if_empty(folder: &Path) -> Result<(), EmitError> {
    let ignored = [ErrorKind::NotFound, ErrorKind::DirectoryNotEmpty, ErrorKind::ResourceBusy];
    match fs::remove_dir(folder) {
        Err(error) if !ignored.contains(&error.kind()) => Err(EmitError::disk("remove", folder, &error)),
        _ => Ok(()),
    }
}
