//! What must not be done: with whole families, with models that nothing may draft for, with models that see.

use super::rule::Banned;
use super::{expert, family_label, model_label, text};
use crate::hir::{Family, Forbids, Id, Model, Registry};
use crate::plan::{Kind, Prompt, Word};
use std::collections::{BTreeMap, BTreeSet};

/// What must not be done.
#[derive(Debug, Default)]
pub struct Constraints {
    /// Families that forbid something.
    pub families: Vec<Forbidding>,
    /// Other models whose every draft is banned, each label once; those that see are in `vision`.
    pub models: Vec<Undraftable>,
    /// What holds for all models that see, where there is one.
    pub vision: Option<Vision>,
}

/// A family that forbids something.
#[derive(Debug)]
pub struct Forbidding {
    /// What people call it.
    pub label: Box<str>,
    /// Whether its architecture is recurrent or hybrid.
    pub is_recurrent: bool,
    /// What it forbids.
    pub what: Vec<Forbids>,
    /// What happens, and why.
    pub reasons: Vec<Reason>,
    /// Whether a model of it can do with fewer experts.
    pub has_experts: bool,
    /// What it means for the first of its models that has a command.
    pub example: Option<Example>,
}

/// What happens if something forbidden is done.
#[derive(Debug)]
pub struct Reason {
    /// What happens.
    pub failure: Option<Box<str>>,
    /// Why.
    pub why: Option<Box<str>>,
}

/// A command that is right, and one that is not.
#[derive(Debug)]
pub struct Example {
    /// The words of a command that must not be used, as other models of the engine have it; none where none has.
    pub wrong: Option<Vec<Box<str>>>,
    /// The right command, as a number of [`Plan::prompts`](crate::plan::Plan::prompts).
    pub right: usize,
}

/// A model, or several of one label, that nothing may draft for.
#[derive(Debug)]
pub struct Undraftable {
    /// What people call it.
    pub label: Box<str>,
    /// What happens if something does.
    pub failure: Box<str>,
    /// Whether it can do with fewer experts.
    pub has_experts: bool,
}

/// What holds for models that see.
#[derive(Debug)]
pub struct Vision {
    /// Whether nothing may draft for any of them.
    pub is_undraftable: bool,
    /// The first command of one, as a number of [`Plan::prompts`](crate::plan::Plan::prompts).
    pub example: Option<usize>,
}

/// Gathers them.
pub(super) fn constraints(registry: &Registry, prompts: &[Prompt], banned: &Banned) -> Constraints {
    let commands = Commands::of(registry, prompts);
    let mut families: Vec<Forbidding> = Vec::new();
    for (id, family) in registry.families.entries().filter(|(_, family)| !family.forbid.is_empty()) {
        families.push(forbidding(id, family, &commands));
    }
    Constraints { families, models: undraftable(registry, banned), vision: vision(registry, prompts, banned) }
}

fn forbidding(id: Id<Family>, family: &Family, commands: &Commands) -> Forbidding {
    let mut what: Vec<Forbids> = Vec::new();
    for forbids in [Forbids::Speculation, Forbids::Lookup] {
        what.extend(family.forbids(forbids).map(|_| forbids));
    }
    let reasons = family.forbid.iter().map(|forbidden| Reason {
        failure: text(forbidden.failure.as_ref()),
        why: text(forbidden.why.as_ref()),
    });
    Forbidding {
        label: family_label(family).into(),
        is_recurrent: expert::is_recurrent(family),
        reasons: reasons.filter(|reason| reason.failure.is_some() || reason.why.is_some()).collect(),
        has_experts: family.experts.is_some() || commands.with_experts.contains(&id),
        example: commands.example(id, &what),
        what,
    }
}

fn undraftable(registry: &Registry, banned: &Banned) -> Vec<Undraftable> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let plain = |(_, model): &(Id<Model>, &Model)| {
        model.projector.is_none() && registry.families.get(model.family.value).forbid.is_empty()
    };
    let models = registry.models.entries().filter(plain);
    let banned = models.filter_map(|(id, model)| Some((model, banned.ban(id)?)));
    let first = banned.filter(|(model, _)| seen.insert(model_label(model)));
    let row = |(model, ban): (&Model, &crate::hir::Ban)| Undraftable {
        label: model_label(model).into(),
        failure: ban.failure.value.clone(),
        has_experts: model.experts.is_some(),
    };
    first.map(row).collect()
}

fn vision(registry: &Registry, prompts: &[Prompt], banned: &Banned) -> Option<Vision> {
    let mut seeing = registry.models.entries().filter(|(_, model)| model.projector.is_some()).peekable();
    seeing.peek()?;
    Some(Vision {
        is_undraftable: seeing.all(|(id, _)| banned.ban(id).is_some()),
        example: prompts.iter().position(|prompt| prompt.kind == Kind::Vision),
    })
}

/// The commands that examples are made of.
struct Commands<'p> {
    prompts: &'p [Prompt],
    /// The first of each family.
    first: BTreeMap<Id<Family>, usize>,
    /// The first that drafts, by the folder of its engine.
    drafting: BTreeMap<&'p str, &'p Prompt>,
    /// Families with a model that has experts.
    with_experts: BTreeSet<Id<Family>>,
}

impl<'p> Commands<'p> {
    fn of(registry: &Registry, prompts: &'p [Prompt]) -> Self {
        let families: BTreeMap<&str, Id<Family>> =
            registry.models.iter().map(|model| (&**model.head.name, model.family.value)).collect();
        let mut first = BTreeMap::new();
        let mut drafting = BTreeMap::new();
        for (n, prompt) in prompts.iter().enumerate() {
            if let Some(family) = families.get(&*prompt.model) {
                first.entry(*family).or_insert(n);
            }
            if prompt.drafts {
                drafting.entry(&*prompt.bin).or_insert(prompt);
            }
        }
        let mixtures = registry.models.iter().filter(|model| model.experts.is_some());
        Self { prompts, first, drafting, with_experts: mixtures.map(|model| model.family.value).collect() }
    }

    fn example(&self, family: Id<Family>, forbidden: &[Forbids]) -> Option<Example> {
        let right = *self.first.get(&family)?;
        let drafts = forbidden.contains(&Forbids::Speculation);
        let wrong = if drafts { self.wrong(self.prompts.get(right)?) } else { None };
        Some(Example { wrong, right })
    }

    /// The command of a model as it would be if it drafted the way other models of its engine do.
    fn wrong(&self, right: &Prompt) -> Option<Vec<Box<str>>> {
        let drafting = self.drafting.get(&*right.bin)?;
        let (theirs, draft) = (drafting.files.first()?, drafting.files.get(1)?);
        let own = right.files.first()?;
        let words = [option_of(drafting, theirs)?, own, option_of(drafting, draft)?, draft];
        Some(std::iter::once(&*drafting.tool).chain(words).map(Into::into).collect())
    }
}

/// The option that a command names a file with.
fn option_of<'p>(prompt: &'p Prompt, file: &str) -> Option<&'p str> {
    let texts: Vec<&str> = prompt.args.words().into_iter().map(Word::text).collect();
    texts.windows(2).find_map(|pair| match pair {
        [option, value] if *value == file => Some(*option),
        _ => None,
    })
}
