//! The part of a build that others can see: staged files into their places, stale ones away, the manifest last.

use super::EmitError;
use super::diff::{Change, State, Survey, What, folders};
use super::ground::{Step, Watch, before};
use super::judge::left_behind;
use super::manifest::{self, Digest, Entry, JOURNAL, Known, Listing, MANIFEST};
use super::stage::{PLAIN, Stage};
use super::tree::{Thing, split};
use super::write::Written;
use crate::render::ArtifactPath;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The name of a file that is made and removed to learn whether a folder can be written.
const PROBE: &str = ".orchgen-probe";

/// What is to be done when all is staged.
pub(super) struct Job<'j, 's, 'p> {
    pub(super) survey: &'j Survey<'s, 'p>,
    pub(super) stage: &'j Stage,
    pub(super) watch: &'j dyn Watch,
    pub(super) changes: &'j [Change],
    pub(super) known: &'j Known,
}

impl<'j> Job<'j, '_, '_> {
    /// Learns whether the folders can be written, while nothing is changed yet.
    pub(super) fn probe(&self) -> Result<(), EmitError> {
        let placed = self.staged().into_iter().map(|(_, path)| path);
        let touched = placed.chain(self.going()).map(|path| split(path.as_str()).0);
        let touched: BTreeSet<&str> = touched.filter(|folder| self.survey.disk.has_folder(folder)).collect();
        for folder in touched {
            let path = self.survey.disk.place(folder);
            probe(&path.join(PROBE)).map_err(|error| EmitError::disk("write into", &path, &error))?;
        }
        Ok(())
    }

    /// Notes the hashes of what will be put in place, added to those that an unended build noted.
    pub(super) fn note(&self) -> Result<(), EmitError> {
        let staged = self.staged();
        if staged.is_empty() {
            return Ok(());
        }
        let mut entries = self.known.journal.entries().to_vec();
        for (artifact, seen) in self.survey.each().filter(|(_, seen)| seen.state != State::Same) {
            let (path, executable) = (artifact.path().clone(), artifact.is_executable());
            entries.push(Entry { path, digest: seen.digest, executable });
        }
        let listing = Listing::new(entries);
        let listed = listing.entries().iter().map(|e| (&e.path, e.digest, e.executable));
        self.record(JOURNAL, listed, Step::Journal)
    }

    /// Puts files in place and removes others. A stale file that lies where a folder is to be, or in a folder where a
    /// file is to be, goes first, the others last.
    pub(super) fn apply(&self) -> Result<(), EmitError> {
        let disk = &self.survey.disk;
        let (first, then): (Vec<_>, Vec<_>) = self
            .going()
            .partition(|path| self.survey.wants_below(path.as_str()) || self.survey.takes(path.as_str()));
        let left = left_behind(self.survey, self.known);
        let (swapped, left) = left.into_iter().partition(|folder| self.survey.takes(folder));
        self.remove(&first, &swapped)?;
        for folder in folders(self.survey.set)?.into_iter().filter(|folder| !disk.has_folder(folder)) {
            before(Step::Folder, self.watch)?;
            self.stage.make(&disk.place(folder))?;
        }
        self.staged().into_par_iter().try_for_each(|(number, path)| {
            before(Step::Place, self.watch)?;
            self.place(&number.to_string(), path.as_str())
        })?;
        self.remove(&then, &left)
    }

    /// Makes the manifest that of this build; then nothing needs the journal.
    pub(super) fn commit(&self) -> Result<(), EmitError> {
        self.record(MANIFEST, self.survey.listed(), Step::Commit)?;
        before(Step::Tidy, self.watch)?;
        unlink(&self.survey.disk.place(JOURNAL))?;
        before(Step::Tidy, self.watch)
    }

    /// What was done.
    pub(super) fn report(&self) -> Written {
        let mut written = Written::default();
        for (artifact, seen) in self.survey.each() {
            match seen.state {
                State::Same => written.unchanged += 1,
                State::Missing | State::InTheWay(Thing::Folder) => {
                    written.created.push(artifact.path().clone());
                }
                State::Mode | State::Differs(_) | State::InTheWay(_) => {
                    written.updated.push(artifact.path().clone());
                }
            }
        }
        written.removed = self.going().cloned().collect();
        written
    }

    /// The number of each artifact whose file is not as it should be, with its path.
    fn staged(&self) -> Vec<(usize, &'j ArtifactPath)> {
        let each = self.survey.artifacts.iter().zip(&self.survey.seen).enumerate();
        each.filter(|(_, (_, seen))| seen.state != State::Same).map(|(n, (a, _))| (n, a.path())).collect()
    }

    /// What goes: stale files, and what stands where a folder is to be.
    fn going(&self) -> impl Iterator<Item = &'j ArtifactPath> {
        let goes = |change: &&Change| {
            matches!(
                change.what,
                What::Remove | What::EditedStale | What::InTheWay { wanted: Thing::Folder, .. }
            )
        };
        self.changes.iter().filter(goes).map(|change| &change.path)
    }

    fn record<'e>(
        &self,
        name: &str,
        listed: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
        step: Step,
    ) -> Result<(), EmitError> {
        before(Step::Stage, self.watch)?;
        self.stage.put_with(name, PLAIN, |file| manifest::write(file, listed))?;
        before(step, self.watch)?;
        self.place(name, name)
    }

    fn place(&self, staged: &str, path: &str) -> Result<(), EmitError> {
        let place = self.survey.disk.place(path);
        fs::rename(self.stage.folder().join(staged), &place)
            .map_err(|error| EmitError::disk("write", &place, &error))
    }

    fn remove(&self, paths: &[&ArtifactPath], emptied: &BTreeSet<&str>) -> Result<(), EmitError> {
        paths.par_iter().try_for_each(|path| {
            before(Step::Remove, self.watch)?;
            unlink(&self.survey.disk.place(path.as_str()))
        })?;
        // What is below comes after what is above it, so the order is turned round.
        for folder in emptied.iter().rev() {
            before(Step::Remove, self.watch)?;
            remove_if_empty(&self.survey.disk.place(folder))?;
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
    let stays = [ErrorKind::NotFound, ErrorKind::DirectoryNotEmpty, ErrorKind::ResourceBusy];
    match fs::remove_dir(folder) {
        Err(error) if !stays.contains(&error.kind()) => Err(EmitError::disk("remove", folder, &error)),
        _ => Ok(()),
    }
}
