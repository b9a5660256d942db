//! `stack.json`: the stack for programs that route requests. It lists the roles with their endpoints, models and
//! limits.
//!
//! ```json
//! {
//!   "format_version": 1,
//!   "stack": "kitchen",
//!   "roles": [
//!     {
//!       "name": "coder", "tier": "A", "residency": "warm", "start": "on-demand", "host": "box",
//!       "endpoints": ["http://127.0.0.1:8070"],
//!       "names": ["coder", "gpt-4o"],
//!       "model": {"name": "coder-30b", "title": "Coder-30B"},
//!       "limits": {"context": 32768, "slots": 1},
//!       "embeddings": false, "key_required": false, "shares": null
//!     }
//!   ],
//!   "gateways": [
//!     {
//!       "name": "front", "host": "box", "endpoint": "http://127.0.0.1:8000", "roles": ["chat", "embed"],
//!       "at_once": 1, "key_required": false
//!     }
//!   ],
//!   "hosts": [
//!     {
//!       "name": "box", "address": "192.0.2.7", "memory": 128000000000,
//!       "places": [{"place": "RAM", "room": 121600000000, "sum": 18000000000, "complete": true}],
//!       "may_grow": 8589934592, "roles": ["coder"]
//!     }
//!   ],
//!   "services": [
//!     {"name": "search", "host": "box", "endpoint": "http://127.0.0.1:8888", "memory": 2000000000, "cpus": null}
//!   ]
//! }
//! ```
//!
//! - `roles` are in the order of declaration; roles that are not served are not listed.
//! - `start` is `boot` or `on-demand`. With `on-demand`, the first request waits until the model is loaded.
//! - `endpoints` has one base URL per process, in the order of ports; all of them are equivalent. The address is the
//!   first one that the role listens on. For a role that listens on all addresses, it is the address of the host, or
//!   else loopback.
//! - `gateway` names the gateway of a role; other roles do not have it. `endpoints` is then the address of the gateway, and the
//!   `model` of a request must be one of `names`.
//! - `image` is the container image of a role that a container serves; other roles do not have it. Its service or container is
//!   `STACK-ROLE`, with the number of the instance if it has several.
//! - With the target `kubernetes`, clients in the cluster use the Services. If no other target starts servers, `endpoints` and
//!   `endpoint` are the Service, one for all processes. Else `service` of a role or gateway is its base URL; without the target it is
//!   missing.
//! - `gateways` is missing if there are none. `roles` are those with their own model; roles that share one are names of it.
//!   `at_once` is the maximum number of models that the gateway keeps in memory. For llama-swap it is the size of the largest set.
//! - `peers` of a gateway are the servers to which it forwards requests: a client can use their `names` at the gateway too. `name` is
//!   that of another gateway or of a role, and `endpoint` is its address for this gateway. It is missing if there are none.
//! - `names` has the names of the model that clients can use at the endpoints: that of the role, those of the roles that
//!   share it, and its aliases. `/v1/models` lists them; its `id` is the first in byte order, or behind a gateway the name of
//!   the role that has the model. A role that shares another one behind llama-swap, with an `option`, has only its
//!   own name, because the others do not have its settings.
//! - `program` is the name of the program of a role that no engine serves; other roles do not have it. Of such a role,
//!   `model`, `limits`, `embeddings` and `key_required` are not known: they are null. Without a gateway, `names` is empty.
//! - `gpus` names the GPUs that the processes use, as the engine names them, or is `auto` alone: all GPUs that it finds. Roles whose GPUs are not known do not have it: those
//!   on a host that declares no GPUs, and those of a program without `gpu`. It is empty for a role without a GPU.
//! - `limits.context` is the maximum number of tokens of one request; null if it is the trained context of a model that is
//!   not in the lock, or if the engine fits it to the memory of the machine. `limits.slots` is the number of requests that one endpoint handles at the same time.
//! - `embeddings` is true if the role returns embeddings instead of text.
//! - `key_required` is true if requests need an API key. No generated file contains the key.
//! - `tier` is `null` if the registry declares no tiers.
//! - `hosts` has all hosts, in the order of declaration. `memory` is the declared memory in bytes. `places` are `RAM`, each NUMA
//!   node (`node 0`) and each GPU, by its name: `room` is the memory that roles may take there, without the reserve and the
//!   services; `sum` is the known memory of the roles there, as `orchgen memory` adds it up. `complete` is false if the sum lacks
//!   memory, for example of a model that is not in the lock. `sum` is null if the size of a model on the host is unknown.
//!   `may_grow` is the RAM that the engines may take in addition, by their defaults. `roles` are the roles whose processes run there.
//! - `services` are the processes that the stack does not start. It is missing if there are none.
//! - `shares` names the role whose processes answer. All fields except `name` and `tier` are then those of that role.
//!
//! Fields may be added without changing `format_version`. Removing a field or changing its meaning raises it.

mod hosts;

use std::io::{self, Write};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{ArtifactCollector, OutputTarget, Pieces, RenderError};
use crate::plan::kubernetes::service_host;
use crate::plan::{
    ClientAddress, Gateway, Host, Plan, Role, Route, Start, SwapPeer, TargetName, base_url, client_address,
};
use hosts::{HostView, ServiceView};

pub(super) static TARGET: OutputTarget = OutputTarget::new(PATH, &[], artifacts);

const PATH: &str = "stack.json";
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct StackView<'p> {
    format_version: u32,
    stack: &'p str,
    roles: Roles<'p>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateways: Vec<GatewayView<'p>>,
    hosts: Vec<HostView<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<ServiceView<'p>>,
}

/// The roles, serialized one at a time to save memory.
struct Roles<'p>(&'p Plan);

