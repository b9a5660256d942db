//! The models of llama-swap: their command lines, and which of them may be in memory at the same time.

use super::process::RoleNumbers;
use super::{Placement, Seconds};
use crate::check::Checked;
use crate::derive::requests::{RequestSetting, requests_of};
use crate::derive::{
    Derived, LoadTime, ProcessPlacement, ServedGateway, ServedPeer, ServedRole, SwapSets, first_model_port,
};
use crate::engine::{Profile, Word};
use crate::hir::{self, Id, Registry, RoleKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The models of llama-swap.
#[derive(Debug)]
pub struct Swap {
    /// Its models, in the order of declaration.
    pub models: Vec<SwappedModel>,
    /// The first of the ports of 127.0.0.1 that the models get, one each.
    pub first_port: u16,
    /// The time until the slowest model is loaded, or the reason why it is unknown.
    pub load_time: LoadTime,
    /// The sets of models that may be in memory at the same time, as indices into `models`. Unless they are declared, a model that
    /// starts at boot is in each.
    pub sets: Vec<Vec<usize>>,
    /// True if the sets are stricter than the memory requires.
    pub is_stricter: bool,
    /// The names of the models that run without others that start on demand because their memory is not completely known.
    pub alone: Vec<Arc<str>>,
    /// True if clients must send a key of the gateway.
    pub has_key: bool,
    /// The servers to which it forwards the requests for their names.
    pub peers: Vec<SwapPeer>,
}

/// A model that llama-swap runs.
#[derive(Debug)]
pub struct SwappedModel {
    /// The role, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// The arguments after the program.
    pub args: Arc<[Word]>,
    /// Its placement.
    pub placement: Option<Placement>,
    /// The seconds to read its files. `None` if they are unknown.
    pub load_seconds: Option<u64>,
    /// The roles that share it and write settings into their requests, in the order of declaration.
    pub variants: Vec<Variant>,
}

/// A server to which llama-swap forwards requests.
#[derive(Debug)]
pub struct SwapPeer {
    /// The name of its gateway or role.
    pub name: Arc<str>,
    /// Its host.
    pub host: Arc<str>,
    /// Its base URL for the gateway.
    pub url: String,
    /// Its machine for the gateway: an IP address, or a DNS name.
    pub machine: Arc<str>,
    /// The names at its API.
    pub names: Vec<Arc<str>>,
    /// The file with its keys. The gateway sends the first key.
    pub key_file: Option<Arc<str>>,
}

/// The peers of a gateway that it can reach. `unreachable-peer` reports the others.
pub(super) fn peers(derived: &Derived, gateway: Id<hir::Gateway>) -> Vec<SwapPeer> {
    let hosts = &derived.registry.hosts;
    let peer = |peer: ServedPeer<'_>| {
        let address = peer.address.ok()?;
        Some(SwapPeer {
            name: peer.head.name.value.clone(),
            host: hosts.get(peer.host).head.name.value.clone(),
            url: address.url,
            machine: address.machine.into(),
            names: peer.names,
            key_file: peer.key_file.map(|file| file.value.clone()),
        })
    };
    derived.peers(gateway).into_iter().filter_map(peer).collect()
}

/// The key files of peers, each once, in the order of the peers.
pub(super) fn peer_keys(peers: &[SwapPeer]) -> Box<[Arc<str>]> {
    let mut files: Vec<Arc<str>> = Vec::new();
    for file in peers.iter().filter_map(|peer| peer.key_file.as_ref()) {
        if !files.contains(file) {
            files.push(file.clone());
        }
    }
    files.into()
}

/// A role that shares the process of another one with other settings of each request.
#[derive(Debug)]
pub struct Variant {
    /// Its name.
    pub name: Arc<str>,
    /// The settings.
    pub settings: Vec<RequestSetting>,
}

