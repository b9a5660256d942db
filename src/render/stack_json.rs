//! `stack.json`: the stack for programs that route requests. Which role, where, which model, within which limits.
//!
//! ```json
//! {
//!   "format_version": 1,
//!   "stack": "kitchen",
//!   "roles": [
//!     {
//!       "name": "coder", "tier": "A", "residency": "warm", "start": "on-demand", "host": "box",
//!       "endpoints": ["http://127.0.0.1:8070"],
//!       "model": {"name": "coder-30b", "title": "Coder-30B"},
//!       "limits": {"context": 32768, "slots": 1},
//!       "embeddings": false, "key_required": false, "shares": null
//!     }
//!   ]
//! }
//! ```
//!
//! - `roles` stand in the order of declaration; a role without a process is not among them.
//! - `start` is `boot` or `on-demand`: whether a first request has to wait for its model.
//! - `endpoints` has one base URL a process, in the order of ports; any of them answers. It is built from the first address that
//!   the role listens at; for a role that listens everywhere, from the host's own address, else from the loopback.
//! - `limits.context` counts the tokens of one request, `limits.slots` the requests that one endpoint computes at once.
//! - `embeddings` tells a role that answers with vectors from one that answers with text.
//! - `key_required` says that requests have to show a key; which, stands nowhere in what is made.
//! - `shares` names the role whose processes answer; everything but `name` and `tier` is then that role's.
//!
//! Fields may be added under the same `format_version`; one that changes its meaning or goes raises it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Serialize, Serializer};

use super::artifact::RenderError;
use super::template::Templates;
use super::{Claims, Target};
use crate::plan::{Plan, Role, Route, Start, TargetName};

pub(super) static TARGET: Target = Target { name: TargetName::StackJson, templates: &[], artifacts };

const PATH: &str = "stack.json";
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct StackView<'p> {
    format_version: u32,
    stack: &'p str,
    roles: Roles<'p>,
}

/// The roles, each viewed when its turn comes.
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
    tier: &'p str,
    residency: &'p str,
    start: &'static str,
    host: &'p str,
    endpoints: Vec<String>,
    model: Model<'p>,
    limits: Limits,
    embeddings: bool,
    key_required: bool,
    shares: Option<&'p str>,
}

#[derive(Serialize)]
struct Model<'p> {
    name: &'p str,
    title: &'p str,
}

#[derive(Serialize)]
struct Limits {
    context: u64,
    slots: u32,
}

fn artifacts<'p>(plan: &'p Plan, _: &'p Templates, claims: &mut Claims<'_, 'p>) {
    claims.file(PATH.to_owned(), move || {
        let mut text = serde_json::to_string_pretty(&view(plan))
            .map_err(|error| RenderError::new(PATH, &error.to_string()))?;
        text.push('\n');
        Ok(text)
    });
}

fn view(plan: &Plan) -> StackView<'_> {
    StackView { format_version: FORMAT_VERSION, stack: &plan.stack, roles: Roles(plan) }
}

fn role_view<'p>(plan: &'p Plan, route: &'p Route) -> Option<RoleView<'p>> {
    let role = plan.roles.get(route.role)?;
    let host = plan.hosts.get(role.host)?;
    let address = address(role, host.address.as_deref());
    let endpoint = |port| format!("http://{}", SocketAddr::new(address, port));
    Some(RoleView {
        name: &route.name,
        tier: &route.tier,
        residency: &role.residency,
        start: match role.start {
            Start::Boot => "boot",
            Start::OnDemand => "on-demand",
        },
        host: &host.name,
        endpoints: role.processes.iter().map(|process| endpoint(process.port)).collect(),
        model: Model { name: &role.model_name, title: &role.model },
        limits: Limits { context: role.context, slots: role.slots },
        embeddings: role.is_embedder,
        key_required: role.key_file.is_some(),
        shares: route.shares.then_some(&role.name),
    })
}

/// The address by which to reach a role.
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
