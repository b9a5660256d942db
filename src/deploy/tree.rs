//! A set of output files with their description: what a build would write, a folder, a revision of git, or a generation.

use super::DeployError;
use crate::render::deployment::{DeployedHost, DeployedProcess, Deployment, FORMAT_VERSION, PATH};
use crate::render::{ArtifactSet, RenderError};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The limits of a folder: files, and bytes of all files together.
const MAX_FILES: usize = 200_000;
const MAX_BYTES: usize = 1 << 30;

/// The most folders inside of each other.
const MAX_DEPTH: usize = 16;

/// One file of the output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// True if it is executable.
    pub executable: bool,
}

/// A set of output files.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tree {
    /// The files by their path below the output folder.
    pub files: BTreeMap<String, TreeFile>,
    /// Their description.
    pub deployment: Deployment,
}

impl Tree {
    /// Files with their description. `name` is the place of the files for messages.
    pub fn new(files: BTreeMap<String, TreeFile>, name: &str) -> Result<Self, DeployError> {
        let Some(file) = files.get(PATH) else {
            return Err(DeployError::new(format!(
                "{name} has no `{PATH}`: its stack has no units, or an older version of orchgen wrote it; add `systemd` or `quadlet` to the `targets` of the stack if it declares any, and run `orchgen build`"
            )));
        };
        let deployment: Deployment = serde_json::from_slice(&file.bytes).map_err(|error| {
            DeployError::new(format!(
                "`{PATH}` of {name} is damaged: {error}; `orchgen build --force` writes it again"
            ))
        })?;
        if deployment.format_version != FORMAT_VERSION {
            let found = deployment.format_version;
            return Err(DeployError::new(format!(
                "`{PATH}` of {name} has format {found}, and this version of orchgen reads format {FORMAT_VERSION}: use the version of orchgen that wrote it"
            )));
        }
        let tree = Self { files, deployment };
        let bad = tree.names().find(|unit| !is_file_name(unit)).map(str::to_owned);
        match bad {
            Some(unit) => Err(DeployError::new(format!("`{PATH}` of {name} has the bad name {unit:?}"))),
            None => Ok(tree),
        }
    }

    /// A stack without hosts: what a host has before the first installation.
    pub fn empty(deployment: &Deployment) -> Self {
        let (stack, scope) = (deployment.stack.clone(), deployment.scope.clone());
        let deployment = Deployment { stack, scope, format_version: FORMAT_VERSION, hosts: Vec::new() };
        Self { files: BTreeMap::new(), deployment }
    }

    /// The files that a build would write. Without units, their description has no hosts.
    pub fn of_artifacts(set: &ArtifactSet<'_>) -> Result<Self, RenderError> {
        let mut files = BTreeMap::new();
        for artifact in set.iter() {
            let bytes = artifact.text()?.into_bytes();
            let executable = artifact.is_executable();
            files.insert(artifact.path().to_string(), TreeFile { bytes, executable });
        }
        if !files.contains_key(PATH) {
            return Ok(Self { files, deployment: Deployment::default() });
        }
        Self::new(files, "the build").map_err(|error| RenderError::new(PATH, &error.to_string()))
    }

    /// The files of a folder. Hidden files and symlinks are left out.
    pub fn read(folder: &Path) -> Result<Self, DeployError> {
        Self::new(Self::read_files(folder)?.files, &format!("`{}`", folder.display()))
    }

    /// True if a folder has a description, which may be damaged.
    pub fn is_described_in(folder: &Path) -> bool {
        folder.join(PATH).exists()
    }

    /// The files of a folder, without their description.
    pub fn read_files(folder: &Path) -> Result<Self, DeployError> {
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        read_folder(folder, "", &mut (&mut files, &mut bytes), MAX_DEPTH)?;
        Ok(Self { files, deployment: Deployment::default() })
    }

    /// The host with a name, or the only one.
    pub fn host(&self, name: Option<&str>) -> Option<&DeployedHost> {
        match (name, &*self.deployment.hosts) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(name), hosts) => hosts.iter().find(|host| host.name == name),
        }
    }

    /// The part of the files that is installed on a host, with the description.
    #[must_use]
    pub fn installed_part(&self, host: &DeployedHost) -> Self {
        let folders: Vec<String> = [&host.units, &host.containers]
            .into_iter()
            .flatten()
            .map(|folder| format!("{folder}/"))
            .collect();
        let processes = host.roles.iter().flat_map(|role| &role.processes);
        let configuration: Vec<&String> = processes.flat_map(|process| &process.configuration).collect();
        let is_part = |path: &String| {
            path == PATH
                || configuration.contains(&path)
                || folders.iter().any(|folder| path.starts_with(folder))
        };
        let files = self.files.iter().filter(|(path, _)| is_part(path));
        let files = files.map(|(path, file)| (path.clone(), file.clone())).collect();
        Self { files, deployment: self.deployment.clone() }
    }

    /// The names of the description that become names of files.
    fn names(&self) -> impl Iterator<Item = &str> {
        let hosts = &self.deployment.hosts;
        let processes = hosts.iter().flat_map(|host| &host.roles).flat_map(|role| &role.processes);
        let units = processes.flat_map(DeployedProcess::units);
        let targets = hosts.iter().filter_map(|host| host.target.as_deref());
        units.chain(targets).chain([&*self.deployment.stack])
    }
}

/// True if a name is the name of a file and no option of a program.
fn is_file_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '\\');
    !name.is_empty() && !name.starts_with(['-', '.']) && name.len() <= 255 && name.chars().all(is_plain)
}

/// The files that are found, and their bytes.
type Found<'f> = (&'f mut BTreeMap<String, TreeFile>, &'f mut usize);

fn read_folder(folder: &Path, prefix: &str, found: &mut Found<'_>, depth: usize) -> Result<(), DeployError> {
    let failed = |error: std::io::Error| DeployError::disk("read the folder", folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if kind.is_dir() && depth > 0 {
            read_folder(&path, &format!("{prefix}{name}/"), found, depth - 1)?;
        } else if kind.is_file() {
            let file = read_file(&path, MAX_BYTES - *found.1)?;
            *found.1 += file.bytes.len();
            found.0.insert(format!("{prefix}{name}"), file);
            if found.0.len() > MAX_FILES || *found.1 >= MAX_BYTES {
                return Err(DeployError::new(format!(
                    "{} is too large for an output folder",
                    folder.display()
                )));
            }
        }
    }
    Ok(())
}

/// Reads a file with its mode, at most `limit` bytes of it.
pub(super) fn read_file(path: &Path, limit: usize) -> Result<TreeFile, DeployError> {
    let failed = |error: std::io::Error| DeployError::disk("read", path, &error);
    let file = File::open(path).map_err(failed)?;
    let executable = file.metadata().map_err(failed)?.permissions().mode() & 0o100 != 0;
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(TreeFile { bytes, executable })
}
