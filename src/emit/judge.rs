//! Whose a file is that differs, and what follows for it.

use super::EmitError;
use super::diff::{Change, Seen, State, Survey, What};
use super::manifest::{Digest, Known, MANIFEST};
use super::tree::{Thing, Tree, split};
use crate::render::{Artifact, ArtifactPath};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;

/// Names every difference, in order of paths.
pub(super) fn judge(survey: &mut Survey<'_, '_>, known: &Known) -> Result<Vec<Change>, EmitError> {
    let mut changes = stale(survey, known)?;
    let removed = changes.iter().filter(|change| change.what == What::Remove);
    let removed = removed.map(|change| change.path.as_str());
    let going: BTreeSet<&str> = removed.chain(left_behind(survey, known)).collect();
    let mut found = Vec::new();
    let mut blockers = BTreeSet::new();
    for (artifact, seen) in survey.each().collect::<Vec<_>>() {
        let blocker = survey.disk.blocker(artifact.path().as_str());
        match blocker.filter(|(path, _)| !going.contains(path)) {
            Some((path, is)) if blockers.insert(path) => {
                let what = What::InTheWay { is, wanted: Thing::Folder };
                found.extend(ArtifactPath::new(path).map(|path| Change { path, what }));
            }
            Some(_) => {}
            None => {
                let what = judge_one(&mut survey.disk, known, (artifact, seen), &going)?;
                found.extend(what.map(|what| Change { path: artifact.path().clone(), what }));
            }
        }
    }
    changes.extend(found);
    if let Some(reason) = &known.damage {
        let what = What::Damaged(reason.clone());
        changes.extend(ArtifactPath::new(MANIFEST).map(|path| Change { path, what }));
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

/// The folders that files of ours which nothing makes any more lay in; they may be empty afterwards.
pub(super) fn left_behind<'k>(survey: &Survey<'_, '_>, known: &'k Known) -> BTreeSet<&'k str> {
    let unwanted = unwanted(survey, known);
    let above = unwanted.iter().flat_map(|path| super::tree::above(path.as_str()));
    above.filter(|folder| survey.disk.has_folder(folder)).collect()
}

fn unwanted<'k>(survey: &Survey<'_, '_>, known: &'k Known) -> Vec<&'k ArtifactPath> {
    let listed = known.manifest.entries().iter().chain(known.journal.entries());
    let mut paths: Vec<&ArtifactPath> =
        listed.map(|entry| &entry.path).filter(|path| survey.set.get(path).is_none()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn stale(survey: &mut Survey<'_, '_>, known: &Known) -> Result<Vec<Change>, EmitError> {
    let paths = unwanted(survey, known);
    for path in &paths {
        survey.disk.look(split(path.as_str()).0)?;
    }
    let disk = &survey.disk;
    let judged = paths.par_iter().map(|path| {
        let what = judge_stale(disk, known, path)?;
        Ok(what.map(|what| Change { path: (*path).clone(), what }))
    });
    let judged: Result<Vec<Option<Change>>, EmitError> = judged.collect();
    Ok(judged?.into_iter().flatten().collect())
}

/// A path that only an unended build lists may hold somebody else's file, which is left alone; so is a folder.
fn judge_stale(disk: &Tree, known: &Known, path: &ArtifactPath) -> Result<Option<What>, EmitError> {
    let edited = known.manifest.lists(path).then_some(What::EditedStale);
    match disk.thing(path.as_str()) {
        None | Some(Thing::Folder) => Ok(None),
        Some(Thing::Symlink | Thing::Other) => Ok(edited),
        Some(Thing::File) => {
            let place = disk.place(path.as_str());
            let digest = File::open(&place)
                .and_then(Digest::of_file)
                .map_err(|error| EmitError::disk("read", &place, &error))?;
            Ok(if known.wrote(path, digest) { Some(What::Remove) } else { edited })
        }
    }
}

fn judge_one(
    disk: &mut Tree,
    known: &Known,
    (artifact, seen): (&Artifact<'_>, Seen),
    going: &BTreeSet<&str>,
) -> Result<Option<What>, EmitError> {
    let path = artifact.path();
    Ok(match seen.state {
        State::Same => None,
        State::Missing => Some(What::Create),
        State::Mode => Some(What::Mode { executable: artifact.is_executable() }),
        State::Differs(_) if known.damage.is_some() => Some(What::Update),
        State::Differs(digest) if known.wrote(path, digest) => Some(What::Update),
        State::Differs(_) if known.manifest.lists(path) => Some(What::Edited),
        State::Differs(_) => Some(What::Unlisted),
        State::InTheWay(Thing::Folder) if disk.empties(path.as_str(), &|path| going.contains(path))? => {
            Some(What::Create)
        }
        State::InTheWay(is) => Some(What::InTheWay { is, wanted: Thing::File }),
    })
}
