//! Making the disk what the artifacts say: all of it or none.
//!
//! Where there is no output folder, the whole tree is staged beside its place and becomes it by one rename. Where there is
//! one, only changed files are staged, in it, and nothing is touched before all are ready and no conflict was found. Then:
//! the journal (hashes of what comes), files into place, stale files away, the manifest, and the journal away. A crash
//! between two of these leaves files that manifest or journal knows, so that the next build takes them for its own.

use super::EmitError;
use super::apply::Job;
use super::diff::{Change, Modes, State, Survey, folders};
use super::ground::{Ground, Step, Watch, before};
use super::judge::judge;
use super::manifest::{self, Digest, MANIFEST, Records};
use super::stage::{PLAIN, STAGING, Stage, mode};
use super::tree::Tree;
use crate::render::{Artifact, ArtifactPath, ArtifactSet};
use rayon::prelude::*;
use std::fs;
use std::path::Path;

/// Whether files that somebody else wrote or changed are overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Force {
    /// They are conflicts.
    No,
    /// They are.
    Yes,
}

/// How a build ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The disk is what the artifacts say.
    Written(Written),
    /// Nothing was changed, because of these conflicts.
    Refused(Vec<Change>),
}

/// What a build did, in order of paths.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Files that were not there.
    pub created: Vec<ArtifactPath>,
    /// Files that were there and have other bytes or another mode now.
    pub updated: Vec<ArtifactPath>,
    /// Files of ours that nothing makes any more.
    pub removed: Vec<ArtifactPath>,
    /// How many files were not touched.
    pub unchanged: usize,
}

/// Brings the output folder to what the artifacts say, or refuses and changes nothing.
pub fn write(
    out: &Path,
    artifacts: &ArtifactSet<'_>,
    force: Force,
    watch: &dyn Watch,
) -> Result<Outcome, EmitError> {
    let ground = Ground::find(out)?;
    ground.prepare()?;
    let _lock = ground.lock(watch);
    // Another build may have made the folder while this one waited.
    let ground = Ground::find(out)?;
    let nursery = Stage::at(ground.nursery());
    nursery.clear()?;
    if !ground.exists {
        return cleaned(&nursery, fresh(&nursery, &ground.folder(), artifacts, watch));
    }
    let stage = Stage::at(ground.folder().join(STAGING));
    cleaned(&stage, update(&stage, &ground.folder(), artifacts, (force, watch)))
}

/// Leaves no staged files behind, except where all is to be left lying.
fn cleaned(stage: &Stage, result: Result<Outcome, EmitError>) -> Result<Outcome, EmitError> {
    if stage.is_open() && result != Err(EmitError::Stopped) {
        // What failed first is what the user must know.
        let swept = stage.clear();
        return result.and_then(|outcome| swept.map(|()| outcome));
    }
    result
}

fn fresh(stage: &Stage, out: &Path, set: &ArtifactSet<'_>, watch: &dyn Watch) -> Result<Outcome, EmitError> {
    before(Step::Stage, watch)?;
    stage.open()?;
    for folder in folders(set)? {
        before(Step::Folder, watch)?;
        stage.make(&stage.folder().join(folder))?;
    }
    let artifacts: Vec<&Artifact<'_>> = set.iter().collect();
    let put = |artifact: &&Artifact<'_>| {
        before(Step::Stage, watch)?;
        let text = artifact.text()?;
        stage.put(artifact.path().as_str(), text.as_bytes(), mode(artifact))?;
        Ok(Digest::of(text.as_bytes()))
    };
    let digests: Result<Vec<Digest>, EmitError> = artifacts.par_iter().with_min_len(8).map(put).collect();
    let digests = digests?;
    let listed = artifacts.iter().zip(&digests);
    let listed = listed.map(|(artifact, digest)| (artifact.path(), *digest, artifact.is_executable()));
    before(Step::Stage, watch)?;
    stage.put_with(MANIFEST, PLAIN, |file| manifest::write(file, listed))?;
    before(Step::Place, watch)?;
    fs::rename(stage.folder(), out).map_err(|error| EmitError::disk("create the folder", out, &error))?;
    let created = artifacts.iter().map(|artifact| artifact.path().clone()).collect();
    Ok(Outcome::Written(Written { created, ..Written::default() }))
}

fn update(
    stage: &Stage,
    out: &Path,
    set: &ArtifactSet<'_>,
    (force, watch): (Force, &dyn Watch),
) -> Result<Outcome, EmitError> {
    let disk = Tree::at(out)?;
    if disk.thing(STAGING).is_some() {
        before(Step::Tidy, watch)?;
        stage.clear()?;
    }
    let records = Records::find(&disk)?;
    let keep = |number: usize, artifact: &Artifact<'_>, text: &str| {
        before(Step::Stage, watch)?;
        stage.put(&number.to_string(), text.as_bytes(), mode(artifact))
    };
    let mut survey = Survey::new(disk, set, Modes::Exact, &keep)?;
    if survey.seen.iter().all(|seen| seen.state == State::Same) && records.report(survey.listed())? {
        return Ok(Outcome::Written(Written { unchanged: set.len(), ..Written::default() }));
    }
    let known = records.parse()?;
    let changes = judge(&mut survey, &known)?;
    let refuses = |change: &Change| change.is_conflict() && (force == Force::No || !change.yields());
    if changes.iter().any(refuses) {
        return Ok(Outcome::Refused(changes.into_iter().filter(refuses).collect()));
    }
    let job = Job { survey: &survey, stage, watch, changes: &changes, known: &known };
    job.probe()?;
    job.note()?;
    job.apply()?;
    job.commit()?;
    Ok(Outcome::Written(job.report()))
}
