//! Everything that follows for a gateway: its address, its models, its command line and how many models it keeps in memory.

use super::command::program;
use super::endpoint::Endpoint;
use super::files::LoadTime;
use super::gpu::margin;
use super::placement::ProcessPlacement;
use super::profiles::SharedProfile;
use super::program::ServedProgram;
use super::role::ServedRole;
use crate::diag::Reported;
use crate::engine::Word;
use crate::engine::dialect::{Lowered, RouterSpec, lower_router};
use crate::hir::{
    Engine, Gateway, GatewayKind, Id, Placement, PortRange, ProcessSettings, Registry, Residency, Role,
    Seconds, Start,
};
use crate::source::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Seconds until a gateway without models at boot listens.
const START: Seconds = Seconds(60);

/// The folder of the files that configure the gateways of all stacks.
const PRESETS: &str = "/etc/orchgen";

/// A gateway with at least one role, and everything that follows for it.
#[derive(Clone, Debug)]
pub struct ServedGateway {
    /// The gateway.
    pub id: Id<Gateway>,
    /// The roles behind it, in the order of declaration. Behind a router they are those that engines serve.
    pub roles: Vec<Id<Role>>,
    /// Its addresses and its port. The names are those of all its roles.
    pub endpoint: Endpoint,
    /// The maximum number of models that it keeps in memory. For llama-swap it is that of the largest set.
    pub most: u32,
    /// The residencies of its roles, each with the number of its roles.
    pub residencies: BTreeMap<Id<Residency>, usize>,
    /// The GPUs that its models use, each once. `None` on a host without GPUs.
    pub gpus: Option<Vec<Arc<str>>>,
    /// The placement of its unit.
    pub placement: ProcessPlacement,
    /// Its settings, as those of a process.
    pub settings: ProcessSettings,
    /// Its server.
    pub server: GatewayServer,
    /// The upper limit of the time until the models that start at boot are loaded.
    pub load_time: LoadTime,
}

/// The server of a gateway.
#[derive(Clone, Debug)]
pub enum GatewayServer {
    /// The router of an engine, or the proof that the engine was reported.
    Router(Result<RouterCommand, Reported>),
    /// llama-swap.
    LlamaSwap(SwapCommand),
}

/// The command line of llama-swap.
#[derive(Clone, Debug)]
pub struct SwapCommand {
    /// The full path of the program.
    pub program: Arc<str>,
    /// The arguments after the program.
    pub args: Arc<[Word]>,
}

/// The command line of a router, and the engine that runs it.
#[derive(Clone, Debug)]
pub struct RouterCommand {
    /// The engine.
    pub engine: Id<Engine>,
    /// The profile of its build.
    pub profile: SharedProfile,
    /// The command line.
    pub line: Arc<Lowered>,
}

impl RouterCommand {
    /// The full path of the program.
    pub fn program(&self, registry: &Registry) -> String {
        program(registry.engines.get(self.engine).bin.as_ref().map(|bin| &***bin), self.line.tool)
    }
}

impl ServedGateway {
    /// The command line of its router. `None` for another program, or if the engine was reported.
    pub fn router(&self) -> Option<&RouterCommand> {
        match &self.server {
            GatewayServer::Router(command) => command.as_ref().ok(),
            GatewayServer::LlamaSwap(_) => None,
        }
    }

    /// The command line of llama-swap.
    pub fn swap(&self) -> Option<&SwapCommand> {
        match &self.server {
            GatewayServer::Router(_) => None,
            GatewayServer::LlamaSwap(command) => Some(command),
        }
    }

    /// The path of the file that configures it. `None` if its engine was reported.
    pub fn file(&self) -> Option<&str> {
        let args = match &self.server {
            GatewayServer::Router(command) => &*command.as_ref().ok()?.line.args,
            GatewayServer::LlamaSwap(command) => &*command.args,
        };
        args.iter().find(|word| matches!(word, Word::PresetFile(_))).map(Word::text)
    }

    /// The only residency of its roles. `None` if they have several.
    pub fn only_residency(&self) -> Option<Id<Residency>> {
        let mut all = self.residencies.keys();
        all.next().copied().filter(|_| all.next().is_none())
    }
}

