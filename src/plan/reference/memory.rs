//! The memory of each residency and host, as the checks sum it.

use crate::derive::{Derived, RoleGroup};
use crate::hir::Bytes;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The memory of all roles.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// The residencies with at least one role, and their hosts.
    pub rows: Vec<Footprint>,
    /// The hosts with at least one role.
    pub totals: Vec<HostTotal>,
    /// True if at least two hosts have roles.
    pub has_hosts: bool,
    /// True if the sums include more than files, because the headers of some files are known.
    pub has_buffers: bool,
}

/// The memory of the roles of a residency on one host.
#[derive(Debug, Serialize)]
pub struct Footprint {
    /// The name of the residency.
    pub residency: Arc<str>,
    /// Its title.
    pub title: Arc<str>,
    /// The host. `None` if only one host has roles.
    pub host: Option<Arc<str>>,
    /// The groups of its roles, each once, in the order of the roles.
    pub groups: Vec<Arc<str>>,
    /// The sum: mapped files count once, other known memory once per process. `None` if the size of a model is unknown.
    pub bytes: Option<Bytes>,
}

/// The memory of all roles of a host.
#[derive(Debug, Serialize)]
pub struct HostTotal {
    /// The host. `None` if only one host has roles.
    pub host: Option<Arc<str>>,
    /// The sum: mapped files count once, other known memory once per process. `None` if the size of a model is unknown.
    pub bytes: Option<Bytes>,
    /// True if each row of the host has a sum.
    pub is_complete: bool,
}

/// True if at least two hosts have roles. Then the tables need their names.
pub(super) fn has_several_hosts(derived: &Derived) -> bool {
    let mut hosts = derived.processes().map(|role| role.settings.host.value);
    let first = hosts.next();
    hosts.any(|host| Some(host) != first)
}

pub(super) fn memory(derived: &Derived) -> Memory {
    let (registry, loads) = (&derived.registry, derived.loads());
    let has_hosts = has_several_hosts(derived);
    let host_of =
        |group: &RoleGroup<'_>| has_hosts.then(|| registry.hosts.get(group.host).head.name.value.clone());
    let mut rows = Vec::new();
    for (id, residency) in registry.residencies.entries() {
        rows.extend(loads.of_residency(id).map(|group| Footprint {
            residency: residency.head.name.value.clone(),
            title: residency.title.value.clone(),
            host: host_of(&group),
            groups: groups(derived, &group),
            bytes: group.known_total(),
        }));
    }
    let hosts = loads.of_hosts().into_iter().filter(|group| group.roles().next().is_some());
    let total = |group: RoleGroup<'_>| HostTotal {
        host: host_of(&group),
        bytes: group.known_total(),
        is_complete: {
            let host = host_of(&group);
            rows.iter().all(|row| row.host != host || row.bytes.is_some())
        },
    };
    let totals: Vec<HostTotal> = hosts.map(total).collect();
    let has_buffers =
        derived.roles.iter().any(|role| role.memory.counted.iter().any(|part| part.file.is_none()));
    Memory { rows, totals, has_hosts, has_buffers }
}

/// The groups of the roles, each once.
fn groups(derived: &Derived, group: &RoleGroup<'_>) -> Vec<Arc<str>> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let names = group.roles().map(|served| {
        let role = derived.registry.roles.get(served.id);
        &*role.group.as_ref().unwrap_or(&role.head.name).value
    });
    names.filter(|name| known.insert(name)).map(Arc::from).collect()
}
