//! A sum of memory with its lines: what each role adds, and what its removal would free.

use super::memory::{MemoryKind, MemoryPart};
use super::place::Portion;
use crate::hir::{Bytes, Host, Id, Registry, Role};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The memory of some roles of one host together. Mapped files count once, everything else once per process.
#[derive(Debug)]
pub struct MemoryLoad {
    /// The host.
    pub host: Id<Host>,
    /// The files and the private memory, in the order of the first role that needs each.
    pub lines: Vec<LoadLine>,
    /// The sum of the lines.
    pub total: Bytes,
    /// The memory that the removal of a role would free: files that no other role reads, and its private memory.
    pub freed: Vec<(Id<Role>, Bytes)>,
}

/// One line of a sum: a file, or private memory of a role.
#[derive(Clone, Debug)]
pub struct LoadLine {
    /// The first role that needs it.
    pub role: Id<Role>,
    /// The title of the model, the name of the part, and the number of copies or the fraction that counts.
    pub label: Arc<str>,
    /// The bytes that count.
    pub bytes: Bytes,
    /// True if the size is declared, not computed.
    pub is_declared: bool,
}

/// A sum that is being computed.
#[derive(Default)]
pub(super) struct Tally<'r> {
    entries: Vec<Entry<'r>>,
    /// The indexes in `entries` of each mapped file, by its path. If a role maps more of a file than the roles before
    /// it, the rest is a new entry.
    mapped: BTreeMap<&'r str, Vec<usize>>,
}

struct Entry<'r> {
    role: Id<Role>,
    part: &'r MemoryPart,
    /// The bytes of the part that no earlier entry has.
    bytes: Bytes,
    /// `None` if the location of the memory is unknown, or its readers have different placements.
    portion: Option<Portion>,
    readers: usize,
    /// The last role that reads it.
    last: Id<Role>,
}

impl<'r> Tally<'r> {
    pub(super) fn add(&mut self, role: Id<Role>, part: &'r MemoryPart, portion: Option<Portion>) {
        let Some(file) = part.file.as_deref().filter(|_| part.kind == MemoryKind::Mapped) else {
            self.entries.push(Entry { role, part, bytes: part.bytes, portion, readers: 1, last: role });
            return;
        };
        let indexes = self.mapped.entry(file).or_default();
        let (mut rest, mut portion) = (part.bytes, portion);
        for index in indexes.iter() {
            let Some(entry) = self.entries.get_mut(*index) else { continue };
            if rest > Bytes(0) || entry.bytes == Bytes(0) {
                // A role that reads a file twice (a model that is its own draft) is one reader.
                entry.readers += usize::from(entry.last != role);
                entry.last = role;
                entry.portion = entry.portion.filter(|known| portion == Some(*known));
                portion = entry.portion;
            }
            rest = rest.minus(entry.bytes);
        }
        if indexes.is_empty() || rest > Bytes(0) {
            indexes.push(self.entries.len());
            self.entries.push(Entry { role, part, bytes: rest, portion, readers: 1, last: role });
        }
    }

    pub(super) fn total(&self) -> Bytes {
        let counted = self.entries.iter().filter_map(|entry| Some(entry.portion?.of(entry.bytes)));
        counted.fold(Bytes(0), Bytes::plus)
    }

    pub(super) fn finish(self, registry: &Registry, host: Id<Host>) -> MemoryLoad {
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in self.entries {
            let Some(portion) = entry.portion else { continue };
            let bytes = portion.of(entry.bytes);
            if bytes == Bytes(0) {
                continue;
            }
            if entry.readers == 1 {
                let sum = freed.entry(entry.role).or_default();
                *sum = sum.plus(bytes);
            }
            lines.push(LoadLine {
                role: entry.role,
                label: describe(entry.part.label(registry), portion).into(),
                bytes,
                is_declared: entry.part.is_declared,
            });
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        MemoryLoad { host, lines, total, freed: freed.into_iter().collect() }
    }
}

/// `Title`, `Title (projector), 6 copies`, `Title, 1/2`.
fn describe(part: String, portion: Portion) -> String {
    let mut label = part;
    if portion.copies > 1 {
        label = format!("{label}, {} copies", portion.copies);
    }
    if portion.parts > 1 {
        label = format!("{label}, 1/{}", portion.parts);
    }
    label
}
