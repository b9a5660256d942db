//! Data for the documents, in the order of declaration: tiers, memory, pairs, bans, experts and constraints.
//!
//! The data has no wording: `render/docs` formats it.

mod constraint;
mod expert;
mod gpu;
mod listed;
mod memory;
mod result;
mod rule;

pub use constraint::{
    Constraints, Example, ForbidReason, ForbiddingFamily, UndraftableModel, VisionConstraint,
};
pub(super) use expert::is_recurrent;
pub use expert::{AdviceOwner, AdvisedExperts, ExpertKey};
pub use gpu::{GpuRow, Gpus, PlacedFile, PlacedLayers, PlacedRole};
pub use listed::{Acceleration, Columns, Heading, ListedContext, Provider, RoleRow, Tier};
pub use memory::{Footprint, HostTotal, Memory};
pub use result::Measurement;
pub use rule::{Ban, BannedDrafts, Pair};

use super::{Date, Prompt};
use crate::derive::Derived;
use crate::hir::{self, Id, Registry};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Data for the documents, in addition to processes and commands.
#[derive(Debug, Serialize)]
pub struct Reference {
    /// The tiers with at least one role.
    #[serde(skip)]
    pub tiers: Vec<Tier>,
    /// The memory of residencies and hosts.
    pub memory: Memory,
    /// The GPUs of the hosts, and what roles put on them.
    pub gpus: Gpus,
    /// Pairs: targets with a draft that works, or without any.
    pub pairs: Vec<Pair>,
    /// Bans: drafts that must not be used.
    pub bans: Vec<Ban>,
    /// Advised numbers of experts, by override key.
    pub experts: Vec<ExpertKey>,
    /// The constraints of families and models.
    pub constraints: Constraints,
    /// The folders of model files.
    #[serde(skip)]
    pub stores: Vec<Store>,
    /// Known problems of models.
    pub quirks: Vec<Quirk>,
    /// The measured speeds of roles.
    #[serde(skip)]
    pub measurements: Vec<Measurement>,
}

/// A folder of model files.
#[derive(Debug)]
pub struct Store {
    /// The folder, without a trailing slash.
    pub path: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// The names of the hosts with this folder. Empty if all hosts of the store have it.
    pub hosts: Vec<Arc<str>>,
}

/// A known problem of some models.
#[derive(Debug, Serialize)]
pub struct Quirk {
    /// Its name.
    pub name: Arc<str>,
    /// The titles of the affected models.
    pub models: Vec<Arc<str>>,
    /// The hosts of the roles with these models. Empty if only one host has roles.
    pub hosts: BTreeSet<Arc<str>>,
    /// The problem.
    pub issue: Arc<str>,
    /// The symptom.
    pub symptom: Option<Arc<str>>,
    /// The workaround.
    pub workaround: Option<Arc<str>>,
    /// The date of discovery.
    pub found: Option<Date>,
    /// The build, release or date of the fix.
    pub fixed: Option<Arc<str>>,
}

/// Collects the data. `prompts` are the one-shot commands from which examples are made.
pub(super) fn reference(derived: &Derived, prompts: &[Prompt]) -> Reference {
    let registry = &derived.registry;
    let banned = rule::DraftBans::new(registry);
    Reference {
        tiers: listed::tiers(derived),
        memory: memory::memory(derived),
        gpus: gpu::gpus(derived),
        pairs: rule::pairs(registry),
        bans: rule::bans(registry, &banned),
        experts: expert::keys(registry),
        constraints: constraint::constraints(registry, prompts, &banned),
        stores: registry.stores.iter().flat_map(|store| folders(registry, store)).collect(),
        quirks: quirks(derived),
        measurements: result::measurements(registry),
    }
}

/// The constraints of models without example commands, and their known problems.
pub(super) fn constraints_and_quirks(derived: &Derived) -> (Constraints, Vec<Quirk>) {
    let registry = &derived.registry;
    let banned = rule::DraftBans::new(registry);
    (constraint::constraints(registry, &[], &banned), quirks(derived))
}

fn quirks(derived: &Derived) -> Vec<Quirk> {
    let has_hosts = memory::has_several_hosts(derived);
    let registry = &derived.registry;
    let quirk = |quirk: &hir::Quirk| {
        let hosts = if has_hosts { hosts_of(registry, quirk) } else { BTreeSet::new() };
        Quirk { hosts, ..self::quirk(registry, quirk) }
    };
    registry.quirks.iter().map(quirk).collect()
}

/// The hosts of the roles that use a model of a quirk, as their model or their draft.
fn hosts_of(registry: &Registry, quirk: &hir::Quirk) -> BTreeSet<Arc<str>> {
    let is_affected = |model: Id<hir::Model>| quirk.models.iter().any(|affected| affected.value == model);
    let affected = registry.served().filter(|(_, serving)| {
        let draft = serving.draft_model().map(|(_, draft)| draft.value);
        std::iter::once(serving.model.value).chain(draft).any(is_affected)
    });
    affected.map(|(_, serving)| registry.hosts.get(serving.host.value).head.name.value.clone()).collect()
}

/// The distinct folders of a store.
fn folders(registry: &Registry, store: &hir::Store) -> Vec<Store> {
    let mut folders: Vec<Store> = Vec::new();
    for (id, host) in registry.hosts.entries().filter(|(id, _)| store.is_on(*id)) {
        let (path, host) = (store.path_on(id).trim_end_matches('/'), &host.head.name.value);
        match folders.iter_mut().find(|folder| &*folder.path == path) {
            Some(folder) => folder.hosts.push(host.clone()),
            None => folders.push(Store {
                path: path.into(),
                title: text(store.title.as_ref()),
                hosts: vec![host.clone()],
            }),
        }
    }
    if let [only] = folders.as_mut_slice() {
        only.hosts.clear();
    }
    folders
}

fn quirk(registry: &Registry, quirk: &hir::Quirk) -> Quirk {
    let titles = quirk.models.iter().map(|model| registry.models.get(model.value).title.value.clone());
    Quirk {
        name: quirk.head.name.value.clone(),
        models: titles.collect(),
        hosts: BTreeSet::new(),
        issue: quirk.issue.value.clone(),
        symptom: text(quirk.symptom.as_ref()),
        workaround: text(quirk.workaround.as_ref()),
        found: quirk.found.map(|date| date.value),
        fixed: text(quirk.fixed.as_ref()),
    }
}

fn text(text: Option<&hir::Text>) -> Option<Arc<str>> {
    text.map(|text| text.value.clone())
}

/// The label of a family in rules.
fn family_label(family: &hir::Family) -> &str {
    family.label.as_ref().map_or(&family.head.name.value, |label| &label.value)
}

/// The label of a model in rules.
fn model_label(model: &hir::Model) -> &str {
    model.label.as_ref().map_or(&model.title.value, |label| &label.value)
}
