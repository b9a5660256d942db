//! Computes which roles behind llama-swap fit into memory together.

use super::gateway::ServedGateway;
use super::loads::RoleGroups;
use super::place::MemoryScope;
use super::process::ServedProcess;
use super::resident::{Resident, ResidentPart};
use super::swap_sets::{SwapSets, maximal_sets, numbers};
use crate::hir::{Bytes, Host, Id, Registry, Residency, Role, Start};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of parts of memory that are added to find the sets of all gateways. A limit keeps the work for any text
/// linear.
const MAX_WORK: usize = 4_000_000;

/// The sets of all gateways of llama-swap, in the order of declaration. `unknown` are the roles of which the memory is not completely
/// known.
pub(super) fn swap_sets(
    registry: &Registry,
    gateways: &[ServedGateway],
    processes: &[ServedProcess<'_>],
    unknown: &BTreeSet<Id<Role>>,
) -> Vec<SwapSets> {
    let by_id: BTreeMap<Id<Role>, ServedProcess<'_>> =
        processes.iter().map(|role| (role.id, *role)).collect();
    let start = |id: &&Id<Role>| {
        let role = by_id.get(id)?;
        Some(registry.residencies.get(role.settings.residency.value).start.value)
    };
    let swapping = gateways.iter().filter(|served| served.swap().is_some());
    let mut all: Vec<SwapSets> = swapping
        .map(|served| {
            let declared = &registry.gateways.get(served.id).sets;
            if !declared.is_empty() {
                return SwapSets::declared(served.id, &served.roles, declared);
            }
            let (kept, swapped) = served.roles.iter().partition(|id| start(id) == Some(Start::Boot));
            SwapSets::one_at_a_time(served.id, kept, swapped)
        })
        .collect();
    let mut work = MAX_WORK;
    let groups = RoleGroups::new(registry, processes.iter().copied(), &[]);
    let mut unknown_of_hosts = vec![0_usize; registry.hosts.len()];
    for role in processes.iter().filter(|role| unknown.contains(&role.id)) {
        unknown_of_hosts.get_mut(role.settings.host.value.number()).into_iter().for_each(|count| *count += 1);
    }
    for index in 0..all.len() {
        let Some(own) = all.get(index).filter(|own| !own.is_declared && own.swapped.len() > 1) else {
            continue;
        };
        let choices: Vec<ServedProcess<'_>> =
            own.swapped.iter().filter_map(|id| by_id.get(id).copied()).collect();
        let groups = groups.with_sets(&all);
        let host = registry.gateways.get(own.gateway).host.value;
        // A role is alone if its own memory is unknown, or that of another one which can run at the same time.
        let of_own = own.swapped.iter().filter(|id| unknown.contains(id)).count();
        let of_host = unknown_of_hosts.get(host.number()).copied().unwrap_or(0);
        let is_host_unknown = registry.hosts.get(host).memory.is_none() || of_host > of_own;
        let is_unknown = |role: &ServedProcess<'_>| is_host_unknown || unknown.contains(&role.id);
        let room = Room { registry, roles: &choices, unknown: choices.iter().map(is_unknown).collect() };
        let Some(sets) = room.sets(&groups, own, &mut work) else { continue };
        let alone = choices.iter().filter(|role| is_unknown(role) && room.residency(role).at_once.is_none());
        let alone = alone.map(|role| role.id).collect();
        if let Some(own) = all.get_mut(index) {
            (own.sets, own.is_stricter, own.alone) = (sets, false, alone);
        }
    }
    all
}

/// The roles of a gateway that start on demand.
struct Room<'r> {
    registry: &'r Registry,
    roles: &'r [ServedProcess<'r>],
    /// For each role, true if not all memory is known that it needs together with others.
    unknown: Vec<bool>,
}

/// A limit of memory: that of a place, or the budget of a residency.
struct Limit<'r> {
    most: Bytes,
    /// The memory without that of the roles on demand of the gateway.
    resident: Resident<'r>,
    /// For each of these roles, what it adds.
    parts: Vec<Vec<ResidentPart<'r>>>,
}

impl Limit<'_> {
    fn allows(&self, set: u64) -> bool {
        let parts = numbers(set).filter_map(|n| self.parts.get(n)).flatten();
        self.resident.total_with(parts) <= self.most
    }
}

/// The memory of a host by place, without what services and the reserve take.
fn places(registry: &Registry, host: Id<Host>) -> Vec<(MemoryScope, Bytes)> {
    let services = registry.memory_of_services();
    let services = services.get(host.number()).copied().unwrap_or(Bytes(0));
    let host = registry.hosts.get(host);
    let of_host = host.room().map(|room| (MemoryScope::HOST, room.minus(services)));
    let nodes = host.numa.iter().filter_map(|node| Some((node.node.value, node.memory?.value)));
    let nodes = nodes.flat_map(|(node, memory)| {
        [(MemoryScope::node(node), memory), (MemoryScope::locked_on(node), memory)]
    });
    let gpus = host.gpus.iter().enumerate();
    let gpus = gpus.filter_map(|(index, gpu)| Some((MemoryScope::gpu(index), gpu.room()?)));
    of_host.into_iter().chain(nodes).chain(gpus).collect()
}

