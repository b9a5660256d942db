//! A model of a host: a root folder, and a service manager that starts units without processes.
#![expect(clippy::disallowed_methods, reason = "starts have times, which are compared with those of files")]

use crate::support::compile;
use orchgen::deploy::{
    DeployError, Deployer, Layout, LoadRequest, Manager, Outcome, Tree, TreeFile, UnitState,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A unit that runs: its definition and the time of its start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Running {
    pub(crate) definition: String,
    pub(crate) started: u64,
}

/// A fault before a change of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// The program is killed.
    Crash,
    /// The change fails, as on a full disk.
    Error,
}

/// A host.
pub(crate) struct Model {
    _folder: tempfile::TempDir,
    pub(crate) layout: Layout,
    /// The definitions at the last `daemon-reload`.
    definitions: RefCell<BTreeMap<String, String>>,
    pub(crate) running: RefCell<BTreeMap<String, Running>>,
    enabled: RefCell<BTreeSet<String>>,
    failed: RefCell<BTreeSet<String>>,
    /// Units that cannot start.
    broken: RefCell<BTreeSet<String>>,
    /// The number of changes until the fault.
    fault: Cell<Option<(usize, Fault)>>,
    pub(crate) changes: RefCell<Vec<String>>,
}

/// The name of the host of all registries.
pub(crate) const HOST: &str = "box";

/// The output of a registry with these roles.
#[track_caller]
pub(crate) fn tree(roles: &str) -> Tree {
    let registry = format!(
        r#"stack "rig" engine="llama.cpp" {{ defaults {{ context 512 }} }}
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="100 GB" systemd=262
store "models" path="/srv/models" speed="1 GB/s"
model "a" file="a.gguf" arch="qwen2" size="10 GB"
model "b" file="b.gguf" arch="qwen2" size="20 GB"
model "bad" file="bad.gguf" arch="qwen2" size="10 GB"
{roles}"#
    );
    let files = compile(&[("stack.kdl", &registry)]).files();
    let file = |(path, (text, executable)): (String, (String, bool))| {
        (path, TreeFile { bytes: text.into_bytes(), executable })
    };
    Tree::new(files.into_iter().map(file).collect(), "the test").unwrap()
}

/// The unit of an installed file.
fn unit_of(key: &str) -> String {
    key.split_once('/').unwrap().1.replace(".container", ".service")
}

