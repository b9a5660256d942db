//! Restores a host after a failed step: the inverse of each step, in the reverse order.

use super::DeployError;
use super::apply::{Deployer, Prepared};
use super::manager::LoadRequest;
use super::plan::FileAction;
use super::steps::{Action, SHORT_LIMIT, Step, start_limit};
use crate::render::deployment::DeployedProcess;
use std::collections::{BTreeMap, BTreeSet};

/// Restores the host. `done` are the steps that were done, with the failed one.
pub(super) fn restore(
    deployer: &Deployer<'_>,
    prepared: &Prepared,
    done: &[Step],
) -> Result<(), DeployError> {
    let seen = &prepared.seen;
    // The files and the other units come back in any case.
    let left = stop_new(deployer, prepared, done)?;
    if done.iter().any(|step| step.action == Action::Install) {
        let changed = prepared.plan.files.iter().filter(|change| change.action != FileAction::Keep);
        let before = |key: &str| seen.installed.get(key).map(|file| &*file.bytes);
        let wanted: BTreeMap<&str, Option<&[u8]>> =
            changed.map(|change| (&*change.file, before(&change.file))).collect();
        note(deployer, "restore files");
        deployer.write(&wanted)?;
        run(deployer, &["daemon-reload"])?;
    }
    done.iter().rev().try_for_each(|step| undo(deployer, prepared, step))?;
    load_again(deployer, prepared, done)?;
    left.map_or(Ok(()), Err)
}

/// Stops the units that were not up, because they take memory and ports, and those that are up with a new definition. Returns the
/// first error.
fn stop_new(
    deployer: &Deployer<'_>,
    prepared: &Prepared,
    done: &[Step],
) -> Result<Option<DeployError>, DeployError> {
    let Some(manager) = deployer.manager else { return Ok(None) };
    let mut first = None;
    let seen = &prepared.seen;
    let mut stopped = BTreeSet::new();
    for step in done.iter().rev() {
        let is_load = step.action == Action::Load;
        if !is_load && !matches!(step.action, Action::Start | Action::Restart) {
            continue;
        }
        for unit in step.units.iter().flat_map(|unit| family(unit)) {
            // A unit that stopped earlier is up with its new definition.
            let stops = |other: &Step| other.action == Action::Stop && other.units.contains(&unit);
            let is_new = !seen.is_up(&unit) || is_load || done.iter().any(stops);
            if seen.units.contains_key(&unit) && is_new && stopped.insert(unit.clone()) {
                match run(deployer, &["stop", &unit]) {
                    Err(DeployError::Stopped) => return Err(DeployError::Stopped),
                    Err(error) => first = first.or(Some(error)),
                    Ok(()) => {}
                }
                let _ = manager.systemctl(&["reset-failed", &unit], SHORT_LIMIT);
            }
        }
    }
    Ok(first)
}

/// Restores the units of one step. The servers of roles on demand start by their sockets.
fn undo(deployer: &Deployer<'_>, prepared: &Prepared, step: &Step) -> Result<(), DeployError> {
    let Some(manager) = deployer.manager else { return Ok(()) };
    match step.action {
        // A unit that stopped can be up again with another definition, as a proxy.
        Action::Stop | Action::Restart => {}
        Action::Enable => {
            let target = step.units.first().map_or("", String::as_str);
            let was_enabled = prepared.seen.unit(target).is_some_and(|unit| unit.state.enabled == "enabled");
            return if was_enabled { Ok(()) } else { run(deployer, &["disable", target]) };
        }
        Action::Start | Action::Load | Action::Install | Action::Reload => return Ok(()),
    }
    let on_demand = |unit: &str| {
        old_processes(prepared)
            .any(|old| old.socket.is_some() && (old.unit == unit || old.proxy.as_deref() == Some(unit)))
    };
    for unit in step.units.iter().filter(|unit| prepared.seen.is_up(unit) && !on_demand(unit)) {
        let limit = old_processes(prepared).find(|old| old.unit == *unit).and_then(|old| old.limit_seconds);
        let limit = limit.map_or(step.limit, |limit| start_limit(Some(limit)));
        let _ = manager.systemctl(&["reset-failed", unit], SHORT_LIMIT);
        announce(deployer, &format!("restart {unit}"))?;
        manager.systemctl(&["restart", unit], limit)?;
    }
    Ok(())
}

/// Loads the roles on demand that were loaded.
fn load_again(deployer: &Deployer<'_>, prepared: &Prepared, done: &[Step]) -> Result<(), DeployError> {
    let Some(manager) = deployer.manager else { return Ok(()) };
    let touched = |unit: &String| done.iter().any(|step| step.units.contains(unit));
    let loaded = old_processes(prepared).filter(|old| {
        old.socket.is_some()
            && touched(&old.unit)
            && prepared.seen.unit(&old.unit).is_some_and(|unit| unit.state.is_active())
    });
    for old in loaded {
        let limit = start_limit(old.limit_seconds);
        announce(deployer, &format!("load {}", old.unit))?;
        manager.load(&LoadRequest {
            address: &old.address,
            port: old.port,
            unit: &old.unit,
            proxy: old.proxy.as_deref(),
            limit,
        })?;
    }
    Ok(())
}

/// The processes before.
fn old_processes(prepared: &Prepared) -> impl Iterator<Item = &DeployedProcess> {
    let hosts = &prepared.old.deployment.hosts;
    hosts.iter().flat_map(|host| &host.roles).flat_map(|role| &role.processes)
}

fn announce(deployer: &Deployer<'_>, change: &str) -> Result<(), DeployError> {
    deployer.before(change)?;
    deployer.manager.into_iter().for_each(|manager| manager.announce(change));
    note(deployer, &format!("restore: {change}"));
    Ok(())
}

/// Adds a line to the journal. On a full disk the journal stays as it is: it exists, and that is enough.
fn note(deployer: &Deployer<'_>, line: &str) {
    let _ = deployer.state.record(line);
}

/// A unit with those that a request starts: the proxy and the server of a socket.
fn family(unit: &str) -> Vec<String> {
    let name = unit.strip_suffix(".socket").or_else(|| unit.strip_suffix("-backend.service"));
    match name {
        Some(name) => ["socket", "service"]
            .iter()
            .map(|end| format!("{name}.{end}"))
            .chain([format!("{name}-backend.service")])
            .collect(),
        None => vec![unit.to_owned()],
    }
}

fn run(deployer: &Deployer<'_>, arguments: &[&str]) -> Result<(), DeployError> {
    let Some(manager) = deployer.manager else { return Ok(()) };
    announce(deployer, &arguments.join(" "))?;
    manager.systemctl(arguments, SHORT_LIMIT)
}
