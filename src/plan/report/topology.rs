//! The topology of the report: hosts, their gateways, and the roles by the memory that they use.

use super::{Index, MAX_HOSTS, name_of};
use crate::derive::ServedProcess;
use crate::hir::{self, Bytes, Id, NumaPolicy, PortRange};
use std::sync::Arc;

/// A host.
#[derive(Debug)]
pub struct MapHost {
    /// Its name.
    pub name: Arc<str>,
    /// Its gateways.
    pub gateways: Vec<MapGateway>,
    /// Its roles, by the memory that they use.
    pub groups: Vec<MapGroup>,
    /// The GPUs and NUMA nodes that no role names.
    pub unused: Vec<String>,
}

/// A gateway.
#[derive(Debug)]
pub struct MapGateway {
    /// Its name.
    pub name: Arc<str>,
    /// `router` or `llama-swap`.
    pub kind: &'static str,
    /// Its port.
    pub port: u16,
    /// The number of its peers.
    pub peers: usize,
}

/// Roles that use the same NUMA nodes and GPUs.
#[derive(Debug)]
pub struct MapGroup {
    /// The names of these places.
    pub label: String,
    /// The memory of these places, if it is declared for all.
    pub memory: Option<Bytes>,
    /// The roles.
    pub roles: Vec<MapRole>,
}

/// A role.
#[derive(Debug)]
pub struct MapRole {
    /// Its name.
    pub name: Arc<str>,
    /// Its ports. `None` behind a gateway.
    pub ports: Option<PortRange>,
    /// The memory of all its processes.
    pub bytes: Bytes,
    /// The name of its tier.
    pub tier: Option<Arc<str>>,
    /// The name of its residency.
    pub residency: Arc<str>,
    /// True if it starts at its first request.
    pub is_on_demand: bool,
    /// The index of its gateway on the host.
    pub gateway: Option<usize>,
    /// The name of its draft model.
    pub draft: Option<Arc<str>>,
}

/// The topology of all hosts.
pub(super) fn topology(index: &Index<'_>) -> Vec<MapHost> {
    index.registry().hosts.entries().take(MAX_HOSTS).map(|(id, host)| map(index, id, host)).collect()
}

fn map(index: &Index<'_>, id: Id<hir::Host>, host: &hir::Host) -> MapHost {
    let registry = index.registry();
    let gateways: Vec<_> =
        index.derived.gateways.iter().filter(|one| one.settings.host.value == id).collect();
    let mut groups: Vec<MapGroup> = Vec::new();
    let mut used: Vec<Place> = Vec::new();
    for process in index.processes.iter().filter(|process| process.settings.host.value == id) {
        let places = places(index, process, host);
        let gateway = process.settings.gateway.map(|gateway| gateway.value);
        let number = gateways.iter().position(|served| Some(served.id) == gateway);
        let role = MapRole { gateway: number, ..role(index, process) };
        let label = label(&places, process, host);
        match groups.iter_mut().find(|group| group.label == label) {
            Some(group) => group.roles.push(role),
            None => groups.push(MapGroup { label, memory: memory(&places, host), roles: vec![role] }),
        }
        for place in places {
            if !used.contains(&place) {
                used.push(place);
            }
        }
    }
    let gateways = gateways.into_iter().map(|served| {
        let gateway = registry.gateways.get(served.id);
        MapGateway {
            name: gateway.head.name.value.clone(),
            kind: gateway.kind.word(),
            port: served.endpoint.port(0),
            peers: index.derived.peers(served.id).len(),
        }
    });
    MapHost {
        name: host.head.name.value.clone(),
        gateways: gateways.collect(),
        unused: all_places(host)
            .filter(|place| !used.contains(place))
            .map(|place| place.name(host))
            .collect(),
        groups,
    }
}

/// A NUMA node or a GPU, by its index in the list of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Node(usize),
    Gpu(usize),
}

impl Place {
    fn name(self, host: &hir::Host) -> String {
        match self {
            Self::Node(index) => {
                host.numa.get(index).map_or_else(String::new, |node| format!("NUMA node {}", node.node.value))
            }
            Self::Gpu(index) => {
                host.gpus.get(index).map_or_else(String::new, |gpu| gpu.name.value.to_string())
            }
        }
    }

