//! Brings a host to a set of files: the state machine of `orchgen apply` and `orchgen rollback`.
//!
//! ```text
//! Idle -> Staged -> Running(step 1 … n) -> Committed = Idle
//!              \          \
//!               \          -> Restoring -> Restored = Idle
//!                -> Idle          \
//!                                  -> Broken: the journal stays
//! ```
//!
//! - **Staged**: the new generation is on the disk as `pending`, and nothing else changed. A full disk ends here.
//! - **Running**: the journal exists. Each step is announced in it, then done. Files are staged next to their places, and then
//!   renamed one after another.
//! - **Committed**: `current` names the new generation, and the journal is removed.
//! - **Restoring**: a step failed. New units stop, the files of before come back, and the units that restarted or stopped start
//!   again in the reverse order. Their starts wait for health, so a success is verified.
//! - **Broken**: restoring failed too. The journal stays.
//!
//! A crash leaves the journal. From its existence the next run knows that processes may be older than their files: the next run compares
//! the start of each process with the time of its files, and plans from what it finds. So it ends what the other run began, or
//! brings the host to any other generation. No step depends on the content of the journal.

use super::layout::Layout;
use super::manager::{LoadRequest, Manager};
use super::plan::{FileAction, FileChange, HostPlan, PlanInput, Target, plan_host};
use super::restore::restore;
use super::seen::{Seen, Wanted};
use super::state::{self, State};
use super::steps::{Action, SHORT_LIMIT, Step};
use super::tree::read_file;
use super::{DeployError, Tree, TreeFile, installable};
use crate::render::deployment::DeployedHost;
use crate::render::quote::shell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A stack on a host.
pub struct Deployer<'d> {
    /// Its folders.
    pub layout: Layout,
    /// Its generations.
    pub state: State,
    /// The service manager. `None` for a root folder that is not running: then only files are installed.
    pub manager: Option<&'d dyn Manager>,
    /// The time of this run: seconds since 1970.
    pub now: u64,
    /// True to replace the output of another host, and edited files even if nothing requires a change of them.
    pub is_forced: bool,
}

/// A plan for a host, with everything that it was made from.
pub struct Prepared {
    /// The plan.
    pub plan: HostPlan,
    /// The current generation.
    pub current: Option<u32>,
    /// The last line of the journal, if the last run did not end.
    pub interrupted: Option<String>,
    /// The state of the host.
    pub(super) seen: Seen,
    /// The files before.
    pub(super) old: Tree,
    /// True if the files of the generation differ from those of the current one.
    differs: bool,
    /// The keys of all files that orchgen may have installed.
    keys: BTreeSet<String>,
}

/// The end of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The host already has this generation.
    Unchanged,
    /// The host has the generation now.
    Applied(Applied),
    /// A step failed.
    Failed(Failure),
}

/// A successful run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Applied {
    /// The number of the generation.
    pub number: u32,
    /// Why roles that did not change, and were down, do not start.
    pub still_down: Vec<String>,
    /// The folder with the edited files that were replaced.
    pub saved: Option<PathBuf>,
}

/// A failed run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The role or gateway of the failed step.
    pub role: Option<String>,
    /// The failed command, with the reason.
    pub why: String,
    /// The last message of the failed unit in the journal.
    pub message: Option<String>,
    /// `Ok` if the host is as before, else why not.
    pub restored: Result<(), String>,
}

impl<'d> Deployer<'d> {
    /// A stack in its folders.
    pub fn new(layout: Layout, manager: Option<&'d dyn Manager>, now: u64) -> Self {
        let state = State::new(layout.state.clone());
        Self { layout, state, manager, now, is_forced: false }
    }

