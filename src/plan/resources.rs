//! The resources that the processes of each role take on their host: memory by place, and the time to read their files.

use super::process::RoleNumbers;
use crate::check::Checked;
use crate::derive::{Derived, LoadChange, MemoryScope, RoleGroup, ServedProcess, ServedRole};
use crate::hir::{self, Bytes, Id, Registry};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A place of memory on a host: `RAM`, `node 0`, or the name of a GPU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryPlace {
    /// Its name.
    pub name: Arc<str>,
    /// The memory that roles may take there. `None` if it is not declared.
    pub room: Option<Bytes>,
    /// The known memory of the roles there: mapped files count once, other memory once per process. `None` if the size of a
    /// model is unknown.
    pub sum: Option<Bytes>,
    /// True if the sum has all memory of the roles there. If it is false, the sum is a lower limit.
    pub is_complete: bool,
}

/// The memory of a process at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryUse {
    /// The name of the place.
    pub place: Arc<str>,
    /// The path of a mapped file. All processes that read it share its pages. `None` for private memory.
    pub file: Option<Arc<str>>,
    /// Its size.
    pub bytes: Bytes,
}

/// The resources of the processes of a role.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Resources {
    /// The name of its draft model.
    pub draft: Option<Arc<str>>,
    /// The name of its engine.
    pub engine: Option<Arc<str>>,
    /// The milliseconds to read its files from their stores. `None` if a size or a speed is unknown.
    pub read_millis: Option<u64>,
    /// The memory of each process. Empty for a role behind a gateway: the process of the gateway has it.
    pub memory: Vec<Vec<MemoryUse>>,
}

/// The places of the memory of a host: RAM, its NUMA nodes, its GPUs.
pub(super) fn places(derived: &Derived, group: &RoleGroup<'_>, services: Bytes) -> Vec<MemoryPlace> {
    let host = derived.registry.hosts.get(group.host);
    let place = |name: Arc<str>, scope, room, is_complete: bool| MemoryPlace {
        name,
        room,
        sum: group.known_total().map(|_| group.total(scope)),
        is_complete,
    };
    let room = host.room().map(|room| room.minus(services));
    let ram = place("RAM".into(), MemoryScope::HOST, room, group.unknown().next().is_none());
    let nodes = host.numa.iter().map(|node| {
        let number = node.node.value;
        let is_complete =
            group.unknown_on_node(number).next().is_none() && group.unplaced_on_node(number) == 0;
        let room = node.memory.map(|memory| memory.value);
        place(format!("node {number}").into(), MemoryScope::node(number), room, is_complete)
    });
    let gpus = host.gpus.iter().enumerate().filter(|(_, gpu)| !gpu.is_auto());
    let gpus = gpus.map(|(index, gpu)| {
        let is_complete = derived.unknown_on_gpu(group.host, gpu).next().is_none();
        place(gpu.name.value.clone(), MemoryScope::gpu(index), gpu.room(), is_complete)
    });
    std::iter::once(ram).chain(nodes).chain(gpus).collect()
}

/// The scopes of the sums of a host, with the names of their places.
fn scopes(host: &hir::Host) -> Vec<(Arc<str>, MemoryScope)> {
    let nodes = host.numa.iter().map(|node| node.node.value);
    let nodes = nodes.map(|node| (format!("node {node}").into(), MemoryScope::node(node)));
    let gpus = host.gpus.iter().enumerate().filter(|(_, gpu)| !gpu.is_auto());
    let gpus = gpus.map(|(index, gpu)| (gpu.name.value.clone(), MemoryScope::gpu(index)));
    std::iter::once((Arc::from("RAM"), MemoryScope::HOST)).chain(nodes).chain(gpus).collect()
}

/// The resources of all roles and servers of gateways, in the order of [`Plan::roles`](super::Plan::roles).
pub(super) fn resources(checked: &Checked, numbers: &RoleNumbers) -> Vec<Resources> {
    let (registry, derived) = (checked.registry(), checked.derived());
    let mut all = vec![Resources::default(); numbers.len() + derived.gateways.len()];
    let loads = derived.loads();
    let groups = loads.of_hosts();
    for (served, command) in checked.roles() {
        let Some(own) = numbers.get(&served.id).and_then(|number| all.get_mut(*number)) else { continue };
        own.engine = Some(registry.engines.get(command.engine).head.name.value.clone());
        own.draft = served.serving.draft_model().map(|(_, model)| name_of(registry, model.value));
        own.read_millis = served.read_millis(registry);
    }
    for group in &groups {
        for role in group.roles().filter(|role| role.settings.gateway.is_none()) {
            if let Some(own) = numbers.get(&role.id).and_then(|number| all.get_mut(*number)) {
                own.memory = (0..role.settings.ports.value.len())
                    .map(|instance| memory_of(registry, group, (role, instance)))
                    .collect();
            }
        }
    }
    for (gateway, own) in derived.gateways.iter().zip(all.iter_mut().skip(numbers.len())) {
        let group = groups.iter().find(|group| group.host == gateway.settings.host.value);
        own.memory =
            vec![group.map_or_else(Vec::new, |group| memory_behind(registry, group, &gateway.roles))];
        let at_boot = derived.roles.iter().filter(|role| gateway.roles.contains(&role.id));
        let at_boot = at_boot.filter(|role| !registry.is_on_demand(&role.serving));
        own.read_millis = sum_of_reads(registry, at_boot);
    }
    all
}

fn name_of(registry: &Registry, model: Id<hir::Model>) -> Arc<str> {
    registry.models.get(model).head.name.value.clone()
}

/// The milliseconds to read the files of several roles, one after another.
fn sum_of_reads<'r>(registry: &Registry, roles: impl Iterator<Item = &'r ServedRole>) -> Option<u64> {
    roles.map(|role| role.read_millis(registry)).try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)))
}

/// The memory of one process of a role.
fn memory_of(registry: &Registry, group: &RoleGroup<'_>, role: (ServedProcess<'_>, usize)) -> Vec<MemoryUse> {
    let all = scopes(registry.hosts.get(group.host)).into_iter().flat_map(|(place, scope)| {
        let parts = group.memory_of_process(scope, role);
        let part = |(file, bytes): (Option<&Arc<str>>, _)| MemoryUse {
            place: place.clone(),
            file: file.cloned(),
            bytes,
        };
        parts.map(part).collect::<Vec<_>>()
    });
    merged(all)
}

/// The memory of the models of a gateway that may be loaded together. Files count as private memory.
fn memory_behind(registry: &Registry, group: &RoleGroup<'_>, roles: &[Id<hir::Role>]) -> Vec<MemoryUse> {
    let inside: BTreeSet<Id<hir::Role>> = roles.iter().copied().collect();
    let others: Vec<_> = group.roles().map(|role| role.id).filter(|id| !inside.contains(id)).collect();
    let change = LoadChange { gone: &others, ..LoadChange::default() };
    let of_scope =
        |(place, scope)| MemoryUse { place, file: None, bytes: group.load_after(scope, change).total };
    let all = scopes(registry.hosts.get(group.host)).into_iter().map(of_scope);
    all.filter(|one| one.bytes > Bytes(0)).collect()
}

/// Adds up the private memory of each place.
fn merged(parts: impl Iterator<Item = MemoryUse>) -> Vec<MemoryUse> {
    let mut all: Vec<MemoryUse> = Vec::new();
    for part in parts {
        match all.iter_mut().find(|one| one.place == part.place && one.file == part.file) {
            Some(known) => known.bytes = known.bytes.plus(part.bytes),
            None => all.push(part),
        }
    }
    all
}
