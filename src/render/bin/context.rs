//! The key files that llama-swap needs in addition to its own one, and the host and the placement of a script.

use crate::plan::{Plan, Role};
use crate::render::template::Field;
use std::sync::Arc;

/// The key files of its models.
pub(super) fn model_keys(role: &Role) -> impl Iterator<Item = &Arc<str>> {
    role.llama_swap().into_iter().flat_map(|swap| &swap.key_files)
}

/// The key files of its peers.
pub(super) fn peer_keys(role: &Role) -> impl Iterator<Item = &Arc<str>> {
    role.llama_swap().into_iter().flat_map(|swap| &swap.peer_keys)
}

/// The name of a host for the head of a script. `None` if it is the only host.
pub(super) fn host_name(plan: &Plan, number: u32) -> Option<Field<'_>> {
    let host = plan.hosts.get(number as usize).filter(|host| !host.is_only)?;
    Some(Field::from(&*host.name))
}

/// The name of the wrapper of a placement.
pub(super) fn wrapper(plan: &Plan, placement: Option<usize>) -> Option<&str> {
    plan.placements.get(placement?).map(|placement| &*placement.name)
}
