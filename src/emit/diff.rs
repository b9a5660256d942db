//! What the disk holds at the paths of the artifacts, and what would change.

use super::ground::Ground;
use super::judge::judge;
use super::manifest::{self, Digest, MANIFEST, Records};
use super::stage::mode;
use super::tree::{Thing, Tree, above, split};
use super::{EmitError, tree};
use crate::render::{Artifact, ArtifactPath, ArtifactSet};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Longer names no file system of Linux takes; found out before anything is written.
const MAX_NAME: usize = 255;

/// So much of a file is compared at a time; nearly all are smaller.
const PIECE: usize = 1 << 16;

/// One difference between the disk and the artifacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where, below the output folder.
    pub path: ArtifactPath,
    /// What differs.
    pub what: What,
}

/// Kinds of differences; those of the second half are conflicts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The file is not there.
    Create,
    /// The file is an older one of ours.
    Update,
    /// The file has the right bytes and the wrong mode.
    Mode {
        /// Whether it should be a program.
        executable: bool,
    },
    /// A file of ours that nothing makes any more.
    Remove,
    /// A file of ours that somebody changed.
    Edited,
    /// A file of ours that nothing makes any more, and that somebody changed.
    EditedStale,
    /// A file that no build wrote, where one would be written.
    Unlisted,
    /// No file where a file would be, or no folder where a folder would be.
    InTheWay {
        /// What is there.
        is: Thing,
        /// What would be there.
        wanted: Thing,
    },
    /// The manifest cannot be relied on, for this reason.
    Damaged(String),
}

/// How exactly a mode must be right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Modes {
    /// To the bit.
    Exact,
    /// As exactly as git keeps it: a checkout under another umask is no drift.
    Executable,
}

/// What the disk holds where an artifact would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Same,
    Mode,
    Differs(Digest),
    Missing,
    InTheWay(Thing),
}

/// An artifact compared with the disk: the hash of its text, and what is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) digest: Digest,
    pub(super) state: State,
}

/// The disk and all artifacts, compared.
pub(super) struct Survey<'s, 'p> {
    pub(super) disk: Tree,
    pub(super) set: &'s ArtifactSet<'p>,
    pub(super) artifacts: Vec<&'s Artifact<'p>>,
    /// One for each artifact.
    pub(super) seen: Vec<Seen>,
}

/// Takes the text of a changed artifact, which has this number, before it is dropped.
pub(super) type Keep<'k> = &'k (dyn Fn(usize, &Artifact<'_>, &str) -> Result<(), EmitError> + Sync);

impl Change {
    /// Whether a build refuses because of it.
    pub fn is_conflict(&self) -> bool {
        !matches!(self.what, What::Create | What::Update | What::Mode { .. } | What::Remove)
    }

    /// Whether a build that was told to overwrite goes on all the same; folders are never removed with what is in them.
    pub(super) fn yields(&self) -> bool {
        !matches!(self.what, What::InTheWay { is: Thing::Folder, .. })
    }
}

/// Lists every difference between the output folder and the artifacts, in order of paths, and writes nothing.
pub fn check(out: &Path, artifacts: &ArtifactSet<'_>) -> Result<Vec<Change>, EmitError> {
    let _lock = Ground::find(out)?.lock_for_reading();
    let ground = Ground::find(out)?;
    let disk = if ground.exists { Tree::at(&ground.folder())? } else { Tree::none(&ground.folder()) };
    let records = Records::find(&disk)?;
    let mut survey = Survey::new(disk, artifacts, Modes::Executable, &|_, _, _| Ok(()))?;
    let (there, right) = (records.has_manifest(), records.report(survey.listed())?);
    let mut changes = judge(&mut survey, &records.parse()?)?;
    if changes.is_empty() && !right {
        let what = if there { What::Update } else { What::Create };
        changes.extend(ArtifactPath::new(MANIFEST).map(|path| Change { path, what }));
    }
    Ok(changes)
}

impl<'s, 'p> Survey<'s, 'p> {
    /// Compares all artifacts with the disk, several at a time; each is rendered once and dropped.
    pub(super) fn new(
        mut disk: Tree,
        set: &'s ArtifactSet<'p>,
        modes: Modes,
        keep: Keep<'_>,
    ) -> Result<Self, EmitError> {
        disk.look_all(&folders(set)?)?;
        let artifacts: Vec<&Artifact<'p>> = set.iter().collect();
        let compare = |held: &mut Box<[u8]>, (number, artifact): (usize, &&Artifact<'p>)| {
            let text = artifact.text()?;
            let state = state(&disk, artifact, (&text, modes), held)?;
            if state != State::Same {
                keep(number, artifact, &text)?;
            }
            Ok(Seen { digest: Digest::of(text.as_bytes()), state })
        };
        let seen = artifacts
            .par_iter()
            .enumerate()
            .with_min_len(8)
            .map_init(|| vec![0; PIECE].into_boxed_slice(), compare);
        let seen = seen.collect::<Result<Vec<Seen>, EmitError>>()?;
        Ok(Self { disk, set, artifacts, seen })
    }

    /// What the manifest that belongs to the artifacts lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&'s ArtifactPath, Digest, bool)> {
        self.each().map(|(artifact, seen)| (artifact.path(), seen.digest, artifact.is_executable()))
    }

    /// Each artifact with what is where it would be.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'s Artifact<'p>, Seen)> {
        self.artifacts.iter().copied().zip(self.seen.iter().copied())
    }

    /// Whether an artifact lies below this path.
    pub(super) fn wants_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let next = self.artifacts.partition_point(|artifact| artifact.path().as_str() < below.as_str());
        self.artifacts.get(next).is_some_and(|artifact| artifact.path().as_str().starts_with(&below))
    }

    /// Whether an artifact takes this path, or that of a folder above it.
    pub(super) fn takes(&self, path: &str) -> bool {
        std::iter::once(path)
            .chain(above(path))
            .any(|path| ArtifactPath::new(path).is_some_and(|path| self.set.get(&path).is_some()))
    }
}

