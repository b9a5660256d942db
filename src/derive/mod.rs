//! Computes everything that follows from a registry, its lock and the profiles of its engines: command lines, files, memory.
//!
//! [`derive()`] computes it once, in parallel over the roles. The result is plain data: checks, the plan and commands only
//! read it. Each module imports only modules above it in this table.
//!
//! ```text
//! locked      facts of the model files in the lock
//! drafting    kinds and lengths of drafts
//! profiles    the profiles of the engines
//! endpoint    addresses, ports and names
//! gpu         GPUs of each role
//! placement   memory policy and CPUs of each process
//! files       model files and folders
//! overrides   metadata overrides
//! container   devices of a container, and texts that it cannot have
//! command     command lines
//! requests    settings that a gateway writes into requests
//! memory      what sums count of the memory of a role
//! pairs       verdicts about drafts
//! role        one role that an engine serves
//! program     one role that another program serves
//! gateway     one address for several roles
//! process     what both have in common
//! sandbox     sandbox level and device files of a role
//! parts       the memory of each role, computed from headers
//! start       time limits of starts
//! place       portions of memory by place
//! swap_sets   sets of roles that llama-swap may have in memory
//! resident    memory of several roles, in which a mapped file counts once
//! tally       a sum of memory with its lines
//! loads       sums of memory
//! incomplete  what these sums lack
//! mounts      files and folders of a pod of Kubernetes
//! pod         image, resources and command line of a pod of Kubernetes
//! set_changes roles to remove from declared sets, so that a sum fits
//! swapping    which roles behind llama-swap fit into memory together
//! fitting     other settings with which a role fits into its GPUs
//! peers       servers to which a gateway forwards requests
//! ```

mod command;
mod container;
pub mod drafting;
mod endpoint;
mod files;
mod fitting;
mod gateway;
mod gpu;
mod incomplete;
mod loads;
pub mod locked;
pub mod memory;
mod mounts;
pub mod overrides;
pub mod pairs;
mod parts;
mod peers;
mod place;
mod placement;
mod pod;
mod process;
mod profiles;
mod program;
pub mod requests;
mod resident;
mod role;
pub mod sandbox;
mod set_changes;
mod start;
pub mod swap_sets;
mod swapping;
mod tally;

pub use command::{RoleCommand, faults_of_option};
pub use container::{ContainerDevices, uncarried_path, uncarried_value, uncarried_word};
pub use endpoint::{
    ClientAddress, Endpoint, HIDDEN_DISTANCE, base_url, client_address, client_addresses, first_model_port,
    only_service, wildcard_takes,
};
pub use files::{LoadTime, ModelFile, RoleFiles};
pub use fitting::{Alternative, FittingRole};
pub use gateway::{GatewayServer, PROGRAM_START, RouterCommand, ServedGateway, SwapCommand, preset_file};
pub use gpu::RoleGpus;
pub use loads::{LoadChange, RoleGroup, RoleGroups};
pub use memory::{MemoryKind, MemoryPart, RoleMemory};
pub use mounts::{Mount, MountSource};
pub use pairs::RoleDraft;
pub use peers::{NoPeer, PeerAddress, ServedPeer, Unreachable};
pub use place::{MemoryScope, Place};
pub use placement::{MemoryPolicy, PerInstance, ProcessPlacement};
pub use pod::{NO_CACHE, POD_USER, Pod, PodGpus, router_env, selects_gpus};
pub use process::ServedProcess;
pub use profiles::{CODES, ProfileSources, ProfileText, SharedProfile};
pub use program::ServedProgram;
pub use role::ServedRole;
pub use swap_sets::SwapSets;
pub use tally::{LoadLine, MemoryLoad};

use crate::diag::{Diagnostics, Reported};
use crate::engine::Profile;
use crate::facts::Lock;
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Engine, Gateway, Gpu, Head, Host, Id, Peer, Registry, Residency, Role, RoleKind, Serving};
use crate::source::Spanned;
use peers::PeerSource;
use rayon::prelude::*;
use role::RoleSource;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A registry with its lock, and everything that follows from them.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The lowered registry.
    pub registry: Registry,
    /// The lock.
    pub lock: Lock,
    /// The profile of each engine, in the order of declaration.
    pub profiles: Vec<Result<SharedProfile, Reported>>,
    /// The roles that engines serve with their own processes, in the order of declaration.
    pub roles: Vec<ServedRole>,
    /// The roles that other programs serve, in the order of declaration.
    pub programs: Vec<ServedProgram>,
    /// The gateways with at least one role, in the order of declaration.
    pub gateways: Vec<ServedGateway>,
    /// The sets of roles that the gateways of llama-swap may have in memory.
    pub swap_sets: Vec<SwapSets>,
}

