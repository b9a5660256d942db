//! Memory of roles beyond whole files, as far as it is known. The checks compute it; the memory sums count it.

use super::MemoryKind;
use crate::hir::{Bytes, Id, Model, Role};
use std::collections::BTreeMap;

/// The known memory of each role. For a role that is absent, only the sizes of its files are counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExtraMemory(BTreeMap<Id<Role>, RoleMemory>);

/// The memory of each process of a role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoleMemory {
    /// Memory for the model file.
    pub model: Option<FilePart>,
    /// Memory for the draft file.
    pub draft: Option<FilePart>,
    /// Memory for the projector file.
    pub projector: Option<FilePart>,
    /// Memory that does not belong to a file.
    pub private: Vec<PrivateMemory>,
}

/// The part of a file that is in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilePart {
    /// Its size.
    pub bytes: Bytes,
    /// How the process has it in memory.
    pub kind: MemoryKind,
}

/// Memory that each process allocates for itself: caches and buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrivateMemory {
    /// The model that needs it.
    pub model: Id<Model>,
    /// True if that model is the draft of the role.
    pub is_draft: bool,
    /// Its name in memory tables.
    pub part: &'static str,
    /// Its size.
    pub bytes: Bytes,
}

impl ExtraMemory {
    /// The known memory of a role.
    pub fn of(&self, role: Id<Role>) -> Option<&RoleMemory> {
        self.0.get(&role)
    }
}

impl FromIterator<(Id<Role>, RoleMemory)> for ExtraMemory {
    fn from_iter<I: IntoIterator<Item = (Id<Role>, RoleMemory)>>(known: I) -> Self {
        Self(known.into_iter().collect())
    }
}
