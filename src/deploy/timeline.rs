//! The steps of an order with their durations, and how long each role is down.

use super::layout::unit_of;
use super::order::{Change, Move, Order};
use super::plan::{FileAction, FileChange, PlanInput, ProcessChange, Target};
use super::steps::{Action, LONG_LIMIT, SHORT_LIMIT, Step, start_limit};
use crate::render::deployment::DeployedProcess;
use std::collections::BTreeMap;

/// Seconds of a start in addition to reading the files, if no earlier start was measured: the program, and the first health check.
const START_SECONDS: f64 = 1.0;

/// Seconds of a stop.
const STOP_SECONDS: f64 = 0.3;

/// The steps of a plan.
pub(super) fn steps(
    input: &PlanInput<'_>,
    changed: &[ProcessChange<'_>],
    order: &Order<'_>,
    files: &[FileChange],
) -> Vec<Step> {
    let writes = files.iter().any(|file| file.action != FileAction::Keep);
    let mut steps = Vec::new();
    for gone in &order.gone {
        steps.extend(stop(input, *gone));
    }
    steps.extend(strays(input, files, &steps));
    if writes {
        steps.push(Step::of_stack(Action::Install, Vec::new()));
    }
    if writes || input.seen.needs_reload {
        steps.push(Step::of_stack(Action::Reload, Vec::new()));
    }
    let mut stopped = Vec::new();
    for one in &order.moves {
        match one {
            Move::Stop(change) => {
                stopped.extend(change.old.map(|old| &*old.unit));
                steps.extend(stop(input, *change));
            }
            Move::Switch(change) => {
                let Some(new) = change.new else { continue };
                let found = changed.iter().find(|one| one.change == *change);
                let is_up = change.old.is_some() && !stopped.contains(&&*new.unit);
                let socket_changes =
                    found.is_some_and(|one| one.socket_changes) || stopped.contains(&&*new.unit);
                let is_repair = found.is_some_and(|one| one.is_repair) && !stopped.contains(&&*new.unit);
                let switched = Switched { role: change.role, new, is_up, socket_changes, is_repair };
                steps.extend(switch(input, &switched));
            }
        }
    }
    steps.extend(gone_groups(input, files));
    steps.extend(enable(input, files));
    steps
}

/// Stops the units of a process.
fn stop(input: &PlanInput<'_>, change: Change<'_>) -> Option<Step> {
    let old = change.old?;
    let is_up = old.units().any(|unit| input.seen.is_assumed || input.seen.is_up(unit));
    // Those of a role on demand can start at any time, so all are stopped.
    let units: Vec<String> = old.units().map(str::to_owned).collect();
    is_up.then(|| Step {
        role: Some(change.role.to_owned()),
        seconds: Some(STOP_SECONDS),
        ..Step::of_stack(Action::Stop, units)
    })
}

/// Stops units that are up, whose files are removed, and that no role of the installed output has: those of a run that did not end.
fn strays(input: &PlanInput<'_>, files: &[FileChange], steps: &[Step]) -> Option<Step> {
    let removed =
        files.iter().filter(|file| matches!(file.action, FileAction::Remove | FileAction::Conflict));
    let wanted = input.new.installed_files();
    let removed = removed.filter(|file| !wanted.contains_key(&file.file));
    let units = removed
        .filter_map(|file| unit_of(&file.file))
        .filter(|name| !is_group(name) && input.seen.is_up(name));
    let units: Vec<String> =
        units.filter(|name| !steps.iter().any(|step| step.units.contains(name))).collect();
    (!units.is_empty()).then(|| Step { seconds: Some(STOP_SECONDS), ..Step::of_stack(Action::Stop, units) })
}

/// True for a target or a slice.
fn is_group(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((_, "target" | "slice")))
}

/// A process that is replaced or started.
struct Switched<'p> {
    role: &'p str,
    new: &'p DeployedProcess,
    /// True if its old process is up.
    is_up: bool,
    /// True if its socket changes or is down.
    socket_changes: bool,
    /// True if nothing of it changes, and it is down.
    is_repair: bool,
}

/// Replaces or starts a process.
fn switch(input: &PlanInput<'_>, switched: &Switched<'_>) -> Vec<Step> {
    let Switched { role, new, is_up, socket_changes, is_repair } = *switched;
    let start_seconds = start_seconds(input, new);
    let limit = start_limit(new.limit_seconds);
    let step = |action, units: &[&str], seconds| Step {
        role: Some(role.to_owned()),
        seconds,
        repair: is_repair,
        limit: if action == Action::Stop { SHORT_LIMIT } else { limit },
        ..Step::of_stack(action, units.iter().map(|unit| (*unit).to_owned()).collect())
    };
    let Some(socket) = new.socket.as_deref() else {
        let (action, seconds) = if is_up {
            (Action::Restart, start_seconds.map(|start| start + STOP_SECONDS))
        } else {
            (Action::Start, start_seconds)
        };
        return vec![step(action, &[&new.unit], seconds)];
    };
    let mut steps = Vec::new();
    // A request could start the old server again at any time, so the socket stops too.
    if is_up && !is_repair {
        let units: Vec<&str> = new.units().collect();
        steps.push(step(Action::Stop, &units, Some(STOP_SECONDS)));
    }
    if socket_changes || !steps.is_empty() {
        steps.push(step(Action::Start, &[socket], Some(0.0)));
    }
    let load = step(Action::Load, &[&new.unit], start_seconds);
    steps.push(Step { socket: Some((new.address.clone(), new.port)), ..load });
    steps
}

