//! Memory sums of the roles of a residency, a host or a NUMA node: their files and their known private memory.

use super::memory::{MemoryKind, RoleMemory};
use super::place::MemoryScope;
use super::process::ServedProcess;
use super::resident::{Resident, ResidentPart};
use super::swap_sets::SwapSets;
use super::tally::{MemoryLoad, Tally};
use crate::hir::{Bytes, Gateway, Host, Id, Registry, Residency, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Roles by host, in the order of declaration.
type RolesOfHosts<'r> = BTreeMap<Id<Host>, Vec<ServedProcess<'r>>>;

/// The served roles of a registry, grouped by residency and host.
#[derive(Debug)]
pub struct RoleGroups<'r> {
    registry: &'r Registry,
    /// The sets of roles that gateways allow.
    sets: &'r [SwapSets],
    groups: Arc<BTreeMap<Id<Residency>, RolesOfHosts<'r>>>,
}

/// Roles of one host that can be in memory at the same time.
#[derive(Clone, Debug)]
pub struct RoleGroup<'l> {
    /// The host.
    pub host: Id<Host>,
    pub(super) registry: &'l Registry,
    pub(super) sets: &'l [SwapSets],
    /// The roles of each residency, in the order of declaration.
    parts: Vec<(Id<Residency>, &'l [ServedProcess<'l>])>,
}

/// A hypothetical change of the registry, to find a change that fits.
#[derive(Clone, Copy, Default, Debug)]
pub struct LoadChange<'c> {
    /// Roles that are removed.
    pub gone: &'c [Id<Role>],
    /// The number of roles of a residency that may run at the same time.
    pub at_once: Option<(Id<Residency>, usize)>,
    /// Another memory of a role.
    pub memory: Option<(Id<Role>, &'c RoleMemory)>,
}

impl<'c> LoadChange<'c> {
    /// A role after this change.
    fn apply(self, role: ServedProcess<'c>) -> ServedProcess<'c> {
        match self.memory.filter(|(changed, _)| *changed == role.id) {
            Some((_, memory)) => ServedProcess { memory, ..role },
            None => role,
        }
    }
}

impl Registry {
    /// The declared memory of the services of each host, by the number of the host.
    pub fn memory_of_services(&self) -> Vec<Bytes> {
        let mut sums = vec![Bytes(0); self.hosts.len()];
        for service in self.services.iter() {
            if let (Some(sum), Some(memory)) = (sums.get_mut(service.host.value.number()), service.memory) {
                *sum = sum.plus(memory.value);
            }
        }
        sums
    }
}

impl<'r> RoleGroups<'r> {
    pub(super) fn new(
        registry: &'r Registry,
        roles: impl Iterator<Item = ServedProcess<'r>>,
        sets: &'r [SwapSets],
    ) -> Self {
        let mut groups: BTreeMap<_, RolesOfHosts<'_>> = BTreeMap::new();
        for role in roles {
            let hosts = groups.entry(role.settings.residency.value).or_default();
            hosts.entry(role.settings.host.value).or_default().push(role);
        }
        Self { registry, sets, groups: Arc::new(groups) }
    }

    /// The same groups with other sets.
    pub(super) fn with_sets<'s>(&self, sets: &'s [SwapSets]) -> RoleGroups<'s>
    where
        'r: 's,
    {
        RoleGroups { registry: self.registry, sets, groups: Arc::clone(&self.groups) }
    }