    /// Reads the host and plans. `name` is that of the host in the new files.
    pub fn prepare(&self, new: &Tree, name: &str) -> Result<Prepared, DeployError> {
        let current = self.state.current()?;
        let interrupted = self.state.journal()?.map(|journal| journal.last);
        let generations = self.generations()?;
        let (old, before) = match current {
            Some(number) => (self.state.tree(number)?, self.host_of(number)?),
            None => (Tree::empty(&new.deployment), name.to_owned()),
        };
        // A host with a new name has no other one in the output.
        let is_other = before != name && new.host(Some(&before)).is_some();
        if let Some(number) = current.filter(|_| is_other && !self.is_forced) {
            return Err(DeployError::new(format!(
                "this machine has generation {number} of host `{before}`, not of `{name}`: write `--host {}`, or `--force` to \
                 replace its output",
                shell(&before)
            )));
        }
        let (before, after) = (old.host(Some(&before)), new.host(Some(name)));
        let of_generations =
            generations.iter().filter_map(|(tree, host)| Some((tree, tree.host(Some(host))?)));
        let of_both = before.map(|host| (&old, host)).into_iter().chain(after.map(|host| (new, host)));
        let is_interrupted = interrupted.is_some();
        let all: Vec<(&Tree, &DeployedHost)> =
            of_generations.filter(|_| is_interrupted).chain(of_both).collect();
        let wanted = Wanted { is_interrupted, is_first: current.is_none(), ..Wanted::new(&all) };
        let mut seen = Seen::read(&self.layout, self.manager, &wanted)?;
        seen.replaces_edits = self.is_forced;
        if self.manager.is_none() {
            seen.assume_running(&wanted.processes);
        }
        let of_generations =
            generations.iter().filter_map(|(tree, host)| Some((tree, tree.host(Some(host))?)));
        let mut known: Vec<BTreeMap<String, &TreeFile>> =
            of_generations.map(|(tree, host)| installable(tree, host)).collect();
        known.extend(before.map(|host| installable(&old, host)));
        known.extend(after.map(|host| installable(new, host)));
        for process in wanted.processes.iter().filter(|_| is_interrupted) {
            seen.clear_stale(process, &known);
        }
        let input = PlanInput {
            old: Target { tree: &old, host: before },
            new: Target { tree: new, host: after },
            seen: &seen,
            known: &known,
        };
        let mut plan = plan_host(&input);
        if self.manager.is_none() {
            plan.steps.retain(|step| matches!(step.action, Action::Install | Action::Enable));
        }
        let keys = known.iter().flat_map(|files| files.keys().cloned()).collect();
        let part =
            |tree: &Tree, host: Option<&DeployedHost>| host.map(|host| tree.installed_part(host).files);
        let differs = part(&old, before) != part(new, after);
        Ok(Prepared { plan, current, interrupted, seen, old, differs, keys })
    }

    /// The files of all generations, and of a run that did not end, each with the name of its host.
    fn generations(&self) -> Result<Vec<(Tree, String)>, DeployError> {
        let all = self.state.generations()?.into_iter();
        let mut trees: Vec<(Tree, String)> =
            all.filter_map(|one| Some((self.state.tree(one.number).ok()?, one.host))).collect();
        trees.extend(self.state.pending());
        Ok(trees)
    }

    /// The name of the host of a generation.
    fn host_of(&self, number: u32) -> Result<String, DeployError> {
        let found = self.state.generations()?.into_iter().find(|one| one.number == number);
        found
            .map(|one| one.host)
            .ok_or_else(|| DeployError::new(format!("generation {number} has no description")))
    }

