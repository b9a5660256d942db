//! The state of a host before a plan: its installed files and its units.

use super::changes::is_same_file;
use super::layout::{Layout, configuration_key, unit_key};
use super::manager::{Manager, UnitState};
use super::tree::read_file;
use super::{DeployError, Tree, TreeFile, installable};
use crate::render::deployment::{DeployedHost, DeployedProcess};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The most bytes of an installed file that are read. A larger one was not generated.
const MAX_FILE: usize = 64 << 20;

/// The precision of the times of files in microseconds: Linux updates their clock every few milliseconds.
const CLOCK_MICROS: u64 = 20_000;

/// The state of a unit.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UnitSeen {
    /// The state of the service manager.
    pub state: UnitState,
    /// True if its process may have been started before its installed files: an earlier run did not end.
    pub is_stale: bool,
}

/// The state of a host.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact of the host or the run")]
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// The installed files by key.
    pub installed: BTreeMap<String, TreeFile>,
    /// The units by name.
    pub units: BTreeMap<String, UnitSeen>,
    /// True if no service manager was asked.
    pub is_assumed: bool,
    /// True if an earlier run did not end.
    pub is_interrupted: bool,
    /// True to replace edited files even if nothing requires a change of them.
    pub replaces_edits: bool,
    /// True if the service manager must read the files again, because of an earlier run or before the first one.
    pub needs_reload: bool,
}

/// The parts of a host to read: those of the installed and of the wanted output.
pub(super) struct Wanted<'w> {
    /// Keys of all files that may be installed.
    pub(super) keys: BTreeSet<String>,
    /// The processes.
    pub(super) processes: Vec<&'w DeployedProcess>,
    /// The targets of the stack.
    pub(super) targets: BTreeSet<String>,
    /// True if an earlier run did not end.
    pub(super) is_interrupted: bool,
    /// True if there is no generation.
    pub(super) is_first: bool,
}

impl<'w> Wanted<'w> {
    pub(super) fn new(all: &[(&'w Tree, &'w DeployedHost)]) -> Self {
        let keys = all.iter().flat_map(|(tree, host)| installable(tree, host).into_keys()).collect();
        let processes = all.iter().flat_map(|(_, host)| host.roles.iter().flat_map(|role| &role.processes));
        let targets = all.iter().filter_map(|(_, host)| host.target.clone());
        Self {
            keys,
            processes: processes.collect(),
            targets: targets.collect(),
            is_interrupted: false,
            is_first: false,
        }
    }

    /// All units: those of the files, and those of containers.
    fn units(&self) -> BTreeSet<String> {
        let own = self.keys.iter().filter_map(|key| key.strip_prefix("units/")).map(str::to_owned);
        let of_processes = self.processes.iter().flat_map(|process| process.units()).map(str::to_owned);
        own.chain(of_processes).chain(self.targets.iter().cloned()).collect()
    }
}

impl Seen {
    /// The state of a host on which a set of files is installed, all its services run and no role on demand is loaded.
    pub fn assumed(tree: &Tree, host: &DeployedHost) -> Self {
        let installed = installable(tree, host).into_iter().map(|(key, file)| (key, file.clone())).collect();
        let active =
            UnitState { active: "active".to_owned(), load: "loaded".to_owned(), ..UnitState::default() };
        let up = UnitSeen { state: active, is_stale: false };
        let processes = host.roles.iter().flat_map(|role| &role.processes);
        let units = processes.map(|process| (process.entry().to_owned(), up.clone())).collect();
        Self { installed, units, is_assumed: true, ..Self::default() }
    }

    /// A host on which nothing is installed.
    pub fn nothing() -> Self {
        Self { is_assumed: true, ..Self::default() }
    }

