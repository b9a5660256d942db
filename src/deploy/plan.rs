//! The plan for one host: what changes, in which order, and if old and new fit together at each step.

use super::changes::{self, RoleChange, RoleChangeKind};
use super::layout::{configuration_key, installable, unit_key, unit_of};
use super::notes;
use super::order::{self, Change, Order, PlacePeak, Reorder};
use super::seen::Seen;
use super::steps::Step;
use super::timeline::{self, Timeline};
use super::{Tree, TreeFile};
use crate::render::deployment::{DeployedHost, DeployedProcess, DeployedRole};
use crate::source::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Output for one host. `host` is `None` if the output has nothing for it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The files.
    pub tree: &'t Tree,
    /// The host.
    pub host: Option<&'t DeployedHost>,
}

/// Files by key.
type Files<'t> = BTreeMap<String, &'t TreeFile>;

impl<'t> Target<'t> {
    /// The files that are installed.
    pub fn installed_files(&self) -> Files<'t> {
        self.host.map(|host| installable(self.tree, host)).unwrap_or_default()
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &'t DeployedProcess> {
        self.host.into_iter().flat_map(|host| host.roles.iter().flat_map(|role| &role.processes))
    }
}

/// The inputs of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'p> {
    /// The output that is installed, or against which a plan is made.
    pub old: Target<'p>,
    /// The output to install.
    pub new: Target<'p>,
    /// The state of the host.
    pub seen: &'p Seen,
    /// All files that orchgen installed, of any generation. Other content was edited.
    pub known: &'p [Files<'p>],
}

/// The kind of change of an installed file.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum FileAction {
    /// It is new.
    Create,
    /// It is replaced.
    Update,
    /// It is removed.
    Remove,
    /// It was edited on the host, and nothing requires a change of it: it stays.
    Keep,
    /// It was edited on the host, and the plan changes or removes it.
    Conflict,
}

/// The change of an installed file.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct FileChange {
    /// `units/NAME`, `containers/NAME` or `configuration/NAME`.
    pub file: String,
    /// The kind of change.
    pub action: FileAction,
}

/// The plan for one host.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct HostPlan {
    /// The name of the host.
    pub host: String,
    /// Identifies the plan: another state of the host or other output gives another one.
    pub id: String,
    /// The roles and gateways that change.
    pub roles: Vec<RoleChange>,
    /// The installed files that change, or that were edited.
    pub files: Vec<FileChange>,
    /// The units whose settings change without a restart.
    pub reloaded: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The memory at each place during the steps.
    pub memory: Vec<PlacePeak>,
    /// Why the order is not that of declaration.
    pub reorders: Vec<Reorder>,
    /// The roles whose memory is not known, so that it is not in the sums.
    pub not_checked: Vec<String>,
    /// Facts of the host that the user should know: drop-ins, masked units.
    pub notes: Vec<String>,
}

impl HostPlan {
    /// True if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The files that were edited on the host and that the plan would change.
    pub fn conflicts(&self) -> impl Iterator<Item = &str> {
        let conflicts = self.files.iter().filter(|file| file.action == FileAction::Conflict);
        conflicts.map(|file| &*file.file)
    }

    /// True if all places have room at each step.
    pub fn fits(&self) -> bool {
        self.memory.iter().all(|place| place.fits)
    }
}

/// A process before and after, with how it changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessChange<'p> {
    pub(super) change: Change<'p>,
    /// True if its socket changes or is down.
    pub(super) socket_changes: bool,
    /// True if nothing of it changes, and it is down.
    pub(super) is_repair: bool,
}

/// Plans one host.
pub fn plan_host(input: &PlanInput<'_>) -> HostPlan {
    let (before, after) = (input.old.host, input.new.host);
    let name = after.or(before).map(|host| host.name.clone()).unwrap_or_default();
    let pairs = changes::paired(before, after);
    let files = file_changes(input);
    let (changed, unchanged) = processes(input, &pairs, &files);
    let found: Vec<Change<'_>> = changed.iter().map(|one| one.change).collect();
    let places = after.or(before).map(|host| &*host.places).unwrap_or_default();
    let order = order::order(places, &unchanged, &found);
    let steps = timeline::steps(input, &changed, &order, &files);
    let timeline = Timeline::of(&steps, &input.new);
    let roles = role_changes(input, &pairs, (&changed, &timeline));
    let unknown = after.into_iter().flat_map(|host| &host.roles).filter(|role| {
        !role.processes.is_empty() && role.processes.iter().all(|process| process.memory.is_empty())
    });
    let Order { peaks, reorders, .. } = order;
    let mut plan = HostPlan {
        host: name,
        id: String::new(),
        reloaded: reloaded(input, &files, &steps),
        notes: notes::notes(input, &steps),
        not_checked: unknown.map(|role| role.name.clone()).collect(),
        memory: peaks,
        reorders,
        roles,
        files,
        steps,
    };
    plan.id = id(input, &plan);
    plan
}