    /// The roles of a host.
    pub(super) fn of_host(&self, host: Id<Host>) -> RoleGroup<'_> {
        let parts = self.groups.iter().filter_map(|(id, hosts)| Some((*id, hosts.get(&host)?.as_slice())));
        RoleGroup { host, registry: self.registry, sets: self.sets, parts: parts.collect() }
    }

    /// The roles of a residency, grouped by host, in the order of declaration.
    pub fn of_residency(&self, residency: Id<Residency>) -> impl Iterator<Item = RoleGroup<'_>> {
        let hosts = self.groups.get(&residency).into_iter().flatten();
        hosts.map(move |(host, roles)| RoleGroup {
            host: *host,
            registry: self.registry,
            sets: self.sets,
            parts: vec![(residency, roles.as_slice())],
        })
    }

    /// The roles of each host, in the order of declaration. A host without roles has an empty group.
    pub fn of_hosts(&self) -> Vec<RoleGroup<'_>> {
        let hosts = self.registry.hosts.entries();
        let (registry, sets) = (self.registry, self.sets);
        let empty = |(host, _)| RoleGroup { host, registry, sets, parts: Vec::new() };
        let mut all: Vec<RoleGroup> = hosts.map(empty).collect();
        for (residency, hosts) in self.groups.iter() {
            for (host, roles) in hosts {
                if let Some(group) = all.get_mut(host.number()) {
                    group.parts.push((*residency, roles));
                }
            }
        }
        all
    }
}

