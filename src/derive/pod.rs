//! The pods of Kubernetes: image, resources and command line of a role, or of the router of a gateway.
//!
//! A pod has whole CPUs and GPUs, and a limit of memory. A device plugin selects the GPUs, and in the pod they have numbers from 0.

use super::container::ALL_ADDRESSES;
use super::gateway::ServedGateway;
use super::loads::{LoadChange, RoleGroups};
use super::memory::with_margin;
use super::mounts::{Mount, mounts};
use super::place::MemoryScope;
use super::role::ServedRole;
use crate::engine::Word;
use crate::engine::dialect::{CUDA_ORDER, rename_devices, rename_devices_in};
use crate::hir::kubernetes::GpuResource;
use crate::hir::{Bytes, Engine, Host, Id, ProcessSettings, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variables of a process, in byte order of names.
type Variables = Vec<(Arc<str>, Arc<str>)>;

/// The user and the group of the server in a pod. Images run as root by default.
pub const POD_USER: i64 = 65532;

/// The pod of a role or of the router of a gateway.
#[derive(Clone, Debug)]
pub struct Pod {
    /// The image. Its entry point is the server.
    pub image: Arc<str>,
    /// The arguments of the first process: it listens on all addresses, and its GPUs have the names inside.
    pub args: Arc<[Word]>,
    /// The variables, in byte order of names.
    pub env: Variables,
    /// The number of CPUs. `None` if neither CPUs nor threads are known.
    pub cpus: Option<u32>,
    /// The memory that it requests: all that is known.
    pub request: Bytes,
    /// The limit of its memory. `None` if the memory of a model is not completely known.
    pub memory: Option<Bytes>,
    /// Its GPUs.
    pub gpus: PodGpus,
    /// The files and folders that the server uses, in byte order of paths.
    pub mounts: Vec<Mount>,
}

/// The GPUs of a pod.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PodGpus {
    /// The number of GPUs of each resource.
    pub counts: BTreeMap<GpuResource, u32>,
    /// The GPUs that no device plugin offers by this name.
    pub unknown: Vec<Arc<str>>,
    /// The names inside that differ from those of the host.
    names: BTreeMap<String, String>,
}

impl PodGpus {
    fn new<'g>(gpus: impl IntoIterator<Item = &'g Arc<str>>) -> Self {
        let mut found = Self::default();
        let mut numbered: Vec<(GpuResource, u32, &Arc<str>)> = Vec::new();
        for gpu in gpus {
            let digits = gpu.trim_start_matches(|c: char| !c.is_ascii_digit());
            match (GpuResource::of(gpu), digits.parse()) {
                (Some(resource), Ok(number)) => numbered.push((resource, number, gpu)),
                _ => found.unknown.push(gpu.clone()),
            }
        }
        numbered.sort_unstable();
        numbered.dedup();
        for (resource, _, gpu) in numbered {
            let count = found.counts.entry(resource).or_default();
            let back_end = gpu.trim_end_matches(|c: char| c.is_ascii_digit());
            found.names.insert(gpu.to_string(), format!("{back_end}{count}"));
            *count += 1;
        }
        found
    }

    /// The value of an option or a variable with the names inside.
    pub fn rename(&self, name: &str, value: &str) -> String {
        rename_devices_in(name, value, &self.names).into_owned()
    }

    /// The names for arguments in which CUDA has the numbers of a container already.
    fn of_container(mut self) -> Self {
        self.names.retain(|outside, _| GpuResource::of(outside) != Some(GpuResource::Nvidia));
        self
    }

    fn env(&self, env: &[(Arc<str>, Arc<str>)]) -> Variables {
        // The device plugin sets them for the GPUs that it selects.
        let is_kept = |name: &str| self.counts.is_empty() || !selects_gpus(name);
        let kept = env.iter().filter(|(name, _)| is_kept(name));
        let renamed = kept.map(|(name, value)| (name.clone(), self.rename(name, value).into()));
        let mut all: BTreeMap<Arc<str>, Arc<str>> = renamed.collect();
        if self.counts.contains_key(&GpuResource::Nvidia) {
            all.entry(CUDA_ORDER.0.into()).or_insert_with(|| CUDA_ORDER.1.into());
        }
        all.into_iter().collect()
    }
}

/// True for a variable with the GPUs that a process sees, such as `CUDA_VISIBLE_DEVICES`. A pod with GPUs does not get it.
pub fn selects_gpus(variable: &str) -> bool {
    variable.ends_with("_VISIBLE_DEVICES")
}

/// The pod of a role. `None` if its engine has no image or was reported, or if a gateway starts its process.
pub(super) fn of_role(registry: &Registry, served: &ServedRole) -> Option<Pod> {
    let process = &served.serving.process;
    let command = served.known_command().filter(|_| process.gateway.is_none())?;
    let gpus = PodGpus::new(served.used_gpus().iter().flatten());
    let count = gpus.counts.values().sum::<u32>() as usize + gpus.unknown.len();
    let names = if served.container.is_some() { gpus.clone().of_container() } else { gpus.clone() };
    Some(Pod {
        image: command.image.clone()?,
        args: inside(&command.line(&served.endpoint, 0), served.endpoint.port(0), &names),
        env: gpus.env(&served.env),
        cpus: cpus(process, registry.hosts.get(process.host.value)),
        request: served.memory.container_request(count),
        memory: served.memory.container_limit(count),
        gpus,
        mounts: mounts_of(registry, process.host.value, [served]),
    })
}

