//! Which role's processes answer for which role.

use super::process;
use crate::hir::{Registry, Work};
use std::collections::BTreeMap;

/// A role that clients may ask for, and who answers.
#[derive(Debug)]
pub struct Route {
    /// The name of the role.
    pub name: Box<str>,
    /// The name of its tier.
    pub tier: Box<str>,
    /// What it is for.
    pub purpose: Option<Box<str>>,
    /// The role whose processes answer, as a number of [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// Whether that is another role.
    pub shares: bool,
}

/// All roles that are answered for, in the order of declaration.
pub(super) fn routes(registry: &Registry, roles: &[process::Role]) -> Vec<Route> {
    let numbers: BTreeMap<&str, usize> = roles.iter().enumerate().map(|(n, role)| (&*role.name, n)).collect();
    let route = |role: &crate::hir::Role| {
        let (answers, shares) = match &role.work {
            Work::Served(_) => (&role.head.name.value, false),
            Work::Shares(shared) => (&registry.roles.get(shared.value).head.name.value, true),
            Work::Listed(_) => return None,
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
