//! The state of a host: compares its processes, units and files with the output that is installed. Nothing is changed.
//!
//! - `files` compares the installed files and units, and the output folder with the current generation.
//! - `process` examines one process: state, arguments, model files, memory. `arguments` compares command lines.
//! - `web` asks servers for their health, and gateways for their models.
//! - `report` is the result.

mod arguments;
mod files;
mod process;
mod report;
mod web;
mod words;

pub use report::{
    ArgumentChange, Difference, DifferenceKind, FailedHost, MemoryStatus, ProcessStatus, RoleState,
    RoleStatus, STATUS_VERSION, StackStatus, StatusReport, Verdict,
};
pub use web::{Web, WebAnswer};

use super::seen::Wanted;
use super::{DeployError, Layout, Manager, Seen, State, Tree};
use crate::render::deployment::{DeployedHost, DeployedRole};
use crate::render::quote::shell;
use crate::source::boot_time;
use process::{Examined, Host};
use std::fs::File;
use web::ModelState;
use words::Words;

/// The kind of a role that is a gateway.
const GATEWAY: &str = "gateway";

/// The name of the setting of a role with its gateway.
const GATEWAY_SETTING: &str = "gateway";

/// A stack on a host, and how to examine it.
pub struct StatusInput<'s> {
    /// Its folders.
    pub layout: &'s Layout,
    /// The service manager. `None` for a root folder that is not running: then only files are compared.
    pub manager: Option<&'s dyn Manager>,
    /// The client for health checks.
    pub web: &'s dyn Web,
    /// The output folder of the same stack, if there is one.
    pub out: Option<OutFolder<'s>>,
    /// The name of the host. The default is that of the current generation, or the only one.
    pub host: Option<&'s str>,
    /// True if another machine asks.
    pub is_remote: bool,
    /// The current time in microseconds since 1970.
    pub now: u64,
}

/// The output folder of a stack.
#[derive(Clone, Copy, Debug)]
pub struct OutFolder<'o> {
    /// Its path.
    pub name: &'o str,
    /// True if `orchgen apply` finds it without `--out`.
    pub is_default: bool,
    /// Its content.
    pub tree: &'o Tree,
}

/// The other side of the comparison of a stack on a host.
struct Description<'s> {
    layout: &'s Layout,
    tree: Tree,
    host: DeployedHost,
    /// True for the output folder: nothing was applied yet.
    is_out: bool,
    out: Option<OutFolder<'s>>,
    is_remote: bool,
}

impl Description<'_> {
    fn words(&self) -> Words<'_> {
        Words { is_user: self.layout.is_user, remote: self.is_remote.then_some(&*self.host.name) }
    }

    /// The command that compares the installed files with the output.
    fn plan(&self) -> String {
        format!("`orchgen plan --against host{}`", self.host_option())
    }

    /// The option that names the host on another machine.
    fn host_option(&self) -> String {
        if self.is_remote { format!(" --host {}", shell(&self.host.name)) } else { String::new() }
    }

    /// The command that installs the output.
    fn apply(&self) -> String {
        let sudo = if self.layout.is_user || self.is_remote { "" } else { "sudo " };
        let host = self.host_option();
        let given = self.out.filter(|out| !out.is_default);
        let option = given.map(|out| format!(" --out {}", shell(out.name))).unwrap_or_default();
        format!("run `{sudo}orchgen apply{host}{option}`")
    }

    fn edited(&self) -> &'static str {
        if self.is_out { "differs from the output" } else { "was edited" }
    }
}

