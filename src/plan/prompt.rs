//! The one-shot command of a model, for a person.

use super::placement::Placements;
use super::process::{IMAGE, PROMPT, Word};
use crate::check::Checked;
use crate::engine::architecture;
use crate::hir::{Id, Model, Registry, Role, Serving};
use std::collections::BTreeSet;

/// The one-shot command of a model, as the role that serves it first has it.
#[derive(Debug)]
pub struct Prompt {
    /// The name of the model.
    pub model: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// What kind of model it is.
    pub kind: Kind,
    /// The role that serves it first.
    pub role: Box<str>,
    /// The folder of the programs.
    pub bin: Box<str>,
    /// The program, without its folder.
    pub tool: Box<str>,
    /// The arguments.
    pub args: Vec<Word>,
    /// Environment, in byte order of names.
    pub env: Vec<(Box<str>, Box<str>)>,
    /// Whether a draft model runs ahead.
    pub drafts: bool,
    /// Whether tokens are drafted from the prompt.
    pub looks_up: bool,
    /// Whether it uses fewer experts, or more, than the model does by itself.
    pub sets_experts: bool,
    /// The files that it reads: model, draft, projector; full paths.
    pub files: Vec<Box<str>>,
    /// Its placement, as a number of [`Plan::placements`](super::Plan::placements).
    pub placement: Option<usize>,
}

/// What kind of model, as far as its one-shot command goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Neither of the others.
    Dense,
    /// A mixture of experts.
    Experts,
    /// Recurrent or hybrid: its state cannot be rolled back.
    Recurrent,
    /// It has a projector.
    Vision,
}

/// The kind of a model: projector, recurrent or hybrid architecture, experts, else dense.
pub(super) fn kind(registry: &Registry, model: &Model) -> Kind {
    let arch = architecture::architecture(&registry.families.get(model.family.value).arch);
    match () {
        () if model.projector.is_some() => Kind::Vision,
        () if arch.is_some_and(|arch| arch.is_recurrent() || arch.is_hybrid()) => Kind::Recurrent,
        () if model.experts.is_some() => Kind::Experts,
        () => Kind::Dense,
    }
}

/// One command for each model that a role serves, in the order of the roles; embedders have none, and neither has what the
/// build cannot say, which was warned of.
pub(super) fn prompts(checked: &Checked, placements: &mut Placements) -> Vec<Prompt> {
    let registry = checked.registry();
    let mut seen = BTreeSet::new();
    let mut prompts = Vec::new();
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        if serving.pooling.is_none() && seen.insert(serving.model.value) {
            prompts.extend(prompt(checked, role, serving, placements));
        }
    }
    prompts
}

fn prompt(checked: &Checked, role: &Role, serving: &Serving, placements: &mut Placements) -> Option<Prompt> {
    let registry = checked.registry();
    let id: Id<Model> = serving.model.value;
    let model = registry.models.get(id);
    let lowered = checked.prompt(id, serving, (PROMPT, IMAGE))?;
    if !lowered.cannot.is_empty() || lowered.args.is_empty() {
        return None;
    }
    let mut files: Vec<String> = vec![registry.path_of(model, &model.file)];
    files.extend(serving.draft.as_ref().map(|draft| {
        let drafter = registry.models.get(draft.model.value);
        registry.path_of(drafter, &drafter.file)
    }));
    files.extend(model.projector.as_ref().map(|projector| registry.path_of(model, &projector.file)));
    let word = |arg: std::borrow::Cow<'static, str>| match &*arg {
        PROMPT => Word::Prompt,
        IMAGE => Word::Image,
        _ => Word::Text(arg),
    };
    let engine = registry.engines.get(serving.engine?.value);
    Some(Prompt {
        model: model.head.name.value.clone(),
        title: model.title.value.clone(),
        kind: kind(registry, model),
        role: role.head.name.value.clone(),
        bin: engine.bin.trim_end_matches('/').into(),
        tool: lowered.tool.into(),
        drafts: serving.draft.is_some(),
        looks_up: serving.lookup.is_some(),
        sets_experts: serving.experts.is_some(),
        args: lowered.args.into_iter().map(word).collect(),
        env: registry.env_of(serving).into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        files: files.into_iter().map(Into::into).collect(),
        placement: placements.of(serving, registry.hosts.get(serving.host.value), 0),
    })
}
