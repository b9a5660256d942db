//! The generations of a stack on a host, and the journal of a run.
//!
//! ```text
//! generations/N/out/…             the installed files of generation N, with deploy.json
//! generations/N/generation.json   its host and time
//! current                         the number of the current generation
//! pending/…                       the generation that a run installs: it gets its number at the end
//! journal                         exists while a run changes the host: one line for each step
//! replaced/TIME/…                 edited files that `--force` replaced
//! lock                            locked by the run that changes the host
//! ```
//!
//! Each file and folder appears complete: it is written under another name, and renamed. The journal is only a report: its existence
//! alone means that a run did not end, so that a damaged journal cannot lead to a wrong repair.

use super::tree::read_file;
use super::{DeployError, Tree, TreeFile};
use crate::render::deployment::DeployedHost;
use crate::source::DigestBuilder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The number of generations that are kept.
const KEPT: usize = 20;

/// The most bytes of a file of this folder that is read.
const MAX_FILE: usize = 64 << 20;

/// The folder of the generations and of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    folder: PathBuf,
}

/// A generation.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Generation {
    /// Its number, from 1.
    pub number: u32,
    /// The name of its host.
    pub host: String,
    /// Seconds since 1970 at its creation.
    pub created: u64,
    /// The generation that it replaced.
    #[serde(default)]
    pub previous: Option<u32>,
    /// The digest of its files.
    #[serde(default)]
    pub digest: String,
    /// True if it is the current one.
    #[serde(default)]
    pub is_current: bool,
}

/// An unfinished run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Journal {
    /// The last complete line. Empty if the run ended before the first one.
    pub last: String,
}

const CURRENT: &str = "current";
const JOURNAL: &str = "journal";
const GENERATIONS: &str = "generations";
const PENDING: &str = "pending";
const REPLACED: &str = "replaced";
const DESCRIPTION: &str = "generation.json";

impl State {
    /// The state in a folder, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn generation(&self, number: u32) -> PathBuf {
        self.path(GENERATIONS).join(number.to_string())
    }

    /// Creates the folder, and locks it for a run. Calls `waiting` if another run has the lock.
    pub fn lock(&self, waiting: &dyn Fn()) -> Result<File, DeployError> {
        create_folder(&self.path(GENERATIONS))?;
        let path = self.path("lock");
        let failed = |error: std::io::Error| DeployError::disk("lock", &path, &error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o644)
            .open(&path)
            .map_err(failed)?;
        if file.try_lock().is_err() {
            waiting();
            file.lock().map_err(failed)?;
        }
        Ok(file)
    }

    /// The number of the current generation. `None` before the first installation.
    pub fn current(&self) -> Result<Option<u32>, DeployError> {
        let Some(text) = read_text(&self.path(CURRENT))? else { return Ok(None) };
        let number = text.trim().parse().map_err(|_| {
            DeployError::new(format!(
                "{} has no number: write that of a generation",
                self.path(CURRENT).display()
            ))
        })?;
        Ok(Some(number))
    }

    /// All generations, the oldest first.
    pub fn generations(&self) -> Result<Vec<Generation>, DeployError> {
        let current = self.current()?;
        let mut all = Vec::new();
        for number in self.numbers()? {
            let Some(text) = read_text(&self.generation(number).join(DESCRIPTION))? else { continue };
            if let Ok(found) = serde_json::from_str::<Generation>(&text) {
                all.push(Generation { number, is_current: current == Some(number), ..found });
            }
        }
        Ok(all)
    }

    /// The numbers of all generations, ascending.
    fn numbers(&self) -> Result<Vec<u32>, DeployError> {
        let folder = self.path(GENERATIONS);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            found => found.map_err(|error| DeployError::disk("read the folder", &folder, &error))?,
        };
        let mut numbers: Vec<u32> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The files of a generation.
    pub fn tree(&self, number: u32) -> Result<Tree, DeployError> {
        let damaged = |why: &str| DeployError::new(format!("generation {number} is damaged: {why}"));
        let text = read_text(&self.generation(number).join(DESCRIPTION))?;
        let text = text.ok_or_else(|| damaged("it has no description"))?;
        let generation: Generation = serde_json::from_str(&text)
            .map_err(|error| damaged(&format!("its description is not valid: {error}")))?;
        let folder = self.generation(number).join("out");
        let files = Tree::read_files(&folder).map_err(|error| damaged(&error.to_string()))?.files;
        if digest(&files) != generation.digest {
            return Err(damaged("its files changed"));
        }
        Tree::new(files, &format!("generation {number}"))
    }

    /// Writes the pending generation, and returns its future number.
    pub(super) fn stage(&self, tree: &Tree, host: &DeployedHost, created: u64) -> Result<u32, DeployError> {
        let number = self.numbers()?.last().map_or(1, |last| last + 1);
        let staged = self.path(".pending");
        create_folder(&self.path(GENERATIONS))?;
        remove_folder(&staged)?;
        let files = tree.installed_part(host).files;
        files.iter().try_for_each(|(path, file)| write_new(&staged.join("out").join(path), &file.bytes))?;
        let (host, previous, digest) = (host.name.clone(), self.current()?, digest(&files));
        let generation = Generation { number, host, created, previous, digest, is_current: false };
        let text = serde_json::to_vec(&generation).map_err(|error| DeployError::new(error.to_string()))?;
        write_new(&staged.join(DESCRIPTION), &text)?;
        remove_folder(&self.path(PENDING))?;
        rename(&staged, &self.path(PENDING))?;
        Ok(number)
    }

    /// Saves edited files that a run replaces or removes. Returns their folder.
    pub(super) fn save(&self, files: &BTreeMap<String, TreeFile>, time: u64) -> Result<PathBuf, DeployError> {
        let folder = self.path(REPLACED);
        let mut times = (time..).map(|time| folder.join(time.to_string()));
        let folder = times.find(|folder| !folder.exists()).unwrap_or(folder);
        files.iter().try_for_each(|(key, file)| write_new(&folder.join(key), &file.bytes))?;
        Ok(folder)
    }

    /// The files of a generation that a run was installing, with the name of its host. `None` if there are none.
    pub(super) fn pending(&self) -> Option<(Tree, String)> {
        let folder = self.path(PENDING);
        let text = read_text(&folder.join(DESCRIPTION)).ok()??;
        let generation: Generation = serde_json::from_str(&text).ok()?;
        Some((Tree::read(&folder.join("out")).ok()?, generation.host))
    }

    /// Adds a line to the journal.
    pub(super) fn record(&self, line: &str) -> Result<(), DeployError> {
        let path = self.path(JOURNAL);
        let failed = |error: std::io::Error| DeployError::disk("write", &path, &error);
        let mut file =
            OpenOptions::new().create(true).append(true).mode(0o644).open(&path).map_err(failed)?;
        file.write_all(format!("{}\n", line.replace('\n', " ")).as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        sync_folder(&self.folder)
    }

    /// The journal of a run that did not end. `None` if the last run ended.
    pub fn journal(&self) -> Result<Option<Journal>, DeployError> {
        let text = read_text(&self.path(JOURNAL))?;
        let last = |text: String| {
            let complete = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
            complete.rsplit('\n').next().unwrap_or_default().to_owned()
        };
        Ok(text.map(|text| Journal { last: last(text) }))
    }

    /// Makes a generation the current one, and ends the run. It is the pending one, unless it exists.
    pub(super) fn commit(&self, number: u32) -> Result<(), DeployError> {
        if !self.generation(number).exists() {
            rename(&self.path(PENDING), &self.generation(number))?;
        }
        replace(&self.path(CURRENT), format!("{number}\n").as_bytes())?;
        self.end()?;
        let numbers = self.numbers()?;
        let old = numbers.len().saturating_sub(KEPT);
        numbers
            .iter()
            .take(old)
            .filter(|one| **one != number)
            .try_for_each(|one| remove_folder(&self.generation(*one)))
    }

    /// Ends the run: removes the journal, then what only an unfinished run needs.
    pub(super) fn end(&self) -> Result<(), DeployError> {
        remove_file(&self.path(JOURNAL))?;
        sync_folder(&self.folder)?;
        remove_folder(&self.path(PENDING))
    }
}

