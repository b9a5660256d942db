//! The files that processes have in memory, and how each process has them.

use super::{Bytes, FilePart, Id, Model, Registry, Role, Serving, Taken, Taking, Text};
use std::collections::BTreeMap;

/// The files of all models, each path with a number: two models may have one file.
#[derive(Debug)]
pub struct Files<'r> {
    registry: &'r Registry,
    /// By the number of the model: its file and its projector's.
    numbers: Vec<(usize, Option<usize>)>,
}

/// A file that a process reads, or memory of its own.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'r> {
    /// The same for two files of one path, and only for those; none where it is no file.
    pub file: Option<usize>,
    /// How much of it is in memory.
    pub bytes: Bytes,
    /// How a process has it in memory.
    pub held: Held,
    model: &'r Model,
    /// What it is where it is not the model itself: `draft`, `projector`, `draft, KV cache`.
    part: [&'static str; 2],
}

/// How a process has something in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Its pages are mapped, and are the same for all that read it.
    Mapped,
    /// Its pages are locked for the process; a draft is loaded as its target is (llama.cpp b11434,
    /// `common/speculative.cpp`).
    Locked,
    /// It is in a buffer of the process, as a projector is (llama.cpp b11434, `tools/mtmd/clip.cpp`).
    Copied,
}

/// What a model is called that drafts.
const DRAFT: &str = "draft";

impl Piece<'_> {
    /// The title of the model, with what it is where it is not the model itself.
    pub fn what(&self) -> String {
        let title = &*self.model.title;
        match self.part {
            ["", ""] => title.to_string(),
            [one, ""] | ["", one] => format!("{title} ({one})"),
            [of, part] => format!("{title} ({of}, {part})"),
        }
    }
}

impl Registry {
    /// Numbers the files of all models.
    pub fn files(&self) -> Files<'_> {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |model: &Model, file: &Text| {
            let next = known.len();
            *known.entry(self.path_of(model, file)).or_insert(next)
        };
        let numbers = self.models.iter().map(|model| {
            let own = number(model, &model.file);
            (own, model.projector.as_ref().map(|projector| number(model, &projector.file)))
        });
        Files { numbers: numbers.collect(), registry: self }
    }
}

impl<'r> Files<'r> {
    /// The registry whose files these are.
    pub fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// The files that each process of a role reads, whole: model, draft, projector.
    pub fn of<'t>(&'t self, serving: &'t Serving) -> impl Iterator<Item = Piece<'r>> + use<'r, 't> {
        self.pieces(serving, None)
    }

    /// What each process of a role has in memory: what of its files is known to be, and what is known besides.
    pub fn with<'t>(
        &'t self,
        (role, serving): (Id<Role>, &'t Serving),
        taken: &'t Taken,
    ) -> impl Iterator<Item = Piece<'r>> + use<'r, 't> {
        self.pieces(serving, taken.of(role))
    }

    fn pieces<'t>(
        &'t self,
        serving: &'t Serving,
        known: Option<&'t Taking>,
    ) -> impl Iterator<Item = Piece<'r>> + use<'r, 't> {
        let held = if serving.is_locked() { Held::Locked } else { Held::Mapped };
        let piece = |id: Id<Model>, file, whole: FilePart, known: Option<FilePart>, part| {
            let FilePart { bytes, held } = known.unwrap_or(whole);
            Piece { file: Some(file), bytes, held, model: self.registry.models.get(id), part: [part, ""] }
        };
        let whole = |id: Id<Model>| FilePart { bytes: self.registry.models.get(id).size.value, held };
        let numbers = |id: Id<Model>| self.numbers.get(id.number()).copied();
        let id = serving.model.value;
        let own = numbers(id);
        let model = own.map(|(file, _)| piece(id, file, whole(id), known.and_then(|known| known.model), ""));
        let draft = serving.draft.as_ref().map(|draft| draft.model.value).and_then(|id| {
            let known = known.and_then(|known| known.draft);
            Some(piece(id, numbers(id)?.0, whole(id), known, DRAFT))
        });
        let projector = self.registry.models.get(id).projector.as_ref();
        let projector = projector.zip(own.and_then(|(_, file)| file)).map(|(projector, file)| {
            let bytes = projector.size.map_or(Bytes(0), |size| size.value);
            let whole = FilePart { bytes, held: Held::Copied };
            piece(id, file, whole, known.and_then(|known| known.projector), "projector")
        });
        let besides = known.map_or(&[][..], |known| &known.own);
        let besides = besides.iter().map(|own| Piece {
            file: None,
            bytes: own.bytes,
            held: Held::Copied,
            model: self.registry.models.get(own.model),
            part: [if own.of_draft { DRAFT } else { "" }, own.part],
        });
        [model, draft, projector].into_iter().flatten().chain(besides)
    }
}