impl<'r> Room<'r> {
    /// The sets of roles that fit into memory together, and that `at-once` allows. `None` if there are too many, or too much work
    /// remains.
    fn sets(
        &self,
        groups: &'r RoleGroups<'r>,
        own: &SwapSets,
        work: &mut usize,
    ) -> Option<Vec<BTreeSet<Id<Role>>>> {
        let alone = || self.roles.iter().map(|role| BTreeSet::from([role.id]));
        if self.is_one_at_a_time() {
            return Some(alone().collect());
        }
        let limits = self.limits(groups, own, work)?;
        let parts: usize = limits.iter().flat_map(|limit| &limit.parts).map(Vec::len).sum();
        let cost = parts + self.roles.len();
        let mut calls = *work / cost;
        let found = maximal_sets(self.roles.len(), &mut calls, |set| {
            self.is_allowed(set) && limits.iter().all(|limit| limit.allows(set))
        });
        *work = calls * cost;
        let mut sets: Vec<BTreeSet<Id<Role>>> =
            found?.into_iter().map(|set| self.chosen(set).map(|role| role.id).collect()).collect();
        // One role may always run. If it does not fit, `over-host-memory` and others report it.
        let known: BTreeSet<Id<Role>> = sets.iter().flatten().copied().collect();
        sets.extend(alone().filter(|set| set.is_disjoint(&known)));
        sets.retain(|set| !set.is_empty());
        Some(sets)
    }

    /// True if `at-once` allows only one of all roles.
    fn is_one_at_a_time(&self) -> bool {
        let mut all = self.roles.iter().map(|role| role.settings.residency.value);
        let first = all.next();
        first.is_some_and(|first| {
            let at_once = self.registry.residencies.get(first).at_once;
            at_once.is_some_and(|most| most.value == 1) && all.all(|residency| residency == first)
        })
    }

    /// The limits that a set of roles can exceed. `None` if too much work remains.
    fn limits(&self, groups: &'r RoleGroups<'r>, own: &SwapSets, work: &mut usize) -> Option<Vec<Limit<'r>>> {
        let host = self.registry.gateways.get(own.gateway).host.value;
        let of_host = groups.of_host(host);
        let residencies: BTreeSet<Id<Residency>> =
            self.roles.iter().map(|role| role.settings.residency.value).collect();
        let budgets = residencies.into_iter().filter_map(|id| {
            let budget = self.registry.residencies.get(id).budget?;
            let group = groups.of_residency(id).find(|group| group.host == host)?;
            Some((group, Some(id), MemoryScope::HOST, budget.value))
        });
        let places = places(self.registry, host).into_iter();
        let places = places.map(|(scope, most)| (of_host.clone(), None, scope, most));
        let mut limits = Vec::new();
        for (group, residency, scope, most) in places.chain(budgets) {
            *work = work.checked_sub(self.roles.len())?;
            let is_counted = |role: &&ServedProcess<'r>| {
                residency.is_none_or(|residency| role.settings.residency.value == residency)
            };
            let parts = self.roles.iter().map(|role| {
                let counted = Some(role).filter(is_counted).into_iter();
                counted.flat_map(|role| group.parts_of(scope, *role)).collect::<Vec<_>>()
            });
            let parts: Vec<Vec<ResidentPart<'r>>> = parts.collect();
            if parts.iter().any(|parts| !parts.is_empty()) {
                // A role has several parts, each of which is looked up.
                *work = work.checked_sub(group.roles().count().saturating_mul(8))?;
                limits.push(Limit { most, resident: group.without(scope, own), parts });
            }
        }
        Some(limits)
    }

    fn chosen(&self, set: u64) -> impl Iterator<Item = &ServedProcess<'r>> {
        numbers(set).filter_map(|n| self.roles.get(n))
    }

    fn residency(&self, role: &ServedProcess<'_>) -> &'r Residency {
        self.registry.residencies.get(role.settings.residency.value)
    }

    /// True if `at-once` allows these roles together, and enough of their memory is known.
    fn is_allowed(&self, set: u64) -> bool {
        let most = |role: &ServedProcess<'_>| self.residency(role).at_once.map(|most| most.value as usize);
        let respects_at_once = self.chosen(set).all(|role| {
            let residency = role.settings.residency.value;
            let count =
                || self.chosen(set).filter(|other| other.settings.residency.value == residency).count();
            most(role).is_none_or(|most| count() <= most)
        });
        // Without all facts, several roles may run together only if `at-once` states it.
        let is_unknown = numbers(set).any(|n| self.unknown.get(n).copied().unwrap_or(true));
        let is_declared = || self.chosen(set).all(|role| most(role).is_some());
        respects_at_once && (set.count_ones() < 2 || !is_unknown || is_declared())
    }
}
