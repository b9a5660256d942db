//! Computes which roles behind llama-swap fit into memory together.

use super::gateway::ServedGateway;
use super::loads::{LoadChange, RoleGroup, RoleGroups};
use super::place::MemoryScope;
use super::process::ServedProcess;
use super::swap_sets::{MAX_CHOICES, SwapSets, maximal_sets, numbers};
use crate::hir::{Bytes, Id, Registry, Residency, Role, Start};
use std::collections::BTreeSet;

/// The maximum number of roles that are summed to find all sets of a registry. A limit keeps the work for any text linear.
const MAX_WORK: usize = 1_000_000;

/// The sets of all gateways of llama-swap. `unknown` is true for a role of which the memory is not completely known.
pub(super) fn swap_sets(
    registry: &Registry,
    gateways: &[ServedGateway],
    processes: &[ServedProcess<'_>],
    unknown: impl Fn(&ServedProcess<'_>) -> bool,
) -> Vec<SwapSets> {
    let mut all: Vec<SwapSets> = Vec::new();
    for served in gateways.iter().filter(|served| served.swap().is_some()) {
        let behind =
            processes.iter().filter(|role| role.settings.gateway.map(|own| own.value) == Some(served.id));
        let start =
            |role: &ServedProcess<'_>| registry.residencies.get(role.settings.residency.value).start.value;
        let (at_boot, on_demand): (Vec<_>, Vec<_>) = behind.partition(|role| start(role) == Start::Boot);
        let ids = |roles: &[&ServedProcess<'_>]| roles.iter().map(|role| role.id).collect::<Vec<_>>();
        all.push(SwapSets::one_at_a_time(served.id, ids(&at_boot), ids(&on_demand)));
    }
    let mut calls = MAX_WORK / processes.len().max(1);
    for (index, served) in gateways.iter().filter(|served| served.swap().is_some()).enumerate() {
        let groups = RoleGroups::new(registry, processes.iter().copied(), &all);
        let hosts = groups.of_hosts();
        let Some(group) = hosts.get(served.settings.host.value.number()) else { continue };
        let Some(own) = all.get(index) else { continue };
        let on_demand = processes.iter().filter(|role| own.on_demand.contains(&role.id));
        let on_demand: Vec<ServedProcess<'_>> = on_demand.copied().take(MAX_CHOICES + 1).collect();
        let room = Room {
            registry,
            groups: &groups,
            group,
            own,
            limits: limits(registry, group),
            roles: &on_demand,
        };
        let unknown: Vec<bool> = on_demand.iter().map(&unknown).collect();
        let found = maximal_sets(on_demand.len(), &mut calls, |set| room.fits(set, &unknown));
        if let Some(sets) = found.map(|found| room.sets(found)) {
            all.get_mut(index).into_iter().for_each(|own| {
                own.sets.clone_from(&sets);
                own.is_stricter = false;
            });
        }
    }
    all
}

/// The memory of a host, and what is in it without the roles on demand of one gateway.
struct Room<'r> {
    registry: &'r Registry,
    groups: &'r RoleGroups<'r>,
    group: &'r RoleGroup<'r>,
    own: &'r SwapSets,
    limits: Vec<(MemoryScope, Bytes)>,
    /// The roles on demand.
    roles: &'r [ServedProcess<'r>],
}

/// The memory of a host by place, without what services and the reserve take.
fn limits(registry: &Registry, group: &RoleGroup<'_>) -> Vec<(MemoryScope, Bytes)> {
    let host = registry.hosts.get(group.host);
    let services = registry.memory_of_services();
    let services = services.get(group.host.number()).copied().unwrap_or(Bytes(0));
    let of_host = host.room().map(|room| (MemoryScope::HOST, room.minus(services)));
    let nodes = host.numa.iter().filter_map(|node| Some((node.node.value, node.memory?.value)));
    let nodes = nodes.flat_map(|(node, memory)| {
        [(MemoryScope::node(node), memory), (MemoryScope::locked_on(node), memory)]
    });
    let gpus = host.gpus.iter().enumerate().map(|(index, gpu)| (MemoryScope::gpu(index), gpu.room()));
    of_host.into_iter().chain(nodes).chain(gpus).collect()
}

impl Room<'_> {
    /// True if the roles of a set fit into memory together, and `at-once` allows them. One role always may run.
    fn fits(&self, set: u64, unknown: &[bool]) -> bool {
        let chosen: Vec<&ServedProcess<'_>> = numbers(set).filter_map(|n| self.roles.get(n)).collect();
        if !self.respects_at_once(&chosen) {
            return false;
        }
        // Without all facts, several roles may run together only if `at-once` states it.
        let has_memory = self.registry.hosts.get(self.group.host).memory.is_some();
        let is_unknown = !has_memory || numbers(set).any(|n| unknown.get(n).copied().unwrap_or(true));
        if chosen.len() > 1 && is_unknown && !chosen.iter().all(|role| self.residency(role).at_once.is_some())
        {
            return false;
        }
        let only = SwapSets { sets: vec![chosen.iter().map(|role| role.id).collect()], ..self.own.clone() };
        let change = LoadChange { set: Some(&only), ..LoadChange::default() };
        let fits = |(scope, limit): &(MemoryScope, Bytes)| self.group.total_after(*scope, change) <= *limit;
        self.limits.iter().all(fits) && self.respects_budgets(&chosen, change)
    }

    fn residency(&self, role: &ServedProcess<'_>) -> &Residency {
        self.registry.residencies.get(role.settings.residency.value)
    }

    fn respects_at_once(&self, chosen: &[&ServedProcess<'_>]) -> bool {
        chosen.iter().all(|role| {
            let of_residency =
                |other: &&&ServedProcess<'_>| other.settings.residency.value == role.settings.residency.value;
            let count = chosen.iter().filter(of_residency).count();
            self.residency(role).at_once.is_none_or(|most| count <= most.value as usize)
        })
    }

    fn respects_budgets(&self, chosen: &[&ServedProcess<'_>], change: LoadChange<'_>) -> bool {
        let residencies: BTreeSet<Id<Residency>> =
            chosen.iter().map(|role| role.settings.residency.value).collect();
        residencies.into_iter().all(|id| {
            let Some(budget) = self.registry.residencies.get(id).budget else { return true };
            let mut of_host = self.groups.of_residency(id).filter(|group| group.host == self.group.host);
            of_host.all(|group| group.total_after(MemoryScope::HOST, change) <= budget.value)
        })
    }

    /// The sets as roles. A role that does not fit is alone in a set: `over-host-memory` and others report it.
    fn sets(&self, found: Vec<u64>) -> Vec<BTreeSet<Id<Role>>> {
        let role = |n: usize| self.roles.get(n).map(|role| role.id);
        let mut sets: Vec<BTreeSet<Id<Role>>> =
            found.into_iter().map(|set| numbers(set).filter_map(role).collect()).collect();
        let known: BTreeSet<Id<Role>> = sets.iter().flatten().copied().collect();
        let alone = self.roles.iter().filter(|role| !known.contains(&role.id));
        sets.extend(alone.map(|role| BTreeSet::from([role.id])));
        sets.retain(|set| !set.is_empty());
        sets
    }
}
