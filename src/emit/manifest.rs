//! The manifest: the list of generated files with their hashes, `out/.orchgen-manifest.json`.
//!
//! While a build moves files into place, a second list of the same form (the journal) has the hashes of the new files.
//! After a crash, orchgen recognizes both the old and the new version of a file as generated.

use super::EmitError;
use super::tree::{EntryKind, Tree};
pub(super) use crate::diag::Digest;
use crate::diag::json_problem;
use crate::render::{ArtifactPath, ArtifactSet};
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The name of the manifest in the output folder.
pub const MANIFEST: &str = ".orchgen-manifest.json";
/// The name of the journal. It exists only during a build or after a crash.
pub(super) const JOURNAL: &str = ".orchgen-manifest.next.json";
/// The reserved prefix of internal file names. No artifact has a path with this prefix.
pub(super) const RESERVED_PREFIX: &str = ".orchgen-";
const FORMAT_VERSION: u64 = 1;

/// A generated file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Entry {
    pub(super) path: ArtifactPath,
    pub(super) digest: Digest,
    pub(super) executable: bool,
}

/// Generated files, sorted by path. A journal may list a path several times.
#[derive(Default, Debug)]
pub(super) struct Listing(Vec<Entry>);

/// The manifest and the journal on disk, not read yet.
#[derive(Debug)]
pub(super) struct RecordFiles {
    /// `None` if there is no manifest; the reason if it is not a file.
    manifest: Option<Result<PathBuf, String>>,
    /// `None` unless the last build was interrupted.
    journal: Option<PathBuf>,
}

/// The manifest and the journal on disk.
#[derive(Default, Debug)]
pub(super) struct BuildRecords {
    /// The files of the last complete build.
    pub(super) manifest: Listing,
    /// The files that an interrupted build may have written.
    pub(super) journal: Listing,
    /// The reason why the manifest is damaged.
    pub(super) damage: Option<String>,
    /// Files of the manifest that the artifacts do not cover. The build keeps these entries.
    pub(super) kept: Listing,
    /// Files of the journal that the artifacts do not cover. The build keeps these entries, too.
    pub(super) kept_journal: Listing,
}

#[derive(Deserialize)]
struct Version {
    format_version: u64,
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow)]
    files: Vec<FileLine<'t>>,
}

#[derive(Deserialize)]
struct FileLine<'t> {
    #[serde(borrow)]
    path: Cow<'t, str>,
    #[serde(borrow)]
    sha256: Cow<'t, str>,
    #[serde(borrow)]
    mode: Cow<'t, str>,
}

impl Listing {
    /// A sorted list without duplicates.
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }

    /// The files in byte order of their paths.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Splits the list into the files that the artifacts cover and the others.
    fn split(self, set: &ArtifactSet<'_>) -> (Self, Self) {
        if set.is_whole() {
            return (self, Self::default());
        }
        let (covered, kept) = self.0.into_iter().partition(|entry| set.covers(&entry.path));
        (Self(covered), Self(kept))
    }

    /// The files as the lines of a manifest or a journal.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&ArtifactPath, Digest, bool)> {
        self.0.iter().map(|entry| (&entry.path, entry.digest, entry.executable))
    }

    /// True if the path is listed.
    pub(super) fn lists(&self, path: &ArtifactPath) -> bool {
        !self.of(path).is_empty()
    }

    /// True if the path is listed with this hash.
    pub(super) fn knows(&self, path: &ArtifactPath, digest: Digest) -> bool {
        self.of(path).iter().any(|entry| entry.digest == digest)
    }

    fn of(&self, path: &ArtifactPath) -> &[Entry] {
        let start = self.0.partition_point(|entry| entry.path < *path);
        let from = self.0.get(start..).unwrap_or_default();
        from.get(..from.partition_point(|entry| entry.path == *path)).unwrap_or_default()
    }

    /// Parses a list. Returns the reason if it is damaged.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let json = |error: serde_json::Error| {
            let problem = json_problem(&error);
            if error.is_data() { format!("it is not a list of files: {problem}") } else { problem }
        };
        let version: Version = serde_json::from_slice(text).map_err(json)?;
        if version.format_version != FORMAT_VERSION {
            let found = version.format_version;
            return Err(format!(
                "it has format {found}, but this orchgen supports only format {FORMAT_VERSION}"
            ));
        }
        let document: Document<'_> = serde_json::from_slice(text).map_err(json)?;
        let entries: Result<Vec<Entry>, String> = document.files.into_iter().map(entry).collect();
        entries.map(Self::new)
    }
}