/// The mounts in a pod on a host in which the models of roles are.
pub(super) fn mounts_of<'r>(
    registry: &Registry,
    host: Id<Host>,
    roles: impl IntoIterator<Item = &'r ServedRole>,
) -> Vec<Mount> {
    let roles: Vec<&ServedRole> = roles.into_iter().collect();
    let files = roles.iter().flat_map(|role| role.files.iter()).map(|(_, file)| &*file.path);
    let commands = roles.iter().filter_map(|role| role.known_command());
    mounts((registry, host), files, commands.flat_map(|command| command.paths.iter()))
}

/// The pod of the router of a gateway. `None` if it is not a router, or if its engine has no image or was reported.
pub(super) fn of_gateway(
    registry: &Registry,
    gateway: &ServedGateway,
    roles: &[ServedRole],
    groups: &RoleGroups<'_>,
) -> Option<Pod> {
    let command = gateway.router()?;
    let gpus = PodGpus::new(gateway.gpus.iter().flatten());
    let args = inside(&command.line.args, gateway.endpoint.port(0), &gpus);
    let variables = command.profile.family().cache_variable();
    let (request, is_known) = memory_behind(gateway, roles, groups);
    Some(Pod {
        image: registry.engines.get(command.engine).image.as_ref()?.value.clone(),
        args,
        env: gpus.env(&router_env(registry, command.engine, variables)),
        cpus: cpus(&gateway.settings, registry.hosts.get(gateway.settings.host.value)),
        request,
        memory: Some(request).filter(|_| is_known),
        gpus,
        mounts: mounts_of(
            registry,
            gateway.settings.host.value,
            roles.iter().filter(|role| gateway.roles.contains(&role.id)),
        ),
    })
}

/// The folder that hides the models in the cache of the user from a router. It does not exist.
pub const NO_CACHE: &str = "/nonexistent";

/// The variables of the engine of a router. One hides the models in the cache of the user: the router would offer them too.
pub fn router_env(registry: &Registry, engine: Id<Engine>, cache: Option<&str>) -> Variables {
    let cache = cache.map(|name| (name.into(), NO_CACHE.into()));
    let declared = registry.engines.get(engine).env.iter();
    let declared = declared.map(|(name, value)| (name.value.clone(), value.value.clone()));
    cache.into_iter().chain(declared).collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// The arguments inside: the server listens on all addresses, at the port for clients.
fn inside(args: &Arc<[Word]>, port: u16, gpus: &PodGpus) -> Arc<[Word]> {
    let args = rename_devices(args, &gpus.names);
    let word = |word: &Word| match word {
        Word::Host(_) => Word::Host(ALL_ADDRESSES.into()),
        Word::Port(_) => Word::Port(port.to_string().into()),
        Word::Text(_)
        | Word::ModelFile(_)
        | Word::DraftFile(_)
        | Word::ProjectorFile(_)
        | Word::KeyFile(_)
        | Word::PresetFile(_)
        | Word::PortPart(_)
        | Word::ReadPath(_)
        | Word::WritePath(_)
        | Word::Prompt
        | Word::Image => word.clone(),
    };
    args.iter().map(word).collect()
}

/// The CPUs of a process: those of its placement, or else one for each of its threads.
fn cpus(process: &ProcessSettings, host: &Host) -> Option<u32> {
    let placed = process.cpus(host, 0).and_then(|cpus| u32::try_from(cpus.count()).ok());
    placed.or_else(|| process.threads(host, 0)).filter(|count| *count > 0)
}

/// The memory of a router: all models that it may have in memory at the same time, and the margins of a container for each of their
/// processes. True if all parts are known.
fn memory_behind(gateway: &ServedGateway, roles: &[ServedRole], groups: &RoleGroups<'_>) -> (Bytes, bool) {
    let behind: Vec<&ServedRole> = roles.iter().filter(|role| gateway.roles.contains(&role.id)).collect();
    let gpus = gateway.gpus.as_ref().map_or(0, Vec::len);
    let is_known = behind.iter().all(|role| role.memory.container_limit(gpus).is_some());
    let host = gateway.settings.host.value;
    let total = groups.of_hosts().into_iter().find(|group| group.host == host).map_or(Bytes(0), |group| {
        let all = group.roles().map(|role| role.id);
        let others: Vec<_> = all.filter(|id| !gateway.roles.contains(id)).collect();
        let change = LoadChange { gone: &others, ..LoadChange::default() };
        group.load_after(MemoryScope::HOST, change).total
    });
    let most = gateway.most as usize;
    let mut growth: Vec<Bytes> = behind.iter().map(|role| role.memory.growth).collect();
    growth.sort_unstable();
    let growth = growth.into_iter().rev().take(most).fold(Bytes(0), Bytes::plus);
    // The router itself, and each process with its GPUs.
    let margin = most.saturating_mul(gpus.saturating_add(1)).saturating_add(1);
    (with_margin(total.plus(growth), margin), is_known)
}