/// The parts of a unit that its process has: not the limits of its start, which change with other roles, and no texts.
fn command(definition: &str) -> Vec<&str> {
    let others = ["#", "TimeoutStartSec=", "StartLimitIntervalSec=", "HealthStartPeriod=", "Description="];
    definition.lines().filter(|line| !others.iter().any(|start| line.starts_with(start))).collect()
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

impl Model {
    pub(crate) fn new() -> Self {
        // In memory, so that waiting for the disk takes no time.
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let layout = Layout::new(folder.path(), None, "rig");
        Self {
            _folder: folder,
            layout,
            definitions: RefCell::default(),
            running: RefCell::default(),
            enabled: RefCell::default(),
            failed: RefCell::default(),
            broken: RefCell::default(),
            fault: Cell::new(None),
            changes: RefCell::default(),
        }
    }

    pub(crate) fn deployer(&self) -> Deployer<'_> {
        Deployer::new(self.layout.clone(), Some(self), 1_800_000_000)
    }

    /// Plans and applies output.
    pub(crate) fn apply(&self, tree: &Tree, rollback: Option<u32>) -> Result<Outcome, DeployError> {
        let deployer = self.deployer();
        let prepared = deployer.prepare(tree, HOST)?;
        deployer.apply((tree, HOST), &prepared, rollback)
    }

    /// Makes a later change fail.
    pub(crate) fn set_fault(&self, after: usize, fault: Fault) {
        self.changes.borrow_mut().clear();
        self.fault.set(Some((after, fault)));
    }

    /// A unit fails, and cannot start again.
    pub(crate) fn break_unit(&self, unit: &str) {
        self.running.borrow_mut().remove(unit);
        self.broken.borrow_mut().insert(unit.to_owned());
    }

    /// A unit can start again.
    pub(crate) fn repair_unit(&self, unit: &str) {
        self.broken.borrow_mut().remove(unit);
    }

    /// Removes the fault. True if it happened.
    pub(crate) fn clear_fault(&self) -> bool {
        self.fault.take().is_none()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.layout.state.join("journal")
    }

    /// The names of the units that are up.
    pub(crate) fn up(&self) -> Vec<String> {
        self.running.borrow().keys().cloned().collect()
    }

    /// The installed units. podman makes a service of each container unit.
    fn files(&self) -> BTreeMap<String, String> {
        let folders = [&self.layout.units, &self.layout.containers];
        let entries = folders.into_iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let entries = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let name =
            |path: &Path| path.file_name().unwrap().to_string_lossy().replace(".container", ".service");
        let named = entries.map(|path| (name(&path), path));
        named
            .filter(|(name, _)| !name.starts_with('.'))
            .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
            .collect()
    }

    /// Asserts that the host has exactly this output: its files, its units, each with its definition, and no traces of a run.
    #[track_caller]
    pub(crate) fn assert_is(&self, tree: &Tree, what: &str) {
        let host = tree.host(Some(HOST)).unwrap();
        let wanted: BTreeMap<String, String> = orchgen::deploy::installable(tree, host)
            .into_iter()
            .map(|(key, file)| (unit_of(&key), String::from_utf8(file.bytes.clone()).unwrap()))
            .collect();
        assert_eq!(self.files().keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
        assert_eq!(self.files(), wanted, "{what}");
        for process in host.roles.iter().flat_map(|role| &role.processes) {
            let entry = process.entry();
            let running = self.running.borrow();
            let unit = running
                .get(entry)
                .unwrap_or_else(|| panic!("{what}: {entry} is down: {:?}", self.changes.borrow()));
            assert_eq!(command(&unit.definition), command(&wanted[entry]), "{what}: {entry}");
            if let Some(server) = running.get(&process.unit) {
                assert_eq!(
                    command(&server.definition),
                    command(&wanted[&process.unit]),
                    "{what}: {}",
                    process.unit
                );
            }
        }
        for unit in self.running.borrow().keys() {
            assert!(wanted.contains_key(unit), "{what}: {unit} is up");
        }
        for name in ["journal", "pending", ".pending"] {
            assert!(!self.layout.state.join(name).exists(), "{what}: {name} is left");
        }
        let hidden = fs::read_dir(&self.layout.units).unwrap().map(|entry| entry.unwrap().file_name());
        let hidden: Vec<_> = hidden.filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(hidden.is_empty(), "{what}: {hidden:?}");
    }

    fn start(&self, unit: &str) -> Result<(), DeployError> {
        let definition = self.definitions.borrow().get(unit).cloned();
        let Some(definition) = definition else {
            return Err(DeployError::new(format!("Unit {unit} not found")));
        };
        let is_bad = definition.contains("bad.gguf") && unit.ends_with(".service");
        if is_bad || self.broken.borrow().contains(unit) {
            self.failed.borrow_mut().insert(unit.to_owned());
            return Err(DeployError::new(format!("Job for {unit} failed")));
        }
        let is_up = self.running.borrow().contains_key(unit);
        if !is_up {
            self.running.borrow_mut().insert(unit.to_owned(), Running { definition, started: now() });
        }
        Ok(())
    }

    fn stop(&self, unit: &str) {
        self.running.borrow_mut().remove(unit);
        // A proxy needs its server, and a server needs its proxy.
        if let Some(name) = unit.strip_suffix("-backend.service") {
            self.running.borrow_mut().remove(&format!("{name}.service"));
        } else if let Some(name) = unit.strip_suffix(".service") {
            self.running.borrow_mut().remove(&format!("{name}-backend.service"));
        }
    }

    /// The units that a target wants.
    fn wanted(&self, target: &str) -> Vec<String> {
        let text = self.definitions.borrow().get(target).cloned().unwrap_or_default();
        text.lines().filter_map(|line| line.strip_prefix("Wants=")).map(str::to_owned).collect()
    }

    fn start_with_wanted(&self, unit: &str) -> Result<(), DeployError> {
        self.start(unit)?;
        for wanted in self.wanted(unit) {
            // A unit that fails does not stop the target.
            let _ = if wanted.ends_with(".target") {
                self.start_with_wanted(&wanted)
            } else {
                self.start(&wanted)
            };
        }
        Ok(())
    }
}

impl Manager for Model {
    fn states(&self, units: &BTreeSet<String>) -> Result<BTreeMap<String, UnitState>, DeployError> {
        let (running, failed, enabled) = (self.running.borrow(), self.failed.borrow(), self.enabled.borrow());
        let files = self.files();
        let state = |unit: &String| {
            let active = match running.get(unit) {
                Some(_) => "active",
                None if failed.contains(unit) => "failed",
                None => "inactive",
            };
            UnitState {
                load: if files.contains_key(unit) { "loaded" } else { "not-found" }.to_owned(),
                active: active.to_owned(),
                enabled: if enabled.contains(unit) { "enabled" } else { "disabled" }.to_owned(),
                needs_reload: self.definitions.borrow().get(unit) != files.get(unit),
                started_at: running.get(unit).map(|unit| unit.started),
                ..UnitState::default()
            }
        };
        Ok(units.iter().map(|unit| (unit.clone(), state(unit))).collect())
    }

    fn systemctl(&self, args: &[&str], _limit: Duration) -> Result<(), DeployError> {
        match args {
            ["daemon-reload"] => *self.definitions.borrow_mut() = self.files(),
            ["stop", units @ ..] => units.iter().for_each(|unit| self.stop(unit)),
            ["start", units @ ..] => units.iter().try_for_each(|unit| self.start(unit))?,
            ["restart", units @ ..] => {
                for unit in units {
                    self.stop(unit);
                    self.start(unit)?;
                }
            }
            ["enable", "--now", target] => {
                self.enabled.borrow_mut().insert((*target).to_owned());
                self.start_with_wanted(target)?;
            }
            ["disable", target] => {
                self.enabled.borrow_mut().remove(*target);
            }
            ["reset-failed", units @ ..] => {
                for unit in units.iter().copied() {
                    self.failed.borrow_mut().remove(unit);
                }
            }
            other => panic!("systemctl {other:?}"),
        }
        Ok(())
    }

    fn load(&self, request: &LoadRequest<'_>) -> Result<(), DeployError> {
        let name = request.unit.strip_suffix("-backend.service").unwrap();
        let is_listening = self.running.borrow().contains_key(&format!("{name}.socket"));
        assert!(is_listening, "{name}.socket is not up");
        self.start(request.unit)?;
        self.start(&format!("{name}.service"))
    }

    fn last_message(&self, unit: &str) -> Option<String> {
        Some(format!("the last message of {unit}"))
    }

    fn enable_linger(&self) -> Result<(), DeployError> {
        Ok(())
    }

    fn before(&self, change: &str) -> Result<(), DeployError> {
        self.changes.borrow_mut().push(change.to_owned());
        match self.fault.get() {
            Some((0, Fault::Crash)) => {
                self.fault.set(None);
                Err(DeployError::Stopped)
            }
            Some((0, Fault::Error)) => {
                self.fault.set(None);
                Err(DeployError::new("No space left on device"))
            }
            Some((after, fault)) => {
                self.fault.set(Some((after - 1, fault)));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
