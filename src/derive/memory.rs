//! The memory of a role: what is computed from the headers of its files, and what sums count.

use super::files::RoleFiles;
use crate::engine::memory::{Amount, Owner, Part, PartKind, Place};
use crate::hir::{Bytes, Id, Model, Registry, Serving};
use std::sync::Arc;

/// The memory of each process of a role.
#[derive(Clone, Default, Debug)]
pub struct RoleMemory {
    /// The computed parts: weights, caches, buffers. A part can be unknown.
    pub parts: Arc<[Part]>,
    /// The memory that sums count: each file with its computed or else its declared size, and the known private parts.
    pub counted: Box<[MemoryPart]>,
    /// The memory that a process may take in addition, by defaults of its engine: prompt cache and checkpoints. Limits do
    /// not count it, because the registry does not state it.
    pub growth: Bytes,
    /// True if the size of a model or the memory of a program is unknown, so that sums count too little.
    pub lacks_size: bool,
}

/// A part of the memory of a process: a file that it reads, or its private memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryPart {
    /// The path of the file. `None` if this part is not a file.
    pub file: Option<Arc<str>>,
    /// The size in memory.
    pub bytes: Bytes,
    /// How the process has it in memory.
    pub kind: MemoryKind,
    /// The model that needs it. `None` for the memory of another program.
    model: Option<Id<Model>>,
    /// Its name, unless it is the model itself: `draft`, `projector`, `draft, KV cache`.
    name: [&'static str; 2],
}

/// How a process has a file or a buffer in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryKind {
    /// The file is mapped. All processes that read it share the pages.
    Mapped,
    /// The pages are locked in memory (mlock). A draft is loaded like its target (llama.cpp b11434,
    /// `common/speculative.cpp`).
    Locked,
    /// The process has a copy in a buffer, as for a projector (llama.cpp b11434, `tools/mtmd/clip.cpp`).
    Copied,
}

impl RoleMemory {
    pub(super) fn new(serving: &Serving, files: &RoleFiles, parts: Arc<[Part]>) -> Self {
        let mapped = if serving.is_locked() { MemoryKind::Locked } else { MemoryKind::Mapped };
        let on_host = || parts.iter().filter(|part| part.place == Place::Host);
        let known = || on_host().filter(|part| !matches!(part.amount, Amount::Unknown(_)));
        let lacks_size = files.iter().any(|(owner, file)| {
            let is_read = || known().any(|part| part.owner == owner && is_file(part));
            file.bytes.is_none() && owner != Owner::Projector && !is_read()
        });
        let files = files.iter().map(|(owner, file)| {
            let read = known().rfind(|part| part.owner == owner && is_file(part));
            let kind = match (read.map(|part| part.kind), owner) {
                (Some(PartKind::Mapped), _) | (None, Owner::Model | Owner::Draft) => mapped,
                (Some(_), _) | (None, Owner::Projector) => MemoryKind::Copied,
            };
            let declared = file.bytes.unwrap_or(Bytes(0));
            MemoryPart {
                file: Some(file.path.clone()),
                bytes: read.map_or(declared, |part| Bytes(part.amount.bytes())),
                kind,
                model: Some(model_of(serving, owner)),
                name: [owner_label(owner), ""],
            }
        });
        let growth = on_host().fold(0, |sum: u64, part| sum.saturating_add(part.amount.growth()));
        let is_counted = |part: &&Part| !is_file(part) && !matches!(part.amount, Amount::MayGrow(_));
        let private = known().filter(is_counted).map(|part| MemoryPart {
            file: None,
            bytes: Bytes(part.amount.bytes()),
            kind: MemoryKind::Copied,
            model: Some(model_of(serving, part.owner)),
            name: [if part.owner == Owner::Draft { DRAFT } else { "" }, kind_words(part.kind).1],
        });
        let counted = files.chain(private).collect();
        Self { parts, counted, growth: Bytes(growth), lacks_size }
    }

    /// The memory of another program: what is declared, or unknown.
    pub(super) fn declared(bytes: Option<Bytes>) -> Self {
        let counted = bytes.map(|bytes| MemoryPart {
            file: None,
            bytes,
            kind: MemoryKind::Copied,
            model: None,
            name: ["", ""],
        });
        let unknown =
            || Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(NOT_DECLARED.to_owned()));
        let parts = if bytes.is_none() { [unknown()].into() } else { Arc::default() };
        let counted = counted.into_iter().collect();
        Self { parts, counted, growth: Bytes(0), lacks_size: bytes.is_none() }
    }
}

impl MemoryPart {
    /// The title of the model, followed by the name of the part in parentheses, unless it is the model itself.
    pub fn label(&self, registry: &Registry) -> String {
        let Some(model) = self.model else { return PROGRAM.to_owned() };
        let title = &*registry.models.get(model).title;
        match self.name {
            ["", ""] => title.to_string(),
            [one, ""] | ["", one] => format!("{title} ({one})"),
            [of, part] => format!("{title} ({of}, {part})"),
        }
    }
}

/// True if a part is the weights of a file as the process reads them.
pub fn is_file(part: &Part) -> bool {
    matches!(part.kind, PartKind::Mapped | PartKind::Loaded)
}

/// The name of the memory of another program in memory tables.
pub const PROGRAM: &str = "program";

/// The reason why the memory of another program is unknown.
const NOT_DECLARED: &str = "it has a `command` without `memory`";

/// The name of a draft in memory tables.
const DRAFT: &str = "draft";

fn owner_label(owner: Owner) -> &'static str {
    match owner {
        Owner::Model => "",
        Owner::Draft => DRAFT,
        Owner::Projector => "projector",
    }
}

fn model_of(serving: &Serving, owner: Owner) -> Id<Model> {
    let draft = serving.draft_model().filter(|_| owner == Owner::Draft);
    draft.map_or(serving.model.value, |(_, draft)| draft.value)
}

/// The name of a kind of memory in reports, and its label in tables.
pub fn kind_words(kind: PartKind) -> (&'static str, &'static str) {
    match kind {
        PartKind::Mapped => ("mapped", "weights, mapped"),
        PartKind::Loaded => ("loaded", "weights, loaded"),
        PartKind::Repacked => ("repacked", "weights, repacked"),
        PartKind::Cache => ("cache", "KV cache"),
        PartKind::State => ("state", "state"),
        PartKind::Compute => ("compute", "compute buffer"),
        PartKind::Output => ("output", "output buffer"),
        PartKind::PromptCache => ("prompt_cache", "prompt cache"),
        PartKind::Checkpoints => ("checkpoints", "checkpoints"),
        PartKind::Adapters => ("adapters", "adapters"),
        PartKind::Rest => ("rest", "everything else"),
    }
}
