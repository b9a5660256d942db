//! The one-shot commands of models.

use super::placement::Placements;
use super::process::host_number;
use super::reference::is_recurrent;
use crate::check::Checked;
use crate::derive::{RoleCommand, ServedRole};
use crate::engine::dialect::{Lowered, OptionPath, reads_commands};
use crate::engine::{Access, Family, Word};
use crate::hir::{Model, Registry};
use serde::Serialize;
use std::sync::Arc;

/// The one-shot command of a model, with the settings of the first role that serves it.
#[derive(Debug)]
pub struct Prompt {
    /// The name of the model.
    pub model: Arc<str>,
    /// The title of the model.
    pub title: Arc<str>,
    /// The kind of the model.
    pub kind: ModelKind,
    /// The first role that serves the model.
    pub role: Arc<str>,
    /// The host of this role, as an index into [`Plan::hosts`](super::Plan::hosts).
    pub host: u32,
    /// The family of the engine.
    pub family: Family,
    /// The folder of the programs.
    pub bin: Arc<str>,
    /// The name of the program.
    pub tool: Arc<str>,
    /// The arguments.
    pub args: Arc<[Word]>,
    /// The options of the role that only its server has.
    pub left_out: Vec<Arc<str>>,
    /// Environment, in byte order of names.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// True if it uses a draft model.
    pub has_draft: bool,
    /// True if it drafts tokens from n-grams of the prompt.
    pub has_lookup: bool,
    /// True if it sets the number of experts.
    pub sets_experts: bool,
    /// The files that it reads: model, draft, projector, files of options; full paths.
    pub files: Vec<Arc<str>>,
    /// Its placement, as an index into [`Plan::placements`](super::Plan::placements).
    pub placement: Option<usize>,
}

impl Prompt {
    /// True if the program takes a text that starts with `/` as a command.
    pub fn reads_commands(&self) -> bool {
        reads_commands(&self.tool)
    }
}

/// The kind of a model, which selects the example commands of the documents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// None of the others.
    Dense,
    /// A mixture of experts.
    Experts,
    /// Recurrent or hybrid: its state cannot be rolled back.
    Recurrent,
    /// It has a projector.
    Vision,
    /// Its architecture is unknown.
    Unknown,
}

impl ModelKind {
    /// All kinds, in the order of the documents.
    pub const ALL: [Self; 5] = [Self::Dense, Self::Experts, Self::Recurrent, Self::Vision, Self::Unknown];
}

/// The kind of a model. The first match wins: projector, recurrent or hybrid architecture, experts, else dense.
pub(super) fn kind(registry: &Registry, model: &Model) -> ModelKind {
    match () {
        () if model.projector.is_some() => ModelKind::Vision,
        () if registry.arch_of(model).is_some_and(|arch| is_recurrent(arch)) => ModelKind::Recurrent,
        () if model.experts.is_some() => ModelKind::Experts,
        () if registry.arch_of(model).is_none() => ModelKind::Unknown,
        () => ModelKind::Dense,
    }
}

/// One command for each served model, in the order of the roles. Embedding models have none. Commands that the build
/// cannot express are left out; `missing-one-shot` reports them.
pub(super) fn prompts(checked: &Checked, placements: &mut Placements) -> Vec<Prompt> {
    let planned = checked.roles().filter_map(|(served, command)| {
        let line = command.one_shot.as_ref().filter(|line| line.is_complete())?;
        prompt(checked.registry(), served, (command, line), placements)
    });
    let mut prompts = Vec::with_capacity(checked.registry().models.len());
    prompts.extend(planned);
    prompts
}

/// The files of the model, then those that options name.
fn files(served: &ServedRole, line: &Lowered) -> Vec<Arc<str>> {
    let is_read = |path: &&OptionPath| path.access == Access::Read && !path.is_folder;
    let of_options = line.paths.iter().filter(is_read).map(|path| Arc::from(&*path.path));
    served.files.iter().map(|(_, file)| file.path.clone()).chain(of_options).collect()
}

fn prompt(
    registry: &Registry,
    served: &ServedRole,
    (command, line): (&RoleCommand, &Lowered),
    placements: &mut Placements,
) -> Option<Prompt> {
    let serving = &served.serving;
    let model = registry.models.get(serving.model.value);
    Some(Prompt {
        model: model.head.name.value.clone(),
        title: model.title.value.clone(),
        kind: kind(registry, model),
        role: registry.roles.get(served.id).head.name.value.clone(),
        host: host_number(serving),
        family: command.profile.family(),
        bin: command.bin.clone()?,
        tool: line.tool.into(),
        has_draft: serving.draft.is_some(),
        has_lookup: serving.lookup.is_some(),
        sets_experts: serving.experts.is_some(),
        args: line.args.clone(),
        left_out: line.left_out.to_vec(),
        env: served.env.clone(),
        files: files(served, line),
        placement: placements.index_of(served.placement.first()),
    })
}
