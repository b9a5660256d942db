//! The roles of the report, by tier.

use super::{Index, MAX_ROLES, name_of};
use crate::derive::overrides::request_limit;
use crate::derive::{ClientAddress, Endpoint, ServedGateway, ServedProcess, base_url, client_addresses};
use crate::hir::{self, Bytes, Context, GpuLayers, Id, NumaPolicy, Registry, Role, RoleKind, Start};
use crate::plan::reference::Heading;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The maximum number of addresses that a role lists.
const MAX_ADDRESSES: usize = 4;

/// A tier with its roles.
#[derive(Debug, Serialize)]
pub struct ReportTier {
    /// Its heading. `None` for the roles without a tier.
    pub heading: Option<Heading>,
    /// Its roles.
    pub roles: Vec<ReportRole>,
}

/// A role.
#[derive(Debug, Serialize)]
pub struct ReportRole {
    /// Its name.
    pub name: Arc<str>,
    /// The purpose of the role.
    pub purpose: Option<Arc<str>>,
    /// The name and the title of its model. `None` for another program.
    pub model: Option<(Arc<str>, Arc<str>)>,
    /// The quantization of the model.
    pub quant: Option<Arc<str>>,
    /// The name of its draft model.
    pub draft: Option<Arc<str>>,
    /// The name of its program, if no engine serves it.
    pub program: Option<Arc<str>>,
    /// The role whose processes serve it.
    pub shares: Option<Arc<str>>,
    /// Its server. `None` if it is only listed.
    pub served: Option<Served>,
}

/// How a role is served.
#[derive(Debug, Serialize)]
pub struct Served {
    /// The base URLs for clients, at most four.
    pub urls: Vec<String>,
    /// The number of further URLs.
    pub more_urls: usize,
    /// The gateway in front of it.
    pub gateway: Option<Arc<str>>,
    /// Further names at the API.
    pub aliases: Vec<Arc<str>>,
    /// Maximum tokens of one request. `None` if it is unknown, or for another program.
    pub context: Option<u64>,
    /// `fit` or `trained`, if the registry has no number.
    pub context_word: Option<&'static str>,
    /// The requests at the same time. `None` for another program.
    pub slots: Option<u32>,
    /// The host.
    pub host: Arc<str>,
    /// Where it runs, in short labels.
    pub placement: Vec<String>,
    /// The name of its residency.
    pub residency: Arc<str>,
    /// When it starts.
    pub start: Start,
    /// True if requests need an API key. `None` for another program.
    pub has_key: Option<bool>,
    /// The number of its processes.
    pub processes: usize,
    /// The known memory of one process, on the host and on GPUs.
    pub bytes: Bytes,
    /// True if all of it is known.
    pub is_whole: bool,
}

/// The tiers with at least one role, and the number of all roles.
pub(super) fn tiers(index: &Index<'_>) -> (Vec<ReportTier>, usize) {
    let registry = index.registry();
    // The last one is for roles without a tier.
    let mut rows: Vec<Vec<ReportRole>> = Vec::new();
    rows.resize_with(registry.tiers.len() + 1, Vec::new);
    for (id, role) in registry.roles.entries().take(MAX_ROLES) {
        let number = role.tier.map_or(registry.tiers.len(), |tier| tier.value.number());
        rows.get_mut(number).into_iter().for_each(|rows| rows.push(row(index, id, role)));
    }
    let heading =
        |tier: &hir::Tier| Heading { name: tier.head.name.value.clone(), title: tier.title.value.clone() };
    let headings = registry.tiers.iter().map(|tier| Some(heading(tier))).chain([None]);
    let tiers = headings.zip(rows).filter(|(_, rows)| !rows.is_empty());
    (tiers.map(|(heading, roles)| ReportTier { heading, roles }).collect(), registry.roles.len())
}

fn row(index: &Index<'_>, id: Id<Role>, role: &Role) -> ReportRole {
    let registry = index.registry();
    let (server, shares) = match &role.kind {
        RoleKind::Shares(shared) => (shared.value, Some(name_of(registry, shared.value))),
        RoleKind::Served(_) | RoleKind::Program(_) | RoleKind::Listed(_) => (id, None),
    };
    let provider = registry.provider(role);
    let model = registry.model_of_role(role).map(|model| registry.models.get(model));
    let draft = provider.serving().and_then(|serving| serving.draft_model());
    let purpose = role.purpose.as_ref().or(provider.purpose.as_ref());
    ReportRole {
        name: role.head.name.value.clone(),
        purpose: purpose.map(|purpose| purpose.value.clone()),
        model: model.map(|model| (model.head.name.value.clone(), model.title.value.clone())),
        quant: model.and_then(|model| model.quant.as_ref()).map(|quant| quant.value.clone()),
        draft: draft.map(|(_, draft)| registry.models.get(draft.value).head.name.value.clone()),
        program: match &provider.kind {
            RoleKind::Program(program) => Some(program.name().into()),
            RoleKind::Served(_) | RoleKind::Listed(_) | RoleKind::Shares(_) => None,
        },
        shares,
        served: served(index, server, &role.head.name.value),
    }
}

