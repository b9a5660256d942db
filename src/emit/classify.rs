//! Decides what to do with each differing file.

use super::EmitError;
use super::diff::{ArtifactState, ChangeKind, Comparison, DiskState, FileChange};
use super::manifest::{BuildRecords, Digest, MANIFEST};
use super::tree::{EntryKind, Tree, ancestors};
use crate::render::{Artifact, ArtifactPath};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;

/// Classifies all differences, ordered by path.
pub(super) fn classify(
    comparison: &Comparison<'_, '_>,
    records: &BuildRecords,
) -> Result<Vec<FileChange>, EmitError> {
    let mut changes = stale_changes(comparison, records)?;
    let removed = changes.iter().filter(|change| change.kind == ChangeKind::Remove);
    let removed = removed.map(|change| change.path.as_str());
    let removals: BTreeSet<&str> = removed.chain(vacated_folders(comparison, records)?).collect();
    let mut found = Vec::new();
    let mut blockers = BTreeSet::new();
    for (artifact, seen) in comparison.each() {
        let blocker = comparison.disk.blocker(artifact.path().as_str())?;
        match blocker.filter(|(path, _)| !removals.contains(path)) {
            Some((path, is)) if blockers.insert(path) => {
                let kind = ChangeKind::InTheWay { is, wanted: EntryKind::Folder };
                found.extend(ArtifactPath::new(path).map(|path| FileChange { path, kind }));
            }
            Some(_) => {}
            None => {
                let kind = classify_artifact(&comparison.disk, records, (artifact, seen), &removals)?;
                found.extend(kind.map(|kind| FileChange { path: artifact.path().clone(), kind }));
            }
        }
    }
    changes.extend(found);
    if let Some(reason) = &records.damage {
        let kind = ChangeKind::Damaged(reason.clone());
        changes.extend(ArtifactPath::new(MANIFEST).map(|path| FileChange { path, kind }));
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

/// The folders of files that are no longer generated. They may be empty after the build.
pub(super) fn vacated_folders<'k>(
    comparison: &Comparison<'_, '_>,
    records: &'k BuildRecords,
) -> Result<BTreeSet<&'k str>, EmitError> {
    let stale_paths = stale_paths(comparison, records);
    let above: BTreeSet<&str> = stale_paths.iter().flat_map(|path| ancestors(path.as_str())).collect();
    let existing = above.into_iter().map(|folder| Ok(comparison.disk.has_folder(folder)?.then_some(folder)));
    existing.filter_map(Result::transpose).collect()
}

/// The listed paths without an artifact.
fn stale_paths<'k>(comparison: &Comparison<'_, '_>, records: &'k BuildRecords) -> Vec<&'k ArtifactPath> {
    let listed = records.manifest.entries().iter().chain(records.journal.entries());
    let mut paths: Vec<&ArtifactPath> =
        listed.map(|entry| &entry.path).filter(|path| comparison.set.get(path).is_none()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn stale_changes(
    comparison: &Comparison<'_, '_>,
    records: &BuildRecords,
) -> Result<Vec<FileChange>, EmitError> {
    let classified = stale_paths(comparison, records).into_par_iter().map(|path| {
        let kind = classify_stale(&comparison.disk, records, path)?;
        Ok(kind.map(|kind| FileChange { path: path.clone(), kind }))
    });
    classified.filter_map(Result::transpose).collect()
}

/// Classifies a path without an artifact. Ignores folders, and changed files that only the journal of an interrupted
/// build lists, because the user may have created them.
fn classify_stale(
    disk: &Tree,
    records: &BuildRecords,
    path: &ArtifactPath,
) -> Result<Option<ChangeKind>, EmitError> {
    let edited = records.manifest.lists(path).then_some(ChangeKind::EditedStale);
    match disk.kind_at(path.as_str())? {
        None | Some(EntryKind::Folder) => Ok(None),
        Some(EntryKind::Symlink | EntryKind::Other) => Ok(edited),
        Some(EntryKind::File) => {
            let place = disk.path_of(path.as_str());
            let digest = File::open(&place)
                .and_then(Digest::of_file)
                .map_err(|error| EmitError::disk("read", &place, &error))?;
            Ok(if records.wrote(path, digest) { Some(ChangeKind::Remove) } else { edited })
        }
    }
}

fn classify_artifact(
    disk: &Tree,
    records: &BuildRecords,
    (artifact, seen): (&Artifact<'_>, ArtifactState),
    removals: &BTreeSet<&str>,
) -> Result<Option<ChangeKind>, EmitError> {
    let path = artifact.path();
    Ok(match seen.state {
        DiskState::Same => None,
        DiskState::Missing => Some(ChangeKind::Create),
        DiskState::Mode => Some(ChangeKind::Mode { executable: artifact.is_executable() }),
        DiskState::Differs(_) if records.damage.is_some() => Some(ChangeKind::Update),
        DiskState::Differs(digest) if records.wrote(path, digest) => Some(ChangeKind::Update),
        DiskState::Differs(_) if records.manifest.lists(path) => Some(ChangeKind::Edited),
        DiskState::Differs(_) => Some(ChangeKind::Unlisted),
        DiskState::InTheWay(EntryKind::Folder)
            if disk.is_empty_without(path.as_str(), &|path| removals.contains(path))? =>
        {
            Some(ChangeKind::Create)
        }
        DiskState::InTheWay(is) => Some(ChangeKind::InTheWay { is, wanted: EntryKind::File }),
    })
}
