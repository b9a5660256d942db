//! The pods of roles whose engine has an image, for Kubernetes.

use super::process::RoleNumbers;
use crate::check::Checked;
use crate::derive::{RoleCommand, ServedRole};
use std::sync::Arc;

/// The pod of a role.
#[derive(Clone, Debug)]
pub struct Pod {
    /// The role, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// The image. Its entry point is the server.
    pub image: Arc<str>,
}

/// The pods of all roles whose engine has an image, in the order of [`Plan::roles`](super::Plan::roles).
pub(super) fn pods(checked: &Checked, numbers: &RoleNumbers) -> Vec<Pod> {
    checked.roles().filter_map(|(served, command)| pod(served, command, numbers)).collect()
}

fn pod(served: &ServedRole, command: &RoleCommand, numbers: &RoleNumbers) -> Option<Pod> {
    let is_own = served.serving.gateway.is_none();
    Some(Pod { role: *numbers.get(&served.id).filter(|_| is_own)?, image: command.image.clone()? })
}
