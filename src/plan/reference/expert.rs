//! Advised numbers of experts, with the metadata key that sets them.

use super::family_label;
use crate::engine::architecture::{self, Architecture};
use crate::hir::{Advice, Experts, Family, Model, Registry};
use serde::Serialize;
use std::sync::Arc;

/// An override key with advised numbers of experts.
#[derive(Debug, Serialize)]
pub struct ExpertKey {
    /// The title of the model, or the label of the family.
    pub label: Arc<str>,
    /// The item with the advice.
    pub owner: AdviceOwner,
    /// The metadata key.
    pub key: Arc<str>,
    /// Recommended numbers.
    pub advise: Vec<AdvisedExperts>,
    /// Numbers that degrade the model.
    pub avoid: Vec<u32>,
}

/// The kind of item that has the advice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdviceOwner {
    /// One model.
    Model,
    /// A family.
    Family,
    /// A family of recurrent or hybrid models.
    RecurrentFamily,
}

/// A recommended number of experts.
#[derive(Debug, Serialize)]
pub struct AdvisedExperts {
    /// The number.
    pub experts: u32,
    /// The purpose.
    pub purpose: Option<Arc<str>>,
}

/// One row for each model with advice, and one for each family with advice, at the position of its first model.
pub(super) fn keys(registry: &Registry) -> Vec<ExpertKey> {
    let mut listed = vec![false; registry.families.len()];
    let mut keys = Vec::new();
    for model in registry.models.iter() {
        if let Some(id) = model.family.map(|family| family.value) {
            let family = registry.families.get(id);
            let first = listed.get_mut(id.number()).is_some_and(|listed| !std::mem::replace(listed, true));
            keys.extend(
                family.experts.as_ref().filter(|_| first).and_then(|advice| of_family(family, advice)),
            );
        }
        keys.extend(registry.arch_of(model).and_then(|arch| of_model(model, arch)));
    }
    keys
}

fn of_family(family: &Family, advice: &Experts) -> Option<ExpertKey> {
    let owner = if is_recurrent(&family.arch) { AdviceOwner::RecurrentFamily } else { AdviceOwner::Family };
    let has_advice = !advice.advise.is_empty() || !advice.avoid.is_empty();
    has_advice.then(|| key(family_label(family), owner, &family.arch, advice))
}

fn of_model(model: &Model, arch: &str) -> Option<ExpertKey> {
    let advice = model.experts.as_ref()?;
    (!advice.advise.is_empty()).then(|| key(&model.title, AdviceOwner::Model, arch, advice))
}

fn key(label: &str, owner: AdviceOwner, arch: &str, advice: &Experts) -> ExpertKey {
    let advised = |advice: &Advice| AdvisedExperts {
        experts: advice.experts.value,
        purpose: advice.purpose.as_ref().map(|purpose| purpose.value.clone()),
    };
    ExpertKey {
        label: label.into(),
        owner,
        key: format!("{arch}.expert_used_count").into(),
        advise: advice.advise.iter().map(advised).collect(),
        avoid: advice.avoid.iter().map(|avoid| avoid.value).collect(),
    }
}

/// True if an architecture is recurrent or hybrid.
pub(in crate::plan) fn is_recurrent(arch: &str) -> bool {
    architecture::architecture(arch)
        .is_some_and(|arch: &Architecture| arch.is_recurrent() || arch.is_hybrid())
}
