//! The roles under the headings of their tiers.

use super::text;
use crate::engine::dialect::DRAFT_MAX;
use crate::hir::{self, Forbids, Id, Model, PortRange, Registry, Work};

/// A heading with its roles.
#[derive(Debug)]
pub struct Tier {
    /// Its name.
    pub name: Box<str>,
    /// What people call it.
    pub title: Box<str>,
    /// Whether the speed of any of its roles was measured.
    pub is_measured: bool,
    /// Its roles.
    pub rows: Vec<Row>,
}

/// One role.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: Box<str>,
    /// Who does its work.
    pub worker: Worker,
    /// The ports that clients use.
    pub ports: Option<PortRange>,
    /// Tokens a second, as measured.
    pub speed: Option<Box<str>>,
    /// What makes it faster.
    pub acceleration: Acceleration,
    /// What it is for.
    pub purpose: Option<Box<str>>,
    /// Whatever else people should know.
    pub note: Option<Box<str>>,
}

/// Who does the work of a role.
#[derive(Debug)]
pub enum Worker {
    /// A model: its title and quantisation.
    Model(Box<str>, Box<str>),
    /// The processes of another role.
    Shared(Box<str>),
}

/// What makes a role faster, and what must not.
#[derive(Clone, Copy, Default, Debug)]
pub struct Acceleration {
    /// The most tokens that a draft model runs ahead.
    pub draft: Option<u32>,
    /// Whether tokens are drafted from the prompt.
    pub lookup: bool,
    /// Experts used for a token.
    pub experts: Option<u32>,
    /// Whether the model has a projector.
    pub has_projector: bool,
    /// Whether the family forbids speculation.
    pub forbids_speculation: bool,
}

/// The tiers with at least one role.
pub(super) fn tiers(registry: &Registry) -> Vec<Tier> {
    let tier = |tier: &hir::Tier| Tier {
        name: tier.head.name.value.clone(),
        title: tier.title.value.clone(),
        is_measured: false,
        rows: Vec::new(),
    };
    let mut tiers: Vec<Tier> = registry.tiers.iter().map(tier).collect();
    for role in registry.roles.iter() {
        let Some(tier) = tiers.get_mut(role.tier.value.number()) else { continue };
        let row = row(registry, role);
        tier.is_measured |= row.speed.is_some();
        tier.rows.push(row);
    }
    tiers.retain(|tier| !tier.rows.is_empty());
    for tier in &mut tiers {
        tier.rows.shrink_to_fit();
    }
    tiers
}

/// A role that shares another shows what it does not say itself from the other.
fn row(registry: &Registry, role: &hir::Role) -> Row {
    let shared = match &role.work {
        Work::Shares(shared) => Some(registry.roles.get(shared.value)),
        Work::Listed(_) | Work::Served(_) => None,
    };
    let doer = shared.unwrap_or(role);
    let measured = role.measured.as_ref().or(doer.measured.as_ref());
    Row {
        name: role.head.name.value.clone(),
        worker: match (shared, model(doer)) {
            (None, Some(id)) => {
                let model = registry.models.get(id);
                Worker::Model(model.title.value.clone(), model.quant.value.clone())
            }
            _ => Worker::Shared(doer.head.name.value.clone()),
        },
        ports: doer.serving().map(|serving| serving.ports.value),
        speed: measured.map(|measured| measured.speed.0.clone()),
        acceleration: acceleration(registry, doer),
        purpose: text(role.purpose.as_ref().or(doer.purpose.as_ref())),
        note: text(role.note.as_ref()),
    }
}

fn model(role: &hir::Role) -> Option<Id<Model>> {
    match &role.work {
        Work::Shares(_) => None,
        Work::Listed(model) => Some(model.value),
        Work::Served(serving) => Some(serving.model.value),
    }
}

fn acceleration(registry: &Registry, role: &hir::Role) -> Acceleration {
    let Some(model) = model(role).map(|id| registry.models.get(id)) else { return Acceleration::default() };
    let serving = role.serving();
    let draft = serving.and_then(|serving| serving.draft.as_ref());
    let family = registry.families.get(model.family.value);
    Acceleration {
        draft: draft.map(|draft| draft.max.map_or(DRAFT_MAX, |max| max.value)),
        lookup: serving.is_some_and(|serving| serving.lookup.is_some()),
        experts: serving.and_then(|serving| serving.experts).map(|experts| experts.value),
        has_projector: model.projector.is_some(),
        forbids_speculation: family.forbids(Forbids::Speculation).is_some(),
    }
}