impl Swap {
    pub(super) fn new(checked: &Checked, served: &ServedGateway, numbers: &RoleNumbers) -> Self {
        let derived = checked.derived();
        let registry = checked.registry();
        let gateway = registry.gateways.get(served.id);
        let mut models: BTreeMap<Id<hir::Role>, SwappedModel> = BTreeMap::new();
        for (role, command) in checked.roles().filter(|(role, _)| served.roles.contains(&role.id)) {
            let Some(number) = numbers.get(&role.id) else { continue };
            models.insert(
                role.id,
                SwappedModel {
                    role: *number,
                    args: command.line(&role.endpoint, 0),
                    placement: placement(role.placement.first()),
                    load_seconds: role.read_seconds(registry),
                    variants: variants(registry, role.id, &command.profile),
                },
            );
        }
        for role in derived.programs.iter().filter(|role| served.roles.contains(&role.id)) {
            let Some(number) = numbers.get(&role.id) else { continue };
            models.insert(
                role.id,
                SwappedModel {
                    role: *number,
                    args: role.line(0),
                    placement: placement(role.placement.first()),
                    load_seconds: None,
                    variants: Vec::new(),
                },
            );
        }
        let found = derived.swap_sets.iter().find(|sets| sets.gateway == served.id);
        let (sets, is_stricter) = sets(found, &models);
        let alone = found.into_iter().flat_map(|found| &found.alone);
        let roles = derived.roles.iter().filter(|role| served.roles.contains(&role.id));
        let has_programs = models.len() > roles.clone().count();
        let unknown = has_programs.then_some(Err(crate::derive::PROGRAM_START));
        let load_time = roles.map(|role| role.load_time).chain(unknown);
        Self {
            load_time: { load_time }.try_fold(Seconds(0), |longest, time| Ok(longest.max(time?))),
            models: models.into_values().collect(),
            first_port: first_model_port(gateway)
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(u16::MAX),
            sets,
            is_stricter,
            alone: alone.map(|id| registry.roles.get(*id).head.name.value.clone()).collect(),
            has_key: gateway.key_file.is_some(),
            peers: peers(derived, served.id),
        }
    }
}

/// The roles that share a role and have settings of requests.
fn variants(registry: &Registry, id: Id<hir::Role>, profile: &Profile) -> Vec<Variant> {
    let shares = |role: &&hir::Role| matches!(&role.kind, RoleKind::Shares(shared) if shared.value == id);
    let sharers = registry.roles.iter().filter(shares).filter(|role| !role.requests.is_empty());
    let variant = |role: &hir::Role| Variant {
        name: role.head.name.value.clone(),
        settings: requests_of(role, profile).filter_map(|(_, setting)| setting.ok()).collect(),
    };
    sharers.map(variant).collect()
}

/// The sets as indices, and if they are stricter than the memory requires.
fn sets(found: Option<&SwapSets>, models: &BTreeMap<Id<hir::Role>, SwappedModel>) -> (Vec<Vec<usize>>, bool) {
    let Some(found) = found else { return (Vec::new(), false) };
    let kept: BTreeSet<Id<hir::Role>> = found.kept.iter().copied().collect();
    let indices = |set: &BTreeSet<Id<hir::Role>>| {
        let ids = models.keys().enumerate();
        ids.filter(|(_, id)| set.contains(id) || kept.contains(id))
            .map(|(index, _)| index)
            .collect::<Vec<_>>()
    };
    let mut sets: Vec<Vec<usize>> = found.sets.iter().map(indices).collect();
    if sets.is_empty() {
        sets.push(indices(&kept));
    }
    (sets, found.is_stricter)
}

/// The placement of a model. The unit has none, because a model could not leave it.
fn placement(own: &ProcessPlacement) -> Option<Placement> {
    (own.memory.is_some() || own.cpus.is_some()).then(|| Placement::of(own))
}

/// The distinct key files of the roles of a gateway, in the order of declaration.
pub(super) fn key_files<'r>(roles: impl Iterator<Item = &'r ServedRole>) -> Box<[Arc<str>]> {
    let mut files: Vec<Arc<str>> = Vec::new();
    for file in roles.filter_map(|role| role.serving.key_file.as_ref()) {
        if !files.contains(&file.value) {
            files.push(file.value.clone());
        }
    }
    files.into()
}
