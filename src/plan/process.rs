//! Roles with their processes: command lines, files, ports and placement.

use super::container::{self, Container};
use super::placement::Placements;
use super::scrape::answers_metrics;
use super::{Bytes, DeviceClasses, Hardening, PortRange, Seconds, Start};
use crate::check::Checked;
use crate::derive::overrides::request_limit;
use crate::derive::{
    ClientAddress, Endpoint, LoadTime, PerInstance, ProcessPlacement, RoleCommand, ServedRole,
    client_addresses, sandbox,
};
use crate::engine::dialect::OptionPath;
use crate::engine::{Family, Word};
use crate::hir::{self, AUTO_GPU, Id, ProcessSettings, Registry};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A served role with all data for its units and scripts.
#[derive(Debug)]
pub struct Role {
    /// Its name.
    pub name: Arc<str>,
    /// The name of its residency.
    pub residency: Arc<str>,
    /// When it starts.
    pub start: Start,
    /// Idle time without a connection after which its model is unloaded; on-demand only.
    pub idle: Option<Seconds>,
    /// Its host, as an index into [`Plan::hosts`](super::Plan::hosts).
    pub host: u32,
    /// The title of its model, or the name of its program.
    pub title: Arc<str>,
    /// The engine or the program that serves it.
    pub server: Server,
    /// The purpose of the role.
    pub purpose: Option<Arc<str>>,
    /// The roles that share its processes.
    pub shared_by: Box<[Arc<str>]>,
    /// The gateway that serves it, as an index into [`Plan::gateways`](super::Plan::gateways).
    pub gateway: Option<u32>,
    /// The names at the API: that of the role, those of the roles that share it, and its aliases.
    pub names: Arc<[Arc<str>]>,
    /// The addresses that clients use.
    pub addresses: Arc<[Arc<str>]>,
    /// The addresses that a process started by hand listens on. Only the first, if the build accepts only one.
    pub own_addresses: Arc<[Arc<str>]>,
    /// The ports that clients use, one per process.
    pub ports: PortRange,
    /// Total size of the files that a process reads. `None` if it is unknown.
    pub bytes: Option<Bytes>,
    /// Estimated upper limit of the load time, or the reason why it is unknown, as a clause.
    pub load_time: LoadTime,
    /// The full path of the program.
    pub program: Arc<str>,
    /// The files that a process reads: model, draft, projector; full paths.
    pub files: Box<[Arc<str>]>,
    /// The files and folders that its options name.
    pub paths: Box<[OptionPath]>,
    /// The machines that its options connect to: names or addresses.
    pub peers: Box<[Arc<str>]>,
    /// The file with the API keys.
    pub key_file: Option<Arc<str>>,
    /// Environment, in byte order of names.
    pub env: Box<[(Arc<str>, Arc<str>)]>,
    /// True if a process sets the affinity or priority of its threads.
    pub places_threads: bool,
    /// True if weights are locked in memory.
    pub lock: bool,
    /// The GPUs that its processes use. `None` if they are unknown: on a host without GPUs, or of another program.
    pub gpus: Option<Arc<Vec<Arc<str>>>>,
    /// The level of sandboxing of its units.
    pub hardening: Hardening,
    /// The device files that the level `gpu` allows.
    pub devices: DeviceClasses,
    /// Its container. `None` if its program is on the host.
    pub container: Option<Box<Container>>,
    /// Its processes, one per port. Behind a gateway it has none: the gateway starts them.
    pub processes: Box<[Process]>,
}

/// An engine or another program that serves a role.
#[derive(Debug)]
pub enum Server {
    /// An engine, with a model.
    Engine(EngineServer),
    /// Another program.
    Program(ProgramServer),
    /// The router of an engine.
    Router(RouterServer),
    /// llama-swap.
    LlamaSwap(Box<SwapServer>),
}