/// The state of a stack.
pub fn status(input: &StatusInput<'_>) -> Result<StackStatus, DeployError> {
    let state = State::new(input.layout.state.clone());
    let current = state.current()?;
    let generation = state.generations()?.into_iter().find(|one| Some(one.number) == current);
    let name = input.host.or(generation.as_ref().map(|one| &*one.host));
    let described = described(input, &state, (current, name))?;
    let wanted = Wanted::new(&[(&described.tree, &described.host)]);
    let seen = Seen::read(input.layout, input.manager, &wanted)?;
    let mut status = StackStatus {
        stack: described.tree.deployment.stack.clone(),
        host: described.host.name.clone(),
        scope: described.tree.deployment.scope.clone(),
        generation: current,
        created: generation.map(|one| one.created),
        is_running: input.manager.is_some(),
        ..StackStatus::default()
    };
    check_journal(input, &state, &mut status)?;
    if described.is_out {
        status.notes.push("nothing was applied yet: the host is compared with the output folder".to_owned());
    }
    let is_installed = files::compare(&described, &seen, &mut status);
    if input.manager.is_some() {
        files::check_units(&described, &seen, &mut status);
    }
    if let Some(out) = input.out.filter(|_| current.is_some()) {
        files::compare_out(&described, &out, host_of(out.tree, Some(&described.host.name)), &mut status);
    }
    let host =
        Host { manager: input.manager, seen: &seen, words: described.words(), boot: boot_time(input.now) };
    status.roles = roles(host, input.web, &described.host.roles);
    if !is_installed {
        // One difference is enough for all units.
        let is_file = |one: &Difference| one.kind == DifferenceKind::MissingModel;
        status.roles.iter_mut().for_each(|role| role.differences.retain(is_file));
    }
    for role in &status.roles {
        *status.totals.entry(role.state).or_default() += 1;
    }
    Ok(status)
}

/// The host with a name, or the only one.
fn host_of<'t>(tree: &'t Tree, name: Option<&str>) -> Option<&'t DeployedHost> {
    tree.host(name).or_else(|| tree.host(None))
}

/// The other side of the comparison: the current generation, or the output folder, or the generation of an unfinished run.
fn described<'s>(
    input: &StatusInput<'s>,
    state: &State,
    (current, name): (Option<u32>, Option<&str>),
) -> Result<Description<'s>, DeployError> {
    let (tree, is_out) = match (current, input.out) {
        (Some(number), _) => (state.tree(number)?, false),
        (None, Some(out)) => (out.tree.clone(), true),
        (None, None) => {
            let pending = state.pending();
            let none = || DeployError::new("no generation is installed: run `orchgen apply`");
            (pending.ok_or_else(none)?.0, false)
        }
    };
    let found = if input.host.is_some() { tree.host(name) } else { host_of(&tree, name) };
    let Some(host) = found.cloned() else {
        let names: Vec<&str> = tree.deployment.hosts.iter().map(|host| &*host.name).collect();
        return Err(DeployError::new(format!(
            "write `--host` with a host of the stack `{}`: {}",
            tree.deployment.stack,
            names.join(", ")
        )));
    };
    Ok(Description { layout: input.layout, tree, host, is_out, out: input.out, is_remote: input.is_remote })
}

/// Reports a run that did not end.
fn check_journal(
    input: &StatusInput<'_>,
    state: &State,
    status: &mut StackStatus,
) -> Result<(), DeployError> {
    let Some(journal) = state.journal()? else { return Ok(()) };
    let last =
        if journal.last.is_empty() { String::new() } else { format!(" after the step `{}`", journal.last) };
    if is_locked(input.layout) {
        status.notes.push(format!("`orchgen apply` or `orchgen rollback` is running now{last}"));
        return Ok(());
    }
    let back = match status.generation {
        Some(number) => format!("; `orchgen rollback` returns to generation {number}"),
        None => String::new(),
    };
    status.differences.push(Difference {
        kind: DifferenceKind::Unfinished,
        item: None,
        text: format!("the last `orchgen apply` or `orchgen rollback` stopped{last}"),
        help: Some(format!("`orchgen apply` finishes it{back}")),
    });
    Ok(())
}

