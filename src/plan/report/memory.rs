//! The memory of the report: a bar for each host, NUMA node and GPU.

use super::{MAX_HOSTS, name_of};
use crate::derive::{Derived, MemoryScope, RoleGroup};
use crate::hir::{self, Bytes, Host, Id, Registry, Role};
use std::cmp::Reverse;
use std::sync::Arc;

/// The maximum number of parts, and of roles that are not known, that a bar lists.
const MAX_LINES: usize = 12;

/// The memory of a host.
#[derive(Debug)]
pub struct HostMemory {
    /// The host.
    pub host: Arc<str>,
    /// Its bars: the host, its NUMA nodes, its GPUs.
    pub bars: Vec<MemoryBar>,
}

/// The kind of a place of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceKind {
    /// All memory of a host.
    Host,
    /// A NUMA node.
    Node,
    /// A GPU.
    Gpu,
}

/// The memory of a place, as `orchgen memory` sums it.
#[derive(Debug)]
pub struct MemoryBar {
    /// The kind of the place.
    pub kind: PlaceKind,
    /// Its name: that of the host or GPU, or the number of the node.
    pub name: Arc<str>,
    /// Its product name.
    pub title: Option<Arc<str>>,
    /// The part of the sum that is computed from the headers of files.
    pub computed: Bytes,
    /// The part of the sum that the registry declares.
    pub stated: Bytes,
    /// The declared memory of services.
    pub services: Bytes,
    /// The memory that engines may take in addition by their defaults.
    pub growth: Bytes,
    /// Its memory. `None` if it is not declared.
    pub memory: Option<Bytes>,
    /// The memory that must stay free.
    pub reserve: Bytes,
    /// The bytes above the memory without its reserve.
    pub over: Bytes,
    /// The names of the first roles whose memory is not completely known.
    pub unknown: Vec<Arc<str>>,
    /// The number of all these roles.
    pub unknown_count: usize,
    /// The number of roles with memory that the sum of a node lacks, because its node is not fixed.
    pub unplaced: usize,
    /// The largest parts.
    pub lines: Vec<MemoryLine>,
    /// The number of the other parts.
    pub more_lines: usize,
}

/// A part of a sum.
#[derive(Debug)]
pub struct MemoryLine {
    /// The first role that needs it.
    pub role: Arc<str>,
    /// The model and the part.
    pub label: Arc<str>,
    /// Its size.
    pub bytes: Bytes,
    /// True if its size is declared.
    pub is_stated: bool,
}

impl MemoryBar {
    /// The sum of the roles.
    pub fn used(&self) -> Bytes {
        self.computed.plus(self.stated)
    }
}

/// The memory of all hosts with roles or declared memory.
pub(super) fn memory(derived: &Derived) -> Vec<HostMemory> {
    let registry = &derived.registry;
    let loads = derived.loads();
    let all = loads.of_hosts().into_iter().zip(registry.memory_of_services()).take(MAX_HOSTS);
    let bars = all.map(|(group, services)| {
        let host = registry.hosts.get(group.host);
        let place = Places { derived, group: &group, host };
        let nodes = host.numa.iter().map(|node| place.node(node));
        let gpus = host.gpus.iter().enumerate().map(|(index, gpu)| place.gpu(index, gpu));
        let whole = place.whole(services);
        let bars = std::iter::once(whole).chain(nodes).chain(gpus).collect();
        HostMemory { host: host.head.name.value.clone(), bars }
    });
    bars.collect()
}

/// The places of memory of a host.
struct Places<'p> {
    derived: &'p Derived,
    group: &'p RoleGroup<'p>,
    host: &'p Host,
}

impl Places<'_> {
    fn whole(&self, services: Bytes) -> MemoryBar {
        let memory = self.host.memory.map(|memory| memory.value);
        let unknown: Vec<Id<Role>> = self.group.unknown().map(|role| role.id).collect();
        let bar = self.bar(MemoryScope::HOST, &self.host.head.name.value, &unknown);
        MemoryBar {
            services,
            growth: self.group.growth(),
            memory,
            reserve: memory.map_or(Bytes(0), |memory| self.host.reserve.of(memory)),
            over: self.host.room().map_or(Bytes(0), |room| bar.used().plus(services).minus(room)),
            ..bar
        }
    }

    fn node(&self, node: &hir::NumaNode) -> MemoryBar {
        let number = node.node.value;
        let memory = node.memory.map(|memory| memory.value);
        let scope = MemoryScope::node(number);
        let unknown: Vec<Id<Role>> = self.group.unknown_on_node(number).map(|role| role.id).collect();
        let bar = self.bar(scope, &number.to_string().into(), &unknown);
        MemoryBar {
            kind: PlaceKind::Node,
            memory,
            over: memory.map_or(Bytes(0), |memory| bar.used().minus(memory)),
            unplaced: self.group.unplaced_on_node(number),
            ..bar
        }
    }

    fn gpu(&self, index: usize, gpu: &hir::Gpu) -> MemoryBar {
        let unknown: Vec<Id<Role>> =
            self.derived.unknown_on_gpu(self.group.host, gpu).map(|(role, _)| role).collect();
        let bar = self.bar(MemoryScope::gpu(index), &gpu.name.value, &unknown);
        let memory = gpu.memory.map(|memory| memory.value);
        let reserve = memory.zip(gpu.room()).map(|(memory, room)| memory.minus(room));
        MemoryBar {
            kind: PlaceKind::Gpu,
            title: gpu.title.as_ref().map(|title| title.value.clone()),
            memory,
            reserve: reserve.unwrap_or(Bytes(0)),
            over: gpu.room().map_or(Bytes(0), |room| bar.used().minus(room)),
            ..bar
        }
    }

    /// The sum of a place, without its limits.
    fn bar(&self, scope: MemoryScope, name: &Arc<str>, unknown: &[Id<Role>]) -> MemoryBar {
        let registry = &self.derived.registry;
        let load = self.group.load(scope);
        let (mut computed, mut stated) = (Bytes(0), Bytes(0));
        for line in &load.lines {
            let sum = if line.is_declared { &mut stated } else { &mut computed };
            *sum = sum.plus(line.bytes);
        }
        let (lines, more_lines) = largest(registry, load.lines);
        MemoryBar {
            kind: PlaceKind::Host,
            name: name.clone(),
            title: None,
            computed,
            stated,
            services: Bytes(0),
            growth: Bytes(0),
            memory: None,
            reserve: Bytes(0),
            over: Bytes(0),
            unknown: unknown.iter().take(MAX_LINES).map(|role| name_of(registry, *role)).collect(),
            unknown_count: unknown.len(),
            unplaced: 0,
            lines,
            more_lines,
        }
    }
}

/// The largest lines of a sum, and the number of the others.
fn largest(registry: &Registry, mut lines: Vec<crate::derive::LoadLine>) -> (Vec<MemoryLine>, usize) {
    lines.sort_by_key(|line| (Reverse(line.bytes), line.role));
    let more = lines.len().saturating_sub(MAX_LINES);
    let line = |line: crate::derive::LoadLine| MemoryLine {
        role: name_of(registry, line.role),
        label: line.label,
        bytes: line.bytes,
        is_stated: line.is_declared,
    };
    (lines.into_iter().take(MAX_LINES).map(line).collect(), more)
}