/// An engine that serves a role.
#[derive(Debug)]
pub struct EngineServer {
    /// The engine, as an index into [`Plan::engines`](super::Plan::engines).
    pub number: usize,
    /// Its family.
    pub family: Family,
    /// The name of the model.
    pub model: Arc<str>,
    /// Maximum tokens of one request. `None` if it is not known: the trained context of a model without facts, or a
    /// context that the engine fits.
    pub context: Option<u64>,
    /// Number of concurrent requests.
    pub slots: u32,
    /// True if it returns embeddings instead of text.
    pub is_embedder: bool,
    /// True if its processes publish metrics.
    pub answers_metrics: bool,
}

/// Another program that serves a role.
#[derive(Debug)]
pub struct ProgramServer {
    /// The path that answers with a success as soon as the program is ready.
    pub health: Option<Arc<str>>,
    /// The variables whose value has the port or the address of the process, in byte order of names.
    pub env: Vec<(Arc<str>, Word)>,
}

/// The router of an engine, which is the server of a gateway.
#[derive(Debug)]
pub struct RouterServer {
    /// The engine, as an index into [`Plan::engines`](super::Plan::engines).
    pub number: usize,
    /// Its family.
    pub family: Family,
    /// The names of the roles whose models it loads at its start.
    pub at_boot: Box<[Arc<str>]>,
}

/// llama-swap, which is the server of a gateway.
#[derive(Debug)]
pub struct SwapServer {
    /// The engines of its models, as indices into [`Plan::engines`](super::Plan::engines).
    pub engines: Box<[usize]>,
    /// The family of the first of them. `None` if only other programs are behind it.
    pub family: Option<Family>,
    /// The names of the roles whose models it loads at its start.
    pub at_boot: Box<[Arc<str>]>,
    /// The key files of its models, each once.
    pub key_files: Box<[Arc<str>]>,
    /// The key files of its peers, each once.
    pub peer_keys: Box<[Arc<str>]>,
}

impl Role {
    /// The folders that a process reads, including the folder of the program. Subfolders of other folders in the list
    /// are left out. Full paths, in byte order.
    pub fn folders(&self) -> Vec<&str> {
        let paths = self.files.iter().chain([&self.program]);
        let all: BTreeSet<&str> =
            paths.filter_map(|path| path.rsplit_once('/')).map(|(folder, _)| folder).collect();
        let is_below =
            |folder: &str, other: &str| folder.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        let kept = all.iter().filter(|folder| !all.iter().any(|other| is_below(folder, other)));
        kept.map(|folder| if folder.is_empty() { "/" } else { *folder }).collect()
    }

    /// The engine that serves the role. `None` for another program.
    pub fn engine(&self) -> Option<&EngineServer> {
        match &self.server {
            Server::Engine(engine) => Some(engine),
            Server::Program(_) | Server::Router(_) | Server::LlamaSwap(_) => None,
        }
    }

    /// The engine that runs its processes, as an index into [`Plan::engines`](super::Plan::engines), with its family. `None`
    /// for another program.
    pub fn engine_family(&self) -> Option<(usize, Family)> {
        match &self.server {
            Server::Engine(engine) => Some((engine.number, engine.family)),
            Server::Router(router) => Some((router.number, router.family)),
            Server::Program(_) | Server::LlamaSwap(_) => None,
        }
    }

    /// The router. `None` if it is not the server of a gateway.
    pub fn router(&self) -> Option<&RouterServer> {
        match &self.server {
            Server::Router(router) => Some(router),
            Server::Engine(_) | Server::Program(_) | Server::LlamaSwap(_) => None,
        }
    }

    /// llama-swap. `None` if it is not the server of a gateway.
    pub fn llama_swap(&self) -> Option<&SwapServer> {
        match &self.server {
            Server::LlamaSwap(swap) => Some(swap),
            Server::Engine(_) | Server::Program(_) | Server::Router(_) => None,
        }
    }

    /// True if it is the server of a gateway.
    pub fn is_gateway(&self) -> bool {
        matches!(self.server, Server::Router(_) | Server::LlamaSwap(_))
    }

