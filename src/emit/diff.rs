//! Compares the disk with the artifacts and lists the changes.

use super::classify::classify;
use super::manifest::{self, Digest, MANIFEST, RecordFiles};
use super::output_dir::OutputDir;
use super::stage::mode;
use super::tree::{EntryKind, Tree, ancestors, split};
use super::{EmitError, tree};
use crate::render::{Artifact, ArtifactPath, ArtifactSet, Pieces};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The maximum length of a file name on Linux, in bytes. Checked before anything is written.
const MAX_NAME: usize = 255;

/// The number of bytes that are compared at once.
const PIECE: usize = 64 * 1024;

/// One difference between the disk and the artifacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileChange {
    /// The path below the output folder.
    pub path: ArtifactPath,
    /// The kind of difference.
    pub kind: ChangeKind,
}

/// The kind of a difference. `Edited` and the following kinds are conflicts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// The file is missing.
    Create,
    /// The file is from an earlier build.
    Update,
    /// The file has the right bytes, but the wrong mode.
    Mode {
        /// True if the file should be executable.
        executable: bool,
    },
    /// A file from an earlier build that is no longer generated.
    Remove,
    /// A generated file that was edited manually.
    Edited,
    /// A file that is no longer generated, and that was edited manually.
    EditedStale,
    /// A file that no build wrote, at the path of an artifact.
    Unlisted,
    /// An entry of the wrong kind at the path of a file or a folder.
    InTheWay {
        /// The kind of the existing entry.
        is: EntryKind,
        /// The required kind.
        wanted: EntryKind,
    },
    /// The manifest is damaged, for this reason.
    Damaged(String),
}

/// The precision of the comparison of file modes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ModePrecision {
    /// All bits.
    Exact,
    /// Only the executable bit, because git does not store more: a checkout with another umask is not drift.
    Executable,
}

/// The state of the disk at the path of an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DiskState {
    Same,
    Mode,
    Differs(Digest),
    Missing,
    InTheWay(EntryKind),
}

/// The comparison of one artifact: the hash of its text, and the state of the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArtifactState {
    pub(super) digest: Digest,
    pub(super) state: DiskState,
}

/// The comparison of the disk with all artifacts.
pub(super) struct Comparison<'s, 'p> {
    pub(super) disk: Tree,
    pub(super) set: &'s ArtifactSet<'p>,
    pub(super) artifacts: Vec<&'s Artifact<'p>>,
    /// The state of each artifact, in the order of `artifacts`.
    pub(super) states: Vec<ArtifactState>,
}

/// Receives the number and the text of each changed artifact, before the text is dropped.
pub(super) type StageFn<'k> = &'k (dyn Fn(usize, &Artifact<'_>, &Pieces) -> Result<(), EmitError> + Sync);

impl FileChange {
    /// True if the change is a conflict, so that a build refuses.
    pub fn is_conflict(&self) -> bool {
        !matches!(
            self.kind,
            ChangeKind::Create | ChangeKind::Update | ChangeKind::Mode { .. } | ChangeKind::Remove
        )
    }

    /// True if `--force` may override the conflict. Folders with content are never removed. A damaged manifest is
    /// replaced only by a build of all files, because a new one would not list the files of other targets.
    pub(super) fn is_forceable(&self, set: &ArtifactSet<'_>) -> bool {
        let is_folder = matches!(self.kind, ChangeKind::InTheWay { is: EntryKind::Folder, .. });
        let is_damage = matches!(self.kind, ChangeKind::Damaged(_));
        !is_folder && (!is_damage || set.is_whole())
    }
}

/// Lists the differences between the output folder and the artifacts, ordered by path. Writes nothing.
pub fn check(out: &Path, artifacts: &ArtifactSet<'_>) -> Result<Vec<FileChange>, EmitError> {
    let _lock = OutputDir::find(out)?.lock_shared();
    let disk = Tree::at(&OutputDir::find(out)?.folder());
    let records = RecordFiles::find(&disk)?;
    let comparison = Comparison::new(disk, artifacts, ModePrecision::Executable, &|_, _, _| Ok(()))?;
    let (has_manifest, is_current) =
        (records.has_manifest(), records.is_current(artifacts, comparison.listed())?);
    let mut changes = classify(&comparison, &records.read(artifacts)?)?;
    if changes.is_empty() && !is_current {
        let kind = if has_manifest { ChangeKind::Update } else { ChangeKind::Create };
        changes.extend(ArtifactPath::new(MANIFEST).map(|path| FileChange { path, kind }));
    }
    Ok(changes)
}

impl<'s, 'p> Comparison<'s, 'p> {
    /// Compares all artifacts with the disk in parallel. Each text is rendered once and dropped after the comparison.
    pub(super) fn new(
        mut disk: Tree,
        set: &'s ArtifactSet<'p>,
        modes: ModePrecision,
        stage: StageFn<'_>,
    ) -> Result<Self, EmitError> {
        disk.look_up(&folders(set)?)?;
        let artifacts: Vec<&Artifact<'p>> = set.iter().collect();
        let compare = |(number, artifact): (usize, &&Artifact<'p>)| {
            let text = artifact.pieces()?;
            let state = state(&disk, artifact, (&text, modes))?;
            if state != DiskState::Same {
                stage(number, artifact, &text)?;
            }
            Ok(ArtifactState { digest: Digest::of_pieces(text.iter()), state })
        };
        // Collecting results one by one would hold all twice.
        let states: Vec<Result<ArtifactState, EmitError>> =
            artifacts.par_iter().enumerate().with_min_len(8).map(compare).collect();
        let states = states.into_iter().collect::<Result<Vec<ArtifactState>, EmitError>>()?;
        Ok(Self { disk, set, artifacts, states })
    }

    /// The manifest entries of the artifacts.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&'s ArtifactPath, Digest, bool)> {
        self.each().map(|(artifact, seen)| (artifact.path(), seen.digest, artifact.is_executable()))
    }

    /// The artifacts with their states.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'s Artifact<'p>, ArtifactState)> {
        self.artifacts.iter().copied().zip(self.states.iter().copied())
    }

    /// True if an artifact is below this path.
    pub(super) fn has_artifact_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let next = self.artifacts.partition_point(|artifact| artifact.path().as_str() < below.as_str());
        self.artifacts.get(next).is_some_and(|artifact| artifact.path().as_str().starts_with(&below))
    }

    /// True if an artifact has this path or the path of an ancestor.
    pub(super) fn needs_path(&self, path: &str) -> bool {
        std::iter::once(path)
            .chain(ancestors(path))
            .any(|path| ArtifactPath::new(path).is_some_and(|path| self.set.get(&path).is_some()))
    }
}

