//! What roles take in memory besides whole files, as far as it is known: the checks find it out, sums count it.

use super::{Bytes, Held, Id, Model, Role};
use std::collections::BTreeMap;

/// What is known of each role; what is not here has its files in memory, and nothing else is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taken(BTreeMap<Id<Role>, Taking>);

/// What each process of a role takes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taking {
    /// The model's file.
    pub model: Option<FilePart>,
    /// The draft's file.
    pub draft: Option<FilePart>,
    /// The projector's file.
    pub projector: Option<FilePart>,
    /// What is no part of a file.
    pub own: Vec<Own>,
}

/// What of a file is in memory, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilePart {
    /// How much of it.
    pub bytes: Bytes,
    /// How.
    pub held: Held,
}

/// Memory of a process of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Own {
    /// The model that it is for.
    pub model: Id<Model>,
    /// Whether that model drafts here.
    pub of_draft: bool,
    /// What it is.
    pub part: &'static str,
    /// How much.
    pub bytes: Bytes,
}

impl Taken {
    /// What is known of a role.
    pub fn of(&self, role: Id<Role>) -> Option<&Taking> {
        self.0.get(&role)
    }
}

impl FromIterator<(Id<Role>, Taking)> for Taken {
    fn from_iter<I: IntoIterator<Item = (Id<Role>, Taking)>>(known: I) -> Self {
        Self(known.into_iter().collect())
    }
}
