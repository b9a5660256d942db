//! The files that processes have in memory: mapped, locked or copied.

use super::{ExtraMemory, FilePart, RoleMemory};
use crate::hir::{Bytes, Id, Model, Registry, Role, Serving, Text};
use std::collections::BTreeMap;

/// The files of all models. Each path has a number, because several models may have the same file.
#[derive(Debug)]
pub struct ModelFiles<'r> {
    registry: &'r Registry,
    /// For each model, by its number: the number of its file and of its projector file.
    numbers: Vec<(usize, Option<usize>)>,
}

/// A part of the memory of a process: a file that it reads, or its private memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryPart<'r> {
    /// The number of the path. `None` if this part is not a file.
    pub file: Option<usize>,
    /// The size in memory.
    pub bytes: Bytes,
    /// How the process has it in memory.
    pub kind: MemoryKind,
    model: &'r Model,
    /// Its name, unless it is the model itself: `draft`, `projector`, `draft, KV cache`.
    part: [&'static str; 2],
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

/// The name of a draft in memory tables.
const DRAFT: &str = "draft";

impl MemoryPart<'_> {
    /// The title of the model, followed by the name of the part in parentheses, unless it is the model itself.
    pub fn label(&self) -> String {
        let title = &*self.model.title;
        match self.part {
            ["", ""] => title.to_string(),
            [one, ""] | ["", one] => format!("{title} ({one})"),
            [of, part] => format!("{title} ({of}, {part})"),
        }
    }
}

impl Registry {
    /// Assigns numbers to the files of all models.
    pub fn files(&self) -> ModelFiles<'_> {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |model: &Model, file: &Text| {
            let next = known.len();
            *known.entry(self.path_of(model, file)).or_insert(next)
        };
        let numbers = self.models.iter().map(|model| {
            let own = number(model, &model.file);
            (own, model.projector.as_ref().map(|projector| number(model, &projector.file)))
        });
        ModelFiles { numbers: numbers.collect(), registry: self }
    }
}

impl<'r> ModelFiles<'r> {
    /// The registry of these files.
    pub fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// The files that each process of a role reads, with their full size: model, draft, projector.
    pub fn of<'t>(&'t self, serving: &'t Serving) -> impl Iterator<Item = MemoryPart<'r>> + use<'r, 't> {
        self.parts(serving, None)
    }

    /// The memory parts of each process of a role: its files and its known private memory.
    pub fn parts_of<'t>(
        &'t self,
        (role, serving): (Id<Role>, &'t Serving),
        extra_memory: &'t ExtraMemory,
    ) -> impl Iterator<Item = MemoryPart<'r>> + use<'r, 't> {
        self.parts(serving, extra_memory.of(role))
    }

    fn parts<'t>(
        &'t self,
        serving: &'t Serving,
        known: Option<&'t RoleMemory>,
    ) -> impl Iterator<Item = MemoryPart<'r>> + use<'r, 't> {
        let kind = if serving.is_locked() { MemoryKind::Locked } else { MemoryKind::Mapped };
        let part = |id: Id<Model>, file, whole: FilePart, known: Option<FilePart>, name| {
            let FilePart { bytes, kind } = known.unwrap_or(whole);
            MemoryPart {
                file: Some(file),
                bytes,
                kind,
                model: self.registry.models.get(id),
                part: [name, ""],
            }
        };
        let whole = |id: Id<Model>| FilePart { bytes: self.registry.models.get(id).size.value, kind };
        let numbers = |id: Id<Model>| self.numbers.get(id.number()).copied();
        let id = serving.model.value;
        let own = numbers(id);
        let model = own.map(|(file, _)| part(id, file, whole(id), known.and_then(|known| known.model), ""));
        let draft = serving.draft.as_ref().map(|draft| draft.model.value).and_then(|id| {
            let known = known.and_then(|known| known.draft);
            Some(part(id, numbers(id)?.0, whole(id), known, DRAFT))
        });
        let projector = self.registry.models.get(id).projector.as_ref();
        let projector = projector.zip(own.and_then(|(_, file)| file)).map(|(projector, file)| {
            let bytes = projector.size.map_or(Bytes(0), |size| size.value);
            let whole = FilePart { bytes, kind: MemoryKind::Copied };
            part(id, file, whole, known.and_then(|known| known.projector), "projector")
        });
        let private = known.map_or(&[][..], |known| &known.private);
        let private = private.iter().map(|own| MemoryPart {
            file: None,
            bytes: own.bytes,
            kind: MemoryKind::Copied,
            model: self.registry.models.get(own.model),
            part: [if own.is_draft { DRAFT } else { "" }, own.part],
        });
        [model, draft, projector].into_iter().flatten().chain(private)
    }
}
