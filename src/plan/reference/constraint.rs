//! Constraints for the documents: families that forbid something, models without a usable draft, and vision models.

use super::rule::DraftBans;
use super::{expert, family_label, model_label, text};
use crate::hir::{Family, ForbiddenFeature, Id, Model, Registry};
use crate::plan::{ModelKind, Prompt, Word};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The constraints of the models.
#[derive(Debug, Default, Serialize)]
pub struct Constraints {
    /// Families that forbid something.
    #[serde(skip)]
    pub families: Vec<ForbiddingFamily>,
    /// Other models for which all drafts are banned, each label once. Vision models are in `vision`.
    pub models: Vec<UndraftableModel>,
    /// The constraints of vision models. `None` if there are no vision models.
    pub vision: Option<VisionConstraint>,
}

/// A family that forbids something.
#[derive(Debug, Serialize)]
pub struct ForbiddingFamily {
    /// Its label.
    pub label: Arc<str>,
    /// True if its architecture is recurrent or hybrid.
    pub is_recurrent: bool,
    /// The forbidden features.
    pub what: Vec<ForbiddenFeature>,
    /// The failures and their reasons.
    pub reasons: Vec<ForbidReason>,
    /// True if a model of the family can use fewer experts.
    pub has_experts: bool,
    /// The example: the first of its models with a one-shot command.
    #[serde(skip)]
    pub example: Option<Example>,
}

/// Why a feature is forbidden.
#[derive(Debug, Serialize)]
pub struct ForbidReason {
    /// The failure that results from its use.
    pub failure: Option<Arc<str>>,
    /// The cause of the failure.
    pub why: Option<Arc<str>>,
}

/// A correct command and a wrong one.
#[derive(Debug)]
pub struct Example {
    /// A command that must not be used, in the form that other models of the engine use. `None` if no model uses it.
    pub wrong: Option<Vec<Arc<str>>>,
    /// The correct command, as an index into [`Plan::prompts`](crate::plan::Plan::prompts).
    pub right: usize,
}

/// A model, or several with one label, for which all drafts are banned.
#[derive(Debug, Serialize)]
pub struct UndraftableModel {
    /// Its label.
    pub label: Arc<str>,
    /// The failure that results from a draft.
    pub failure: Arc<str>,
    /// True if it can use fewer experts.
    pub has_experts: bool,
}

/// The constraints of vision models.
#[derive(Debug, Serialize)]
pub struct VisionConstraint {
    /// True if all drafts are banned for all of them.
    pub is_undraftable: bool,
    /// The first one-shot command of a vision model, as an index into [`Plan::prompts`](crate::plan::Plan::prompts).
    #[serde(skip)]
    pub example: Option<usize>,
}

/// Collects the constraints.
pub(super) fn constraints(registry: &Registry, prompts: &[Prompt], banned: &DraftBans) -> Constraints {
    let commands = ExampleCommands::of(registry, prompts);
    let mut families: Vec<ForbiddingFamily> = Vec::new();
    for (id, family) in registry.families.entries().filter(|(_, family)| !family.forbid.is_empty()) {
        families.push(forbidding(id, family, &commands));
    }
    Constraints { families, models: undraftable(registry, banned), vision: vision(registry, prompts, banned) }
}

fn forbidding(id: Id<Family>, family: &Family, commands: &ExampleCommands) -> ForbiddingFamily {
    let mut what: Vec<ForbiddenFeature> = Vec::new();
    for forbids in [ForbiddenFeature::Speculation, ForbiddenFeature::Lookup] {
        what.extend(family.forbids(forbids).map(|_| forbids));
    }
    let reasons = family.forbid.iter().map(|forbidden| ForbidReason {
        failure: text(forbidden.failure.as_ref()),
        why: text(forbidden.why.as_ref()),
    });
    ForbiddingFamily {
        label: family_label(family).into(),
        is_recurrent: expert::is_recurrent(&family.arch),
        reasons: reasons.filter(|reason| reason.failure.is_some() || reason.why.is_some()).collect(),
        has_experts: family.experts.is_some() || commands.with_experts.contains(&id),
        example: commands.example(id, &what),
        what,
    }
}