fn served(index: &Index<'_>, id: Id<Role>, name: &str) -> Option<Served> {
    let registry = index.registry();
    let found = index.processes.binary_search_by_key(&id, |process| process.id).ok()?;
    let process = index.processes.get(found)?;
    let gateway = index.gateway(process);
    let host = registry.hosts.get(process.settings.host.value);
    let residency = registry.residencies.get(process.settings.residency.value);
    let serving = index.engine(id).map(|role| &*role.serving);
    let (urls, more_urls) = match gateway {
        Some(gateway) => gateway_urls(registry, gateway),
        None => urls(registry, (&registry.roles.get(id).head.name, process.endpoint), host),
    };
    let key = gateway.is_some_and(|gateway| registry.gateways.get(gateway.id).key_file.is_some());
    Some(Served {
        urls,
        more_urls,
        gateway: gateway.map(|gateway| registry.gateways.get(gateway.id).head.name.value.clone()),
        aliases: process.endpoint.names.iter().filter(|alias| &***alias != name).cloned().collect(),
        context: serving.and_then(|serving| request_limit(registry, serving)),
        context_word: serving.and_then(|serving| match serving.context.value {
            Context::Tokens(_) => None,
            Context::Trained => Some("trained"),
            Context::Fit(_) => Some("fit"),
        }),
        slots: serving.map(|serving| serving.slots.value.count),
        host: host.head.name.value.clone(),
        placement: placement(index, process),
        residency: residency.head.name.value.clone(),
        start: residency.start.value,
        has_key: serving.map(|serving| key || serving.key_file.is_some()),
        processes: process.settings.ports.len(),
        bytes: process.memory.known(),
        is_whole: process.unknown_part().is_none(),
    })
}

/// The first base URLs of an endpoint, and the number of the others: for each process, one for each address.
fn urls(registry: &Registry, (name, endpoint): (&str, &Endpoint), host: &hir::Host) -> (Vec<String>, usize) {
    let address = host.address.as_ref().map(|address| &*address.value);
    let mut addresses: Vec<ClientAddress> = Vec::new();
    let for_clients = endpoint.for_clients(registry, name);
    for address in client_addresses(&for_clients, address) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    // A Service has one port for all pods.
    let instances = if for_clients == endpoint.addresses { endpoint.ports.len() } else { 1 };
    let all = (0..instances).map(|instance| endpoint.port(instance));
    let all = all.flat_map(|port| addresses.iter().map(move |address| base_url(address, port)));
    let listed: Vec<String> = all.take(MAX_ADDRESSES).collect();
    let more = (instances * addresses.len()).saturating_sub(listed.len());
    (listed, more)
}

/// The first base URLs of a gateway, and the number of the others.
pub(super) fn gateway_urls(registry: &Registry, served: &ServedGateway) -> (Vec<String>, usize) {
    let gateway = registry.gateways.get(served.id);
    urls(registry, (&gateway.head.name, &served.endpoint), registry.hosts.get(gateway.host.value))
}

/// Where a process runs: GPUs with their layers, NUMA policy, CPUs, threads.
fn placement(index: &Index<'_>, process: &ServedProcess<'_>) -> Vec<String> {
    let own = &process.settings.placement;
    let host = index.registry().hosts.get(process.settings.host.value);
    let mut labels = Vec::new();
    let gpus = index.gpus(process.id);
    if !gpus.is_empty() {
        let layers = index.engine(process.id).and_then(|role| role.gpus.as_ref()).map(|gpus| gpus.layers);
        let layers = match layers {
            Some(GpuLayers::Count(count)) => format!(", {count} layers"),
            Some(GpuLayers::Fit) => ", layers that fit".to_owned(),
            Some(GpuLayers::All) | None => String::new(),
        };
        labels.push(format!("{}{layers}", gpus.join(" + ")));
    }
    labels.extend(own.numa.as_ref().map(|numa| numa_label(&numa.value)));
    let set = own.cpus.as_ref().and_then(|cpus| cpus.set.as_deref());
    let cpus = || Some(format!("CPUs {}", own.cpus.as_ref()?.list));
    labels.extend(set.map(|set| format!("cpuset {set}")).or_else(cpus));
    let threads = process.settings.threads(host, 0).filter(|_| !process.is_program);
    labels.extend(threads.map(|threads| format!("{threads} threads")));
    labels
}

/// A NUMA policy as a short label.
fn numa_label(policy: &NumaPolicy) -> String {
    match policy {
        NumaPolicy::Bind(node) => format!("node {node}"),
        NumaPolicy::Interleave(nodes) if nodes.is_empty() => "all nodes, interleaved".to_owned(),
        NumaPolicy::Interleave(_) => format!("nodes {policy}").replace("interleave ", ""),
        NumaPolicy::Spread => "spread over nodes".to_owned(),
        NumaPolicy::Distribute => "nodes by the engine".to_owned(),
    }
}
