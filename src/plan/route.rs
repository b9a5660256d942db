//! Routes: for each role, the role whose processes answer its requests.

use super::process::RoleNumbers;
use crate::hir::{self, Id, Registry, RoleKind};
use std::sync::Arc;

/// A role that clients can use, and the role whose processes answer.
#[derive(Debug)]
pub struct Route {
    /// The name of the role.
    pub name: Arc<str>,
    /// The name of its tier, if the registry declares tiers.
    pub tier: Option<Arc<str>>,
    /// The purpose of the role.
    pub purpose: Option<Arc<str>>,
    /// The role whose processes answer, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// True if that is another role.
    pub shares: bool,
}

/// All roles that are served, by their own or by shared processes, in the order of declaration.
pub(super) fn routes(registry: &Registry, numbers: &RoleNumbers) -> Vec<Route> {
    let route = |(id, role): (Id<hir::Role>, &hir::Role)| {
        let shared = match &role.kind {
            RoleKind::Shares(shared) => Some(shared.value),
            RoleKind::Served(_) | RoleKind::Program(_) | RoleKind::Listed(_) => None,
        };
        Some(Route {
            name: role.head.name.value.clone(),
            tier: role.tier.map(|tier| registry.tiers.get(tier.value).head.name.value.clone()),
            purpose: role.purpose.as_ref().map(|purpose| purpose.value.clone()),
            role: numbers.get(&shared.unwrap_or(id)).copied()?,
            shares: shared.is_some(),
        })
    };
    // Exact memory: nearly every role has a route.
    let mut routes = Vec::with_capacity(registry.roles.len());
    routes.extend(registry.roles.entries().filter_map(route));
    routes
}
