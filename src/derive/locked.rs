//! Lookup of facts in the lock.

use crate::facts::{Lock, LockEntry};
use crate::hir::{Id, Model, Registry};

/// True if the lock is missing or damaged. This is reported once, not for each model.
pub fn is_unusable(lock: &Lock) -> bool {
    lock.place.is_none() || lock.is_damaged
}

/// Reason for *not checked*: the lock has no entry for the model.
pub const NOT_LOCKED: &str = "the lock has no facts of this file: run `orchgen lock` where the file is";
/// Reason for *not checked*: the entry in the lock is for another file.
pub const OTHER_FILE: &str = "the lock has facts of another file: run `orchgen lock` where this file is";

/// The facts of a model, or the reason why there are none.
pub fn facts<'l>(lock: &'l Lock, model: &Model) -> Result<&'l LockEntry, &'static str> {
    let locked = lock.models.get(&*model.head.name.value).ok_or(NOT_LOCKED)?;
    if *locked.facts.file == *model.file.value { Ok(locked) } else { Err(OTHER_FILE) }
}

/// The facts of the projector of a model. `None` if the model has no projector.
pub fn projector<'l>(lock: &'l Lock, model: &Model) -> Option<Result<&'l LockEntry, &'static str>> {
    let projector = model.projector.as_ref()?;
    let Some(locked) = lock.projectors.get(&*model.head.name.value) else { return Some(Err(NOT_LOCKED)) };
    Some(if *locked.facts.file == *projector.file.value { Ok(locked) } else { Err(OTHER_FILE) })
}

/// The facts of both models of a pair, or the reason why there are none.
pub fn pair_facts<'l>(
    registry: &Registry,
    lock: &'l Lock,
    (target, draft): (Id<Model>, Id<Model>),
) -> Result<[&'l LockEntry; 2], &'static str> {
    Ok([facts(lock, registry.models.get(target))?, facts(lock, registry.models.get(draft))?])
}
