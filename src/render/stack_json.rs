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
//!   ]
//! }
//! ```
//!
//! - `roles` are in the order of declaration; roles without a process are not listed.
//! - `start` is `boot` or `on-demand`. With `on-demand`, the first request waits until the model is loaded.
//! - `endpoints` has one base URL per process, in the order of ports; all of them are equivalent. The address is the
//!   first one that the role listens on. For a role that listens on all addresses, it is the address of the host, or
//!   else loopback.
//! - `names` has the names of the model that clients can use at the endpoints: that of the role, those of the roles that
//!   share it, and its aliases. `/v1/models` lists them; its `id` is the first in byte order.
//! - `program` is the name of the program of a role that no engine serves; other roles do not have it. Of such a role,
//!   `model`, `limits`, `embeddings` and `key_required` are not known: they are null, and `names` is empty.
//! - `gpus` names the GPUs that the processes use, as the engine names them. Roles whose GPUs are not known do not have it: those
//!   on a host that declares no GPUs, and those of a program without `gpu`. It is empty for a role without a GPU.
//! - `limits.context` is the maximum number of tokens of one request; null if it is the trained context of a model that is
//!   not in the lock, or if the engine fits it to the memory of the machine. `limits.slots` is the number of requests that one endpoint handles at the same time.
//! - `embeddings` is true if the role returns embeddings instead of text.
//! - `key_required` is true if requests need an API key. No generated file contains the key.
//! - `tier` is `null` if the registry declares no tiers.
//! - `shares` names the role whose processes answer. All fields except `name` and `tier` are then those of that role.
//!
//! Fields may be added without changing `format_version`. Removing a field or changing its meaning raises it.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{ArtifactCollector, OutputTarget, Pieces, RenderError};
use crate::plan::{Plan, Role, Route, Start};

pub(super) static TARGET: OutputTarget = OutputTarget::new(&[], artifacts);

const PATH: &str = "stack.json";
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct StackView<'p> {
    format_version: u32,
    stack: &'p str,
    roles: Roles<'p>,
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
    names: &'p [Arc<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'p str>,
    model: Option<Model<'p>>,
    limits: Option<Limits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpus: Option<&'p [Arc<str>]>,
    embeddings: Option<bool>,
    key_required: Option<bool>,
    shares: Option<&'p str>,
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
        let view = StackView { format_version: FORMAT_VERSION, stack: &plan.stack, roles: Roles(plan) };
        let mut text = Pieces::default();
        serde_json::to_writer_pretty(&mut text, &view)
            .map_err(io::Error::from)
            .and_then(|()| text.write_all(b"\n"))
            .map_err(|error| RenderError::new(PATH, &error.to_string()))?;
        Ok(text)
    });
}

fn role_view<'p>(plan: &'p Plan, route: &'p Route) -> Option<RoleView<'p>> {
    let role = plan.roles.get(route.role)?;
    let host = plan.hosts.get(role.host)?;
    let address = address(role, host.address.as_deref());
    let engine = role.engine();
    let endpoint = |port| format!("http://{}", SocketAddr::new(address, port));
    Some(RoleView {
        name: &route.name,
        tier: route.tier.as_deref(),
        residency: &role.residency,
        start: match role.start {
            Start::Boot => "boot",
            Start::OnDemand => "on-demand",
        },
        host: &host.name,
        endpoints: role.processes.iter().map(|process| endpoint(process.port)).collect(),
        names: &role.names,
        program: engine.is_none().then_some(&*role.title),
        model: engine.map(|engine| Model { name: &engine.model, title: &role.title }),
        limits: engine.map(|engine| Limits { context: engine.context, slots: engine.slots }),
        gpus: role.gpus.as_ref().map(|gpus| gpus.as_slice()),
        embeddings: engine.map(|engine| engine.is_embedder),
        key_required: engine.map(|_| role.key_file.is_some()),
        shares: route.shares.then_some(&role.name),
    })
}

/// The address at which clients reach a role.
fn address(role: &Role, host: Option<&str>) -> IpAddr {
    let first = role.addresses.first().and_then(|address| address.parse().ok());
    let host = || host.and_then(|address| address.parse().ok());
    match first {
        Some(IpAddr::V4(ip)) if ip.is_unspecified() => host().unwrap_or(Ipv4Addr::LOCALHOST.into()),
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => host().unwrap_or(Ipv6Addr::LOCALHOST.into()),
        Some(ip) => ip,
        None => Ipv4Addr::LOCALHOST.into(),
    }
}
