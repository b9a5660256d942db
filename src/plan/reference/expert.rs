//! How many experts to use, and the metadata key that says so.

use super::family_label;
use crate::engine::architecture::{self, Architecture};
use crate::hir::{Advice, ExpertAdvice, Family, Model, Registry};

/// An override key with the numbers that are worth using.
#[derive(Debug)]
pub struct ExpertKey {
    /// The title of the model, or what people call the family.
    pub label: Box<str>,
    /// Who holds the advice.
    pub owner: Owner,
    /// The metadata key.
    pub key: Box<str>,
    /// Numbers that are worth using.
    pub advise: Vec<Advised>,
    /// Numbers that degrade it.
    pub avoid: Vec<u32>,
}

/// Who holds an advice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// One model.
    Model,
    /// A family.
    Family,
    /// A family of recurrent or hybrid models.
    RecurrentFamily,
}

/// A number of experts that is worth using.
#[derive(Debug)]
pub struct Advised {
    /// How many.
    pub experts: u32,
    /// What for.
    pub purpose: Option<Box<str>>,
}

/// A row for each model with advice of its own, and one for a family that has some, at its first model.
pub(super) fn keys(registry: &Registry) -> Vec<ExpertKey> {
    let mut said = vec![false; registry.families.len()];
    let mut keys = Vec::new();
    for model in registry.models.iter() {
        let family = registry.families.get(model.family.value);
        let first =
            said.get_mut(model.family.value.number()).is_some_and(|said| !std::mem::replace(said, true));
        keys.extend(family.experts.as_ref().filter(|_| first).and_then(|advice| of_family(family, advice)));
        keys.extend(of_model(model, family));
    }
    keys
}

fn of_family(family: &Family, advice: &ExpertAdvice) -> Option<ExpertKey> {
    let owner = if is_recurrent(family) { Owner::RecurrentFamily } else { Owner::Family };
    let says = !advice.advise.is_empty() || !advice.avoid.is_empty();
    says.then(|| key(family_label(family), owner, family, advice))
}

fn of_model(model: &Model, family: &Family) -> Option<ExpertKey> {
    let advice = &model.experts.as_ref()?.advice;
    (!advice.advise.is_empty()).then(|| key(&model.title, Owner::Model, family, advice))
}

fn key(label: &str, owner: Owner, family: &Family, advice: &ExpertAdvice) -> ExpertKey {
    let advised = |advice: &Advice| Advised {
        experts: advice.experts.value,
        purpose: advice.purpose.as_ref().map(|purpose| purpose.value.clone()),
    };
    ExpertKey {
        label: label.into(),
        owner,
        key: format!("{}.expert_used_count", family.arch.value).into(),
        advise: advice.advise.iter().map(advised).collect(),
        avoid: advice.avoid.iter().map(|avoid| avoid.value).collect(),
    }
}

/// Whether the models of a family keep state that grows with every token.
pub(super) fn is_recurrent(family: &Family) -> bool {
    architecture::architecture(&family.arch)
        .is_some_and(|arch: &Architecture| arch.is_recurrent() || arch.is_hybrid())
}