fn undraftable(registry: &Registry, banned: &DraftBans) -> Vec<UndraftableModel> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let plain = |(_, model): &(Id<Model>, &Model)| {
        model.projector.is_none() && registry.family_of(model).is_none_or(|family| family.forbid.is_empty())
    };
    let models = registry.models.entries().filter(plain);
    let banned = models.filter_map(|(id, model)| Some((model, banned.ban(id)?)));
    let first = banned.filter(|(model, _)| seen.insert(model_label(model)));
    let row = |(model, ban): (&Model, &crate::hir::Ban)| UndraftableModel {
        label: model_label(model).into(),
        failure: ban.failure.value.clone(),
        has_experts: model.experts.is_some(),
    };
    first.map(row).collect()
}

fn vision(registry: &Registry, prompts: &[Prompt], banned: &DraftBans) -> Option<VisionConstraint> {
    let mut vision_models =
        registry.models.entries().filter(|(_, model)| model.projector.is_some()).peekable();
    vision_models.peek()?;
    Some(VisionConstraint {
        is_undraftable: vision_models.all(|(id, _)| banned.ban(id).is_some()),
        example: prompts.iter().position(|prompt| prompt.kind == ModelKind::Vision),
    })
}

/// The one-shot commands from which examples are made.
struct ExampleCommands<'p> {
    prompts: &'p [Prompt],
    /// The first command of each family.
    first: BTreeMap<Id<Family>, usize>,
    /// The first command with a draft, by the folder of its engine.
    drafting: BTreeMap<&'p str, &'p Prompt>,
    /// The families with a mixture-of-experts model.
    with_experts: BTreeSet<Id<Family>>,
}

impl<'p> ExampleCommands<'p> {
    fn of(registry: &Registry, prompts: &'p [Prompt]) -> Self {
        let families: BTreeMap<&str, Id<Family>> = registry
            .models
            .iter()
            .filter_map(|model| Some((&**model.head.name, model.family?.value)))
            .collect();
        let mut first = BTreeMap::new();
        let mut drafting = BTreeMap::new();
        for (n, prompt) in prompts.iter().enumerate() {
            if let Some(family) = families.get(&*prompt.model) {
                first.entry(*family).or_insert(n);
            }
            if prompt.has_draft {
                drafting.entry(&*prompt.bin).or_insert(prompt);
            }
        }
        let mixtures = registry.models.iter().filter(|model| model.experts.is_some());
        Self {
            prompts,
            first,
            drafting,
            with_experts: mixtures.filter_map(|model| Some(model.family?.value)).collect(),
        }
    }

    fn example(&self, family: Id<Family>, forbidden: &[ForbiddenFeature]) -> Option<Example> {
        let right = *self.first.get(&family)?;
        let drafts = forbidden.contains(&ForbiddenFeature::Speculation);
        let wrong = if drafts { self.wrong(self.prompts.get(right)?) } else { None };
        Some(Example { wrong, right })
    }

    /// A wrong command for a model: the model with the draft options of another model of the engine.
    fn wrong(&self, right: &Prompt) -> Option<Vec<Arc<str>>> {
        let drafting = self.drafting.get(&*right.bin)?;
        let (other, draft) = (drafting.files.first()?, drafting.files.get(1)?);
        let own = right.files.first()?;
        let words = [option_of(drafting, other)?, own, option_of(drafting, draft)?, draft];
        Some(std::iter::once(&*drafting.tool).chain(words).map(Into::into).collect())
    }
}

/// The option of a command that has this file as its value.
fn option_of<'p>(prompt: &'p Prompt, file: &str) -> Option<&'p str> {
    let texts: Vec<&str> = prompt.args.iter().map(Word::text).collect();
    texts.windows(2).find_map(|pair| match pair {
        [option, value] if *value == file => Some(*option),
        _ => None,
    })
}
