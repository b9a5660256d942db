//! The containers of roles whose engine is in an image.

use crate::derive::{RoleCommand, ServedRole};
use crate::engine::dialect::CUDA_ORDER;
use crate::hir::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The container of a role: its image, and the parts of the host that it gets.
#[derive(Clone, Debug)]
pub struct Container {
    /// The image, with its digest if the registry has it. Its entry point is the server.
    pub image: Arc<str>,
    /// The numbers of the NVIDIA GPUs, ascending.
    pub nvidia: Vec<u32>,
    /// The device files of other GPUs.
    pub device_files: BTreeSet<&'static str>,
    /// The limit of its memory. `None` if the memory of the role is not completely known.
    pub memory: Option<Bytes>,
}

/// The container of a role. `None` if its program is on the host.
pub(super) fn container(served: &ServedRole, command: &RoleCommand) -> Option<Box<Container>> {
    let (devices, image) = (served.container.as_deref()?, command.image.clone()?);
    let gpus = served.used_gpus().map_or(0, |gpus| gpus.len());
    Some(Box::new(Container {
        image,
        nvidia: devices.nvidia.clone(),
        device_files: devices.files.clone(),
        memory: served.memory.container_limit(gpus),
    }))
}

/// The environment of a role. In a container, it has the names of GPUs inside.
pub(super) fn env(served: ServedRole) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(devices) = &served.container else { return served.env };
    let own = served.env.iter();
    let mut env: Vec<(Arc<str>, Arc<str>)> =
        own.map(|(name, value)| (name.clone(), devices.rename_variable(name, value))).collect();
    if !devices.nvidia.is_empty() && !env.iter().any(|(name, _)| **name == *CUDA_ORDER.0) {
        env.push((CUDA_ORDER.0.into(), CUDA_ORDER.1.into()));
        env.sort();
    }
    env
}
