//! The starts of the report: which roles each host loads at boot, and how long it reads their files.

use super::{Index, MAX_HOSTS, MAX_ROLES, name_of};
use crate::derive::{LoadTime, PROGRAM_START, ServedProcess};
use crate::hir::{self, Bytes, Id};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The starts on a host.
#[derive(Debug)]
pub struct HostStart {
    /// The host.
    pub host: Arc<str>,
    /// The roles that start at boot, in the order of declaration.
    pub boot: Vec<StartRow>,
    /// The roles that start at their first request.
    pub on_demand: Vec<StartRow>,
}

/// The start of a role.
#[derive(Debug)]
pub struct StartRow {
    /// The role.
    pub role: Arc<str>,
    /// The gateway that starts it.
    pub gateway: Option<Arc<str>>,
    /// Its residency.
    pub residency: Arc<str>,
    /// The size of its files. `None` if it is unknown.
    pub bytes: Option<Bytes>,
    /// The milliseconds to read them. `None` if a size or a speed is unknown, or for reads in random order.
    pub read_millis: Option<u64>,
    /// The milliseconds to read the files of this role and of those before it, each file once. `None` if one of them is unknown.
    pub total_millis: Option<u64>,
    /// The limit of its start in seconds, or the reason why there is none.
    pub limit: LoadTime,
}

/// The starts of all hosts with roles.
pub(super) fn starts(index: &Index<'_>) -> Vec<HostStart> {
    let hosts = index.registry().hosts.entries().take(MAX_HOSTS);
    let starts = hosts.map(|(id, host)| of_host(index, id, host));
    starts.filter(|start| !start.boot.is_empty() || !start.on_demand.is_empty()).collect()
}

fn of_host(index: &Index<'_>, id: Id<hir::Host>, host: &hir::Host) -> HostStart {
    let own = index.processes.iter().filter(|process| process.settings.host.value == id);
    let (mut boot, mut on_demand) = (Vec::new(), Vec::new());
    let (mut total, mut seen) = (Some(0_u64), BTreeSet::new());
    for process in own.take(MAX_ROLES) {
        let mut row = row(index, process);
        if index.registry().is_on_demand(process.settings) {
            on_demand.push(row);
            continue;
        }
        let new = index.engine(process.id).and_then(|role| {
            sum(role.sequential_reads(index.registry()).filter(|(path, _)| seen.insert(*path)))
        });
        total = total.zip(new).map(|(sum, new)| sum.saturating_add(new));
        row.total_millis = total;
        boot.push(row);
    }
    HostStart { host: host.head.name.value.clone(), boot, on_demand }
}

/// The milliseconds of all reads. `None` if one of them is unknown.
fn sum<'r>(mut reads: impl Iterator<Item = (&'r str, Option<u64>)>) -> Option<u64> {
    reads.try_fold(0_u64, |sum, (_, millis)| Some(sum.saturating_add(millis?)))
}

fn row(index: &Index<'_>, process: &ServedProcess<'_>) -> StartRow {
    let registry = index.registry();
    let engine = index.engine(process.id);
    let gateway = index.gateway(process).map(|gateway| registry.gateways.get(gateway.id));
    StartRow {
        role: name_of(registry, process.id),
        gateway: gateway.map(|gateway| gateway.head.name.value.clone()),
        residency: registry.residencies.get(process.settings.residency.value).head.name.value.clone(),
        bytes: engine.and_then(|role| role.files.bytes()),
        read_millis: engine.and_then(|role| sum(role.sequential_reads(registry))),
        total_millis: None,
        limit: engine.map_or(Err(PROGRAM_START), |role| role.load_time),
    }
}
