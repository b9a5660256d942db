//! Everything that follows for a gateway: its address, its models, its command line and how many models it keeps in memory.

use super::command::program;
use super::endpoint::Endpoint;
use super::files::LoadTime;
use super::gpu::margin;
use super::placement::ProcessPlacement;
use super::profiles::SharedProfile;
use super::role::ServedRole;
use crate::diag::Reported;
use crate::engine::dialect::{Lowered, RouterSpec, lower_router};
use crate::hir::{
    Engine, Gateway, Id, Placement, PortRange, ProcessSettings, Registry, Residency, Role, Seconds, Start,
};
use crate::source::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Seconds until a router without models at boot listens.
const ROUTER_START: Seconds = Seconds(60);

/// The folder of the preset files of all stacks.
const PRESETS: &str = "/etc/orchgen";

/// A gateway with at least one role, and everything that follows for it.
#[derive(Clone, Debug)]
pub struct ServedGateway {
    /// The gateway.
    pub id: Id<Gateway>,
    /// The roles behind it that engines serve, in the order of declaration.
    pub roles: Vec<Id<Role>>,
    /// Its addresses and its port. The names are those of all its roles.
    pub endpoint: Endpoint,
    /// The maximum number of models that it keeps in memory.
    pub most: u32,
    /// The residencies of its roles, each with the number of its roles.
    pub residencies: BTreeMap<Id<Residency>, usize>,
    /// The GPUs that its models use, each once. `None` on a host without GPUs.
    pub gpus: Option<Vec<Arc<str>>>,
    /// The placement of its unit.
    pub placement: ProcessPlacement,
    /// Its settings, as those of a process.
    pub settings: ProcessSettings,
    /// Its command line, or the proof that its engine was reported.
    pub command: Result<GatewayCommand, Reported>,
    /// The upper limit of the time until the models that start at boot are loaded.
    pub load_time: LoadTime,
}

/// The command line of a gateway, and the engine that runs it.
#[derive(Clone, Debug)]
pub struct GatewayCommand {
    /// The engine.
    pub engine: Id<Engine>,
    /// The profile of its build.
    pub profile: SharedProfile,
    /// The command line.
    pub line: Arc<Lowered>,
}

impl GatewayCommand {
    /// The full path of the program.
    pub fn program(&self, registry: &Registry) -> String {
        program(registry.engines.get(self.engine).bin.as_ref().map(|bin| &***bin), self.line.tool)
    }
}

impl ServedGateway {
    /// The only residency of its roles. `None` if they have several.
    pub fn only_residency(&self) -> Option<Id<Residency>> {
        let mut all = self.residencies.keys();
        all.next().copied().filter(|_| all.next().is_none())
    }
}

/// The gateways with at least one role, in the order of declaration.
pub(super) fn gateways(
    registry: &Registry,
    profiles: &[Result<SharedProfile, Reported>],
    served: &[ServedRole],
    unknown: impl FnMut(&Gateway) -> Reported,
) -> Vec<ServedGateway> {
    let mut behind: BTreeMap<Id<Gateway>, Vec<&ServedRole>> = BTreeMap::new();
    for role in served {
        if let Some(gateway) = role.serving.gateway {
            behind.entry(gateway.value).or_default().push(role);
        }
    }
    let mut source = GatewaySource { registry, profiles, unknown };
    behind.into_iter().filter_map(|(id, roles)| source.gateway(id, &roles)).collect()
}

struct GatewaySource<'r, F> {
    registry: &'r Registry,
    profiles: &'r [Result<SharedProfile, Reported>],
    /// Reports an engine that is not known.
    unknown: F,
}

impl<F: FnMut(&Gateway) -> Reported> GatewaySource<'_, F> {
    fn gateway(&mut self, id: Id<Gateway>, roles: &[&ServedRole]) -> Option<ServedGateway> {
        let registry = self.registry;
        let gateway = registry.gateways.get(id);
        let mut residencies: BTreeMap<Id<Residency>, usize> = BTreeMap::new();
        for role in roles {
            *residencies.entry(role.serving.residency.value).or_default() += 1;
        }
        let most = most(registry, &residencies);
        let host = registry.hosts.get(gateway.host.value);
        let used: BTreeSet<Arc<str>> = roles.iter().filter_map(|role| role.used_gpus()).flatten().collect();
        let gpus = (!host.gpus.is_empty()).then(|| used.into_iter().collect::<Vec<_>>());
        let first = roles.iter().find(|role| starts_at_boot(registry, role)).or(roles.first())?;
        let settings = settings(gateway, first.serving.residency);
        let names = roles.iter().flat_map(|role| role.endpoint.names.iter().cloned()).collect();
        let endpoint = Endpoint::of_gateway(&settings, names);
        let margin = gpus.iter().flatten().filter_map(|name| host.gpu(name)).map(margin).max();
        let preset = preset_file(registry, gateway);
        let lower = |(engine, profile): (Id<Engine>, SharedProfile)| {
            let spec = RouterSpec {
                preset: &preset,
                models_max: most,
                memory_margin: margin,
                hosts: &endpoint.server_addresses(),
                port: endpoint.port(0),
                key_file: gateway.key_file.as_ref().map(|file| &*file.value),
            };
            let line = Arc::new(lower_router(&profile, &spec));
            GatewayCommand { engine, profile, line }
        };
        Some(ServedGateway {
            id,
            roles: roles.iter().map(|role| role.id).collect(),
            command: self.engine(gateway).map(lower),
            placement: ProcessPlacement::new(&settings, host, 0),
            load_time: load_time(registry, roles),
            endpoint,
            most,
            residencies,
            gpus,
            settings,
        })
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

/// The path of the preset file of a gateway on its host.
pub fn preset_file(registry: &Registry, gateway: &Gateway) -> String {
    format!("{PRESETS}/{}/{}.ini", registry.stack.head.name.value, gateway.head.name.value)
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

/// The limit of the load time of the models that start at boot. They are loaded at the same time.
fn load_time(registry: &Registry, roles: &[&ServedRole]) -> LoadTime {
    let mut at_boot = roles.iter().filter(|role| starts_at_boot(registry, role));
    at_boot.try_fold(ROUTER_START, |longest, role| Ok(longest.max(role.load_time?)))
}

fn starts_at_boot(registry: &Registry, role: &ServedRole) -> bool {
    registry.residencies.get(role.serving.residency.value).start.value == Start::Boot
}
