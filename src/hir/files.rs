//! The files that processes have in memory, and how each process has them.

use super::{Bytes, Model, Registry, Serving, Text};
use std::collections::BTreeMap;

/// The files of all models, each path with a number: two models may have one file.
#[derive(Debug)]
pub struct Files<'r> {
    registry: &'r Registry,
    /// By the number of the model: its file and its projector's.
    numbers: Vec<(usize, Option<usize>)>,
}

/// A file that a process reads.
#[derive(Clone, Copy, Debug)]
pub struct FileRead<'r> {
    /// The same for two files of one path, and only for those.
    pub number: usize,
    /// Its size.
    pub bytes: Bytes,
    /// How a process has it in memory.
    pub held: Held,
    model: &'r Model,
    part: &'static str,
}

/// How a process has a file in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Its pages are mapped, and are the same for all that read it.
    Mapped,
    /// Its pages are locked for the process; a draft is loaded as its target is (llama.cpp b11434,
    /// `common/speculative.cpp`).
    Locked,
    /// It is read into a buffer of the process, as a projector is (llama.cpp b11434, `tools/mtmd/clip.cpp`).
    Copied,
}

impl FileRead<'_> {
    /// The title of the model, with what the file is where it is not the model itself.
    pub fn what(&self) -> String {
        format!("{}{}", *self.model.title, self.part)
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

    /// The files that each process of a role reads: model, draft, projector.
    pub fn of(&self, serving: &Serving) -> impl Iterator<Item = FileRead<'r>> + use<'r> {
        let held =
            if serving.placement.lock.is_some_and(|lock| lock.value) { Held::Locked } else { Held::Mapped };
        let model = self.registry.models.get(serving.model.value);
        let numbers = |id: super::Id<Model>| self.numbers.get(id.number()).copied();
        let own = numbers(serving.model.value);
        let weights = |(number, _), model: &'r Model, part| FileRead {
            number,
            bytes: model.size.value,
            held,
            model,
            part,
        };
        let drafter = serving.draft.as_ref().map(|draft| draft.model.value);
        let draft =
            drafter.and_then(|id| Some(weights(numbers(id)?, self.registry.models.get(id), " (draft)")));
        let projector =
            model.projector.as_ref().zip(own.and_then(|(_, number)| number)).map(|(projector, number)| {
                let bytes = projector.size.map_or(Bytes(0), |size| size.value);
                FileRead { number, bytes, held: Held::Copied, model, part: " (projector)" }
            });
        [own.map(|own| weights(own, model, "")), draft, projector].into_iter().flatten()
    }
}