/// A role behind a gateway.
struct RoutedRole<'r> {
    id: Id<Role>,
    settings: &'r ProcessSettings,
    endpoint: &'r Endpoint,
    gpus: Option<Vec<Arc<str>>>,
    load_time: LoadTime,
    is_program: bool,
}

/// The gateways with at least one role, in the order of declaration.
pub(super) fn gateways(
    registry: &Registry,
    profiles: &[Result<SharedProfile, Reported>],
    (served, programs): (&[ServedRole], &[ServedProgram]),
    unknown: impl FnMut(&Gateway) -> Reported,
) -> Vec<ServedGateway> {
    let roles = served.iter().map(|role| RoutedRole {
        id: role.id,
        settings: &role.serving.process,
        endpoint: &role.endpoint,
        gpus: role.used_gpus(),
        load_time: role.load_time,
        is_program: false,
    });
    let programs = programs.iter().map(|role| RoutedRole {
        id: role.id,
        settings: &role.program.process,
        endpoint: &role.endpoint,
        gpus: role.used_gpus(),
        load_time: Err(PROGRAM_START),
        is_program: true,
    });
    let mut behind: BTreeMap<Id<Gateway>, Vec<RoutedRole<'_>>> = BTreeMap::new();
    for role in roles.chain(programs) {
        let Some(gateway) = role.settings.gateway.map(|gateway| gateway.value) else { continue };
        // `gateway-cannot` reports other programs behind a router.
        if !role.is_program || registry.gateways.get(gateway).kind == GatewayKind::LlamaSwap {
            behind.entry(gateway).or_default().push(role);
        }
    }
    let mut source = GatewaySource { registry, profiles, unknown };
    let served = behind.into_iter().filter_map(|(id, mut roles)| {
        roles.sort_by_key(|role| role.id);
        source.gateway(id, &roles)
    });
    served.collect()
}

/// The reason why the time for a start of another program is unknown.
pub const PROGRAM_START: &str = "the time that the program needs to start is unknown";

struct GatewaySource<'r, F> {
    registry: &'r Registry,
    profiles: &'r [Result<SharedProfile, Reported>],
    /// Reports an engine that is not known.
    unknown: F,
}

impl<F: FnMut(&Gateway) -> Reported> GatewaySource<'_, F> {
    fn gateway(&mut self, id: Id<Gateway>, roles: &[RoutedRole<'_>]) -> Option<ServedGateway> {
        let registry = self.registry;
        let gateway = registry.gateways.get(id);
        let mut residencies: BTreeMap<Id<Residency>, usize> = BTreeMap::new();
        for role in roles {
            *residencies.entry(role.settings.residency.value).or_default() += 1;
        }
        let host = registry.hosts.get(gateway.host.value);
        let used: BTreeSet<Arc<str>> = roles.iter().filter_map(|role| role.gpus.clone()).flatten().collect();
        let gpus = (!host.gpus.is_empty()).then(|| used.into_iter().collect::<Vec<_>>());
        let first = roles.iter().find(|role| starts_at_boot(registry, role.settings)).or(roles.first())?;
        let settings = settings(gateway, first.settings.residency);
        let names = roles.iter().flat_map(|role| role.endpoint.names.iter().cloned()).collect();
        let endpoint = Endpoint::of_gateway(&settings, names);
        let most = most(registry, &residencies);
        Some(ServedGateway {
            id,
            roles: roles.iter().map(|role| role.id).collect(),
            server: self.server(gateway, &endpoint, (gpus.as_deref(), most)),
            // The models of llama-swap have their own.
            placement: match gateway.kind {
                GatewayKind::Router => ProcessPlacement::new(&settings, host, 0),
                GatewayKind::LlamaSwap => ProcessPlacement::default(),
            },
            load_time: load_time(registry, gateway.kind, roles),
            endpoint,
            most,
            residencies,
            gpus,
            settings,
        })
    }

    fn server(
        &mut self,
        gateway: &Gateway,
        endpoint: &Endpoint,
        (gpus, most): (Option<&[Arc<str>]>, u32),
    ) -> GatewayServer {
        let preset = preset_file(self.registry, gateway);
        let host = self.registry.hosts.get(gateway.host.value);
        match gateway.kind {
            GatewayKind::Router => GatewayServer::Router(self.engine(gateway).map(|(engine, profile)| {
                let gpus = gpus.into_iter().flatten().filter_map(|name| host.gpu(name));
                let spec = RouterSpec {
                    preset: &preset,
                    models_max: most,
                    memory_margin: gpus.filter_map(margin).max(),
                    hosts: &endpoint.server_addresses(),
                    port: endpoint.port(0),
                    key_file: gateway.key_file.as_ref().map(|file| &*file.value),
                };
                let line = Arc::new(lower_router(&profile, &spec));
                RouterCommand { engine, profile, line }
            })),
            GatewayKind::LlamaSwap => GatewayServer::LlamaSwap(SwapCommand {
                program: gateway.bin.as_ref().map_or("".into(), |bin| bin.value.clone()),
                args: swap_args(endpoint, preset),
            }),
        }
    }

    fn engine(&mut self, gateway: &Gateway) -> Result<(Id<Engine>, SharedProfile), Reported> {
        let Some(id) = gateway.engine.map(|engine| engine.value) else {
            return Err((self.unknown)(gateway));
        };
        match self.profiles.get(id.number()) {
            Some(profile) => Ok((id, profile.clone()?)),
            None => Err((self.unknown)(gateway)),
        }
    }
}

