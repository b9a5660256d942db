//! Reads a registry folder. With `facts/gguf.rs` the only reader of the user's files.

use super::{FileId, SourceMap};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The largest registry file that is read, in bytes: 64 MiB, about 250 000 roles.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// The file of a registry folder that says what the model files say of themselves.
pub const LOCK: &str = "registry.lock";

/// The files of a registry folder, and what keeps some of them from being read as text.
#[derive(Default, Debug)]
pub struct Loaded {
    /// The files, in byte order of their names.
    pub map: SourceMap,
    /// Files that are there but are not text; their text in the map is empty or repaired.
    pub flaws: Vec<Flaw>,
    /// The profiles of engines beside them: every `*.json` file by its name, with its text or why it cannot be read.
    pub profiles: Vec<(String, Result<String, String>)>,
}

/// Why a file that could be opened could not be taken as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The bytes from `at` on are not UTF-8; the map has U+FFFD in their place.
    NotUtf8 {
        /// The file.
        file: FileId,
        /// The first byte that is not UTF-8.
        at: usize,
    },
    /// More than [`MAX_FILE_BYTES`].
    TooLarge {
        /// The file.
        file: FileId,
        /// Its size in bytes.
        bytes: u64,
    },
}

impl Loaded {
    /// The same files with other texts for some of them.
    #[must_use]
    pub fn rewritten(&self, mut texts: BTreeMap<FileId, String>) -> Self {
        let mut map = SourceMap::default();
        for (id, file) in self.map.files() {
            map.add(file.name(), texts.remove(&id).unwrap_or_else(|| file.text().to_owned()));
        }
        Self { map, flaws: self.flaws.clone(), profiles: self.profiles.clone() }
    }
}

impl Flaw {
    /// The file.
    pub fn file(self) -> FileId {
        match self {
            Self::NotUtf8 { file, .. } | Self::TooLarge { file, .. } => file,
        }
    }
}

/// A folder or a file that cannot be read at all: the run cannot begin.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    problem: String,
    is_missing: bool,
}

impl LoadError {
    fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into(), is_missing: false }
    }

    fn disk(path: &Path, error: &std::io::Error) -> Self {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        Self { is_missing, ..Self::new(path, words(error)) }
    }

    /// Whether nothing of that name is there.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read `{}`: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for LoadError {}

/// Reads every `*.yaml`, `*.yml` and `*.kdl` file of a folder, in byte order of their names, then the [`LOCK`] where there is
/// one, and the `*.json` files beside them; hidden files are left out.
pub fn load(folder: &Path) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    let names = files(folder, LANGUAGES)?;
    if names.is_empty() {
        return Err(LoadError::new(folder, "there is no *.yaml, *.yml or *.kdl file in it"));
    }
    for name in names {
        read(folder, &name, &mut loaded)?;
    }
    if folder.join(LOCK).symlink_metadata().is_ok() {
        read(folder, LOCK, &mut loaded)?;
    }
    let profiles = files(folder, &["json"])?.into_iter();
    loaded.profiles = profiles
        .map(|name| {
            let text = text(&folder.join(&name)).map_err(|error| error.problem);
            (name, text)
        })
        .collect();
    Ok(loaded)
}

/// Reads one file that is no part of a registry, whole and as text; [`MAX_FILE_BYTES`] at the most.
pub fn text(path: &Path) -> Result<String, LoadError> {
    let failed = |error: std::io::Error| LoadError::disk(path, &error);
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(LoadError::new(path, "it is not a file"));
    }
    if about.len() > MAX_FILE_BYTES {
        let problem = format!("it has {} bytes, and 64 MiB are read at the most", about.len());
        return Err(LoadError::new(path, problem));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| LoadError::new(path, "it is not UTF-8"))
}

/// The programs of llama.cpp in a folder: executable files named `llama-*` without an ending, in byte order of their names.
pub fn programs(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: std::io::Error| LoadError::disk(folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_program = name.starts_with("llama-")
            && !name.contains('.')
            && std::fs::metadata(&path)
                .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0);
        if is_program {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a folder has files of a registry in it, whatever they say.
pub fn is_registry(folder: &Path) -> bool {
    files(folder, LANGUAGES).is_ok_and(|names| !names.is_empty())
}

/// How the names of registry files end.
const LANGUAGES: &[&str] = &["yaml", "yml", "kdl"];

/// The files of a folder whose names end so, in byte order; hidden ones are left out.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<String>, LoadError> {
    let failed = |error: std::io::Error| LoadError::disk(folder, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let known = Path::new(&name)
            .extension()
            .is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)));
        if known && !name.as_encoded_bytes().starts_with(b".") {
            let not_utf8 = |name: OsString| LoadError::new(&folder.join(name), "its name is not UTF-8");
            names.push(name.into_string().map_err(not_utf8)?);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read(folder: &Path, name: &str, loaded: &mut Loaded) -> Result<(), LoadError> {
    let path = folder.join(name);
    let shown = path.to_string_lossy();
    let shown = if cfg!(windows) { shown.replace('\\', "/") } else { shown.into_owned() };
    let shown = shown.strip_prefix("./").unwrap_or(&shown).to_owned();
    let failed = |error: std::io::Error| LoadError::disk(&path, &error);
    let about = std::fs::metadata(&path).map_err(failed)?;
    if !about.is_file() {
        return Err(LoadError::new(&path, "it is not a file"));
    }
    if about.len() > MAX_FILE_BYTES {
        let file = loaded.map.add(shown, "");
        loaded.flaws.push(Flaw::TooLarge { file, bytes: about.len() });
        return Ok(());
    }
    match String::from_utf8(std::fs::read(&path).map_err(failed)?) {
        Ok(text) => {
            loaded.map.add(shown, text);
        }
        Err(error) => {
            // With NULs it is another encoding throughout, or no text at all, and nothing of it can be read.
            let is_text = !error.as_bytes().contains(&0);
            let at = if is_text { error.utf8_error().valid_up_to() } else { 0 };
            let text = if is_text { String::from_utf8_lossy(error.as_bytes()) } else { Cow::Borrowed("") };
            let file = loaded.map.add(shown, text);
            loaded.flaws.push(Flaw::NotUtf8 { file, at });
        }
    }
    Ok(())
}

fn words(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let known = [
        (ErrorKind::NotFound, "there is no such folder or file"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::NotADirectory, "it is not a folder"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}