    /// Reads the installed files and the states of units.
    pub(super) fn read(
        layout: &Layout,
        manager: Option<&dyn Manager>,
        wanted: &Wanted<'_>,
    ) -> Result<Self, DeployError> {
        let mut installed = BTreeMap::new();
        let mut changed_at = BTreeMap::new();
        for key in &wanted.keys {
            let path = layout.path(key);
            if let Some((file, time)) = installed_file(&path)? {
                installed.insert(key.clone(), file);
                changed_at.insert(key.clone(), time);
            }
        }
        let Some(manager) = manager else {
            return Ok(Self { installed, is_assumed: true, ..Self::default() });
        };
        let states = manager.states(&wanted.units())?;
        let mut units: BTreeMap<String, UnitSeen> =
            states.into_iter().map(|(name, state)| (name, UnitSeen { state, is_stale: false })).collect();
        for (name, unit) in &mut units {
            let new = drop_ins(&layout.units.join(format!("{name}.d")));
            let new = new.into_iter().filter(|path| !unit.state.drop_ins.contains(path)).collect::<Vec<_>>();
            unit.state.drop_ins.extend(new);
        }
        let is_unsure = wanted.is_interrupted || wanted.is_first;
        for unit in units.values_mut().filter(|unit| is_unsure && unit.state.is_up()) {
            unit.is_stale = unit.state.needs_reload;
        }
        for process in wanted.processes.iter().filter(|_| wanted.is_interrupted) {
            for name in process.units() {
                let configuration = process.configuration.iter().filter(|_| name == process.unit);
                let keys = configuration.map(|path| configuration_key(path));
                let keys = keys.chain([unit_key(name, process)]);
                let mut times = keys.filter_map(|key| changed_at.get(&key));
                let Some(unit) = units.get_mut(name).filter(|unit| unit.state.is_up()) else { continue };
                unit.is_stale |= times.any(|time| {
                    unit.state.started_at.is_none_or(|start| start < time.saturating_add(CLOCK_MICROS))
                });
            }
        }
        let needs_reload =
            wanted.is_interrupted || is_unsure && units.values().any(|unit| unit.state.needs_reload);
        Ok(Self { installed, units, is_interrupted: wanted.is_interrupted, needs_reload, ..Self::default() })
    }

    /// In a system that does not run only files matter: what is installed is taken as running.
    pub(super) fn assume_running(&mut self, processes: &[&DeployedProcess]) {
        let active = UnitState { active: "active".to_owned(), ..UnitState::default() };
        let up = UnitSeen { state: active, is_stale: false };
        for process in processes {
            if self.installed.contains_key(&unit_key(process.entry(), process)) {
                self.units.insert(process.entry().to_owned(), up.clone());
            }
        }
    }

    /// Forgets that a unit may be older than its files if all known versions of them give the same process.
    pub(super) fn clear_stale(&mut self, process: &DeployedProcess, known: &[BTreeMap<String, &TreeFile>]) {
        for name in process.units() {
            let configuration = process.configuration.iter().filter(|_| name == process.unit);
            let keys = configuration.map(|path| configuration_key(path));
            let mut keys = keys.chain([unit_key(name, process)]);
            let differs = keys.any(|key| {
                let installed = self.installed.get(&key);
                let mut versions = known.iter().filter_map(|files| files.get(&key));
                versions.any(|version| {
                    installed.is_none_or(|installed| !is_same_file(&key, &installed.bytes, &version.bytes))
                })
            });
            if let Some(unit) = self.units.get_mut(name).filter(|_| !differs) {
                unit.is_stale = false;
            }
        }
    }

    /// The state of a unit.
    pub(super) fn unit(&self, name: &str) -> Option<&UnitSeen> {
        self.units.get(name)
    }

    /// True if a unit is up.
    pub(super) fn is_up(&self, name: &str) -> bool {
        self.unit(name).is_some_and(|unit| unit.state.is_up())
    }
}

/// The drop-ins in a folder, in byte order. The service manager knows a new one only after it reads its files again.
fn drop_ins(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path().to_string_lossy().into_owned());
    let mut all: Vec<String> =
        paths.filter(|path| Path::new(path).extension().is_some_and(|end| end == "conf")).collect();
    all.sort();
    all
}

/// An installed file, and the time of its last change in microseconds since 1970. `None` if there is none. A symlink to `/dev/null`,
/// which masks a unit, is an empty file.
fn installed_file(path: &Path) -> Result<Option<(TreeFile, u64)>, DeployError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            let seconds = metadata.ctime().unsigned_abs().saturating_mul(1_000_000);
            let micros = seconds.saturating_add(metadata.ctime_nsec().unsigned_abs() / 1000);
            Ok(Some((read_file(path, MAX_FILE)?, micros)))
        }
        Ok(_) => Ok(Some((TreeFile { bytes: Vec::new(), executable: false }, 0))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DeployError::disk("read", path, &error)),
    }
}
