//! Hosts with their groups: roles that start together and share a memory budget.

use super::process::RoleNumbers;
use super::resources::{MemoryPlace, places};
use super::{Bytes, Seconds, Start};
use crate::check::Checked;
use crate::derive::{Derived, LoadChange, MemoryScope, RoleGroup, RoleGroups, ServedGateway, ServedProcess};
use crate::hir::{self, Id, Registry, Residency};
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
    /// The places of its memory.
    pub places: Vec<MemoryPlace>,
    /// The memory that the engines of its roles may take in addition, by their own defaults.
    pub growth: Bytes,
    /// The version of its systemd.
    pub systemd: u32,
    /// The user that services run as. `None`: a dynamic user for each service.
    pub user: Option<Arc<str>>,
    /// The group that services run as.
    pub group: Option<Arc<str>>,
    /// Its residencies with at least one unit here, in the order of declaration.
    pub groups: Vec<Group>,
}

/// The units of one residency on one host. The unit of a gateway has the models of all its roles.
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
    /// The memory of the models in its units that are loaded when it starts: mapped files count once, other known memory once
    /// per process. `None` if the size of a model is unknown.
    pub load: Option<Bytes>,
    /// The roles and the servers of gateways that have units, as indices into [`Plan::roles`](super::Plan::roles). At least one.
    pub roles: Vec<usize>,
}

/// All hosts, in the order of declaration.
pub(super) fn hosts(checked: &Checked, numbers: &RoleNumbers) -> Vec<Host> {
    let (registry, derived) = (checked.registry(), checked.derived());
    let loads = derived.loads();
    let all = loads.of_hosts().into_iter().zip(registry.memory_of_services());
    let mut hosts: Vec<Host> = all.map(|(group, services)| host(derived, &group, services)).collect();
    let units = UnitGroups::new(checked);
    for (id, residency) in registry.residencies.entries() {
        for role_group in loads.of_residency(id) {
            let gateways = units.gateways(role_group.host, id);
            let own = role_group.roles().filter(|role| role.settings.gateway.is_none());
            let own = own.filter_map(|role| numbers.get(&role.id).copied());
            let roles: Vec<usize> = own.chain(gateways.map(|number| numbers.len() + number)).collect();
            let Some(host) = hosts.get_mut(role_group.host.number()).filter(|_| !roles.is_empty()) else {
                continue;
            };
            host.groups.push(Group {
                name: residency.head.name.value.clone(),
                title: residency.title.value.clone(),
                start: residency.start.value,
                idle: residency.idle.map(|idle| idle.value),
                budget: residency.budget.map(|budget| budget.value),
                growth: role_group.growth(),
                load: units.load(&loads, &role_group, id),
                roles,
            });
        }
    }
    hosts
}

/// A host without its groups. `services` is the memory of its services.
fn host(derived: &Derived, group: &RoleGroup<'_>, services: Bytes) -> Host {
    let registry = &derived.registry;
    let host = registry.hosts.get(group.host);
    Host {
        places: places(derived, group, services),
        growth: group.growth(),
        name: host.head.name.value.clone(),
        is_only: registry.hosts.len() == 1,
        address: host.address.as_ref().map(|address| address.value.clone()),
        memory: host.memory.map(|memory| memory.value),
        systemd: host.systemd.value,
        user: host.user.as_ref().map(|user| user.value.clone()),
        group: host.group.as_ref().map(|group| group.value.clone()),
        groups: Vec::new(),
    }
}

/// The residencies of units. All models of a gateway are in its unit, which has one residency.
struct UnitGroups<'c> {
    registry: &'c Registry,
    gateways: &'c [ServedGateway],
}

impl<'c> UnitGroups<'c> {
    fn new(checked: &'c Checked) -> Self {
        Self { registry: checked.registry(), gateways: &checked.derived().gateways }
    }

    /// The numbers of the gateways whose units are in a residency on a host.
    fn gateways(&self, host: Id<hir::Host>, residency: Id<Residency>) -> impl Iterator<Item = usize> {
        let settings = self.gateways.iter().map(|gateway| &gateway.settings).enumerate();
        let inside =
            settings.filter(move |(_, own)| own.host.value == host && own.residency.value == residency);
        inside.map(|(number, _)| number)
    }

    /// The residency of the unit of a role.
    fn of(&self, role: &ServedProcess<'_>) -> Id<Residency> {
        let gateway = role.settings.gateway.map(|gateway| gateway.value);
        let gateway = self.gateways.iter().find(|one| Some(one.id) == gateway);
        gateway.map_or(role.settings, |gateway| &gateway.settings).residency.value
    }

    /// The memory of the models in the units of a residency that are loaded when the residency starts.
    fn load(&self, loads: &RoleGroups<'_>, group: &RoleGroup<'_>, residency: Id<Residency>) -> Option<Bytes> {
        let has_mixed = |gateway: &ServedGateway| {
            gateway.residencies.len() > 1 && gateway.residencies.contains_key(&residency)
        };
        if !self.gateways.iter().any(has_mixed) {
            return group.known_total();
        }
        let start = |id| self.registry.residencies.get(id).start.value;
        let is_inside = |role: &ServedProcess<'_>| {
            self.of(role) == residency && start(role.settings.residency.value) == start(residency)
        };
        let host = loads.of_hosts().into_iter().find(|one| one.host == group.host)?;
        if host.roles().any(|role| is_inside(&role) && role.memory.lacks_size) {
            return None;
        }
        let others: Vec<_> = host.roles().filter(|role| !is_inside(role)).map(|role| role.id).collect();
        let change = LoadChange { gone: &others, ..LoadChange::default() };
        Some(host.load_after(MemoryScope::HOST, change).total)
    }
}