/// The pairs of roles before and after.
type Pairs<'p> = [(Option<&'p DeployedRole>, Option<&'p DeployedRole>)];

/// A process that goes on, as it was described before and is now.
type Unchanged<'p> = (&'p DeployedProcess, &'p DeployedProcess);

/// The processes that change, and those that go on.
fn processes<'p>(
    input: &PlanInput<'p>,
    pairs: &Pairs<'p>,
    file_changes: &[FileChange],
) -> (Vec<ProcessChange<'p>>, Vec<Unchanged<'p>>) {
    let kept = file_changes.iter().filter(|file| file.action == FileAction::Keep);
    let files = WantedFiles {
        files: input.new.installed_files(),
        kept: kept.map(|file| file.file.clone()).collect(),
    };
    let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
    for (before, after) in pairs {
        let all = |role: Option<&'p DeployedRole>| {
            role.iter().flat_map(|role| role.processes.iter()).collect::<Vec<_>>()
        };
        let (old, new) = (all(*before), all(*after));
        let same = |one: &DeployedProcess, other: &DeployedProcess| {
            one.unit == other.unit && one.socket == other.socket && one.container == other.container
        };
        let role = before.or(*after).map(|role| &*role.name).unwrap_or_default();
        for process in &old {
            let is_up = process.units().any(|unit| input.seen.is_up(unit));
            if !new.iter().any(|other| same(process, other)) && is_up {
                let change = Change { role, old: Some(process), new: None };
                changed.push(ProcessChange { change, socket_changes: false, is_repair: false });
            }
        }
        let is_gone = |unit: &str| {
            let mut gone = old.iter().filter(|process| !new.iter().any(|other| same(process, other)));
            gone.any(|process| process.units().any(|own| own == unit))
        };
        for process in &new {
            let before = old.iter().find(|other| same(process, other)).copied();
            match process_change(input.seen, &files, process) {
                Some(found) => {
                    let running = before.unwrap_or(process);
                    // A unit can be up for another process: that of a role on demand has the name of its proxy.
                    let is_own = |unit: &&str| before.is_some() || !is_gone(unit);
                    let is_up = running.units().filter(is_own).any(|unit| input.seen.is_up(unit));
                    let change = Change { role, old: is_up.then_some(running), new: Some(process) };
                    let is_repair = !found.differs && before.is_some() && !input.seen.is_interrupted;
                    changed.push(ProcessChange { change, socket_changes: found.socket_changes, is_repair });
                }
                None => unchanged.push((before.unwrap_or(process), *process)),
            }
        }
    }
    (changed, unchanged)
}

/// The files to install, and those of them that stay as they were edited.
struct WantedFiles<'p> {
    files: Files<'p>,
    kept: BTreeSet<String>,
}

/// How a process changes.
struct Found {
    /// True if its socket changes or is down.
    socket_changes: bool,
    /// False if it is only down.
    differs: bool,
}

/// `None` if a process goes on.
fn process_change(seen: &Seen, wanted: &WantedFiles<'_>, process: &DeployedProcess) -> Option<Found> {
    let differs = |key: &String| {
        let (installed, new) = (seen.installed.get(key), wanted.files.get(key));
        let is_same = match (installed, new) {
            (Some(installed), Some(new)) => changes::is_same_file(key, &installed.bytes, &new.bytes),
            (installed, new) => installed.is_none() && new.is_none(),
        };
        !wanted.kept.contains(key) && !is_same
    };
    let key = |unit: &str| unit_key(unit, process);
    let is_stale = |unit: &str| seen.unit(unit).is_some_and(|unit| unit.is_stale);
    let socket = process.socket.as_deref();
    let socket_differs = socket.is_some_and(|socket| differs(&key(socket)) || is_stale(socket));
    let servers = [Some(&process.unit), process.proxy.as_ref()].into_iter().flatten();
    let configured = process.configuration.iter().map(|path| configuration_key(path));
    let differs = servers.map(|unit| key(unit)).chain(configured).any(|key| differs(&key));
    let is_stale = is_stale(&process.unit) || process.proxy.as_deref().is_some_and(is_stale);
    let is_down = !seen.is_up(process.entry());
    let differs = differs || is_stale || socket_differs;
    (differs || is_down)
        .then_some(Found { socket_changes: socket_differs || is_down && socket.is_some(), differs })
}

