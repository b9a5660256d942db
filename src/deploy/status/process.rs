//! The state of one process of a role: its unit, arguments, model files, memory and health.

use super::arguments;
use super::report::{Difference, DifferenceKind, MemoryStatus, ProcessStatus, RoleState, Verdict};
use super::web::{Question, WebAnswer};
use super::words::Words;
use crate::deploy::layout::unit_key;
use crate::deploy::{Manager, Seen, UnitState};
use crate::render::deployment::{DeployedProcess, DeployedRole, size_text};
use crate::source::{FileState, ProcessFacts, file_states, process_facts};

/// The place of memory that is measured.
const RAM: &str = "RAM";

/// Resident memory is above the plan if it exceeds it by this share and by this size.
const TOLERANCE_PERCENT: u64 = 5;
const TOLERANCE_BYTES: u64 = 64 << 20;

/// The host, and how to examine it.
#[derive(Clone, Copy)]
pub(super) struct Host<'h> {
    pub(super) manager: Option<&'h dyn Manager>,
    pub(super) seen: &'h Seen,
    pub(super) words: Words<'h>,
    /// The time of the boot in microseconds since 1970.
    pub(super) boot: Option<u64>,
}

/// A process, and what differs.
pub(super) struct Examined {
    pub(super) status: ProcessStatus,
    pub(super) differences: Vec<Difference>,
    pub(super) notes: Vec<String>,
}

impl Examined {
    pub(super) fn add(&mut self, kind: DifferenceKind, text: String, help: Option<String>) {
        let item = Some(self.status.unit.clone());
        self.differences.push(Difference { kind, item, text, help });
    }
}

/// Examines a process without asking it.
pub(super) fn examine(host: Host<'_>, role: &DeployedRole, process: &DeployedProcess) -> Examined {
    let unit = host.seen.unit(&process.unit).map(|unit| &unit.state);
    let state = if host.manager.is_some() { state(host.seen, role, process) } else { RoleState::Unknown };
    let pid = unit.map(|unit| unit.pid).filter(|pid| *pid > 0);
    let facts = pid.and_then(|pid| process_facts(pid, host.boot));
    let status = ProcessStatus {
        unit: process.unit.clone(),
        state,
        pid,
        port: process.port,
        health: Verdict::NotChecked,
        arguments: Verdict::NotChecked,
        changed_arguments: Vec::new(),
        files: Verdict::NotChecked,
        memory: memory(role, process, facts.as_ref()),
        message: None,
    };
    let mut examined = Examined { status, differences: Vec::new(), notes: Vec::new() };
    check_state(host, process, &mut examined);
    if state != RoleState::Unknown {
        check_files(host, process, pid.zip(facts.as_ref()), &mut examined);
    }
    if let Some(facts) = facts.filter(|facts| !process.container && !facts.args.is_empty()) {
        check_arguments(host, process, &facts, &mut examined);
    }
    check_memory(&mut examined);
    examined
}

/// The state by the units of a process.
fn state(seen: &Seen, role: &DeployedRole, process: &DeployedProcess) -> RoleState {
    let unit = |name: &str| seen.unit(name).map(|unit| unit.state.clone()).unwrap_or_default();
    let server = unit(&process.unit);
    let entry = unit(process.entry());
    let is_restarting = server.sub.starts_with("auto-restart");
    match &*server.active {
        _ if is_restarting => RoleState::Restarting,
        "active" | "reloading" => RoleState::Serving,
        "activating" => RoleState::Loading,
        "deactivating" => RoleState::Stopping,
        "failed" => RoleState::Failed,
        _ if matches!(&*entry.load, "not-found" | "") => RoleState::NotInstalled,
        _ if process.socket.is_some() => match &*entry.active {
            "failed" => RoleState::Failed,
            "active" => RoleState::Idle,
            _ => RoleState::Stopped,
        },
        // A container on demand has no socket.
        _ if role.on_demand => RoleState::Idle,
        _ => RoleState::Stopped,
    }
}

fn check_state(host: Host<'_>, process: &DeployedProcess, examined: &mut Examined) {
    let entry = process.entry();
    match examined.status.state {
        RoleState::Failed | RoleState::Restarting => {
            let is_failed =
                |name: &&str| host.seen.unit(name).is_some_and(|unit| unit.state.active == "failed");
            let unit = [&*process.unit, entry].into_iter().find(is_failed).unwrap_or(&process.unit);
            let result = host.seen.unit(unit).map_or("", |unit| &*unit.state.result);
            let message = host.manager.and_then(|manager| manager.last_message(unit));
            let message = message.map(|message| arguments::short(&message));
            let text = failure(examined.status.state, unit, result, message.as_deref());
            examined.status.message = message;
            examined.add(DifferenceKind::NotRunning, text, Some(host.words.journal(unit)));
        }
        RoleState::Stopped => {
            let text = format!("`{entry}` is stopped");
            examined.add(DifferenceKind::NotRunning, text, Some(host.words.systemctl("start", entry)));
        }
        RoleState::NotInstalled if host.seen.installed.contains_key(&unit_key(entry, process)) => {
            let text = format!("the service manager does not know `{entry}`");
            let help = host.words.daemon_reload();
            examined.add(DifferenceKind::NotRunning, text, Some(help));
        }
        RoleState::Serving
        | RoleState::Idle
        | RoleState::Loading
        | RoleState::BehindGateway
        | RoleState::Unknown
        | RoleState::NotManaged
        | RoleState::Stopping
        | RoleState::NotInstalled
        | RoleState::Unhealthy => {}
    }
}