    /// Applies the plan. `rollback` is the number of the generation to return to; otherwise the files become a new
    /// generation. Edited files are replaced, and their content is saved.
    pub fn apply(
        &self,
        (new, name): (&Tree, &str),
        prepared: &Prepared,
        rollback: Option<u32>,
    ) -> Result<Outcome, DeployError> {
        let is_new = prepared.differs || prepared.current.is_none();
        if prepared.plan.is_empty() && !is_new && prepared.interrupted.is_none() && rollback.is_none() {
            return Ok(Outcome::Unchanged);
        }
        let Some(host) = new.host(Some(name)) else {
            return Err(DeployError::new(format!("the files have no host `{name}`")));
        };
        self.before("stage")?;
        let number = match (rollback, prepared.current) {
            (Some(number), _) => number,
            (None, Some(current)) if !is_new => current,
            (None, _) => self.state.stage(new, host, self.now)?,
        };
        self.before("begin")?;
        let replaced = Self::replaced(prepared);
        let saved = if replaced.is_empty() { None } else { Some(self.state.save(&replaced, self.now)?) };
        self.state.record(&format!("begin generation {number}"))?;
        if prepared.interrupted.is_some() {
            prepared.keys.iter().try_for_each(|key| state::remove_file(&staging(&self.layout.path(key))))?;
        }
        let files = installable(new, host);
        let mut still_down = Vec::new();
        for (at, step) in prepared.plan.steps.iter().enumerate() {
            if let Err(error) = self.run(step, &prepared.plan.files, &files) {
                if error == DeployError::Stopped {
                    return Err(error);
                }
                if step.repair {
                    still_down.push(error.to_string());
                    continue;
                }
                let done = prepared.plan.steps.get(..=at).unwrap_or_default();
                return self.fail(prepared, (step, done), &error).map(Outcome::Failed);
            }
        }
        self.before("commit")?;
        self.state.commit(number)?;
        Ok(Outcome::Applied(Applied { number, still_down, saved }))
    }

    /// The edited files that the plan replaces or removes.
    fn replaced(prepared: &Prepared) -> BTreeMap<String, TreeFile> {
        let conflicts = prepared.plan.conflicts();
        conflicts
            .filter_map(|key| Some((key.to_owned(), prepared.seen.installed.get(key)?.clone())))
            .collect()
    }

    pub(super) fn before(&self, change: &str) -> Result<(), DeployError> {
        self.manager.map_or(Ok(()), |manager| manager.before(change))
    }

    /// Announces a step in the journal, and does it.
    pub(super) fn run(
        &self,
        step: &Step,
        changes: &[FileChange],
        files: &BTreeMap<String, &TreeFile>,
    ) -> Result<(), DeployError> {
        let words = step.arguments();
        let line = match step.action {
            Action::Install => "install files".to_owned(),
            Action::Load => format!("load {}", step.units.join(" ")),
            Action::Stop | Action::Reload | Action::Restart | Action::Start | Action::Enable => {
                words.join(" ")
            }
        };
        self.before(&line)?;
        self.state.record(&line)?;
        self.manager.into_iter().for_each(|manager| manager.announce(&line));
        let Some(manager) = self.manager else {
            return if step.action == Action::Install { self.install(changes, files) } else { Ok(()) };
        };
        match step.action {
            Action::Install => self.install(changes, files),
            Action::Load => {
                let Some((address, port)) = &step.socket else { return Ok(()) };
                let unit = step.units.first().map_or("", String::as_str);
                let proxy = unit.strip_suffix("-backend.service").map(|name| format!("{name}.service"));
                let proxy = proxy.as_deref();
                let _ = manager.systemctl(&["reset-failed", unit], SHORT_LIMIT);
                manager.load(&LoadRequest { address, port: *port, unit, proxy, limit: step.limit })
            }
            Action::Enable => {
                manager.systemctl(&words, step.limit)?;
                if self.layout.is_user { manager.enable_linger() } else { Ok(()) }
            }
            Action::Stop | Action::Reload => manager.systemctl(&words, step.limit),
            Action::Restart | Action::Start => {
                // A start that failed earlier must not count against the start limit.
                let reset: Vec<&str> =
                    ["reset-failed"].into_iter().chain(step.units.iter().map(String::as_str)).collect();
                let _ = manager.systemctl(&reset, SHORT_LIMIT);
                manager.systemctl(&words, step.limit)
            }
        }
    }