/// A list as JSON with one file per line. The lines are made one after another, because a list may be long.
pub(super) fn lines<'e>(
    entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
) -> impl Iterator<Item = Vec<u8>> {
    let mut entries = entries.peekable();
    let break_before_end = if entries.peek().is_some() { "\n" } else { "" };
    let entry = |(number, (path, digest, executable)): (usize, (&ArtifactPath, Digest, bool))| {
        let mut line = Vec::with_capacity(160);
        line.extend_from_slice(if number == 0 { b"{\"path\":" } else { b",\n{\"path\":" });
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut line, path.as_str());
        let mode = if executable { "0755" } else { "0644" };
        let _ = write!(line, ",\"sha256\":\"{digest}\",\"mode\":\"{mode}\"}}");
        line
    };
    let start = format!("{{\"format_version\":{FORMAT_VERSION},\"files\":[\n").into_bytes();
    let end = format!("{break_before_end}]}}\n").into_bytes();
    std::iter::once(start).chain(entries.enumerate().map(entry)).chain(std::iter::once(end))
}

fn entry(file: FileLine<'_>) -> Result<Entry, String> {
    let digest = Digest::from_hex(&file.sha256).ok_or_else(|| {
        let shown = crate::diag::words::quoted(&file.path);
        format!("the hash of {shown} is not 64 lower-case hexadecimal digits")
    })?;
    let shown = crate::diag::words::quoted(&file.path);
    let path = ArtifactPath::new(file.path).filter(|path| !path.as_str().starts_with(RESERVED_PREFIX));
    let path = path.ok_or_else(|| format!("it lists {shown}, which cannot be a generated file"))?;
    Ok(Entry { path, digest, executable: file.mode == "0755" })
}

impl RecordFiles {
    /// Looks for the manifest and the journal.
    pub(super) fn find(disk: &Tree) -> Result<Self, EmitError> {
        let has_journal = disk.kind_at(JOURNAL)? == Some(EntryKind::File);
        let manifest = disk.kind_at(MANIFEST)?.map(|kind| match kind {
            EntryKind::File => Ok(disk.path_of(MANIFEST)),
            EntryKind::Folder | EntryKind::Symlink | EntryKind::Other => Err("it is not a file".to_owned()),
        });
        Ok(Self { manifest, journal: has_journal.then(|| disk.path_of(JOURNAL)) })
    }

    /// True if the manifest exists.
    pub(super) fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// True if the manifest lists exactly these files of the artifacts, and the last build was complete. Files that the
    /// artifacts do not cover are ignored.
    pub(super) fn is_current<'e>(
        &self,
        set: &ArtifactSet<'_>,
        entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
    ) -> Result<bool, EmitError> {
        if !set.is_whole() {
            let records = self.read(set)?;
            let is_complete = records.damage.is_none() && records.journal.entries().is_empty();
            let (listed, entries): (Vec<_>, Vec<_>) =
                (records.manifest.listed().collect(), entries.collect());
            return Ok(is_complete && listed == entries);
        }
        // The whole manifest is compared without parsing it, because it may be long.
        let (None, Some(Ok(path))) = (&self.journal, &self.manifest) else { return Ok(false) };
        let is_current = || -> io::Result<bool> {
            let mut file = BufReader::new(File::open(path)?);
            let mut found = Vec::new();
            for line in lines(entries) {
                found.clear();
                file.by_ref().take(line.len() as u64).read_to_end(&mut found)?;
                if found != line {
                    return Ok(false);
                }
            }
            Ok(file.fill_buf()?.is_empty())
        };
        is_current().map_err(|error| EmitError::disk("read", path, &error))
    }

    /// Reads both files. An invalid journal is ignored: it could only add generated files.
    pub(super) fn read(&self, set: &ArtifactSet<'_>) -> Result<BuildRecords, EmitError> {
        let journal = match &self.journal {
            Some(path) => Listing::parse(&load(path)?).unwrap_or_default(),
            None => Listing::default(),
        };
        let manifest = match &self.manifest {
            None => Ok(Listing::default()),
            Some(Ok(path)) => Listing::parse(&load(path)?),
            Some(Err(damage)) => Err(damage.clone()),
        };
        Ok(match manifest {
            Ok(manifest) => {
                let ((manifest, kept), (journal, kept_journal)) = (manifest.split(set), journal.split(set));
                BuildRecords { manifest, journal, damage: None, kept, kept_journal }
            }
            Err(damage) => BuildRecords { damage: Some(damage), ..BuildRecords::default() },
        })
    }
}

impl BuildRecords {
    /// True if a build wrote a file with this hash at this path.
    pub(super) fn wrote(&self, path: &ArtifactPath, digest: Digest) -> bool {
        self.manifest.knows(path, digest) || self.journal.knows(path, digest)
    }
}

fn load(path: &Path) -> Result<Vec<u8>, EmitError> {
    fs::read(path).map_err(|error| EmitError::disk("read", path, &error))
}
