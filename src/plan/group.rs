//! Hosts with their groups: roles that start together and share a memory budget.

use super::process::RoleNumbers;
use super::{Bytes, Seconds, Start};
use crate::check::Checked;
use std::sync::Arc;

/// A machine with its groups.
#[derive(Debug)]
pub struct Host {
    /// Its name.
    pub name: Arc<str>,
    /// True if it is the only host. Then file names need no host.
    pub is_only: bool,
    /// Its address for other machines.
    pub address: Option<Arc<str>>,
    /// All its memory, if it is declared.
    pub memory: Option<Bytes>,
    /// The version of its systemd.
    pub systemd: u32,
    /// The user that services run as. `None`: a dynamic user for each service.
    pub user: Option<Arc<str>>,
    /// The group that services run as.
    pub group: Option<Arc<str>>,
    /// Its residencies with at least one role here, in the order of declaration.
    pub groups: Vec<Group>,
}

/// The roles of one residency on one host.
#[derive(Debug)]
pub struct Group {
    /// The name of the residency.
    pub name: Arc<str>,
    /// Its title.
    pub title: Arc<str>,
    /// When its roles start.
    pub start: Start,
    /// Idle time without a connection after which a model is unloaded.
    pub idle: Option<Seconds>,
    /// The memory limit of the roles together, for what the registry states.
    pub budget: Option<Bytes>,
    /// The memory that their engines may take in addition, by their own defaults.
    pub growth: Bytes,
    /// The memory of the roles: mapped files count once, other known memory once per process. `None` if the size of a
    /// model is unknown.
    pub load: Option<Bytes>,
    /// The roles, as indices into [`Plan::roles`](super::Plan::roles).
    pub roles: Vec<usize>,
}

/// All hosts, in the order of declaration.
pub(super) fn hosts(checked: &Checked, numbers: &RoleNumbers) -> Vec<Host> {
    let registry = checked.registry();
    let mut hosts: Vec<Host> = registry
        .hosts
        .iter()
        .map(|host| Host {
            name: host.head.name.value.clone(),
            is_only: registry.hosts.len() == 1,
            address: host.address.as_ref().map(|address| address.value.clone()),
            memory: host.memory.map(|memory| memory.value),
            systemd: host.systemd.value,
            user: host.user.as_ref().map(|user| user.value.clone()),
            group: host.group.as_ref().map(|group| group.value.clone()),
            groups: Vec::new(),
        })
        .collect();
    let loads = checked.derived().loads();
    for (id, residency) in registry.residencies.entries() {
        for role_group in loads.of_residency(id) {
            let Some(host) = hosts.get_mut(role_group.host.number()) else { continue };
            host.groups.push(Group {
                name: residency.head.name.value.clone(),
                title: residency.title.value.clone(),
                start: residency.start.value,
                idle: residency.idle.map(|idle| idle.value),
                budget: residency.budget.map(|budget| budget.value),
                growth: role_group.growth(),
                load: role_group.known_total(),
                roles: role_group.roles().filter_map(|role| numbers.get(&role.id).copied()).collect(),
            });
        }
    }
    for (number, gateway) in (numbers.len()..).zip(&checked.derived().gateways) {
        let residency = registry.residencies.get(gateway.settings.residency.value);
        let host = hosts.get_mut(gateway.settings.host.value.number());
        let mut groups = host.into_iter().flat_map(|host| &mut host.groups);
        if let Some(group) = groups.find(|group| group.name == residency.head.name.value) {
            group.roles.push(number);
        }
    }
    hosts
}
