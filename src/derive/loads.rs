//! Memory sums of the roles of a residency, a host or a NUMA node: their files and their known private memory.

use super::memory::{MemoryKind, MemoryPart, RoleMemory};
use super::place::{MemoryScope, Portion};
use super::process::ServedProcess;
use super::swap_sets::SwapSets;
use crate::hir::{Bytes, Gateway, Host, Id, Registry, Residency, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The memory of some roles of one host together. Mapped files count once, everything else once per process.
#[derive(Debug)]
pub struct MemoryLoad {
    /// The host.
    pub host: Id<Host>,
    /// The files and the private memory, in the order of the first role that needs each.
    pub lines: Vec<LoadLine>,
    /// The sum of the lines.
    pub total: Bytes,
    /// The memory that the removal of a role would free: files that no other role reads, and its private memory.
    pub freed: Vec<(Id<Role>, Bytes)>,
}

/// One line of a sum: a file, or private memory of a role.
#[derive(Clone, Debug)]
pub struct LoadLine {
    /// The first role that needs it.
    pub role: Id<Role>,
    /// The title of the model, the name of the part, and the number of copies or the fraction that counts.
    pub label: Arc<str>,
    /// The bytes that count.
    pub bytes: Bytes,
}

/// The served roles of a registry, grouped by residency and host.
#[derive(Debug)]
pub struct RoleGroups<'r> {
    registry: &'r Registry,
    /// The sets of roles that gateways allow.
    sets: &'r [SwapSets],
    groups: BTreeMap<Id<Residency>, BTreeMap<Id<Host>, Vec<ServedProcess<'r>>>>,
}

/// Roles of one host that can be in memory at the same time.
#[derive(Clone, Debug)]
pub struct RoleGroup<'l> {
    /// The host.
    pub host: Id<Host>,
    registry: &'l Registry,
    sets: &'l [SwapSets],
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
    /// The only set of a gateway.
    pub set: Option<&'c SwapSets>,
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
        let mut groups: BTreeMap<_, BTreeMap<_, Vec<ServedProcess<'_>>>> = BTreeMap::new();
        for role in roles {
            let hosts = groups.entry(role.settings.residency.value).or_default();
            hosts.entry(role.settings.host.value).or_default().push(role);
        }
        Self { registry, sets, groups }
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
        for (residency, hosts) in &self.groups {
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
            for outside in sets.outside_largest(&of_sets) {
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
        self.sets.iter().find(|sets| sets.gateway == gateway)
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
    pub(super) fn total_after(&self, scope: MemoryScope, change: LoadChange<'_>) -> Bytes {
        self.tally(scope, change).total()
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
        let mut running: Vec<ServedProcess<'c>> = Vec::new();
        for (residency, roles) in &self.parts {
            running.extend(self.running(*residency, roles, scope, change));
        }
        let outside = self.outside_sets(&running, scope, change);
        running.retain(|role| !outside.contains(&role.id));
        running.sort_by_key(|role| role.id);
        let host = self.registry.hosts.get(self.host);
        let mut tally = Tally::default();
        for role in running {
            for part in &role.memory.counted {
                tally.add(role.id, part, scope.portion(role.settings, host, part));
            }
        }
        tally
    }

    /// The roles that are not in the set with the most memory in the scope, of all gateways with sets.
    fn outside_sets(
        &self,
        roles: &[ServedProcess<'_>],
        scope: MemoryScope,
        change: LoadChange<'_>,
    ) -> BTreeSet<Id<Role>> {
        let mut outside = BTreeSet::new();
        if self.sets.is_empty() {
            return outside;
        }
        let bytes: BTreeMap<Id<Role>, Bytes> = roles
            .iter()
            .filter(|role| role.settings.gateway.is_some())
            .map(|role| (role.id, self.bytes_in(scope, role)))
            .collect();
        for sets in self.sets {
            let sets = change.set.filter(|changed| changed.gateway == sets.gateway).unwrap_or(sets);
            outside.extend(sets.outside_largest(&bytes));
        }
        outside
    }

    /// The memory of a role alone in a scope.
    fn bytes_in(&self, scope: MemoryScope, role: &ServedProcess<'_>) -> Bytes {
        let host = self.registry.hosts.get(self.host);
        role.memory.counted.iter().fold(Bytes(0), |sum, part| {
            let portion = scope.portion(role.settings, host, part);
            sum.plus(portion.map_or(Bytes(0), |portion| portion.of(part.bytes)))
        })
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

/// A sum that is being computed.
#[derive(Default)]
struct Tally<'r> {
    entries: Vec<Entry<'r>>,
    /// The indexes in `entries` of each mapped file, by its path. If a role maps more of a file than the roles before
    /// it, the rest is a new entry.
    mapped: BTreeMap<&'r str, Vec<usize>>,
}

struct Entry<'r> {
    role: Id<Role>,
    part: &'r MemoryPart,
    /// The bytes of the part that no earlier entry has.
    bytes: Bytes,
    /// `None` if the location of the memory is unknown, or its readers have different placements.
    portion: Option<Portion>,
    readers: usize,
    /// The last role that reads it.
    last: Id<Role>,
}

impl<'r> Tally<'r> {
    fn add(&mut self, role: Id<Role>, part: &'r MemoryPart, portion: Option<Portion>) {
        let Some(file) = part.file.as_deref().filter(|_| part.kind == MemoryKind::Mapped) else {
            self.entries.push(Entry { role, part, bytes: part.bytes, portion, readers: 1, last: role });
            return;
        };
        let indexes = self.mapped.entry(file).or_default();
        let (mut rest, mut portion) = (part.bytes, portion);
        for index in indexes.iter() {
            let Some(entry) = self.entries.get_mut(*index) else { continue };
            if rest > Bytes(0) || entry.bytes == Bytes(0) {
                // A role that reads a file twice (a model that is its own draft) is one reader.
                entry.readers += usize::from(entry.last != role);
                entry.last = role;
                entry.portion = entry.portion.filter(|known| portion == Some(*known));
                portion = entry.portion;
            }
            rest = rest.minus(entry.bytes);
        }
        if indexes.is_empty() || rest > Bytes(0) {
            indexes.push(self.entries.len());
            self.entries.push(Entry { role, part, bytes: rest, portion, readers: 1, last: role });
        }
    }

    fn total(&self) -> Bytes {
        let counted = self.entries.iter().filter_map(|entry| Some(entry.portion?.of(entry.bytes)));
        counted.fold(Bytes(0), Bytes::plus)
    }

    fn finish(self, registry: &Registry, host: Id<Host>) -> MemoryLoad {
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in self.entries {
            let Some(portion) = entry.portion else { continue };
            let bytes = portion.of(entry.bytes);
            if bytes == Bytes(0) {
                continue;
            }
            if entry.readers == 1 {
                let sum = freed.entry(entry.role).or_default();
                *sum = sum.plus(bytes);
            }
            lines.push(LoadLine {
                role: entry.role,
                label: describe(entry.part.label(registry), portion).into(),
                bytes,
            });
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        MemoryLoad { host, lines, total, freed: freed.into_iter().collect() }
    }
}

/// `Title`, `Title (projector), 6 copies`, `Title, 1/2`.
fn describe(part: String, portion: Portion) -> String {
    let mut label = part;
    if portion.copies > 1 {
        label = format!("{label}, {} copies", portion.copies);
    }
    if portion.parts > 1 {
        label = format!("{label}, 1/{}", portion.parts);
    }
    label
}