/// The installed files that change, or that were edited.
fn file_changes(input: &PlanInput<'_>) -> Vec<FileChange> {
    let (old, new) = (input.old.installed_files(), input.new.installed_files());
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).chain(input.seen.installed.keys()).collect();
    let change = |key: &String| {
        let wanted = new.get(key).map(|file| &file.bytes);
        let before = old.get(key).map(|file| &file.bytes);
        let action = match (input.seen.installed.get(key).map(|file| &file.bytes), wanted) {
            (None, None) => return None,
            (None, Some(_)) => FileAction::Create,
            (Some(installed), Some(wanted)) if installed == wanted => return None,
            (Some(installed), wanted) => {
                let is_known = input
                    .known
                    .iter()
                    .any(|files| files.get(key).is_some_and(|file| file.bytes == *installed));
                match (is_known, wanted) {
                    (false, Some(_)) if before == wanted && !input.seen.replaces_edits => FileAction::Keep,
                    (false, _) => FileAction::Conflict,
                    (true, Some(_)) => FileAction::Update,
                    (true, None) => FileAction::Remove,
                }
            }
        };
        Some(FileChange { file: key.clone(), action })
    };
    keys.into_iter().filter_map(change).collect()
}

/// The units whose settings change without a restart.
fn reloaded(input: &PlanInput<'_>, files: &[FileChange], steps: &[Step]) -> Vec<String> {
    let updated = files.iter().filter(|file| file.action == FileAction::Update);
    let is_in_step = |name: &String| steps.iter().any(|step| step.units.contains(name));
    let names = updated
        .filter_map(|file| unit_of(&file.file))
        .filter(|name| input.new.host.is_some() && !is_in_step(name));
    names.collect()
}

/// The changes of all roles.
fn role_changes(
    input: &PlanInput<'_>,
    pairs: &Pairs<'_>,
    (changed, timeline): (&[ProcessChange<'_>], &Timeline),
) -> Vec<RoleChange> {
    let restarts = |name: &str| changed.iter().any(|one| one.change.role == name);
    let gateway_of = |role: &DeployedRole| {
        role.settings.iter().find(|(name, _)| name == "gateway").map(|(_, gateway)| gateway.clone())
    };
    let change = |(before, after): &(Option<&DeployedRole>, Option<&DeployedRole>)| {
        let role = after.or(*before)?;
        let settings = before.zip(*after).map(|(old, new)| changes::settings(old, new)).unwrap_or_default();
        let process = |role: Option<&DeployedRole>| role.and_then(|role| role.processes.first().cloned());
        let both = process(*before).zip(process(*after));
        let options = both.as_ref().map(|(old, new)| changes::options(old, new, &settings));
        let units = both.map(|(old, new)| unit_changes(input, &old, &new)).unwrap_or_default();
        let memory = changes::memory(*before, *after);
        let via = gateway_of(role).filter(|gateway| restarts(gateway));
        let is_same = settings.is_empty()
            && units.is_empty()
            && memory.is_empty()
            && options.iter().flatten().next().is_none();
        let kind = match (before, after) {
            (None, _) => RoleChangeKind::Added,
            (_, None) => RoleChangeKind::Removed,
            _ if !is_same => RoleChangeKind::Changed,
            _ if restarts(&role.name) || via.is_some() => RoleChangeKind::Restarted,
            _ => return None,
        };
        let down_seconds = timeline.down(via.as_deref().unwrap_or(&role.name));
        let (name, options) = (role.name.clone(), options.unwrap_or_default());
        let own_kind = role.kind.clone();
        Some(RoleChange {
            name,
            kind: own_kind,
            change: kind,
            settings,
            options,
            units,
            memory,
            down_seconds,
        })
    };
    pairs.iter().filter_map(change).collect()
}

/// The changed settings of the units of a process, without the command line and the texts for users.
fn unit_changes(
    input: &PlanInput<'_>,
    old: &DeployedProcess,
    new: &DeployedProcess,
) -> Vec<changes::ValueChange> {
    let (before, after) = (input.old.installed_files(), input.new.installed_files());
    let text = |files: &Files<'_>, unit: &str, process: &DeployedProcess| {
        files.get(&unit_key(unit, process)).map(|file| file.bytes.clone()).unwrap_or_default()
    };
    let is_described = |name: &str| matches!(name, "ExecStart" | "Exec" | "Description");
    let mut all = Vec::new();
    for (one, other) in old.units().zip(new.units()) {
        let found = changes::unit_settings(&text(&before, one, old), &text(&after, other, new));
        all.extend(found.into_iter().filter(|change| !is_described(&change.name)));
    }
    all
}

/// A digest of what the plan does.
fn id(input: &PlanInput<'_>, plan: &HostPlan) -> String {
    let files = input.new.installed_files();
    // Writing to a string cannot fail.
    let mut text = String::new();
    for change in &plan.files {
        let digest =
            |bytes: Option<&Vec<u8>>| bytes.map(|bytes| Digest::of(bytes).to_string()).unwrap_or_default();
        let before = digest(input.seen.installed.get(&change.file).map(|file| &file.bytes));
        let after = digest(files.get(&change.file).map(|file| &file.bytes));
        let _ = writeln!(text, "{} {:?} {before} {after}", change.file, change.action);
    }
    for step in &plan.steps {
        let units = step.units.join(" ");
        let role = step.role.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:?} {role} {units}", step.action);
    }
    Digest::of(text.as_bytes()).to_string().chars().take(12).collect()
}
