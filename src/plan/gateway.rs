//! Gateways: the server of each, and the models behind it.

use super::placement::Placements;
use super::process::{Process, Role, RoleNumbers, RouterServer, Server, SwapServer, host_number};
use super::swap::{Swap, SwapPeer, SwappedModel, Variant, key_files, peer_keys, peers};
use super::{PresetEntry, Start};
use crate::check::Checked;
use crate::derive::{
    RoleCommand, RouterCommand, ServedGateway, ServedProgram, ServedRole, SwapCommand, router_env, sandbox,
};
use crate::engine::dialect::OptionPath;
use crate::engine::{Access, Word};
use crate::hir::{self, Id, Registry};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A gateway with its models.
#[derive(Debug)]
pub struct Gateway {
    /// Its name.
    pub name: Arc<str>,
    /// Its server, as an index into [`Plan::roles`](super::Plan::roles).
    pub server: usize,
    /// The maximum number of models that it keeps in memory.
    pub most: u32,
    /// The path of the file on the host that configures it.
    pub file: Arc<str>,
    /// Its models, in the order of declaration.
    pub models: Models,
}

/// The models of a gateway.
#[derive(Debug)]
pub enum Models {
    /// Of a router: each role, as an index into [`Plan::roles`](super::Plan::roles), with the options of its process.
    Router(Vec<(usize, Box<[PresetEntry]>)>),
    /// Of llama-swap.
    LlamaSwap(Swap),
}

impl Gateway {
    /// The roles that share the process of a role, an index into [`Plan::roles`](super::Plan::roles), with own settings.
    pub fn variants(&self, role: usize) -> &[Variant] {
        let Models::LlamaSwap(swap) = &self.models else { return &[] };
        let model = swap.models.iter().find(|model| model.role == role);
        model.map_or(&[], |model| &model.variants)
    }

    /// The servers to which it forwards the requests for their names.
    pub fn peers(&self) -> &[SwapPeer] {
        match &self.models {
            Models::Router(_) => &[],
            Models::LlamaSwap(swap) => &swap.peers,
        }
    }

    /// Its roles, as indices into [`Plan::roles`](super::Plan::roles).
    pub fn roles(&self) -> impl Iterator<Item = usize> {
        let (routed, swapped) = match &self.models {
            Models::Router(models) => (Some(models), None),
            Models::LlamaSwap(swap) => (None, Some(&swap.models)),
        };
        let routed = routed.into_iter().flatten().map(|(role, _)| *role);
        routed.chain(swapped.into_iter().flatten().map(|model: &SwappedModel| model.role))
    }
}

/// Plans all gateways, in the order of declaration. The server of the first one gets the number `first`.
pub(super) fn gateways(checked: &Checked, numbers: &RoleNumbers, first: usize) -> Vec<Gateway> {
    let gateway = |(served, server): (&ServedGateway, usize)| Gateway {
        name: checked.registry().gateways.get(served.id).head.name.value.clone(),
        server,
        most: served.most,
        file: served.file().unwrap_or_default().into(),
        models: match served.swap() {
            Some(_) => Models::LlamaSwap(Swap::new(checked, served, numbers)),
            None => Models::Router(routed(checked, served, numbers)),
        },
    };
    checked.derived().gateways.iter().zip(first..).map(gateway).collect()
}

fn routed(
    checked: &Checked,
    served: &ServedGateway,
    numbers: &RoleNumbers,
) -> Vec<(usize, Box<[PresetEntry]>)> {
    let options: BTreeMap<_, _> = checked.roles().map(|(served, command)| (served.id, command)).collect();
    let model = |id: &_| Some((numbers.get(id).copied()?, options.get(id)?.server().preset.clone()));
    served.roles.iter().filter_map(model).collect()
}

/// The servers of all gateways, in the order of declaration.
pub(super) fn servers(checked: &Checked, placements: &mut Placements) -> Vec<Role> {
    checked.derived().gateways.iter().filter_map(|served| server(checked, served, placements)).collect()
}

/// The roles behind a gateway.
struct Behind<'c> {
    roles: Vec<(&'c ServedRole, &'c RoleCommand)>,
    programs: Vec<&'c ServedProgram>,
    /// The servers to which the gateway forwards requests.
    peers: Vec<SwapPeer>,
}