/// Computes everything that follows from a registry and its lock. Reports engines without a profile.
pub fn derive(
    registry: Registry,
    lock: Lock,
    sources: ProfileSources<'_>,
    findings: &mut Diagnostics,
) -> Derived {
    let profiles = sources.resolve(&registry, findings);
    let sources = role_sources(&registry, &profiles, findings).into_par_iter();
    let mut roles: Vec<ServedRole> = sources.map(|role| role.derive(&registry, &lock)).collect();
    parts::measure(&registry, &lock, &mut roles);
    start::measure(&registry, &mut roles);
    let programs = programs(&registry);
    let unknown = |gateway: &Gateway| unknown_engine(&gateway.head, findings);
    let gateways = gateway::gateways(&registry, &profiles, (&roles, &programs), unknown);
    let mut derived = Derived { registry, lock, profiles, roles, programs, gateways, swap_sets: Vec::new() };
    derived.swap_sets = derived.find_swap_sets();
    let swapping = derived.gateways.iter_mut().filter(|served| served.swap().is_some());
    for (served, sets) in swapping.zip(&derived.swap_sets) {
        served.most = u32::try_from(sets.most()).unwrap_or(u32::MAX);
    }
    derived
}

/// The roles that other programs serve.
fn programs(registry: &Registry) -> Vec<ServedProgram> {
    let sharers = registry.sharers();
    let programs = registry.roles.entries().filter_map(|(id, role)| match &role.kind {
        RoleKind::Program(program) => {
            let sharers = sharers.get(&id).map(Vec::as_slice).unwrap_or_default();
            Some(ServedProgram::new(registry, id, program, sharers))
        }
        RoleKind::Served(_) | RoleKind::Shares(_) | RoleKind::Listed(_) => None,
    });
    programs.collect()
}

/// The roles with their own processes, with the profiles of their engines.
fn role_sources(
    registry: &Registry,
    profiles: &[Result<SharedProfile, Reported>],
    findings: &mut Diagnostics,
) -> Vec<RoleSource> {
    let engines: Vec<Result<(Id<Engine>, SharedProfile), Reported>> = (registry.engines.entries())
        .zip(profiles)
        .map(|((id, _), profile)| Ok((id, profile.clone()?)))
        .collect();
    let mut sharers = registry.sharers();
    let mut prompted = BTreeSet::new();
    let mut sources = Vec::new();
    for (id, role) in registry.roles.entries() {
        let RoleKind::Served(serving) = &role.kind else { continue };
        let engine = serving.engine.and_then(|engine| engines.get(engine.value.number()));
        sources.push(RoleSource {
            id,
            engine: engine.cloned().unwrap_or_else(|| Err(unknown_engine(&role.head, findings))),
            // A one-shot command runs on the host.
            has_one_shot: serving.pooling.is_none()
                && !registry.is_container(serving)
                && prompted.insert(serving.model.value),
            serving: Arc::clone(serving),
            sharers: sharers.remove(&id).unwrap_or_default(),
        });
    }
    sources
}

/// The proof that the engine of a role or a gateway was reported as unknown.
fn unknown_engine(head: &Head, findings: &mut Diagnostics) -> Reported {
    findings.reported().unwrap_or_else(|| {
        let message = format!("{head} uses an unknown engine");
        findings.report(UNKNOWN_NAME.at(head.name.span, "unknown engine", message).about(head))
    })
}

/// The reason why the memory of another program on a GPU is unknown.
const OF_PROGRAM: &str = "it has a `command`, and how much of its memory is on the GPU is unknown";

/// The reason why a sum without a lock is incomplete.
const ONLY_FILES: &str = "only file sizes are summed: caches and buffers need the file headers in the lock";

