//! Reads a registry folder. Only this module and `facts/gguf.rs` read files of the user.

use super::encoding::Encoding;
use super::{FileId, SourceMap};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The maximum size of a registry file in bytes: 64 MiB, about 250 000 roles.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// The name of the lock in a registry folder: the facts of all model files.
pub const LOCK: &str = "registry.lock";

/// The files of a registry folder, and the reasons why some of them are not valid text.
#[derive(Default, Debug)]
pub struct Loaded {
    /// The registry files in byte order of their names, then the lock.
    pub map: SourceMap,
    /// Files that are not valid text. Their text in the map is empty or repaired.
    pub flaws: Vec<Flaw>,
    /// The engine profiles in the folder: each `*.json` file by its name, with its text or the reason why it cannot be
    /// read.
    pub profiles: Vec<(String, Result<String, String>)>,
}

/// The reason why a file that could be opened is not valid text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The file is not UTF-8. The text in the map has U+FFFD in place of invalid bytes.
    NotUtf8 {
        /// The file.
        file: FileId,
        /// The offset of the first invalid byte.
        at: usize,
        /// The encoding that the file probably has.
        encoding: Encoding,
    },
    /// The file is larger than [`MAX_FILE_BYTES`].
    TooLarge {
        /// The file.
        file: FileId,
        /// Its size in bytes.
        bytes: u64,
    },
}

impl Loaded {
    /// A copy with new texts for some files.
    #[must_use]
    pub fn with_texts(&self, mut texts: BTreeMap<FileId, String>) -> Self {
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

/// A folder or file that cannot be read at all. orchgen then exits with code 2.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    problem: String,
    is_missing: bool,
    other: Option<String>,
}

impl LoadError {
    fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into(), is_missing: false, other: None }
    }

    fn io(path: &Path, error: &std::io::Error) -> Self {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        Self { is_missing, ..Self::new(path, describe(error)) }
    }

    /// A file of another format in a folder that has no registry files.
    pub fn other_file(&self) -> Option<&str> {
        self.other.as_deref()
    }

    /// True if the path does not exist, or if a folder has no registry files.
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

/// Reads every `*.yaml`, `*.yml` and `*.kdl` file of a folder in byte order of their names, then the [`LOCK`] if it
/// exists, and the `*.json` files. Hidden files are ignored.
pub fn load(folder: &Path) -> Result<Loaded, LoadError> {
    load_names(folder, registry_files(folder)?, None)
}

/// The names of the registry files of a folder, in byte order. An error if there are none.
pub fn registry_files(folder: &Path) -> Result<Vec<String>, LoadError> {
    let names = files(folder, REGISTRY_EXTENSIONS)?;
    if names.is_empty() {
        let other = files(folder, OTHER_EXTENSIONS)?.into_iter().next();
        let problem = match &other {
            Some(name) => format!("no *.yaml, *.yml or *.kdl file in this folder, only `{name}`"),
            None => "no *.yaml, *.yml or *.kdl file in this folder".to_owned(),
        };
        return Err(LoadError { is_missing: true, other, ..LoadError::new(folder, problem) });
    }
    Ok(names)
}

/// Like [`load`], with other bytes for the file of a name, which need not exist.
pub fn load_with(folder: &Path, name: &str, bytes: Vec<u8>) -> Result<Loaded, LoadError> {
    let mut names = files(folder, REGISTRY_EXTENSIONS)?;
    if let Err(at) = names.binary_search_by(|known| known.as_str().cmp(name)) {
        names.insert(at, name.to_owned());
    }
    load_names(folder, names, Some((name, bytes)))
}

/// Reads some files of registries, in this order, without the other files of their folders.
pub fn load_files(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    for path in paths {
        loaded.add(shown(path), read(path)?);
    }
    Ok(loaded)
}

/// A registry of one text, which is in no file.
pub fn load_text(name: &str, bytes: Vec<u8>) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add(name.to_owned(), FileBytes::Read(bytes));
    loaded
}

/// True if the file name ending is that of a registry file.
pub fn is_registry_name(path: &Path) -> bool {
    has_extension(path, REGISTRY_EXTENSIONS)
}