/// The digest of files with their paths.
pub fn digest(files: &BTreeMap<String, TreeFile>) -> String {
    let mut builder = DigestBuilder::default();
    for (path, file) in files {
        let size = file.bytes.len();
        builder.add(format!("{path}\n{size}\n").as_bytes());
        builder.add(&file.bytes);
    }
    builder.finish().to_string()
}

/// The text of a file. `None` if there is none.
fn read_text(path: &Path) -> Result<Option<String>, DeployError> {
    match read_file(path, MAX_FILE) {
        Ok(file) => Ok(Some(String::from_utf8_lossy(&file.bytes).into_owned())),
        Err(error) => {
            if path.exists() {
                Err(error)
            } else {
                Ok(None)
            }
        }
    }
}

/// Creates a folder with those above it. Services of other users read them, so the umask has no effect.
pub(super) fn create_folder(folder: &Path) -> Result<(), DeployError> {
    if folder.is_dir() || folder.as_os_str().is_empty() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), create_folder)?;
    let created = match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
    };
    created.map_err(|error| DeployError::disk("create the folder", folder, &error))
}

fn remove_folder(folder: &Path) -> Result<(), DeployError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DeployError::disk("remove", folder, &error)),
        _ => Ok(()),
    }
}

pub(super) fn remove_file(path: &Path) -> Result<(), DeployError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DeployError::disk("remove", path, &error)),
        _ => Ok(()),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DeployError> {
    fs::rename(from, to).map_err(|error| DeployError::disk("write", to, &error))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Writes a new file with its folders, to the disk.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), DeployError> {
    path.parent().map_or(Ok(()), create_folder)?;
    let failed = |error: std::io::Error| DeployError::disk("write", path, &error);
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o644).open(path).map_err(failed)?;
    file.set_permissions(Permissions::from_mode(0o644)).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Replaces a file at once.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), DeployError> {
    let staged = path.with_extension("new");
    write_new(&staged, bytes)?;
    rename(&staged, path)
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), DeployError> {
    let synced = File::open(folder).and_then(|file| file.sync_all());
    synced.map_err(|error| DeployError::disk("write", folder, &error))
}