    /// The title with the number of the instance and the GPUs.
    pub fn full_title(&self, process: &Process) -> String {
        let instance = process.instance.map(|number| format!(" {number}")).unwrap_or_default();
        let on = match self.gpus.as_deref().map(Vec::as_slice) {
            None | Some([]) => String::new(),
            Some([auto]) if **auto == *AUTO_GPU => " on all GPUs".to_owned(),
            Some(gpus) => format!(" on {}", gpus.join(", ")),
        };
        format!("{}{instance}: {}{on}", self.name, self.title)
    }

    /// True if its processes use GPUs by their names.
    pub fn names_gpus(&self) -> bool {
        self.gpus.iter().flat_map(|gpus| gpus.iter()).any(|gpu| **gpu != *AUTO_GPU)
    }

    /// True if a process can use a GPU through CUDA.
    pub fn may_use_cuda(&self) -> bool {
        let mut gpus = self.gpus.iter().flat_map(|gpus| gpus.iter());
        gpus.any(|gpu| gpu.starts_with("CUDA") || **gpu == *AUTO_GPU)
    }

    /// `StartLimitIntervalSec=`: five times the load time plus a minute, so that five slow failures still reach the limit.
    pub fn start_limit(&self) -> String {
        let five_loads = |load: Seconds| format!("{}s", load.0.saturating_mul(5) + 60);
        self.load_time.map_or_else(|_| "1h".to_owned(), five_loads)
    }

    /// The addresses at which clients reach it, from the address of its host for other machines.
    pub fn client_addresses<'a>(&'a self, host: Option<&'a str>) -> impl Iterator<Item = ClientAddress> + 'a {
        client_addresses(&self.addresses, host)
    }

    /// The kind of its item in the registry: `role` or `gateway`.
    pub fn kind(&self) -> &'static str {
        if self.is_gateway() { "gateway" } else { "role" }
    }

    /// The other program that serves the role. `None` for an engine.
    pub fn other_program(&self) -> Option<&ProgramServer> {
        match &self.server {
            Server::Program(program) => Some(program),
            Server::Engine(_) | Server::Router(_) | Server::LlamaSwap(_) => None,
        }
    }

    /// The variables of another program whose value has the port or the address of the process.
    pub fn filled_env(&self) -> impl Iterator<Item = (&str, &Word)> {
        let filled = self.other_program().into_iter().flat_map(|program| &program.env);
        filled.map(|(name, word)| (&**name, word))
    }
}

/// One process: the data that differs between the instances of a role.
#[derive(Debug)]
pub struct Process {
    /// The number of the instance, from 0. `None` if there is only one.
    pub instance: Option<usize>,
    /// The port that clients use.
    pub port: u16,
    /// For an on-demand role: the hidden port of 127.0.0.1 that the process listens on.
    pub backend: Option<u16>,
    /// The arguments after the program.
    pub args: Arc<[Word]>,
    /// Its placement, as an index into [`Plan::placements`](super::Plan::placements).
    pub placement: Option<usize>,
}

/// The index of each served role in [`Plan::roles`](super::Plan::roles).
pub(super) type RoleNumbers = BTreeMap<Id<hir::Role>, usize>;

/// The names of the roles that share the processes of a role.
pub(super) type Sharers = BTreeMap<Id<hir::Role>, Vec<Arc<str>>>;

/// The numbers of the served roles.
pub(super) fn numbers(checked: &Checked) -> RoleNumbers {
    let programs = checked.derived().programs.iter().map(|program| program.id);
    checked.roles().map(|(served, _)| served.id).chain(programs).zip(0..).collect()
}

/// The distinct placements of all served roles.
pub(super) fn placements(checked: &Checked) -> Placements {
    let mut placements = Placements::default();
    for (served, _) in checked.roles().filter(|(served, _)| served.serving.gateway.is_none()) {
        for instance in 0..served.endpoint.ports.len() {
            placements.index_of(served.placement.get(instance));
        }
    }
    for served in checked.derived().programs.iter().filter(|served| served.program.gateway.is_none()) {
        for instance in 0..served.endpoint.ports.len() {
            placements.index_of(served.placement.get(instance));
        }
    }
    for served in &checked.derived().gateways {
        placements.index_of(&served.placement);
    }
    placements
}