/// Reads the files of these names. One of them can have other bytes than its file.
fn load_names(
    folder: &Path,
    names: Vec<String>,
    mut replaced: Option<(&str, Vec<u8>)>,
) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    for name in names {
        let path = folder.join(&name);
        let bytes = match replaced.take_if(|(other, _)| *other == name) {
            Some((_, bytes)) => FileBytes::Read(bytes),
            None => read(&path)?,
        };
        loaded.add(shown(&path), bytes);
    }
    let lock = folder.join(LOCK);
    if lock.symlink_metadata().is_ok() {
        let bytes = read(&lock)?;
        loaded.add(shown(&lock), bytes);
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

/// Reads a text file that does not belong to a registry. The maximum size is [`MAX_FILE_BYTES`].
pub fn text(path: &Path) -> Result<String, LoadError> {
    let failed = |error: std::io::Error| LoadError::io(path, &error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(LoadError::new(path, "not a file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        let problem = format!("the file has {} bytes, the limit is 64 MiB", metadata.len());
        return Err(LoadError::new(path, problem));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| LoadError::new(path, "the file is not UTF-8"))
}

/// The names of the files and folders in a folder, sorted. Empty if the folder cannot be read. Names that are not UTF-8 are left out.
pub fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// The path of a program in the first of several folders that has it. `path` is the text of the variable `PATH`.
pub fn find_program(name: &str, path: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let is_program = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    let folders = path.split(':').filter(|folder| folder.starts_with('/'));
    let found = folders.map(|folder| Path::new(folder).join(name)).find(is_program)?;
    found.into_os_string().into_string().ok()
}

/// The llama.cpp programs in a folder: executable files named `llama-*` without a file extension, in byte order of
/// their names.
pub fn programs(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: std::io::Error| LoadError::io(folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_program = name.starts_with("llama-")
            && !name.contains('.')
            && std::fs::metadata(&path)
                .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
        if is_program {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The maximum size of a library or a program in bytes.
const MAX_LIBRARY_BYTES: u64 = 512 << 20;

/// The bytes of the libraries of a program: for each name the first `NAME.so*` in the folder of the program, in `../lib`
/// and in its folders for architectures, such as `x86_64-linux-gnu`. A program without libraries is read itself. Files
/// that cannot be read are left out.
pub fn libraries(program: &Path, names: &[&str]) -> Vec<Vec<u8>> {
    let program = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let Some(folder) = program.parent() else { return Vec::new() };
    let general = folder.join("../lib");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let found = std::fs::read_dir(folder).into_iter().flatten();
        let mut found: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
        found.sort_unstable();
        found
    };
    let name_of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let of_architecture = entries(&general).into_iter().filter(|path| name_of(path).contains("-linux-"));
    let folders: Vec<PathBuf> = [folder.to_owned(), general].into_iter().chain(of_architecture).collect();
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| entries(folder)).collect();
    let library = |name: &&str| {
        let start = format!("{name}.so");
        files.iter().find(|path| name_of(path).starts_with(&start)).cloned()
    };
    let mut found: Vec<PathBuf> = names.iter().filter_map(library).collect();
    if found.is_empty() {
        found.push(program);
    }
    let read = |path: &PathBuf| {
        let about = std::fs::metadata(path).ok()?;
        (about.is_file() && about.len() <= MAX_LIBRARY_BYTES).then(|| std::fs::read(path).ok())?
    };
    found.iter().filter_map(read).collect()
}

/// True if a folder contains registry files, valid or not.
pub fn is_registry(folder: &Path) -> bool {
    files(folder, REGISTRY_EXTENSIONS).is_ok_and(|names| !names.is_empty())
}

/// The file extensions of registry files.
pub(super) const REGISTRY_EXTENSIONS: &[&str] = &["yaml", "yml", "kdl"];

/// The file extensions of other formats, which may have been meant as a registry.
const OTHER_EXTENSIONS: &[&str] = &["json", "json5", "jsonc", "toml", "ini", "conf", "cfg", "txt"];

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let found = path.extension();
    found.is_some_and(|found| extensions.iter().any(|extension| found.eq_ignore_ascii_case(extension)))
}

/// The files of a folder with one of these extensions, in byte order of their names. Hidden files are ignored.
pub(super) fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<String>, LoadError> {
    let failed = |error: std::io::Error| LoadError::io(folder, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if has_extension(Path::new(&name), extensions) && !name.as_encoded_bytes().starts_with(b".") {
            let not_utf8 = |name: OsString| LoadError::new(&folder.join(name), "the name is not UTF-8");
            names.push(name.into_string().map_err(not_utf8)?);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The content of a file.
enum FileBytes {
    Read(Vec<u8>),
    /// The number of bytes of a file above the limit.
    TooLarge(u64),
}

fn read(path: &Path) -> Result<FileBytes, LoadError> {
    let failed = |error: std::io::Error| LoadError::io(path, &error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(LoadError::new(path, "not a file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Ok(FileBytes::TooLarge(metadata.len()));
    }
    std::fs::read(path).map(FileBytes::Read).map_err(failed)
}

/// The displayed name of a file.
fn shown(path: &Path) -> String {
    let shown = path.to_string_lossy();
    let shown = if cfg!(windows) { shown.replace('\\', "/") } else { shown.into_owned() };
    shown.strip_prefix("./").unwrap_or(&shown).to_owned()
}

impl Loaded {
    /// Adds a file, and the reason if it is not valid text.
    fn add(&mut self, name: String, bytes: FileBytes) {
        let bytes = match bytes {
            FileBytes::Read(bytes) => bytes,
            FileBytes::TooLarge(bytes) => {
                let file = self.map.add(name, "");
                return self.flaws.push(Flaw::TooLarge { file, bytes });
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => match Encoding::guess(text.as_bytes()) {
                // ASCII in UTF-16 without a mark at the start is also valid UTF-8.
                encoding @ Encoding::Text("UTF-16LE" | "UTF-16BE") => {
                    let file = self.map.add(name, "");
                    self.flaws.push(Flaw::NotUtf8 { file, at: 0, encoding });
                }
                Encoding::Text(_) | Encoding::Gguf | Encoding::Binary => {
                    self.map.add(name, text);
                }
            },
            Err(error) => {
                // NUL bytes mean another encoding, such as UTF-16, or no text at all. Then no part of the file is usable.
                let is_text = !error.as_bytes().contains(&0);
                let at = if is_text { error.utf8_error().valid_up_to() } else { 0 };
                let text =
                    if is_text { String::from_utf8_lossy(error.as_bytes()) } else { Cow::Borrowed("") };
                let file = self.map.add(name, text);
                let encoding = Encoding::guess(error.as_bytes());
                self.flaws.push(Flaw::NotUtf8 { file, at, encoding });
            }
        }
    }
}

fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let known = [
        (ErrorKind::NotFound, "no such file or folder"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::NotADirectory, "not a folder"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.to_string(), |(_, text)| (*text).to_owned())
}
