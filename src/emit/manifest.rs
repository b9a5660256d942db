//! The list of the files that are ours, with their hashes: `out/.orchgen-manifest.json`.
//!
//! While a build puts files in their places, a second list of the same form (the journal) holds the hashes of what it is
//! putting there, so that after a crash a file of either state counts as ours.

use super::EmitError;
use super::tree::{Thing, Tree};
pub(super) use crate::diag::Digest;
use crate::render::ArtifactPath;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The name of the manifest in the output folder.
pub const MANIFEST: &str = ".orchgen-manifest.json";
/// The list of what a build is about to put in place; lies there only while it does, or after a crash.
pub(super) const JOURNAL: &str = ".orchgen-manifest.next.json";
/// What names of ours begin with; no artifact's path does.
pub(super) const OURS: &str = ".orchgen-";
const FORMAT_VERSION: u64 = 1;

/// A file of ours.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Entry {
    pub(super) path: ArtifactPath,
    pub(super) digest: Digest,
    pub(super) executable: bool,
}

/// Files of ours by path; in a journal a path may stand several times.
#[derive(Default, Debug)]
pub(super) struct Listing(Vec<Entry>);

/// Manifest and journal as they lie on the disk.
pub(super) struct Records {
    /// Where the manifest lies; it is read when it is asked for, and never while texts are rendered.
    manifest: Option<Result<PathBuf, String>>,
    journal: Option<Vec<u8>>,
}

/// Manifest and journal, understood.
#[derive(Default, Debug)]
pub(super) struct Known {
    /// What the last complete build wrote.
    pub(super) manifest: Listing,
    /// What a build that did not end may have written.
    pub(super) journal: Listing,
    /// Why the manifest cannot be relied on.
    pub(super) damage: Option<String>,
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
    /// The listing of these files.
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }

    /// Its files in byte order of their paths.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether the path is listed.
    pub(super) fn lists(&self, path: &ArtifactPath) -> bool {
        !self.of(path).is_empty()
    }

    /// Whether the path is listed with this hash.
    pub(super) fn knows(&self, path: &ArtifactPath, digest: Digest) -> bool {
        self.of(path).iter().any(|entry| entry.digest == digest)
    }

    fn of(&self, path: &ArtifactPath) -> &[Entry] {
        let start = self.0.partition_point(|entry| entry.path < *path);
        let from = self.0.get(start..).unwrap_or_default();
        from.get(..from.partition_point(|entry| entry.path == *path)).unwrap_or_default()
    }

    /// Reads a list; says what is wrong with a damaged one.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let json = |error: serde_json::Error| format!("it is not a list of files ({error})");
        let version: Version = serde_json::from_slice(text).map_err(json)?;
        if version.format_version != FORMAT_VERSION {
            let found = version.format_version;
            return Err(format!("it is of format {found}, and this orchgen knows format {FORMAT_VERSION}"));
        }
        let document: Document<'_> = serde_json::from_slice(text).map_err(json)?;
        let entries: Result<Vec<Entry>, String> = document.files.into_iter().map(entry).collect();
        entries.map(Self::new)
    }
}

/// Writes a list: JSON, one file a line.
pub(super) fn write<'e>(
    out: &mut impl Write,
    entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    writeln!(out, "{{\"format_version\":{FORMAT_VERSION},\"files\":[")?;
    let mut first = true;
    for (path, digest, executable) in entries {
        out.write_all(if first { b"{\"path\":" } else { b",\n{\"path\":" })?;
        first = false;
        write_string(path.as_str(), &mut out)?;
        out.write_all(b",\"sha256\":\"")?;
        out.write_all(&digest.text())?;
        out.write_all(if executable { b"\",\"mode\":\"0755\"}" } else { b"\",\"mode\":\"0644\"}" })?;
    }
    out.write_all(if first { b"]}\n" } else { b"\n]}\n" })?;
    out.flush()
}

/// A path holds no quote or control character in all but hostile registries; those are escaped the slow way.
fn write_string(text: &str, out: &mut impl Write) -> io::Result<()> {
    if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        return write!(out, "{}", serde_json::Value::from(text));
    }
    out.write_all(b"\"")?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\"")
}

/// Takes what is written for a comparison with what is read; writing anything else fails.
struct Same<R> {
    read: R,
    held: Vec<u8>,
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.held.resize(text.len(), 0);
        self.read.read_exact(&mut self.held)?;
        if self.held == text { Ok(text.len()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn entry(file: File<'_>) -> Result<Entry, String> {
    let digest = Digest::read(&file.sha256).ok_or_else(|| {
        let shown = crate::diag::words::quoted(&file.path);
        format!("the hash of {shown} is not 64 lower-case hexadecimal digits")
    })?;
    let shown = crate::diag::words::quoted(&file.path);
    let path = ArtifactPath::new(file.path).filter(|path| !path.as_str().starts_with(OURS));
    let path = path.ok_or_else(|| format!("it lists {shown}, which cannot be a file that a build made"))?;
    Ok(Entry { path, digest, executable: file.mode == "0755" })
}

impl Records {
    /// Finds manifest and journal, as far as they are there.
    pub(super) fn find(disk: &Tree) -> Result<Self, EmitError> {
        let manifest = match disk.thing(MANIFEST) {
            None => None,
            Some(Thing::File) => Some(Ok(disk.place(MANIFEST))),
            Some(_) => Some(Err("it is not a file".to_owned())),
        };
        let journal = disk.thing(JOURNAL).filter(|thing| *thing == Thing::File);
        let journal = journal.map(|_| load(&disk.place(JOURNAL))).transpose()?;
        Ok(Self { manifest, journal })
    }

    /// Whether the manifest is there.
    pub(super) fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// Whether the manifest lists exactly these files, and the last build ended.
    pub(super) fn report<'e>(
        &self,
        entries: impl Iterator<Item = (&'e ArtifactPath, Digest, bool)>,
    ) -> Result<bool, EmitError> {
        let (None, Some(Ok(path))) = (&self.journal, &self.manifest) else { return Ok(false) };
        let failed = |error: io::Error| EmitError::disk("read", path, &error);
        let mut same = Same { read: BufReader::new(fs::File::open(path).map_err(failed)?), held: Vec::new() };
        match write(&mut same, entries).and_then(|()| same.read.read(&mut [0])) {
            Ok(more) => Ok(more == 0),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Understands them. A journal that cannot be read is as good as none: it could only have made more files ours.
    pub(super) fn parse(self) -> Result<Known, EmitError> {
        let journal = self.journal.and_then(|text| Listing::parse(&text).ok()).unwrap_or_default();
        Ok(match self.manifest {
            None => Known { journal, ..Known::default() },
            Some(Err(damage)) => Known { damage: Some(damage), ..Known::default() },
            Some(Ok(path)) => match Listing::parse(&load(&path)?) {
                Ok(manifest) => Known { manifest, journal, damage: None },
                Err(damage) => Known { damage: Some(damage), ..Known::default() },
            },
        })
    }
}

fn load(path: &Path) -> Result<Vec<u8>, EmitError> {
    fs::read(path).map_err(|error| EmitError::disk("read", path, &error))
}

impl Known {
    /// Whether a file with this hash at this path is as some build of ours left it.
    pub(super) fn wrote(&self, path: &ArtifactPath, digest: Digest) -> bool {
        self.manifest.knows(path, digest) || self.journal.knows(path, digest)
    }
}