/// True if another run has the lock of the state.
fn is_locked(layout: &Layout) -> bool {
    File::open(layout.state.join("lock")).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Examines all roles: first the processes, then all answers of servers.
fn roles(host: Host<'_>, web: &dyn Web, roles: &[DeployedRole]) -> Vec<RoleStatus> {
    let mut examined: Vec<Vec<Examined>> = roles
        .iter()
        .map(|role| role.processes.iter().map(|process| process::examine(host, role, process)).collect())
        .collect();
    let all =
        || roles.iter().enumerate().flat_map(|(at, role)| (0..role.processes.len()).map(move |n| (at, n)));
    let question = |(at, n): (usize, usize)| {
        let process = roles.get(at)?.processes.get(n)?;
        let unit = &host.seen.unit(&process.unit)?.state;
        Some(((at, n), process::health_question(process, unit)?))
    };
    let asked: Vec<_> = all().filter_map(question).collect();
    let questions: Vec<_> = asked.iter().map(|(_, question)| *question).collect();
    for (((at, n), _), answer) in asked.iter().zip(web::ask(web, &questions)) {
        if let Some(one) = examined.get_mut(*at).and_then(|some| some.get_mut(*n)) {
            process::set_health(host, &answer, one);
        }
    }
    let mut all: Vec<RoleStatus> =
        roles.iter().zip(examined).map(|(role, examined)| role_status(role, examined)).collect();
    behind_gateways(host, web, roles, &mut all);
    all
}

fn role_status(role: &DeployedRole, examined: Vec<Examined>) -> RoleStatus {
    let gateway = role.settings.iter().find(|(name, _)| name == GATEWAY_SETTING);
    let mut status = RoleStatus {
        name: role.name.clone(),
        kind: role.kind.clone(),
        on_demand: role.on_demand,
        gateway: gateway.map(|(_, value)| value.clone()),
        state: examined.iter().map(|one| one.status.state).max().unwrap_or(RoleState::NotManaged),
        processes: Vec::new(),
        differences: Vec::new(),
        notes: Vec::new(),
    };
    for one in examined {
        status.processes.push(one.status);
        status.differences.extend(one.differences);
        status.notes.extend(one.notes);
    }
    status
}

/// Asks the gateways that are up which models they loaded.
fn behind_gateways(host: Host<'_>, web: &dyn Web, roles: &[DeployedRole], all: &mut [RoleStatus]) {
    let is_serving = |name: &str, all: &[RoleStatus]| {
        all.iter().any(|role| role.name == name && role.kind == GATEWAY && role.state == RoleState::Serving)
    };
    let question = |role: &'_ DeployedRole| {
        let process = role.processes.first()?;
        let path = web::models_path(process.configuration.first()?)?;
        is_serving(&role.name, all)
            .then(|| (role.name.clone(), (process.address.clone(), process.port, path)))
    };
    let asked: Vec<_> = roles.iter().filter(|role| role.kind == GATEWAY).filter_map(question).collect();
    let questions: Vec<_> =
        asked.iter().map(|(_, (address, port, path))| (&**address, *port, *path)).collect();
    let answers = web::ask(web, &questions);
    for status in all.iter_mut().filter(|role| role.processes.is_empty()) {
        let Some(gateway) = status.gateway.clone() else { continue };
        let found = asked.iter().zip(&answers).find(|((name, _), _)| *name == gateway);
        let models = found.and_then(|(_, answer)| web::models(answer.as_ref().ok()?));
        status.state = RoleState::BehindGateway;
        let Some(models) = models else { continue };
        match models.get(&status.name).copied().unwrap_or(ModelState::Unloaded) {
            ModelState::Loaded => status.state = RoleState::Serving,
            ModelState::Loading => status.state = RoleState::Loading,
            ModelState::Unloaded => status.state = RoleState::Idle,
            ModelState::Failed => {
                status.state = RoleState::Failed;
                let unit = roles.iter().find(|role| role.name == gateway && role.kind == GATEWAY);
                let unit = unit.and_then(|role| role.processes.first()).map(|process| &*process.unit);
                status.differences.push(Difference {
                    kind: DifferenceKind::NotRunning,
                    item: None,
                    text: format!("the gateway `{gateway}` failed to load it"),
                    help: unit.map(|unit| host.words.journal(unit)),
                });
            }
        }
    }
}
