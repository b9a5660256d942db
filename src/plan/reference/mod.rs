//! The facts of the documents, in the order of declaration: what is served, what it takes, what works with what.
//!
//! Plain data without wording: how a fact is put for people is the document's business.

mod constraint;
mod expert;
mod listed;
mod memory;
mod rule;

pub use constraint::{Constraints, Example, Forbidding, Reason, Undraftable, Vision};
pub use expert::{Advised, ExpertKey, Owner};
pub use listed::{Acceleration, Row, Tier, Worker};
pub use memory::Footprint;
pub use rule::{Ban, Drafts, Pair};

use super::{Bytes, Date, Prompt};
use crate::hir::{self, Registry};

/// What the documents say beside processes and commands.
#[derive(Debug)]
pub struct Reference {
    /// The tiers with at least one role.
    pub tiers: Vec<Tier>,
    /// What the residencies with at least one role take.
    pub memory: Vec<Footprint>,
    /// What all files take together, each once.
    pub total: Bytes,
    /// Drafts that are known to work, or that none is.
    pub pairs: Vec<Pair>,
    /// Drafts that must not be used.
    pub bans: Vec<Ban>,
    /// How many experts to use, by override key.
    pub experts: Vec<ExpertKey>,
    /// What must not be done.
    pub constraints: Constraints,
    /// Where model files lie.
    pub stores: Vec<Store>,
    /// What is odd about models.
    pub quirks: Vec<Quirk>,
}

/// A folder of model files.
#[derive(Debug)]
pub struct Store {
    /// The folder, without a slash at its end.
    pub path: Box<str>,
    /// What people call it.
    pub title: Option<Box<str>>,
}

/// Something odd that people should know before they meet it.
#[derive(Debug)]
pub struct Quirk {
    /// Its name.
    pub name: Box<str>,
    /// The titles of the models that have it.
    pub models: Vec<Box<str>>,
    /// What is odd.
    pub issue: Box<str>,
    /// How one notices.
    pub symptom: Option<Box<str>>,
    /// The way around it.
    pub workaround: Option<Box<str>>,
    /// When it was found.
    pub found: Option<Date>,
    /// Where it is mended.
    pub fixed: Option<Box<str>>,
}

/// What holds the rules together; `prompts` are the commands that examples are made of.
pub(super) fn constraints(registry: &Registry, prompts: &[Prompt]) -> Constraints {
    constraint::constraints(registry, prompts, &rule::Banned::of(registry))
}

/// Gathers the facts, [`constraints`] left out.
pub(super) fn reference(registry: &Registry) -> Reference {
    let banned = rule::Banned::of(registry);
    let (memory, total) = memory::memory(registry);
    Reference {
        tiers: listed::tiers(registry),
        memory,
        total,
        pairs: rule::pairs(registry),
        bans: rule::bans(registry, &banned),
        experts: expert::keys(registry),
        constraints: Constraints::default(),
        stores: registry.stores.iter().map(store).collect(),
        quirks: registry.quirks.iter().map(|quirk| self::quirk(registry, quirk)).collect(),
    }
}

fn store(store: &hir::Store) -> Store {
    Store { path: store.path.trim_end_matches('/').into(), title: text(store.title.as_ref()) }
}

fn quirk(registry: &Registry, quirk: &hir::Quirk) -> Quirk {
    let titles = quirk.models.iter().map(|model| registry.models.get(model.value).title.value.clone());
    Quirk {
        name: quirk.head.name.value.clone(),
        models: titles.collect(),
        issue: quirk.issue.value.clone(),
        symptom: text(quirk.symptom.as_ref()),
        workaround: text(quirk.workaround.as_ref()),
        found: quirk.found.map(|date| date.value),
        fixed: text(quirk.fixed.as_ref()),
    }
}

fn text(text: Option<&hir::Text>) -> Option<Box<str>> {
    text.map(|text| text.value.clone())
}

/// What people call a family where rules speak of it.
fn family_label(family: &hir::Family) -> &str {
    family.label.as_ref().map_or(&family.head.name.value, |label| &label.value)
}

/// What people call a model where rules speak of it.
fn model_label(model: &hir::Model) -> &str {
    model.label.as_ref().map_or(&model.title.value, |label| &label.value)
}