/// All served roles, in the order of declaration. Each is freed when it is planned.
pub(super) fn roles(
    registry: &Registry,
    served: impl Iterator<Item = (hir::Role, ServedRole, Arc<RoleCommand>)>,
    mut sharers: Sharers,
    placements: &mut Placements,
) -> Vec<Role> {
    let planned = served.map(|(declared, served, command)| {
        let shared_by = sharers.remove(&served.id).unwrap_or_default().into();
        Role { shared_by, ..role(registry, &declared, served, &command, placements) }
    });
    planned.collect()
}

// With this, `roles` collects in place: the planned roles take the memory of the served ones.
const _: () = assert!(size_of::<Role>() <= size_of::<ServedRole>());

/// The processes of a role. `line` has the arguments of an instance.
pub(super) fn processes(
    endpoint: &Endpoint,
    placement: &PerInstance<ProcessPlacement>,
    placements: &mut Placements,
    line: impl Fn(usize) -> Arc<[Word]>,
) -> Box<[Process]> {
    let instances = endpoint.ports.len();
    let process = |instance| Process {
        instance: (instances > 1).then_some(instance),
        port: endpoint.port(instance),
        backend: endpoint.hidden_port(instance),
        args: line(instance),
        placement: placements.index_of(placement.get(instance)),
    };
    (0..instances).map(process).collect()
}

/// The index of the host of a process in [`Plan::hosts`](super::Plan::hosts).
pub(super) fn host_number(process: &ProcessSettings) -> u32 {
    u32::try_from(process.host.value.number()).unwrap_or(u32::MAX)
}

fn role(
    registry: &Registry,
    declared: &hir::Role,
    served: ServedRole,
    command: &RoleCommand,
    placements: &mut Placements,
) -> Role {
    let ServedRole { serving, endpoint, files, .. } = &served;
    let residency = registry.residencies.get(serving.residency.value);
    let model = registry.models.get(serving.model.value);
    let (program, gpus) = (command.program(), served.used_gpus());
    Role {
        processes: if serving.gateway.is_some() {
            Box::default()
        } else {
            processes(endpoint, &served.placement, placements, |n| command.line(endpoint, n))
        },
        gateway: None,
        container: container::container(&served, command),
        name: declared.head.name.value.clone(),
        residency: residency.head.name.value.clone(),
        start: residency.start.value,
        idle: residency.idle.map(|idle| idle.value),
        host: host_number(serving),
        title: model.title.value.clone(),
        server: Server::Engine(EngineServer {
            number: command.engine.number(),
            family: command.profile.family(),
            model: model.head.name.value.clone(),
            context: request_limit(registry, serving),
            slots: serving.slots.value.count,
            is_embedder: serving.pooling.is_some(),
            answers_metrics: answers_metrics(command, &served.env),
        }),
        purpose: declared.purpose.as_ref().map(|purpose| purpose.value.clone()),
        shared_by: Box::default(),
        names: endpoint.names.clone(),
        own_addresses: if command.profile.serves_several_addresses() {
            endpoint.addresses.clone()
        } else {
            endpoint.addresses.iter().take(1).cloned().collect()
        },
        addresses: endpoint.for_clients(registry, &declared.head.name),
        ports: endpoint.ports,
        bytes: files.bytes(),
        load_time: served.load_time,
        files: files.iter().map(|(_, file)| file.path.clone()).collect(),
        program: program.into(),
        paths: command.paths.clone(),
        peers: command.peers.clone(),
        key_file: serving.key_file.as_ref().map(|file| file.value.clone()),
        places_threads: command.places_threads(&served.env),
        lock: serving.is_locked(),
        hardening: sandbox::hardening(&registry.stack, serving, gpus.as_deref()),
        devices: sandbox::device_classes(registry.hosts.get(serving.host.value), gpus.as_deref()),
        gpus: gpus.map(Arc::new),
        env: container::env(served).into(),
    }
}