/// The estimated seconds of a start: those of the last one, changed by the time to read other files, or the time to read the
/// files.
fn start_seconds(input: &PlanInput<'_>, new: &DeployedProcess) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let parts = |number: u64, parts: f64| number as f64 / parts;
    let seconds = |millis: u64| parts(millis, 1e3);
    let read = new.read_millis.map(seconds);
    let measured = input.seen.unit(&new.unit).and_then(|unit| unit.state.start_micros);
    let Some(measured) = measured.map(|micros| parts(micros, 1e6)) else {
        return read.map(|read| read + START_SECONDS);
    };
    let mut old =
        input.old.host.into_iter().flat_map(|host| host.roles.iter().flat_map(|role| &role.processes));
    let old = old.find(|old| old.unit == new.unit);
    match (old.filter(|old| old.files != new.files), read) {
        (None, _) => Some(measured),
        // Other files: the part of the time that does not depend on them stays.
        (Some(old), Some(read)) => {
            let fixed = old.read_millis.map_or(START_SECONDS, |before| (measured - seconds(before)).max(0.0));
            Some(read + fixed.max(measured.min(START_SECONDS)))
        }
        (Some(_), None) => None,
    }
}

/// Stops the targets and slices that are removed: no process is in them any more.
fn gone_groups(input: &PlanInput<'_>, files: &[FileChange]) -> Option<Step> {
    let removed = files.iter().filter(|file| file.action == FileAction::Remove);
    let names = removed.filter_map(|file| file.file.strip_prefix("units/"));
    let groups = names.filter(|name| is_group(name));
    let up = groups.filter(|name| input.seen.is_assumed || input.seen.is_up(name));
    let units: Vec<String> = up.map(str::to_owned).collect();
    (!units.is_empty()).then(|| Step { seconds: Some(STOP_SECONDS), ..Step::of_stack(Action::Stop, units) })
}

/// Starts the target of the stack, now and at boot, if it is not, or if units are new.
fn enable(input: &PlanInput<'_>, files: &[FileChange]) -> Option<Step> {
    let target = input.new.host?.target.clone()?;
    let is_on = match input.seen.unit(&target) {
        Some(unit) => {
            let files = input.new.installed_files();
            let names = files.keys().filter_map(|key| key.strip_prefix("units/"));
            let mut targets = names.filter(|name| name.ends_with(".target"));
            unit.state.enabled == "enabled" && targets.all(|name| input.seen.is_up(name))
        }
        None => {
            input.seen.is_assumed && input.old.host.is_some_and(|host| host.target.as_ref() == Some(&target))
        }
    };
    let adds = files.iter().any(|file| file.action == FileAction::Create && file.file.starts_with("units/"));
    (!is_on || adds).then(|| Step { limit: LONG_LIMIT, ..Step::of_stack(Action::Enable, vec![target]) })
}

/// How long each role is down.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Timeline {
    /// The seconds of each role. `None` if a duration is unknown.
    down: BTreeMap<String, Option<f64>>,
}

impl Timeline {
    /// Adds up the steps from the first one of a role to its last one. A role that only starts is not down.
    pub(super) fn of(steps: &[Step], new: &Target<'_>) -> Self {
        let mut clock = Some(0.0);
        let mut since: BTreeMap<&str, Option<f64>> = BTreeMap::new();
        let mut timeline = Self::default();
        let stays = |role: &str| new.host.is_some_and(|host| host.roles.iter().any(|one| one.name == role));
        for step in steps {
            let before = clock;
            clock = clock.zip(step.seconds).map(|(clock, seconds)| clock + seconds);
            let Some(role) = step.role.as_deref().filter(|role| stays(role)) else { continue };
            if matches!(step.action, Action::Stop | Action::Restart) {
                since.entry(role).or_insert(before);
            }
            if let Some(start) = since.get(role) {
                let down = clock.zip(*start).map(|(end, start): (f64, f64)| end - start);
                timeline.down.insert(role.to_owned(), down);
            }
        }
        timeline
    }

    /// The seconds of a role. 0 if no step stops it.
    pub(super) fn down(&self, role: &str) -> Option<f64> {
        self.down.get(role).copied().unwrap_or(Some(0.0))
    }
}