impl Behind<'_> {
    /// The files of all models, each once.
    fn files(&self) -> Box<[Arc<str>]> {
        let files = self.roles.iter().flat_map(|(role, _)| role.files.iter());
        files.map(|(_, file)| file.path.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The machines that they and the gateway connect to, each once.
    fn machines(&self) -> Box<[Arc<str>]> {
        let machines = self.roles.iter().flat_map(|(_, command)| command.peers.iter().cloned());
        let of_peers = self.peers.iter().map(|peer| peer.machine.clone());
        machines.chain(of_peers).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn server(checked: &Checked, served: &ServedGateway, placements: &mut Placements) -> Option<Role> {
    let registry = checked.registry();
    let gateway = registry.gateways.get(served.id);
    let is_behind = |id: Id<hir::Role>| served.roles.contains(&id);
    let behind = Behind {
        roles: checked.roles().filter(|(role, _)| is_behind(role.id)).collect(),
        programs: checked.derived().programs.iter().filter(|role| is_behind(role.id)).collect(),
        peers: peers(checked.derived(), served.id),
    };
    let residency = registry.residencies.get(served.settings.residency.value);
    let gpus = served.gpus.as_deref();
    let own = match (served.router(), served.swap()) {
        (Some(command), _) => OwnPart::router(registry, command, &behind),
        (None, Some(command)) => OwnPart::swap(registry, command, served, &behind),
        (None, None) => return None,
    };
    let process = Process {
        instance: None,
        port: served.endpoint.port(0),
        backend: None,
        args: own.args,
        placement: placements.index_of(&served.placement),
    };
    let name = |id: &Id<hir::Role>| registry.roles.get(*id).head.name.value.clone();
    let models: Box<[Arc<str>]> = served.roles.iter().map(name).collect();
    let of_roles = behind.roles.iter().flat_map(|(_, command)| command.paths.iter().cloned());
    Some(Role {
        name: gateway.head.name.value.clone(),
        residency: residency.head.name.value.clone(),
        start: Start::Boot,
        idle: None,
        host: host_number(&served.settings),
        title: models.join(", ").into(),
        server: own.server,
        purpose: None,
        shared_by: Box::default(),
        gateway: None,
        names: served.endpoint.names.clone(),
        own_addresses: served.endpoint.addresses.clone(),
        addresses: served.endpoint.for_clients(registry, &gateway.head.name),
        ports: served.endpoint.ports,
        bytes: None,
        load_time: served.load_time,
        program: own.program,
        files: behind.files(),
        paths: of_roles.chain(own.paths).collect(),
        peers: behind.machines(),
        key_file: gateway.key_file.as_ref().map(|file| file.value.clone()),
        places_threads: own.places_threads
            || behind.roles.iter().any(|(role, command)| command.places_threads(&role.env)),
        lock: behind.roles.iter().any(|(role, _)| role.serving.is_locked()),
        hardening: sandbox::hardening(&registry.stack, &served.settings, gpus),
        devices: sandbox::device_classes(registry.hosts.get(gateway.host.value), gpus),
        gpus: served.gpus.clone().map(Arc::new),
        env: own.env,
        container: None,
        processes: [process].into(),
    })
}

/// The part of the server of a gateway that depends on its program.
struct OwnPart {
    server: Server,
    program: Arc<str>,
    args: Arc<[Word]>,
    env: Box<[(Arc<str>, Arc<str>)]>,
    paths: Vec<OptionPath>,
    places_threads: bool,
}

impl OwnPart {
    fn router(registry: &Registry, command: &RouterCommand, behind: &Behind<'_>) -> Self {
        Self {
            server: Server::Router(RouterServer {
                number: command.engine.number(),
                family: command.profile.family(),
                at_boot: at_boot(registry, behind),
            }),
            program: command.program(registry).into(),
            args: command.line.args.clone(),
            env: router_env(registry, command.engine, command.profile.family().cache_variable()).into(),
            paths: Vec::new(),
            places_threads: false,
        }
    }

    fn swap(registry: &Registry, command: &SwapCommand, served: &ServedGateway, behind: &Behind<'_>) -> Self {
        let engines: BTreeSet<usize> =
            behind.roles.iter().map(|(_, command)| command.engine.number()).collect();
        let program_folder = |program: &str| OptionPath {
            path: program.rsplit_once('/').map_or("", |(folder, _)| folder).into(),
            access: Access::Read,
            is_folder: true,
            option: None,
        };
        let engine_folders = behind.roles.iter().map(|(_, command)| program_folder(&command.program()));
        let programs = behind.programs.iter();
        let own_folders =
            programs.flat_map(|role| role.paths().into_iter().chain([program_folder(&role.path)]));
        let placed = behind.roles.iter().map(|(role, _)| role.placement.first());
        let mut placed = placed.chain(behind.programs.iter().map(|role| role.placement.first()));
        Self {
            server: Server::LlamaSwap(Box::new(SwapServer {
                engines: engines.into_iter().collect(),
                family: behind.roles.first().map(|(_, command)| command.profile.family()),
                at_boot: at_boot(registry, behind),
                key_files: key_files(behind.roles.iter().map(|(role, _)| *role)),
                peer_keys: peer_keys(&behind.peers),
            })),
            program: command.program.clone(),
            args: command.args.clone(),
            env: Box::default(),
            places_threads: placed.any(|placement| *placement != served.placement),
            paths: engine_folders.chain(own_folders).collect(),
        }
    }
}

/// The names of the roles that start at boot.
fn at_boot(registry: &Registry, behind: &Behind<'_>) -> Box<[Arc<str>]> {
    let roles = behind.roles.iter().map(|(role, _)| (role.id, &role.serving.process));
    let programs = behind.programs.iter().map(|role| (role.id, &role.program.process));
    let all = roles.chain(programs).filter(|(_, process)| !registry.is_on_demand(process));
    all.map(|(id, _)| registry.roles.get(id).head.name.value.clone()).collect()
}