impl Serialize for Roles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(plan) = self;
        serializer.collect_seq(plan.routes.iter().filter_map(|route| role_view(plan, route)))
    }
}

#[derive(Serialize)]
struct RoleView<'p> {
    name: &'p str,
    tier: Option<&'p str>,
    residency: &'p str,
    start: &'static str,
    host: &'p str,
    endpoints: Vec<String>,
    names: Vec<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'p str>,
    model: Option<Model<'p>>,
    limits: Option<Limits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpus: Option<&'p [Arc<str>]>,
    embeddings: Option<bool>,
    key_required: Option<bool>,
    shares: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
}

#[derive(Serialize)]
struct GatewayView<'p> {
    name: &'p str,
    host: &'p str,
    endpoint: String,
    roles: Vec<&'p str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    peers: Vec<PeerView<'p>>,
    at_once: u32,
    key_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
}

#[derive(Serialize)]
struct PeerView<'p> {
    name: &'p str,
    host: &'p str,
    endpoint: &'p str,
    names: &'p [Arc<str>],
}

#[derive(Serialize)]
struct Model<'p> {
    name: &'p str,
    title: &'p str,
}

#[derive(Serialize)]
struct Limits {
    context: Option<u64>,
    slots: u32,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    collector.text(PATH.to_owned(), move || {
        let gateways = plan.gateways.iter().filter_map(|gateway| gateway_view(plan, gateway)).collect();
        let (format_version, stack) = (FORMAT_VERSION, &*plan.stack);
        let (hosts, services) = (hosts::hosts(plan), hosts::services(plan));
        let view = StackView { format_version, stack, roles: Roles(plan), gateways, hosts, services };
        let mut text = Pieces::default();
        serde_json::to_writer_pretty(&mut text, &view)
            .map_err(io::Error::from)
            .and_then(|()| text.write_all(b"\n"))
            .map_err(|error| RenderError::new(PATH, &error.to_string()))?;
        Ok(text)
    });
}

fn gateway_view<'p>(plan: &'p Plan, gateway: &'p Gateway) -> Option<GatewayView<'p>> {
    let server = plan.roles.get(gateway.server)?;
    let host = plan.hosts.get(server.host as usize)?;
    Some(GatewayView {
        name: &gateway.name,
        host: &host.name,
        endpoint: endpoint(&server.addresses, host, server.ports.first),
        roles: gateway.roles().filter_map(|role| Some(&*plan.roles.get(role)?.name)).collect(),
        peers: gateway.peers().iter().map(peer_view).collect(),
        at_once: gateway.most,
        key_required: server.key_file.is_some(),
        service: service(plan, server),
    })
}

fn peer_view(peer: &SwapPeer) -> PeerView<'_> {
    PeerView { name: &peer.name, host: &peer.host, endpoint: &peer.url, names: &peer.names }
}

/// The base URL of a process that listens on these addresses, for clients.
fn endpoint(listen: &[Arc<str>], host: &Host, port: u16) -> String {
    base_url(&client_address(listen, host.address.as_deref()), port)
}

/// The base URL of the Service of a role or gateway, if it has pods next to processes of units or scripts.
fn service(plan: &Plan, server: &Role) -> Option<String> {
    if plan.has_only_pods() || !plan.targets.contains(&TargetName::Kubernetes) {
        return None;
    }
    let host = service_host(&plan.stack, &server.name)?;
    Some(base_url(&ClientAddress::Name(host), server.ports.first))
}

/// The names of a role. With other settings, a name of a role that shares the same process is not one of them.
fn names<'p>(gateway: Option<&Gateway>, role: &'p Role, route: &'p Route) -> Vec<&'p str> {
    let variants = gateway.map_or(&[][..], |gateway| gateway.variants(route.role));
    let is_variant = |name: &str| variants.iter().any(|variant| *variant.name == *name);
    let all = role.names.iter().map(|name| &**name);
    if is_variant(&route.name) { vec![&route.name] } else { all.filter(|name| !is_variant(name)).collect() }
}

fn role_view<'p>(plan: &'p Plan, route: &'p Route) -> Option<RoleView<'p>> {
    let role = plan.roles.get(route.role)?;
    let host = plan.hosts.get(role.host as usize)?;
    let engine = role.engine();
    let gateway = role.gateway.and_then(|number| plan.gateways.get(number as usize));
    let server = gateway.and_then(|gateway| plan.roles.get(gateway.server)).unwrap_or(role);
    // A Service has one port for all pods.
    let processes = if plan.has_only_pods() { 1 } else { server.processes.len() };
    let ports = server.processes.iter().take(processes).map(|process| process.port);
    Some(RoleView {
        name: &route.name,
        tier: route.tier.as_deref(),
        residency: &role.residency,
        start: match role.start {
            Start::Boot => "boot",
            Start::OnDemand => "on-demand",
        },
        host: &host.name,
        endpoints: ports.map(|port| endpoint(&server.addresses, host, port)).collect(),
        names: names(gateway, role, route),
        program: engine.is_none().then_some(&*role.title),
        model: engine.map(|engine| Model { name: &engine.model, title: &role.title }),
        limits: engine.map(|engine| Limits { context: engine.context, slots: engine.slots }),
        gpus: role.gpus.as_ref().map(|gpus| gpus.as_slice()),
        embeddings: engine.map(|engine| engine.is_embedder),
        key_required: engine.map(|_| server.key_file.is_some() || role.key_file.is_some()),
        shares: route.shares.then_some(&role.name),
        image: role.container.as_ref().map(|container| &*container.image),
        gateway: gateway.map(|gateway| &*gateway.name),
        service: service(plan, server),
    })
}
