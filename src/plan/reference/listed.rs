//! The roles of each tier, for the documents.

use super::memory::has_several_hosts;
use super::text;
use crate::derive::Derived;
use crate::derive::drafting::draft_max;
use crate::derive::overrides::request_limit;
use crate::derive::{ClientAddress, client_addresses, only_service};
use crate::hir::{
    self, Context, ForbiddenFeature, Id, Model, PortRange, ProcessSettings, Registry, RoleKind, Serving,
};
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The name and the title of a tier.
#[derive(Debug, Serialize)]
pub struct Heading {
    /// Its name.
    pub name: Arc<str>,
    /// Its title.
    pub title: Arc<str>,
}

/// A tier with its roles.
#[derive(Debug)]
pub struct Tier {
    /// Its heading. `None` for the roles of a registry without tiers.
    pub heading: Option<Heading>,
    /// True if the speed of any of its roles was measured.
    pub is_measured: bool,
    /// The further columns of its table.
    pub columns: Columns,
    /// Its roles.
    pub rows: Arc<[RoleRow]>,
}

/// The columns of a tier that depend on its roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct Columns {
    /// True if at least two hosts have roles, so that a port alone does not identify a server.
    pub hosts: bool,
    /// True if a role has another address than 127.0.0.1.
    pub addresses: bool,
    /// True if the context of a role is known.
    pub context: bool,
    /// True if a role has several slots.
    pub slots: bool,
}

/// A role in the table of its tier.
#[derive(Debug, Serialize)]
pub struct RoleRow {
    /// Its name.
    pub name: Arc<str>,
    /// The model or role that serves it.
    pub provider: Provider,
    /// The ports that clients use.
    pub ports: Option<PortRange>,
    /// The host. `None` if it is not served, or if only one host has roles.
    pub host: Option<Arc<str>>,
    /// The addresses that clients use. Empty if it is not served.
    pub addresses: Box<[ClientAddress]>,
    /// The context. `None` if no engine serves it.
    pub context: Option<ListedContext>,
    /// The number of requests that a process handles at the same time. `None` if no engine serves it.
    pub slots: Option<u32>,
    /// The measured speed in tokens per second.
    pub speed: Option<Arc<str>>,
    /// Its acceleration.
    pub acceleration: Acceleration,
    /// The purpose of the role.
    pub purpose: Option<Arc<str>>,
    /// Its further names at the API.
    pub aliases: Box<[Arc<str>]>,
    /// A further note.
    pub note: Option<Arc<str>>,
}

/// The model or role that serves a role.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Provider {
    /// A model.
    Model {
        /// Its title.
        title: Arc<str>,
        /// Its quantization, if it is known.
        quant: Option<Arc<str>>,
    },
    /// Another program than an engine.
    Program {
        /// Its name.
        name: Arc<str>,
    },
    /// The processes of another role.
    Shared {
        /// Its name.
        role: Arc<str>,
    },
}

/// The maximum number of tokens of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ListedContext {
    /// This number.
    Tokens {
        /// The number.
        tokens: u64,
    },
    /// The trained context of a model without facts.
    Trained,
    /// The context that fits into memory.
    Fit,
}

/// Methods that make a role faster, and forbidden ones.
#[derive(Clone, Copy, Default, Debug, Serialize)]
pub struct Acceleration {
    /// Maximum number of tokens that the draft model proposes.
    pub draft: Option<u32>,
    /// True if tokens are drafted from n-grams of the prompt.
    pub lookup: bool,
    /// Experts used per token.
    pub experts: Option<u32>,
    /// True if the model has a projector.
    pub has_projector: bool,
    /// True if the family forbids speculation.
    pub forbids_speculation: bool,
}

/// The tiers with at least one role.
pub(super) fn tiers(derived: &Derived) -> Vec<Tier> {
    let (registry, has_hosts) = (&derived.registry, has_several_hosts(derived));
    // The last one is for roles without a tier.
    let mut rows: Vec<Vec<RoleRow>> = Vec::new();
    rows.resize_with(registry.tiers.len() + 1, Vec::new);
    for role in registry.roles.iter() {
        let number = role.tier.map_or(registry.tiers.len(), |tier| tier.value.number());
        let Some(rows) = rows.get_mut(number) else { continue };
        let mut row = row(registry, role);
        row.host = row.host.filter(|_| has_hosts);
        rows.push(row);
    }
    let tier = |(heading, rows): (Option<&hir::Tier>, Vec<RoleRow>)| Tier {
        heading: heading
            .map(|tier| Heading { name: tier.head.name.value.clone(), title: tier.title.value.clone() }),
        is_measured: rows.iter().any(|row| row.speed.is_some()),
        columns: Columns { hosts: has_hosts, ..columns(&rows) },
        rows: rows.into(),
    };
    let headings = registry.tiers.iter().map(Some).chain([None]);
    headings.zip(rows).filter(|(_, rows)| !rows.is_empty()).map(tier).collect()
}