/// The arguments of llama-swap (`llama-swap.go` of August 2026). It listens on one address, so `gateway-cannot` reports others.
fn swap_args(endpoint: &Endpoint, file: String) -> Arc<[Word]> {
    let address = endpoint.addresses.first().map_or("", |address| &**address);
    let port = endpoint.port(0);
    let listen =
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
    [Word::from("--config"), Word::PresetFile(file.into()), Word::from("--listen"), Word::from(listen)].into()
}

/// The path of the file on its host that configures a gateway.
pub fn preset_file(registry: &Registry, gateway: &Gateway) -> String {
    let end = match gateway.kind {
        GatewayKind::Router => "ini",
        GatewayKind::LlamaSwap => "yaml",
    };
    format!("{PRESETS}/{}/{}.{end}", registry.stack.head.name.value, gateway.head.name.value)
}

/// The number of models that a router keeps in memory: all of them, or `at-once` if its roles have one residency. A router has
/// one limit for all its models, so `unenforced-at-once` reports other limits.
fn most(registry: &Registry, residencies: &BTreeMap<Id<Residency>, usize>) -> u32 {
    let all = residencies.values().sum::<usize>();
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    let at_once = match residencies.keys().collect::<Vec<_>>().as_slice() {
        [only] => registry.residencies.get(**only).at_once,
        _ => None,
    };
    at_once.map_or(all, |most| most.value.min(all))
}

/// The settings of its unit, as those of a process.
fn settings(gateway: &Gateway, residency: Spanned<Id<Residency>>) -> ProcessSettings {
    ProcessSettings {
        residency,
        host: gateway.host,
        gateway: None,
        ports: gateway.port.map(PortRange::single),
        listen: gateway.listen.clone(),
        backend: None,
        placement: Placement {
            numa: gateway.numa.clone(),
            cpus: gateway.cpus.clone(),
            ..Placement::default()
        },
        env: Vec::new(),
        hardening: gateway.hardening,
    }
}

/// The limit of the load time of the models that start at boot. A router loads them at the same time, and llama-swap one after
/// the other (`startPreload` in `internal/server/api.go` of August 2026).
fn load_time(registry: &Registry, kind: GatewayKind, roles: &[RoutedRole<'_>]) -> LoadTime {
    let mut at_boot = roles.iter().filter(|role| starts_at_boot(registry, role.settings));
    at_boot.try_fold(START, |sum, role| {
        Ok(match kind {
            GatewayKind::Router => sum.max(role.load_time?),
            GatewayKind::LlamaSwap => Seconds(sum.0.saturating_add(role.load_time?.0)),
        })
    })
}

fn starts_at_boot(registry: &Registry, settings: &ProcessSettings) -> bool {
    registry.residencies.get(settings.residency.value).start.value == Start::Boot
}