/// The folders of the artifacts, in byte order, so that parents precede their children.
pub(super) fn folders<'s>(set: &'s ArtifactSet<'_>) -> Result<BTreeSet<&'s str>, EmitError> {
    let refused = |path: &str, reason: &str| {
        Err(EmitError::Disk { doing: "write", path: path.into(), reason: reason.to_owned() })
    };
    let mut found = BTreeSet::new();
    let mut last = "";
    for artifact in set.iter() {
        let path = artifact.path().as_str();
        if path.starts_with(manifest::RESERVED_PREFIX) {
            return refused(path, "names that start with `.orchgen-` are reserved");
        }
        if path.len() > MAX_NAME && path.split('/').any(|name| name.len() > MAX_NAME) {
            return refused(path, "a file name can have at most 255 bytes");
        }
        let folder = split(path).0;
        if folder != last {
            found.extend(ancestors(path));
            last = folder;
        }
    }
    for folder in &found {
        if ArtifactPath::new(*folder).is_some_and(|path| set.get(&path).is_some()) {
            return refused(folder, "it would be both a file and a folder");
        }
    }
    Ok(found)
}

fn state(
    disk: &Tree,
    artifact: &Artifact<'_>,
    (text, modes): (&Pieces, ModePrecision),
) -> Result<DiskState, EmitError> {
    let path = artifact.path().as_str();
    let place = disk.path_of(path);
    let Some(metadata) = disk.metadata_at(path, &place)? else { return Ok(DiskState::Missing) };
    if !metadata.is_file() {
        return Ok(DiskState::InTheWay(tree::entry_kind(metadata.file_type())));
    }
    compare((&place, &metadata), artifact, (text, modes))
        .map_err(|error| EmitError::disk("read", &place, &error))
}

fn compare(
    (place, metadata): (&Path, &Metadata),
    artifact: &Artifact<'_>,
    (text, modes): (&Pieces, ModePrecision),
) -> io::Result<DiskState> {
    let mut file = match File::open(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DiskState::Missing),
        file => file?,
    };
    if metadata.len() != text.len() as u64 {
        return Ok(DiskState::Differs(Digest::of_file(file)?));
    }
    if !has_text(&mut file, text)? {
        file.rewind()?;
        return Ok(DiskState::Differs(Digest::of_file(file)?));
    }
    let found = metadata.permissions().mode();
    let is_right = match modes {
        ModePrecision::Exact => found & 0o7777 == mode(artifact),
        ModePrecision::Executable => (found & 0o100 != 0) == artifact.is_executable(),
    };
    Ok(if is_right { DiskState::Same } else { DiskState::Mode })
}

/// True if the file begins with this text. Reads in pieces, so that a large file is not in memory twice.
fn has_text(file: &mut File, text: &Pieces) -> io::Result<bool> {
    let mut piece = Vec::with_capacity(text.len().min(PIECE));
    for part in text.iter().flat_map(|part| part.as_bytes().chunks(PIECE)) {
        piece.resize(part.len(), 0);
        file.read_exact(&mut piece)?;
        if piece != part {
            return Ok(false);
        }
    }
    Ok(true)
}