    /// Writes and removes the installed files.
    fn install(
        &self,
        changes: &[FileChange],
        files: &BTreeMap<String, &TreeFile>,
    ) -> Result<(), DeployError> {
        let changed = changes.iter().filter(|change| change.action != FileAction::Keep);
        let wanted: BTreeMap<&str, Option<&[u8]>> =
            changed.map(|change| (&*change.file, files.get(&change.file).map(|file| &*file.bytes))).collect();
        self.write(&wanted)
    }

    /// Gives each file its content, or removes it. All files are on the disk before the first one is replaced.
    pub(super) fn write(&self, wanted: &BTreeMap<&str, Option<&[u8]>>) -> Result<(), DeployError> {
        let mut staged: Vec<(PathBuf, PathBuf)> = Vec::new();
        let mut result = Ok(());
        for (key, bytes) in wanted {
            let (path, Some(bytes)) = (self.layout.path(key), bytes) else { continue };
            if read_file(&path, bytes.len() + 1).is_ok_and(|file| file.bytes == *bytes) {
                continue;
            }
            let place = staging(&path);
            result = self.before(&format!("write {key}")).and_then(|()| state::write_new(&place, bytes));
            staged.push((place, path));
            if result.is_err() {
                break;
            }
        }
        if let Err(error) = result {
            return Err(discard(&staged, error));
        }
        let rename = |(place, path): &(PathBuf, PathBuf)| {
            self.before(&format!("rename {}", path.display()))?;
            state::rename(place, path)
        };
        if let Err(error) = staged.iter().try_for_each(rename) {
            return Err(discard(&staged, error));
        }
        let mut folders = BTreeSet::new();
        for (key, _) in wanted.iter().filter(|(_, bytes)| bytes.is_none()) {
            let path = self.layout.path(key);
            self.before(&format!("remove {key}"))?;
            state::remove_file(&path)?;
            folders.extend(path.parent().map(Path::to_owned));
        }
        folders.iter().filter(|folder| folder.exists()).try_for_each(|folder| state::sync_folder(folder))
    }

    /// Restores the host after a failed step.
    fn fail(
        &self,
        prepared: &Prepared,
        (step, done): (&Step, &[Step]),
        error: &DeployError,
    ) -> Result<Failure, DeployError> {
        let message = || {
            let manager = self.manager?;
            let failed = step.units.iter().rev().find_map(|unit| manager.last_message(unit));
            failed.filter(|_| !matches!(step.action, Action::Install | Action::Reload))
        };
        let (why, message) = (error.to_string(), message());
        let restored = match (&prepared.interrupted, prepared.current) {
            // A state that another run left unfinished is not restored.
            (Some(_), Some(current)) => {
                self.host_of(current).and_then(|host| self.converge(&prepared.old, &host))
            }
            _ => restore(self, prepared, done),
        };
        let restored = match restored {
            Err(DeployError::Stopped) => return Err(DeployError::Stopped),
            Err(error) => Err(error.to_string()),
            Ok(()) => self.state.end().map_err(|error| error.to_string()),
        };
        Ok(Failure { role: step.role.clone(), why, message, restored })
    }
}

impl Deployer<'_> {
    /// Brings the host to a generation, from any state.
    fn converge(&self, generation: &Tree, name: &str) -> Result<(), DeployError> {
        let prepared = self.prepare(generation, name)?;
        let files = generation.host(Some(name)).map(|host| installable(generation, host)).unwrap_or_default();
        prepared.plan.steps.iter().try_for_each(|step| self.run(step, &prepared.plan.files, &files))
    }
}

/// Removes staged files after an error.
fn discard(staged: &[(PathBuf, PathBuf)], error: DeployError) -> DeployError {
    if error != DeployError::Stopped {
        // The error of the caller is more useful than one of the cleanup.
        for (place, _) in staged {
            let _ = state::remove_file(place);
        }
    }
    error
}

/// The place where the new content of a file is written. Service managers ignore hidden files with this ending.
fn staging(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.orchgen-new"))
}
