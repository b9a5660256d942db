//! Routes: for each role, the role whose processes answer its requests.

use super::process;
use crate::hir::{Registry, RoleKind};
use std::collections::BTreeMap;

/// A role that clients can use, and the role whose processes answer.
#[derive(Debug)]
pub struct Route {
    /// The name of the role.
    pub name: Box<str>,
    /// The name of its tier.
    pub tier: Box<str>,
    /// The purpose of the role.
    pub purpose: Option<Box<str>>,
    /// The role whose processes answer, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// True if that is another role.
    pub shares: bool,
}

/// All roles that are served, by their own or by shared processes, in the order of declaration.
pub(super) fn routes(registry: &Registry, roles: &[process::Role]) -> Vec<Route> {
    let numbers: BTreeMap<&str, usize> = roles.iter().enumerate().map(|(n, role)| (&*role.name, n)).collect();
    let route = |role: &crate::hir::Role| {
        let (answers, shares) = match &role.kind {
            RoleKind::Served(_) => (&role.head.name.value, false),
            RoleKind::Shares(shared) => (&registry.roles.get(shared.value).head.name.value, true),
            RoleKind::Listed(_) => return None,
        };
        Some(Route {
            name: role.head.name.value.clone(),
            tier: registry.tiers.get(role.tier.value).head.name.value.clone(),
            purpose: role.purpose.as_ref().map(|purpose| purpose.value.clone()),
            role: numbers.get(&**answers).copied()?,
            shares,
        })
    };
    let mut routes: Vec<Route> = registry.roles.iter().filter_map(route).collect();
    routes.shrink_to_fit();
    routes
}