/// A failure in words.
fn failure(state: RoleState, unit: &str, result: &str, message: Option<&str>) -> String {
    let result = match result {
        "" | "success" => String::new(),
        result => format!(": {result}"),
    };
    let what = if state == RoleState::Restarting { "ended and restarts" } else { "failed" };
    let message = message.map(|message| format!("; its last message: {message}")).unwrap_or_default();
    format!("`{unit}` {what}{result}{message}")
}

fn check_files(
    host: Host<'_>,
    process: &DeployedProcess,
    running: Option<(u32, &ProcessFacts)>,
    examined: &mut Examined,
) {
    let states = file_states(running, &process.files);
    for (file, state) in process.files.iter().zip(&states) {
        match state {
            FileState::Missing => {
                let text = format!("the model file `{file}` is missing");
                let help = "put it back, or run `orchgen lock --check` where the registry is".to_owned();
                examined.add(DifferenceKind::MissingModel, text, Some(help));
            }
            FileState::Replaced => {
                let text = format!("the model file `{file}` changed after the start of the process");
                let restart = host.words.systemctl("restart", &process.unit);
                let help = format!("{restart}; `orchgen lock --check` compares the file with the registry");
                examined.add(DifferenceKind::ReplacedModel, text, Some(help));
            }
            FileState::Same | FileState::Unknown => {}
        }
    }
    let is_bad = |state: &FileState| matches!(state, FileState::Missing | FileState::Replaced);
    examined.status.files = if states.iter().any(is_bad) {
        Verdict::Differs
    } else if running.is_none() || states.contains(&FileState::Unknown) {
        Verdict::NotChecked
    } else {
        Verdict::Ok
    };
}

fn check_arguments(host: Host<'_>, process: &DeployedProcess, facts: &ProcessFacts, examined: &mut Examined) {
    let changes = arguments::changes(&process.command, &facts.args);
    if changes.is_empty() {
        examined.status.arguments = Verdict::Ok;
        return;
    }
    let text = format!("runs with other arguments: {}", arguments::text(&changes));
    examined.status.arguments = Verdict::Differs;
    examined.status.changed_arguments = changes;
    let help = host.words.systemctl("restart", &process.unit);
    examined.add(DifferenceKind::OtherArguments, text, Some(help));
}

fn memory(role: &DeployedRole, process: &DeployedProcess, facts: Option<&ProcessFacts>) -> MemoryStatus {
    let in_ram: Vec<_> = process.memory.iter().filter(|part| part.place == RAM).collect();
    // Every server has private memory. Without it, only the sizes of the files are known.
    let is_known = in_ram.iter().any(|part| part.file.is_none());
    // A node is a part of the RAM, and all other places are GPUs.
    let is_gpu = |place: &str| place != RAM && !place.starts_with("node ");
    let gpu = process.memory.iter().any(|part| is_gpu(&part.place)).then_some(Verdict::NotChecked);
    // The main process of a container is podman's, and the models of a gateway run in other processes.
    let is_measured = !process.container && role.kind != super::GATEWAY;
    let resident = facts.filter(|_| is_measured).and_then(|facts| facts.resident);
    let sum = in_ram.iter().fold(0_u64, |sum, part| sum.saturating_add(part.bytes));
    let planned = is_known.then_some(sum);
    let verdict = match resident.zip(planned) {
        None => Verdict::NotChecked,
        Some((resident, planned)) => {
            let over = resident.saturating_sub(planned);
            let is_over = over > TOLERANCE_BYTES && over > planned / 100 * TOLERANCE_PERCENT;
            if is_over { Verdict::Differs } else { Verdict::Ok }
        }
    };
    MemoryStatus { resident, planned, verdict, gpu }
}

fn check_memory(examined: &mut Examined) {
    let memory = examined.status.memory;
    if let (Verdict::Differs, Some(resident), Some(planned)) =
        (memory.verdict, memory.resident, memory.planned)
    {
        examined.notes.push(format!(
            "`{}` uses {} of memory, {} more than planned",
            examined.status.unit,
            size_text(resident),
            size_text(resident.saturating_sub(planned))
        ));
    }
}

/// The health check of a process. `None` if nothing runs: a question must not load a role on demand.
pub(super) fn health_question<'p>(process: &'p DeployedProcess, unit: &UnitState) -> Option<Question<'p>> {
    let path = process.health.as_deref().filter(|_| unit.is_active())?;
    // The server of a role on demand listens on loopback, behind its socket.
    Some(match process.backend.filter(|_| process.socket.is_some()) {
        Some(backend) => ("127.0.0.1", backend, path),
        None => (&process.address, process.port, path),
    })
}

/// Takes the answer to a health check.
pub(super) fn set_health(host: Host<'_>, answer: &Result<WebAnswer, String>, examined: &mut Examined) {
    let why = match answer {
        Ok(WebAnswer { status: 200, .. }) => {
            examined.status.health = Verdict::Ok;
            return;
        }
        Ok(WebAnswer { status: 503, .. }) => {
            examined.status.state = RoleState::Loading;
            return;
        }
        Ok(WebAnswer { status, .. }) => format!("the answer has status {status}"),
        Err(why) => why.clone(),
    };
    examined.status.state = RoleState::Unhealthy;
    examined.status.health = Verdict::Differs;
    let unit = examined.status.unit.clone();
    let text = format!("the health check of `{unit}` fails: {why}");
    examined.add(DifferenceKind::Unhealthy, text, Some(host.words.journal(&unit)));
}
