//! Gateways: the server of each, and the options of the models behind it.

use super::placement::Placements;
use super::process::{Process, Role, RoleNumbers, RouterServer, Server, host_number};
use super::{PresetEntry, Start};
use crate::check::Checked;
use crate::derive::{GatewayCommand, ServedGateway, ServedRole, sandbox};
use crate::engine::Word;
use crate::hir::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The folder that hides the models in the cache of the user from a router. It does not exist.
pub const NO_CACHE: &str = "/nonexistent";

/// A gateway with its models.
#[derive(Debug)]
pub struct Gateway {
    /// Its name.
    pub name: Arc<str>,
    /// Its server, as an index into [`Plan::roles`](super::Plan::roles).
    pub server: usize,
    /// The maximum number of models that it keeps in memory.
    pub most: u32,
    /// The path of its preset file on the host.
    pub preset: Arc<str>,
    /// Its models, in the order of declaration.
    pub models: Vec<RoutedModel>,
}

/// A role behind a gateway.
#[derive(Debug)]
pub struct RoutedModel {
    /// The role, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// The options of its process.
    pub options: Box<[PresetEntry]>,
}

/// Plans all gateways, in the order of declaration. The server of the first one gets the number `first`.
pub(super) fn gateways(checked: &Checked, numbers: &RoleNumbers, first: usize) -> Vec<Gateway> {
    let options: BTreeMap<_, _> = checked.roles().map(|(served, command)| (served.id, command)).collect();
    let model = |id: &_| {
        let options = options.get(id)?.server().preset.clone();
        Some(RoutedModel { role: numbers.get(id).copied()?, options })
    };
    let gateway = |(served, server): (&ServedGateway, usize)| Gateway {
        name: checked.registry().gateways.get(served.id).head.name.value.clone(),
        server,
        most: served.most,
        preset: preset(served).into(),
        models: served.roles.iter().filter_map(model).collect(),
    };
    checked.derived().gateways.iter().zip(first..).map(gateway).collect()
}

/// The path of the preset file of a gateway.
fn preset(served: &ServedGateway) -> &str {
    let words = served.command.as_ref().map(|command| &*command.line.args).unwrap_or_default();
    words.iter().find(|word| matches!(word, Word::PresetFile(_))).map_or("", Word::text)
}

/// The servers of all gateways, in the order of declaration.
pub(super) fn servers(checked: &Checked, placements: &mut Placements) -> Vec<Role> {
    let roles: BTreeMap<_, _> = checked.roles().map(|(served, _)| (served.id, served)).collect();
    let servers = checked.derived().gateways.iter().filter_map(|served| {
        let behind: Vec<&ServedRole> = served.roles.iter().filter_map(|id| roles.get(id).copied()).collect();
        Some(server(checked, (served, served.command.as_ref().ok()?), &behind, placements))
    });
    servers.collect()
}

fn server(
    checked: &Checked,
    (served, command): (&ServedGateway, &GatewayCommand),
    behind: &[&ServedRole],
    placements: &mut Placements,
) -> Role {
    let registry = checked.registry();
    let gateway = registry.gateways.get(served.id);
    let commands = || behind.iter().filter_map(|role| role.known_command());
    let residency = registry.residencies.get(served.settings.residency.value);
    let gpus = served.gpus.as_deref();
    let process = Process {
        instance: None,
        port: served.endpoint.port(0),
        backend: None,
        args: command.line.args.clone(),
        placement: placements.index_of(&served.placement),
    };
    let name = |role: &&ServedRole| registry.roles.get(role.id).head.name.value.clone();
    let starts_at_boot = |role: &&&ServedRole| !registry.is_on_demand(&role.serving);
    let models: Box<[Arc<str>]> = behind.iter().map(name).collect();
    let files: BTreeSet<Arc<str>> =
        behind.iter().flat_map(|role| role.files.iter()).map(|(_, file)| file.path.clone()).collect();
    let peers: BTreeSet<Arc<str>> = commands().flat_map(|command| command.peers.iter().cloned()).collect();
    Role {
        name: gateway.head.name.value.clone(),
        residency: residency.head.name.value.clone(),
        start: Start::Boot,
        idle: None,
        host: host_number(&served.settings),
        title: models.join(", ").into(),
        server: Server::Router(RouterServer {
            number: command.engine.number(),
            family: command.profile.family(),
            at_boot: behind.iter().filter(starts_at_boot).map(name).collect(),
        }),
        purpose: None,
        shared_by: Box::default(),
        gateway: None,
        names: served.endpoint.names.clone(),
        own_addresses: served.endpoint.addresses.clone(),
        addresses: served.endpoint.addresses.clone(),
        ports: served.endpoint.ports,
        bytes: None,
        load_time: served.load_time,
        program: command.program(registry).into(),
        files: files.into_iter().collect(),
        paths: commands().flat_map(|command| command.paths.iter().cloned()).collect(),
        peers: peers.into_iter().collect(),
        key_file: gateway.key_file.as_ref().map(|file| file.value.clone()),
        places_threads: behind.iter().any(|role| places_threads(role)),
        lock: behind.iter().any(|role| role.serving.is_locked()),
        hardening: sandbox::hardening(&registry.stack, &served.settings, gpus),
        devices: sandbox::device_classes(registry.hosts.get(gateway.host.value), gpus),
        gpus: served.gpus.clone().map(Arc::new),
        env: env(registry, command),
        container: None,
        processes: [process].into(),
    }
}

fn places_threads(role: &ServedRole) -> bool {
    role.known_command().is_some_and(|command| command.places_threads(&role.env))
}

/// The variables of the engine. One hides the models in the cache of the user: the router would offer them too.
fn env(registry: &Registry, command: &GatewayCommand) -> Box<[(Arc<str>, Arc<str>)]> {
    let cache = command.profile.family().cache_variable();
    let cache = cache.map(|name| (name.into(), NO_CACHE.into()));
    let declared = registry.engines.get(command.engine).env.iter();
    let declared = declared.map(|(name, value)| (name.value.clone(), value.value.clone()));
    cache.into_iter().chain(declared).collect::<BTreeMap<Arc<str>, Arc<str>>>().into_iter().collect()
}