/// The folders that hold artifacts, in byte order, those above others first.
pub(super) fn folders<'s>(set: &'s ArtifactSet<'_>) -> Result<BTreeSet<&'s str>, EmitError> {
    let refused = |path: &str, reason: &str| {
        Err(EmitError::Disk { doing: "write", path: path.into(), reason: reason.to_owned() })
    };
    let mut found = BTreeSet::new();
    let mut last = "";
    for artifact in set.iter() {
        let path = artifact.path().as_str();
        if path.starts_with(manifest::OURS) {
            return refused(path, "the name is kept for orchgen itself");
        }
        if path.len() > MAX_NAME && path.split('/').any(|name| name.len() > MAX_NAME) {
            return refused(path, "a name may have 255 bytes");
        }
        let folder = split(path).0;
        if folder != last {
            found.extend(above(path));
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
    (text, modes): (&str, Modes),
    held: &mut [u8],
) -> Result<State, EmitError> {
    let path = artifact.path().as_str();
    match disk.thing(path) {
        None => Ok(State::Missing),
        Some(Thing::File) => {
            let place = disk.place(path);
            let exact = (modes == Modes::Exact).then(|| mode(artifact));
            let wanted = Wanted { text: text.as_bytes(), executable: artifact.is_executable(), exact };
            compare(&place, &wanted, held).map_err(|error| EmitError::disk("read", &place, &error))
        }
        Some(thing) => Ok(State::InTheWay(thing)),
    }
}

struct Wanted<'t> {
    text: &'t [u8],
    executable: bool,
    exact: Option<u32>,
}

fn compare(place: &Path, wanted: &Wanted<'_>, held: &mut [u8]) -> io::Result<State> {
    let mut file = match File::open(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
        file => file?,
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(State::InTheWay(tree::thing_of(about.file_type())));
    }
    if about.len() != wanted.text.len() as u64 {
        return Ok(State::Differs(Digest::of_file(file)?));
    }
    for wanted in wanted.text.chunks(held.len()) {
        let held = held.get_mut(..wanted.len()).unwrap_or_default();
        file.read_exact(held)?;
        if held != wanted {
            file.rewind()?;
            return Ok(State::Differs(Digest::of_file(file)?));
        }
    }
    let found = about.permissions().mode();
    let right = match wanted.exact {
        Some(mode) => found & 0o7777 == mode,
        None => (found & 0o100 != 0) == wanted.executable,
    };
    Ok(if right { State::Same } else { State::Mode })
}
