//! The manifest: the list of generated files with their hashes, `out/.orchgen-manifest.json`.
//!
//! While a build moves files into place, a second list of the same form (the journal) has the hashes of the new files.
//! After a crash, orchgen recognizes both the old and the new version of a file as generated.

use super::EmitError;
use super::tree::{EntryKind, Tree};
pub(super) use crate::diag::Digest;
use crate::diag::json_problem;
use crate::render::ArtifactPath;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs;
use std::path::Path;

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

/// The manifest and the journal on disk.
#[derive(Default, Debug)]
pub(super) struct BuildRecords {
    /// The files of the last complete build.
    pub(super) manifest: Listing,
    /// The files that an interrupted build may have written.
    pub(super) journal: Listing,
    /// The reason why the manifest is damaged.
    pub(super) damage: Option<String>,
    /// The text of the manifest, if it is a file.
    text: Option<Vec<u8>>,
    was_interrupted: bool,
}

#[derive(Deserialize)]
struct Version {
    format_version: u64,
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow)]
    files: Vec<File<'t>>,
}

#[derive(Deserialize)]
struct File<'t> {
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

/// A list as JSON with one file per line.
pub(super) fn text<'e>(entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>) -> Vec<u8> {
    let mut out = format!("{{\"format_version\":{FORMAT_VERSION},\"files\":[\n").into_bytes();
    let start = out.len();
    for (path, digest, executable) in entries {
        out.extend_from_slice(if out.len() == start { b"{\"path\":" } else { b",\n{\"path\":" });
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut out, path.as_str());
        out.extend_from_slice(b",\"sha256\":\"");
        out.extend_from_slice(digest.to_string().as_bytes());
        out.extend_from_slice(if executable { b"\",\"mode\":\"0755\"}" } else { b"\",\"mode\":\"0644\"}" });
    }
    let end: &[u8] = if out.len() == start { b"]}\n" } else { b"\n]}\n" };
    out.extend_from_slice(end);
    out
}

fn entry(file: File<'_>) -> Result<Entry, String> {
    let digest = Digest::from_hex(&file.sha256).ok_or_else(|| {
        let shown = crate::diag::words::quoted(&file.path);
        format!("the hash of {shown} is not 64 lower-case hexadecimal digits")
    })?;
    let shown = crate::diag::words::quoted(&file.path);
    let path = ArtifactPath::new(file.path).filter(|path| !path.as_str().starts_with(RESERVED_PREFIX));
    let path = path.ok_or_else(|| format!("it lists {shown}, which cannot be a generated file"))?;
    Ok(Entry { path, digest, executable: file.mode == "0755" })
}

impl BuildRecords {
    /// Reads the manifest and the journal, if they exist. An invalid journal is ignored: it could only add generated
    /// files.
    pub(super) fn read(disk: &Tree) -> Result<Self, EmitError> {
        let mut records = Self::default();
        if disk.kind_at(JOURNAL)? == Some(EntryKind::File) {
            records.was_interrupted = true;
            records.journal = Listing::parse(&load(&disk.path_of(JOURNAL))?).unwrap_or_default();
        }
        let parsed = match disk.kind_at(MANIFEST)? {
            None => return Ok(records),
            Some(EntryKind::File) => Listing::parse(records.text.insert(load(&disk.path_of(MANIFEST))?)),
            Some(_) => Err("it is not a file".to_owned()),
        };
        match parsed {
            Ok(manifest) => records.manifest = manifest,
            Err(damage) => (records.damage, records.journal) = (Some(damage), Listing::default()),
        }
        Ok(records)
    }

    /// True if the manifest exists.
    pub(super) fn has_manifest(&self) -> bool {
        self.text.is_some() || self.damage.is_some()
    }

    /// True if the manifest lists exactly these files, and the last build was complete.
    pub(super) fn is_current<'e>(
        &self,
        entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
    ) -> bool {
        !self.was_interrupted && self.text.as_ref().is_some_and(|found| *found == text(entries))
    }

    /// True if a build wrote a file with this hash at this path.
    pub(super) fn wrote(&self, path: &ArtifactPath, digest: Digest) -> bool {
        self.manifest.knows(path, digest) || self.journal.knows(path, digest)
    }
}

fn load(path: &Path) -> Result<Vec<u8>, EmitError> {
    fs::read(path).map_err(|error| EmitError::disk("read", path, &error))
}