/// The columns that the roles need, without that of the hosts.
fn columns(rows: &[RoleRow]) -> Columns {
    let is_loopback = |address: &ClientAddress| *address == Ipv4Addr::LOCALHOST.into();
    let is_known = |context: ListedContext| matches!(context, ListedContext::Tokens { .. });
    Columns {
        hosts: false,
        addresses: rows.iter().flat_map(|row| &row.addresses).any(|address| !is_loopback(address)),
        context: rows.iter().filter_map(|row| row.context).any(is_known),
        slots: rows.iter().filter_map(|row| row.slots).any(|slots| slots > 1),
    }
}

/// The row of a role. A role that shares another one inherits purpose and speed from it.
fn row(registry: &Registry, role: &hir::Role) -> RoleRow {
    let provider = registry.provider(role);
    let measured = role.measured.as_ref().or(provider.measured.as_ref());
    RoleRow {
        name: role.head.name.value.clone(),
        provider: match &role.kind {
            RoleKind::Program(program) => Provider::Program { name: program.name().into() },
            RoleKind::Shares(_) => Provider::Shared { role: provider.head.name.value.clone() },
            RoleKind::Listed(model) => model_of(registry, model.value),
            RoleKind::Served(serving) => model_of(registry, serving.model.value),
        },
        ports: provider.process().map(|process| process.ports.value),
        host: provider
            .process()
            .map(|process| registry.hosts.get(process.host.value).head.name.value.clone()),
        addresses: provider
            .process()
            .map(|process| addresses(registry, &provider.head.name, process))
            .unwrap_or_default(),
        context: provider.serving().map(|serving| context(registry, serving)),
        slots: provider.serving().map(|serving| serving.slots.value.count),
        speed: measured.map(|measured| measured.speed.0.clone()),
        acceleration: acceleration(registry, provider),
        purpose: text(role.purpose.as_ref().or(provider.purpose.as_ref())),
        aliases: role
            .serving()
            .into_iter()
            .flat_map(Serving::aliases)
            .map(|name| name.value.clone())
            .collect(),
        note: text(role.note.as_ref()),
    }
}

fn model_of(registry: &Registry, id: Id<Model>) -> Provider {
    let model = registry.models.get(id);
    Provider::Model { title: model.title.value.clone(), quant: text(model.quant.as_ref()) }
}

/// The addresses of a process for other machines.
fn addresses(registry: &Registry, name: &str, process: &ProcessSettings) -> Box<[ClientAddress]> {
    let host = registry.hosts.get(process.host.value).address.as_ref().map(|address| &*address.value);
    let gateway = process.gateway.map(|gateway| &registry.gateways.get(gateway.value).head.name);
    if let Some(service) = only_service(registry, gateway.map_or(name, |gateway| gateway)) {
        return [ClientAddress::Name(service)].into();
    }
    let listen: Vec<Arc<str>> = process.listen.iter().map(|address| address.value.clone()).collect();
    if listen.is_empty() {
        return [Ipv4Addr::LOCALHOST.into()].into();
    }
    client_addresses(&listen, host).collect()
}

fn context(registry: &Registry, serving: &Serving) -> ListedContext {
    match (request_limit(registry, serving), serving.context.value) {
        (Some(tokens), _) => ListedContext::Tokens { tokens },
        (None, Context::Fit(_)) => ListedContext::Fit,
        (None, Context::Trained | Context::Tokens(_)) => ListedContext::Trained,
    }
}

fn acceleration(registry: &Registry, role: &hir::Role) -> Acceleration {
    let Some(model) = registry.model_of_role(role).map(|id| registry.models.get(id)) else {
        return Acceleration::default();
    };
    let serving = role.serving();
    let draft = serving.and_then(|serving| serving.draft.as_ref());
    Acceleration {
        draft: draft.map(|draft| draft_max(draft)),
        lookup: serving.is_some_and(|serving| serving.lookup.is_some()),
        experts: serving.and_then(|serving| serving.experts).map(|experts| experts.value),
        has_projector: model.projector.is_some(),
        forbids_speculation: registry
            .family_of(model)
            .is_some_and(|family| family.forbids(ForbiddenFeature::Speculation).is_some()),
    }
}
