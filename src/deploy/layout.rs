//! Where the files of a stack are on a host.

use super::{DeployError, Tree, TreeFile};
use crate::render::deployment::{DeployedHost, DeployedProcess, Deployment};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folders of a stack on a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The folder of systemd units.
    pub units: PathBuf,
    /// The folder of container units.
    pub containers: PathBuf,
    /// The folder of the files that configure gateways.
    pub configuration: PathBuf,
    /// The folder of generations and of the journal.
    pub state: PathBuf,
    /// True for the service manager of a user.
    pub is_user: bool,
}

/// The folders of the user who runs the services: `XDG_CONFIG_HOME` and `XDG_STATE_HOME`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserFolders {
    /// Usually `~/.config`.
    pub config: PathBuf,
    /// Usually `~/.local/state`.
    pub state: PathBuf,
}

const UNITS: &str = "units/";
const CONTAINERS: &str = "containers/";
/// The start of the keys of files that configure gateways.
pub(super) const CONFIGURATION: &str = "configuration/";

impl Layout {
    /// The folders of a stack below a root folder. `user` has the folders of the user for units of a user.
    pub fn new(root: &Path, user: Option<&UserFolders>, stack: &str) -> Self {
        let is_user = user.is_some();
        let (config, state, units) = match user {
            Some(folders) => (folders.config.clone(), folders.state.clone(), "systemd/user"),
            None => (root.join("etc"), root.join("var/lib"), "systemd/system"),
        };
        Self {
            units: config.join(units),
            containers: config.join("containers/systemd"),
            configuration: config.join("orchgen").join(stack),
            state: state.join("orchgen").join(stack),
            is_user,
        }
    }

    /// The place of a file of [`installable`].
    pub fn path(&self, key: &str) -> PathBuf {
        let (folder, name) = match key.split_once('/').unwrap_or_default() {
            ("containers", name) => (&self.containers, name),
            ("configuration", name) => (&self.configuration, name),
            (_, name) => (&self.units, name),
        };
        folder.join(name)
    }
}

/// True if units of a user run the stack.
pub fn is_of_user(deployment: &Deployment) -> bool {
    deployment.scope == "user"
}

/// The files of a host that are installed, by key: `units/NAME`, `containers/NAME` or `configuration/NAME`.
pub fn installable<'t>(tree: &'t Tree, host: &DeployedHost) -> BTreeMap<String, &'t TreeFile> {
    let mut all = BTreeMap::new();
    for (folder, kind) in [(&host.units, UNITS), (&host.containers, CONTAINERS)] {
        let Some(folder) = folder else { continue };
        let below = format!("{folder}/");
        let files = tree.files.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
        let direct = files.filter_map(|(path, file)| Some((path.strip_prefix(&below)?, file)));
        all.extend(
            direct
                .filter(|(name, _)| !name.contains('/'))
                .map(|(name, file)| (format!("{kind}{name}"), file)),
        );
    }
    let processes = host.roles.iter().flat_map(|role| &role.processes);
    for path in processes.flat_map(|process| &process.configuration) {
        all.extend(tree.files.get(path).map(|file| (configuration_key(path), file)));
    }
    all
}

/// The key of a file that configures a gateway.
pub(super) fn configuration_key(path: &str) -> String {
    format!("{CONFIGURATION}{}", path.rsplit('/').next().unwrap_or_default())
}

/// The unit that a file defines. `None` for a file that configures a gateway.
pub(super) fn unit_of(key: &str) -> Option<String> {
    let container = || Some(format!("{}.service", key.strip_prefix(CONTAINERS)?.strip_suffix(".container")?));
    key.strip_prefix(UNITS).map(str::to_owned).or_else(container)
}

/// The key of the file that defines a unit: its own file, or that of its container.
pub(super) fn unit_key(unit: &str, process: &DeployedProcess) -> String {
    match unit.strip_suffix(".service").filter(|_| process.container) {
        Some(name) => format!("{CONTAINERS}{name}.container"),
        None => format!("{UNITS}{unit}"),
    }
}

/// The name of this machine. `None` if it cannot be read.
pub fn machine_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// True if sockets can be bound to addresses of other machines (`ip_nonlocal_bind`, usual for virtual addresses that move).
pub fn binds_foreign_addresses() -> bool {
    let is_on = |family| {
        let text = fs::read_to_string(format!("/proc/sys/net/{family}/ip_nonlocal_bind"));
        text.is_ok_and(|text| text.trim() != "0")
    };
    is_on("ipv4") || is_on("ipv6")
}

/// True if this process has the rights of root.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The names of the stacks with a state in a folder, in byte order.
pub fn stacks(folder: &Path) -> Result<Vec<String>, DeployError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(|error| DeployError::disk("read the folder", folder, &error))?,
    };
    let has_state =
        |entry: &fs::DirEntry| ["current", "journal"].iter().any(|name| entry.path().join(name).is_file());
    let mut names: Vec<String> = entries
        .flatten()
        .filter(has_state)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}
