//! Memory sums of the roles of a residency, a host or a NUMA node: their files and their known private memory.

use super::memory_scope::Portion;
use super::{ExtraMemory, MemoryKind, MemoryPart, MemoryScope, ModelFiles};
use crate::hir::{Bytes, Host, Id, Registry, Residency, Role, Serving};
use std::collections::BTreeMap;

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
    pub label: Box<str>,
    /// The bytes that count.
    pub bytes: Bytes,
}

/// The served roles of a registry, grouped by residency and host.
#[derive(Debug)]
pub struct RoleGroups<'r> {
    files: ModelFiles<'r>,
    extra_memory: &'r ExtraMemory,
    groups: BTreeMap<Id<Residency>, BTreeMap<Id<Host>, Vec<Served<'r>>>>,
}

/// Roles of one host that can be in memory at the same time.
#[derive(Clone, Debug)]
pub struct RoleGroup<'l> {
    /// The host.
    pub host: Id<Host>,
    files: &'l ModelFiles<'l>,
    extra_memory: &'l ExtraMemory,
    /// The roles of each residency, in the order of declaration.
    parts: Vec<(Id<Residency>, &'l [Served<'l>])>,
}

/// A hypothetical change of the registry, to find a change that fits.
#[derive(Clone, Copy, Default, Debug)]
pub struct LoadChange<'c> {
    /// Roles that are removed.
    pub gone: &'c [Id<Role>],
    /// The number of roles of a residency that may run at the same time.
    pub at_once: Option<(Id<Residency>, usize)>,
}

/// A served role.
type Served<'r> = (Id<Role>, &'r Serving);

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

    /// The served roles, grouped for memory sums with their known private memory.
    pub fn loads<'r>(&'r self, extra_memory: &'r ExtraMemory) -> RoleGroups<'r> {
        let mut groups: BTreeMap<_, BTreeMap<_, Vec<Served>>> = BTreeMap::new();
        for (id, role) in self.roles.entries() {
            if let Some(serving) = role.serving() {
                let hosts = groups.entry(serving.residency.value).or_default();
                hosts.entry(serving.host.value).or_default().push((id, serving));
            }
        }
        RoleGroups { files: self.files(), extra_memory, groups }
    }
}

impl RoleGroups<'_> {
    /// The roles of a residency, grouped by host, in the order of declaration.
    pub fn of_residency(&self, residency: Id<Residency>) -> impl Iterator<Item = RoleGroup<'_>> {
        let hosts = self.groups.get(&residency).into_iter().flatten();
        hosts.map(move |(host, roles)| RoleGroup {
            host: *host,
            files: &self.files,
            extra_memory: self.extra_memory,
            parts: vec![(residency, roles.as_slice())],
        })
    }

    /// The roles of each host, in the order of declaration. A host without roles has an empty group.
    pub fn of_hosts(&self) -> Vec<RoleGroup<'_>> {
        let empty =
            |host| RoleGroup { host, files: &self.files, extra_memory: self.extra_memory, parts: Vec::new() };
        let mut all: Vec<RoleGroup> =
            self.files.registry().hosts.entries().map(|(host, _)| empty(host)).collect();
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
    pub fn roles(&self) -> impl Iterator<Item = Id<Role>> {
        self.parts.iter().flat_map(|(_, roles)| roles.iter().map(|(role, _)| *role))
    }

    /// True if any role declares the NUMA placement of its memory.
    pub fn is_placed(&self) -> bool {
        self.parts.iter().any(|(_, roles)| roles.iter().any(|(_, serving)| serving.placement.numa.is_some()))
    }

    /// The memory of the roles in a scope.
    pub fn load(&self, scope: MemoryScope) -> MemoryLoad {
        self.load_after(scope, LoadChange::default())
    }

    /// The memory of the roles in a scope after a change.
    pub fn load_after(&self, scope: MemoryScope, change: LoadChange) -> MemoryLoad {
        let mut running: Vec<Served> = Vec::new();
        for (residency, roles) in &self.parts {
            running.extend(self.running(*residency, roles, scope, change));
        }
        running.sort_by_key(|(id, _)| *id);
        let host = self.files.registry().hosts.get(self.host);
        let mut tally = Tally::default();
        for (role, serving) in running {
            for part in self.files.parts_of((role, serving), self.extra_memory) {
                tally.add(role, part, scope.portion(serving, host, part.kind));
            }
        }
        tally.finish(self.host)
    }

    /// The roles of a residency that may run at the same time. If `at-once` limits their number, those with the most
    /// memory in the scope.
    fn running(
        &self,
        residency: Id<Residency>,
        roles: &'l [Served<'l>],
        scope: MemoryScope,
        change: LoadChange,
    ) -> Vec<Served<'l>> {
        let registry = self.files.registry();
        let mut remaining: Vec<Served> =
            roles.iter().filter(|(id, _)| !change.gone.contains(id)).copied().collect();
        let declared = registry.residencies.get(residency).at_once.map(|n| n.value as usize);
        let changed = change.at_once.filter(|(changed, _)| *changed == residency).map(|(_, n)| n);
        let Some(most) = changed.or(declared).filter(|most| *most < remaining.len()) else {
            return remaining;
        };
        let host = registry.hosts.get(self.host);
        let bytes = |served: Served| {
            self.files.parts_of(served, self.extra_memory).fold(Bytes(0), |sum, part| {
                let portion = scope.portion(served.1, host, part.kind);
                sum.plus(portion.map_or(Bytes(0), |portion| portion.of(part.bytes)))
            })
        };
        remaining.sort_by_cached_key(|served| (std::cmp::Reverse(bytes(*served)), served.0));
        remaining.truncate(most);
        remaining
    }
}

