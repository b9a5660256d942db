//! Writes the artifacts to disk: all of them or none.
//!
//! If the output folder does not exist, the whole tree is staged next to it and renamed once. Otherwise only the
//! changed files are staged, inside the output folder. Nothing else is changed before all files are staged and no
//! conflict was found. Then the build:
//!
//! 1. writes the journal (the hashes of the new files),
//! 2. moves the files into place,
//! 3. removes stale files,
//! 4. writes the manifest,
//! 5. removes the journal.
//!
//! A set of artifacts may cover only a part of the folder. The build then ignores all other files, and keeps their entries
//! in the manifest and in the journal of an interrupted build.
//!
//! After a crash between two steps, each file is listed in the manifest or the journal, so the next build recognizes
//! its own files.

use super::apply::Job;
use super::classify::classify;
use super::diff::{Comparison, DiskState, FileChange, ModePrecision, folders};
use super::error::{CREATE_FOLDER, EmitError};
use super::manifest::{self, Digest, MANIFEST, RecordFiles};
use super::output_dir::{Observer, OutputDir, Step, announce};
use super::stage::{STAGING, Stage, create_folder, mode};
use super::tree::Tree;
use crate::render::{Artifact, ArtifactPath, ArtifactSet, Pieces};
use rayon::prelude::*;
use std::fs;
use std::path::Path;

/// Controls whether files that were edited, or that no build wrote, are overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Force {
    /// Such files are conflicts.
    No,
    /// Such files are overwritten.
    Yes,
}

/// The result of a build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The disk agrees with the artifacts.
    Written(Written),
    /// Nothing was changed, because of these conflicts.
    Refused(Vec<FileChange>),
}

/// The changes of a build, ordered by path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// New files.
    pub created: Vec<ArtifactPath>,
    /// Files with new content or a new mode.
    pub updated: Vec<ArtifactPath>,
    /// Files that are no longer generated.
    pub removed: Vec<ArtifactPath>,
    /// The number of files that were not touched.
    pub unchanged: usize,
}

/// Writes the artifacts to the output folder, or refuses and changes nothing.
pub fn write(
    out: &Path,
    artifacts: &ArtifactSet<'_>,
    force: Force,
    observer: &dyn Observer,
) -> Result<Outcome, EmitError> {
    let output_dir = OutputDir::find(out)?;
    output_dir.create_parents()?;
    let _lock = output_dir.lock(observer);
    // Another build may have created the folder in the meantime.
    let output_dir = OutputDir::find(out)?;
    let staging = Stage::at(output_dir.staging());
    staging.clear()?;
    if !output_dir.exists {
        return clean_up(&staging, write_new(&staging, &output_dir.folder(), artifacts, observer));
    }
    let stage = Stage::at(output_dir.folder().join(STAGING));
    clean_up(&stage, write_changes(&stage, &output_dir.folder(), artifacts, (force, observer)))
}

/// Removes the staged files, except after a stop by the observer.
fn clean_up(stage: &Stage, result: Result<Outcome, EmitError>) -> Result<Outcome, EmitError> {
    if stage.is_open() && result != Err(EmitError::Stopped) {
        // Report the first error, not an error of the cleanup.
        let cleared = stage.clear();
        return result.and_then(|outcome| cleared.map(|()| outcome));
    }
    result
}

fn write_new(
    stage: &Stage,
    out: &Path,
    set: &ArtifactSet<'_>,
    observer: &dyn Observer,
) -> Result<Outcome, EmitError> {
    announce(Step::Stage, observer)?;
    stage.open()?;
    for folder in folders(set)? {
        announce(Step::Folder, observer)?;
        create_folder(&stage.folder().join(folder))?;
    }
    let artifacts: Vec<&Artifact<'_>> = set.iter().collect();
    let write_artifact = |artifact: &&Artifact<'_>| {
        announce(Step::Stage, observer)?;
        let text = artifact.pieces()?;
        stage.write_file(artifact.path().as_str(), &text, mode(artifact))?;
        Ok(Digest::of_pieces(text.iter()))
    };
    let digests: Result<Vec<Digest>, EmitError> =
        artifacts.par_iter().with_min_len(8).map(write_artifact).collect();
    let digests = digests?;
    let listed = artifacts.iter().zip(&digests);
    let listed = listed.map(|(artifact, digest)| (artifact.path(), *digest, artifact.is_executable()));
    announce(Step::Stage, observer)?;
    stage.write_lines(MANIFEST, manifest::lines(listed))?;
    announce(Step::Place, observer)?;
    fs::rename(stage.folder(), out).map_err(|error| EmitError::disk(CREATE_FOLDER, out, &error))?;
    let created = artifacts.iter().map(|artifact| artifact.path().clone()).collect();
    Ok(Outcome::Written(Written { created, ..Written::default() }))
}

fn write_changes(
    stage: &Stage,
    out: &Path,
    set: &ArtifactSet<'_>,
    (force, observer): (Force, &dyn Observer),
) -> Result<Outcome, EmitError> {
    let disk = Tree::at(out);
    if disk.kind_at(STAGING)?.is_some() {
        announce(Step::Tidy, observer)?;
        stage.clear()?;
    }
    let records = RecordFiles::find(&disk)?;
    let stage_changed = |number: usize, artifact: &Artifact<'_>, text: &Pieces| {
        announce(Step::Stage, observer)?;
        stage.write_file(&number.to_string(), text, mode(artifact))
    };
    let comparison = Comparison::new(disk, set, ModePrecision::Exact, &stage_changed)?;
    if comparison.states.iter().all(|seen| seen.state == DiskState::Same)
        && records.is_current(set, comparison.listed())?
    {
        return Ok(Outcome::Written(Written { unchanged: set.len(), ..Written::default() }));
    }
    let records = records.read(set)?;
    let changes = classify(&comparison, &records)?;
    let refuses =
        |change: &FileChange| change.is_conflict() && (force == Force::No || !change.is_forceable(set));
    if changes.iter().any(refuses) {
        return Ok(Outcome::Refused(changes.into_iter().filter(refuses).collect()));
    }
    let job = Job { comparison: &comparison, stage, observer, changes: &changes, records: &records };
    job.probe()?;
    job.write_journal()?;
    job.apply()?;
    job.commit()?;
    Ok(Outcome::Written(job.summary()))
}
