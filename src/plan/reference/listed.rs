//! The roles of each tier, for the documents.

use super::memory::has_several_hosts;
use super::text;
use crate::derive::Derived;
use crate::derive::drafting::draft_max;
use crate::hir::{self, ForbiddenFeature, Id, Model, PortRange, Registry, RoleKind, Serving};
use serde::Serialize;
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
    /// True if at least two hosts have roles, so that a port alone does not identify a server.
    pub has_hosts: bool,
    /// Its roles.
    pub rows: Arc<[RoleRow]>,
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
        has_hosts,
        rows: rows.into(),
    };
    let headings = registry.tiers.iter().map(Some).chain([None]);
    headings.zip(rows).filter(|(_, rows)| !rows.is_empty()).map(tier).collect()
}

/// The row of a role. A role that shares another one inherits purpose and speed from it.
fn row(registry: &Registry, role: &hir::Role) -> RoleRow {
    let shared = match &role.kind {
        RoleKind::Shares(shared) => Some(registry.roles.get(shared.value)),
        RoleKind::Listed(_) | RoleKind::Served(_) | RoleKind::Program(_) => None,
    };
    let provider = shared.unwrap_or(role);
    let measured = role.measured.as_ref().or(provider.measured.as_ref());
    RoleRow {
        name: role.head.name.value.clone(),
        provider: match (shared, &role.kind, model(provider)) {
            (None, RoleKind::Program(program), _) => Provider::Program { name: program.name().into() },
            (None, _, Some(id)) => {
                let model = registry.models.get(id);
                Provider::Model { title: model.title.value.clone(), quant: text(model.quant.as_ref()) }
            }
            _ => Provider::Shared { role: provider.head.name.value.clone() },
        },
        ports: provider.process().map(|process| process.ports.value),
        host: provider
            .process()
            .map(|process| registry.hosts.get(process.host.value).head.name.value.clone()),
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

fn model(role: &hir::Role) -> Option<Id<Model>> {
    match &role.kind {
        RoleKind::Shares(_) | RoleKind::Program(_) => None,
        RoleKind::Listed(model) => Some(model.value),
        RoleKind::Served(serving) => Some(serving.model.value),
    }
}

fn acceleration(registry: &Registry, role: &hir::Role) -> Acceleration {
    let Some(model) = model(role).map(|id| registry.models.get(id)) else { return Acceleration::default() };
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
