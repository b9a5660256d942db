//! The gateways of the report, with the sets of models that llama-swap keeps in memory.

use super::name_of;
use super::role::gateway_urls;
use crate::derive::{Derived, ServedGateway};
use crate::hir::{Id, Role};
use serde::Serialize;
use std::sync::Arc;

/// The maximum number of sets that the page lists.
const MAX_SETS: usize = 30;

/// A gateway.
#[derive(Debug, Serialize)]
pub struct ReportGateway {
    /// Its name.
    pub name: Arc<str>,
    /// `router` or `llama-swap`.
    pub kind: &'static str,
    /// Its host.
    pub host: Arc<str>,
    /// The base URLs for clients.
    pub urls: Vec<String>,
    /// The names that clients can use.
    pub names: Vec<Arc<str>>,
    /// The peers.
    pub peers: Vec<ReportPeer>,
    /// The maximum number of models in memory.
    pub at_once: u32,
    /// True if clients need a key.
    pub has_key: bool,
    /// The sets of roles that may be in memory together. Empty for a router.
    pub sets: Vec<Vec<Arc<str>>>,
    /// The number of sets that are not in `sets`.
    pub more_sets: usize,
    /// True if the registry declares the sets.
    pub is_declared: bool,
    /// True if the sets are stricter than the memory requires.
    pub is_stricter: bool,
    /// The roles that are alone in a set because not all memory is known.
    pub alone: Vec<Arc<str>>,
}

/// A server to which a gateway forwards requests.
#[derive(Debug, Serialize)]
pub struct ReportPeer {
    /// Its name.
    pub name: Arc<str>,
    /// Its host.
    pub host: Arc<str>,
    /// The names that the gateway forwards to it.
    pub names: Vec<Arc<str>>,
}

/// All gateways with roles.
pub(super) fn gateways(derived: &Derived) -> Vec<ReportGateway> {
    derived.gateways.iter().map(|served| gateway(derived, served)).collect()
}

fn gateway(derived: &Derived, served: &ServedGateway) -> ReportGateway {
    let registry = &derived.registry;
    let gateway = registry.gateways.get(served.id);
    let host = registry.hosts.get(gateway.host.value);
    let found = derived.swap_sets.iter().find(|sets| sets.gateway == served.id);
    let names = |roles: &[Id<Role>]| roles.iter().map(|role| name_of(registry, *role)).collect();
    let mut sets: Vec<Vec<Arc<str>>> = Vec::new();
    if let Some(found) = found {
        for set in found.sets.iter().take(MAX_SETS) {
            let inside = served.roles.iter().filter(|id| found.kept.contains(id) || set.contains(id));
            sets.push(inside.map(|role| name_of(registry, *role)).collect());
        }
    }
    let (urls, _) = gateway_urls(registry, served);
    let peers = super::super::swap::peers(derived, served.id).into_iter();
    let peers = peers.map(|peer| ReportPeer { name: peer.name, host: peer.host, names: peer.names });
    ReportGateway {
        name: gateway.head.name.value.clone(),
        kind: gateway.kind.word(),
        host: host.head.name.value.clone(),
        urls,
        names: served.endpoint.names.iter().cloned().collect(),
        peers: peers.collect(),
        at_once: served.most,
        has_key: gateway.key_file.is_some(),
        more_sets: found.map_or(0, |found| found.sets.len().saturating_sub(sets.len())),
        sets,
        is_declared: found.is_some_and(|sets| sets.is_declared),
        is_stricter: found.is_some_and(|sets| sets.is_stricter),
        alone: found.map_or_else(Vec::new, |sets| names(&sets.alone)),
    }
}