impl<'l> RoleGroup<'l> {
    /// The same roles with other sets.
    pub(super) fn with_sets<'s>(&self, sets: &'s [SwapSets]) -> RoleGroup<'s>
    where
        'l: 's,
    {
        RoleGroup { sets, ..self.clone() }
    }

    /// The residencies in the order of declaration, each with the number of its roles in this group and these roles as
    /// a group.
    pub fn by_residency(&self) -> impl Iterator<Item = (Id<Residency>, usize, Self)> {
        self.parts.iter().map(|part| (part.0, part.1.len(), Self { parts: vec![*part], ..self.clone() }))
    }

    /// The roles, in the order of declaration within each residency.
    pub fn roles(&self) -> impl Iterator<Item = ServedProcess<'l>> {
        self.parts.iter().flat_map(|(_, roles)| roles.iter().copied())
    }

    /// The memory of a GPU of the host. `None` if the host has no such GPU.
    pub fn gpu_scope(&self, name: &str) -> Option<MemoryScope> {
        let gpus = &self.registry.hosts.get(self.host).gpus;
        gpus.iter().position(|gpu| &*gpu.name.value == name).map(MemoryScope::gpu)
    }

    /// The memory of the roles on the host. `None` if the memory of a model or program is unknown.
    pub fn known_total(&self) -> Option<Bytes> {
        let is_known = !self.roles().any(|role| role.memory.lacks_size);
        is_known.then(|| self.total(MemoryScope::HOST))
    }

    /// The memory that the processes may take in addition, by defaults of their engines. If `at-once` or a gateway limits the
    /// roles that run, those that may grow the most.
    pub fn growth(&self) -> Bytes {
        self.sum_of_processes(|memory| memory.growth)
    }

    /// The sum of a number of bytes of each process that may run at the same time.
    pub fn sum_of_processes(&self, bytes: impl Fn(&RoleMemory) -> Bytes) -> Bytes {
        let of_role = |role: &ServedProcess<'_>| {
            Bytes(bytes(role.memory).0.saturating_mul(role.settings.ports.value.len() as u64))
        };
        let mut of_sets: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        for role in self.roles().filter(|role| self.sets_of(role).is_some()) {
            of_sets.insert(role.id, of_role(&role));
        }
        for sets in self.sets {
            let bytes = |set: &BTreeSet<Id<Role>>| {
                set.iter().filter_map(|role| of_sets.get(role)).fold(Bytes(0), |sum, one| sum.plus(*one))
            };
            for outside in sets.outside_largest(bytes) {
                of_sets.remove(&outside);
            }
        }
        let of_part = |(residency, roles): &(Id<Residency>, &[ServedProcess<'_>])| {
            let roles = roles.iter().filter(|role| self.sets_of(role).is_none());
            let mut each: Vec<Bytes> = roles.map(of_role).collect();
            each.sort_unstable();
            let at_once = self.registry.residencies.get(*residency).at_once;
            let most = at_once.map_or(each.len(), |most| most.value as usize);
            each.into_iter().rev().take(most).fold(Bytes(0), Bytes::plus)
        };
        self.parts.iter().map(of_part).chain(of_sets.values().copied()).fold(Bytes(0), Bytes::plus)
    }

    /// The sets of the gateway of a role. `None` if it is not behind a gateway with sets.
    fn sets_of(&self, role: &ServedProcess<'_>) -> Option<&'l SwapSets> {
        let gateway: Id<Gateway> = role.settings.gateway?.value;
        // They are in the order of the gateways.
        let found = self.sets.binary_search_by_key(&gateway, |sets| sets.gateway).ok()?;
        self.sets.get(found)
    }

    /// True if any role declares the NUMA placement of its memory.
    pub fn is_placed(&self) -> bool {
        self.roles().any(|role| role.settings.placement.numa.is_some())
    }

    /// The memory of the roles in a scope.
    pub fn load(&self, scope: MemoryScope) -> MemoryLoad {
        self.load_after(scope, LoadChange::default())
    }

    /// The sum of [`RoleGroup::load`] without its lines.
    pub fn total(&self, scope: MemoryScope) -> Bytes {
        self.tally(scope, LoadChange::default()).total()
    }

    /// The same sum if a role had another memory.
    pub fn total_with(&self, scope: MemoryScope, memory: (Id<Role>, &RoleMemory)) -> Bytes {
        self.total_after(scope, LoadChange { memory: Some(memory), ..LoadChange::default() })
    }

    /// The same sum after a change.
    fn total_after(&self, scope: MemoryScope, change: LoadChange<'_>) -> Bytes {
        self.tally(scope, change).total()
    }

    /// The memory in a scope without the roles on demand of a gateway.
    pub(super) fn without(&self, scope: MemoryScope, gateway: &SwapSets) -> Resident<'l> {
        let mut resident = Resident::default();
        let running = self.running_in(scope, LoadChange::default()).into_iter();
        for role in running.filter(|role| !gateway.swapped.contains(&role.id)) {
            self.parts_of(scope, role).for_each(|part| resident.add(&part));
        }
        resident
    }

    /// The parts of a role that are in a scope.
    pub(super) fn parts_of<'c>(
        &self,
        scope: MemoryScope,
        role: ServedProcess<'c>,
    ) -> impl Iterator<Item = ResidentPart<'c>> {
        let host = self.registry.hosts.get(self.host);
        role.memory.counted.iter().filter_map(move |part| {
            let bytes = scope.portion(role.settings, host, part)?.of(part.bytes);
            let file = part.file.as_deref().filter(|_| part.kind == MemoryKind::Mapped);
            (bytes > Bytes(0)).then_some(ResidentPart { file, bytes })
        })
    }

    /// True if the location of each known part of a role is known, so that the sum of a scope has all of its parts there.
    pub fn is_located(&self, scope: MemoryScope, role: &ServedProcess<'_>) -> bool {
        let host = self.registry.hosts.get(self.host);
        role.memory.counted.iter().all(|part| scope.portion(role.settings, host, part).is_some())
    }

    /// The memory of one process of a role in a scope: bytes, with the path of the file if it is mapped. Parts whose location
    /// is unknown are left out.
    pub fn memory_of_process<'c>(
        &self,
        scope: MemoryScope,
        (role, instance): (ServedProcess<'c>, usize),
    ) -> impl Iterator<Item = (Option<&'c Arc<str>>, Bytes)> {
        let host = self.registry.hosts.get(self.host);
        role.memory.counted.iter().filter_map(move |part| {
            let portion = scope.portion_of_process(role.settings, host, (part, instance))?;
            let file = part.file.as_ref().filter(|_| part.kind == MemoryKind::Mapped);
            Some((file, portion.of(part.bytes))).filter(|(_, bytes)| *bytes > Bytes(0))
        })
    }

    /// The memory of the roles in a scope after a change.
    pub fn load_after<'c>(&self, scope: MemoryScope, change: LoadChange<'c>) -> MemoryLoad
    where
        'l: 'c,
    {
        self.tally(scope, change).finish(self.registry, self.host)
    }

    fn tally<'c>(&self, scope: MemoryScope, change: LoadChange<'c>) -> Tally<'c>
    where
        'l: 'c,
    {
        let host = self.registry.hosts.get(self.host);
        let mut tally = Tally::default();
        for role in self.running_in(scope, change) {
            for part in &role.memory.counted {
                tally.add(role.id, part, scope.portion(role.settings, host, part));
            }
        }
        tally
    }

    /// The roles that run together, in the order of declaration: those that take the most in the scope.
    pub(super) fn running_in<'c>(&self, scope: MemoryScope, change: LoadChange<'c>) -> Vec<ServedProcess<'c>>
    where
        'l: 'c,
    {
        let mut running: Vec<ServedProcess<'c>> = Vec::new();
        for (residency, roles) in &self.parts {
            running.extend(self.running(*residency, roles, scope, change));
        }
        let outside = self.outside_sets(&running, scope);
        running.retain(|role| !outside.contains(&role.id));
        running.sort_by_key(|role| role.id);
        running
    }

    /// The roles that are not in the set with the most memory in the scope, of all gateways with sets. A file counts once, even
    /// if roles outside of the set read it too.
    fn outside_sets(&self, roles: &[ServedProcess<'_>], scope: MemoryScope) -> BTreeSet<Id<Role>> {
        let mut outside = BTreeSet::new();
        let mut resident = Resident::default();
        let mut swapped: BTreeMap<Id<Role>, Vec<ResidentPart<'_>>> = BTreeMap::new();
        let mut gateways: BTreeSet<Id<Gateway>> = BTreeSet::new();
        for role in roles {
            let parts = self.parts_of(scope, *role);
            match self.sets_of(role).filter(|sets| sets.swapped.binary_search(&role.id).is_ok()) {
                Some(sets) => {
                    gateways.insert(sets.gateway);
                    swapped.insert(role.id, parts.collect());
                }
                None => parts.for_each(|part| resident.add(&part)),
            }
        }
        for sets in self.sets.iter().filter(|sets| gateways.contains(&sets.gateway)) {
            let parts = |set: &BTreeSet<Id<Role>>| {
                set.iter().filter_map(|role| swapped.get(role)).flatten().copied().collect::<Vec<_>>()
            };
            let not_in = sets.outside_largest(|set| resident.total_with(parts(set).iter()));
            let inside = sets.swapped.iter().filter(|role| !not_in.contains(role));
            let inside = inside.filter_map(|role| swapped.get(role)).flatten();
            inside.for_each(|part| resident.add(part));
            outside.extend(not_in);
        }
        outside
    }

    /// The memory of a role alone in a scope.
    pub(super) fn bytes_in(&self, scope: MemoryScope, role: &ServedProcess<'_>) -> Bytes {
        self.parts_of(scope, *role).fold(Bytes(0), |sum, part| sum.plus(part.bytes))
    }

    /// The roles of a residency that may run at the same time. If `at-once` limits their number, those with the most
    /// memory in the scope. The sets of a gateway limit its roles separately.
    fn running<'c>(
        &self,
        residency: Id<Residency>,
        roles: &[ServedProcess<'l>],
        scope: MemoryScope,
        change: LoadChange<'c>,
    ) -> Vec<ServedProcess<'c>>
    where
        'l: 'c,
    {
        let kept = roles.iter().filter(|role| !change.gone.contains(&role.id)).copied();
        let mut remaining: Vec<ServedProcess<'c>> = kept.map(|role| change.apply(role)).collect();
        let (in_sets, others): (Vec<_>, Vec<_>) =
            remaining.into_iter().partition(|role| self.sets_of(role).is_some());
        remaining = others;
        let declared = self.registry.residencies.get(residency).at_once.map(|n| n.value as usize);
        let changed = change.at_once.filter(|(changed, _)| *changed == residency).map(|(_, n)| n);
        let Some(most) = changed.or(declared).filter(|most| *most < remaining.len()) else {
            remaining.extend(in_sets);
            return remaining;
        };
        remaining.sort_by_cached_key(|role| (std::cmp::Reverse(self.bytes_in(scope, role)), role.id));
        remaining.truncate(most);
        remaining.extend(in_sets);
        remaining
    }
}