impl Derived {
    /// The profile of an engine. `None` if it was reported.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&Profile> {
        self.profiles.get(engine.number())?.as_ref().ok().map(|profile| &***profile)
    }

    /// The profile of a role's engine. `None` if it was reported.
    pub fn profile_of(&self, serving: &Serving) -> Option<&Profile> {
        self.profile(serving.engine?.value)
    }

    /// The roles with known command lines, in the order of declaration.
    pub fn commands(&self) -> impl Iterator<Item = (&Role, &ServedRole, &RoleCommand)> {
        self.roles
            .iter()
            .filter_map(|served| Some((self.registry.roles.get(served.id), served, served.known_command()?)))
    }

    /// All roles with their own processes, of any program, in the order of declaration.
    pub fn processes(&self) -> impl Iterator<Item = ServedProcess<'_>> {
        let roles = self.roles.iter().map(ServedProcess::from);
        let mut all: Vec<_> = roles.chain(self.programs.iter().map(ServedProcess::from)).collect();
        all.sort_by_key(|process| process.id);
        all.into_iter()
    }

    /// All served roles with a draft and a known profile.
    pub fn role_drafts(&self) -> impl Iterator<Item = RoleDraft<'_>> {
        self.commands().filter_map(|(role, served, command)| {
            let (serving, profile) = (&*served.serving, &*command.profile);
            let ((draft, model), verdict) = (serving.draft_model()?, served.draft.as_ref()?);
            Some(RoleDraft { role, serving, draft, model, profile, verdict })
        })
    }

    /// The roles that engines serve on a GPU.
    fn served_on(&self, host: Id<Host>, gpu: &Gpu) -> impl Iterator<Item = &ServedRole> {
        let on_host = self.roles.iter().filter(move |role| role.serving.host.value == host);
        on_host
            .filter(|role| role.gpus.iter().flat_map(|gpus| gpus.all()).any(|name| **name == *gpu.name.value))
    }

    /// The roles that other programs serve on a GPU.
    fn programs_on(&self, host: Id<Host>, gpu: &Gpu) -> impl Iterator<Item = Id<Role>> {
        let on_host = self.programs.iter().filter(move |role| role.program.host.value == host);
        let on_gpu = on_host.filter(|role| {
            role.program.placement.gpus().devices.iter().any(|name| name.value == gpu.name.value)
        });
        on_gpu.map(|role| role.id)
    }

    /// The roles that use a GPU.
    pub fn on_gpu(&self, host: Id<Host>, gpu: &Gpu) -> impl Iterator<Item = Id<Role>> {
        self.served_on(host, gpu).map(|role| role.id).chain(self.programs_on(host, gpu))
    }

    /// The roles whose memory on a GPU is not completely known, each with the reason as a clause.
    pub fn unknown_on_gpu(&self, host: Id<Host>, gpu: &Gpu) -> impl Iterator<Item = (Id<Role>, &str)> {
        let roles = self.served_on(host, gpu).filter_map(|role| {
            let only_files = (!role.memory.is_computed()).then_some(ONLY_FILES);
            Some((role.id, role.memory.unknown_on(&gpu.name).or(only_files)?))
        });
        roles.chain(self.programs_on(host, gpu).map(|role| (role, OF_PROGRAM)))
    }

    /// The gateway that can limit the roles of a residency on a host: all of them are behind it, and if it is a router, no other
    /// role.
    pub fn limiting_gateway(
        &self,
        residency: Id<Residency>,
        group: &RoleGroup<'_>,
    ) -> Option<&ServedGateway> {
        let mut gateways = group.roles().map(|role| role.settings.gateway.map(|id| id.value));
        let first = gateways.next()??;
        let is_only = gateways.all(|other| other == Some(first));
        let served = self.gateways.iter().find(|gateway| gateway.id == first)?;
        let can_limit = served.swap().is_some() || served.only_residency() == Some(residency);
        (is_only && can_limit).then_some(served)
    }

    /// The peers of a gateway, in the order of declaration, each once. Those that cannot be peers are left out.
    pub fn peers(&self, gateway: Id<Gateway>) -> Vec<ServedPeer<'_>> {
        self.peer_source().all(gateway)
    }

    /// A peer of a gateway, or the reason why it is not possible.
    pub fn peer(&self, gateway: Id<Gateway>, peer: Spanned<Peer>) -> Result<ServedPeer<'_>, NoPeer> {
        self.peer_source().one(gateway, peer)
    }

    fn peer_source(&self) -> PeerSource<'_> {
        let processes = self.processes().collect();
        PeerSource { registry: &self.registry, gateways: &self.gateways, processes }
    }

    /// Memory sums over roles, residencies and hosts.
    pub fn loads(&self) -> RoleGroups<'_> {
        RoleGroups::new(&self.registry, self.processes(), &self.swap_sets)
    }

    /// The pod of a role in Kubernetes. `None` if its engine has no image or was reported, or if a gateway starts its process.
    pub fn pod(&self, served: &ServedRole) -> Option<Pod> {
        pod::of_role(&self.registry, served)
    }

    /// The mounts that a role needs in its pod, or in that of its router. Without those of its options if its engine was reported.
    pub fn mounts(&self, served: &ServedRole) -> Vec<Mount> {
        pod::mounts_of(&self.registry, served.serving.host.value, [served])
    }

    /// The pod of a gateway in Kubernetes. `None` if it is not a router, or if its engine has no image or was reported.
    pub fn pod_of_gateway(&self, gateway: &ServedGateway) -> Option<Pod> {
        pod::of_gateway(&self.registry, gateway, &self.roles, &self.loads())
    }

    fn find_swap_sets(&self) -> Vec<SwapSets> {
        if self.gateways.iter().all(|served| served.swap().is_none()) {
            return Vec::new();
        }
        let processes: Vec<ServedProcess<'_>> = self.processes().collect();
        let hosts = self.registry.hosts.entries();
        let on_gpus = hosts.flat_map(|(id, host)| {
            host.gpus.iter().flat_map(move |gpu| {
                let of_unknown_size = self.on_gpu(id, gpu).filter(|_| gpu.memory.is_none());
                self.unknown_on_gpu(id, gpu).map(|(role, _)| role).chain(of_unknown_size)
            })
        });
        let mut unknown: BTreeSet<Id<Role>> = on_gpus.collect();
        let is_unknown = |process: &&ServedProcess<'_>| {
            process.memory.lacks_size || !process.is_program && !process.memory.is_computed()
        };
        unknown.extend(processes.iter().filter(is_unknown).map(|process| process.id));
        swapping::swap_sets(&self.registry, &self.gateways, &processes, &unknown)
    }
}