    fn memory(self, host: &hir::Host) -> Option<Bytes> {
        match self {
            Self::Node(index) => host.numa.get(index)?.memory.map(|memory| memory.value),
            Self::Gpu(index) => host.gpus.get(index)?.memory.map(|memory| memory.value),
        }
    }
}

fn all_places(host: &hir::Host) -> impl Iterator<Item = Place> {
    let nodes = (0..host.numa.len()).map(Place::Node);
    nodes.chain((0..host.gpus.len()).map(Place::Gpu))
}

/// The NUMA nodes and GPUs that a role names, and all nodes if the kernel or the engine decides.
fn places(index: &Index<'_>, process: &ServedProcess<'_>, host: &hir::Host) -> Vec<Place> {
    let named = index.gpus(process.id);
    let is_named = |gpu: &hir::Gpu| gpu.is_auto() || named.contains(&gpu.name.value);
    let gpus = host.gpus.iter().enumerate().filter(|(_, gpu)| !named.is_empty() && is_named(gpu));
    let policy = process.settings.placement.numa.as_ref().map(|numa| &numa.value);
    let is_used = |number: u32| match policy {
        Some(NumaPolicy::Bind(node)) => *node == number,
        Some(NumaPolicy::Interleave(nodes)) => nodes.is_empty() || nodes.contains(&number),
        Some(NumaPolicy::Spread | NumaPolicy::Distribute) => true,
        None => named.is_empty(),
    };
    let nodes = host.numa.iter().enumerate().filter(|(_, node)| is_used(node.node.value));
    let nodes = nodes.map(|(index, _)| Place::Node(index));
    nodes.chain(gpus.map(|(index, _)| Place::Gpu(index))).collect()
}

/// The label of the places of a role.
fn label(places: &[Place], process: &ServedProcess<'_>, host: &hir::Host) -> String {
    let is_node = |place: &&Place| matches!(place, Place::Node(_));
    let nodes: Vec<String> = places.iter().filter(is_node).map(|place| place.name(host)).collect();
    let nodes = match nodes.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.join(", ").replace(", NUMA node ", ", ").replacen("node", "nodes", 1)),
    };
    let policy = match process.settings.placement.numa.as_ref().map(|numa| &numa.value) {
        Some(NumaPolicy::Interleave(_)) => " (interleaved)",
        Some(NumaPolicy::Spread) => " (spread)",
        Some(NumaPolicy::Distribute) => " (by the engine)",
        None => " (any)",
        Some(NumaPolicy::Bind(_)) => "",
    };
    let gpus = places.iter().filter(|place| !is_node(place)).map(|place| place.name(host));
    let nodes = nodes.map(|nodes| nodes + policy);
    let all: Vec<String> = gpus.chain(nodes).collect();
    if all.is_empty() { "Host memory".to_owned() } else { all.join(" + ") }
}

/// The memory of all places, if each declares it.
fn memory(places: &[Place], host: &hir::Host) -> Option<Bytes> {
    if places.is_empty() {
        return None;
    }
    places.iter().try_fold(Bytes(0), |sum, place| Some(sum.plus(place.memory(host)?)))
}

fn role(index: &Index<'_>, process: &ServedProcess<'_>) -> MapRole {
    let registry = index.registry();
    let settings = process.settings;
    let residency = registry.residencies.get(settings.residency.value);
    let draft = index.engine(process.id).and_then(|role| role.serving.draft_model());
    let tier = registry.roles.get(process.id).tier;
    MapRole {
        name: name_of(registry, process.id),
        ports: settings.gateway.is_none().then_some(settings.ports.value),
        bytes: Bytes(process.memory.known().0.saturating_mul(settings.ports.len() as u64)),
        tier: tier.map(|tier| registry.tiers.get(tier.value).head.name.value.clone()),
        residency: residency.head.name.value.clone(),
        is_on_demand: registry.is_on_demand(settings),
        gateway: None,
        draft: draft.map(|(_, draft)| registry.models.get(draft.value).head.name.value.clone()),
    }
}