/// A sum that is being computed.
#[derive(Default)]
struct Tally<'r> {
    entries: Vec<Entry<'r>>,
    /// The indexes in `entries` of each mapped file, by the number of the file. If a role maps more of a file than the
    /// roles before it, the rest is a new entry.
    mapped: BTreeMap<usize, Vec<usize>>,
}

struct Entry<'r> {
    role: Id<Role>,
    part: MemoryPart<'r>,
    /// `None` if the location of the memory is unknown, or its readers have different placements.
    portion: Option<Portion>,
    readers: usize,
    /// The last role that reads it.
    last: Id<Role>,
}

impl<'r> Tally<'r> {
    fn add(&mut self, role: Id<Role>, part: MemoryPart<'r>, portion: Option<Portion>) {
        let Some(file) = part.file.filter(|_| part.kind == MemoryKind::Mapped) else {
            self.entries.push(Entry { role, part, portion, readers: 1, last: role });
            return;
        };
        let indexes = self.mapped.entry(file).or_default();
        let (mut rest, mut portion) = (part.bytes, portion);
        for index in indexes.iter() {
            let Some(entry) = self.entries.get_mut(*index) else { continue };
            if rest > Bytes(0) || entry.part.bytes == Bytes(0) {
                // A role that reads a file twice (a model that is its own draft) is one reader.
                entry.readers += usize::from(entry.last != role);
                entry.last = role;
                entry.portion = entry.portion.filter(|known| portion == Some(*known));
                portion = entry.portion;
            }
            rest = rest.minus(entry.part.bytes);
        }
        if indexes.is_empty() || rest > Bytes(0) {
            indexes.push(self.entries.len());
            let mut part = part;
            part.bytes = rest;
            self.entries.push(Entry { role, part, portion, readers: 1, last: role });
        }
    }

    fn finish(self, host: Id<Host>) -> MemoryLoad {
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in self.entries {
            let Some(portion) = entry.portion else { continue };
            let bytes = portion.of(entry.part.bytes);
            if bytes == Bytes(0) {
                continue;
            }
            if entry.readers == 1 {
                let sum = freed.entry(entry.role).or_default();
                *sum = sum.plus(bytes);
            }
            lines.push(LoadLine { role: entry.role, label: describe(&entry.part, portion).into(), bytes });
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        MemoryLoad { host, lines, total, freed: freed.into_iter().collect() }
    }
}

/// `Title`, `Title (projector), 6 copies`, `Title, 1/2`.
fn describe(part: &MemoryPart, portion: Portion) -> String {
    let mut label = part.label();
    if portion.copies > 1 {
        label = format!("{label}, {} copies", portion.copies);
    }
    if portion.parts > 1 {
        label = format!("{label}, 1/{}", portion.parts);
    }
    label
}
