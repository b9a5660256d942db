//! Everything that follows for one served role.

use super::command::{RoleCommand, RoleSettings};
use super::container::ContainerDevices;
use super::endpoint::Endpoint;
use super::files::{LoadTime, RoleFiles};
use super::gpu::RoleGpus;
use super::memory::RoleMemory;
use super::pairs::{DraftVerdict, draft_verdict};
use super::placement::{PerInstance, ProcessPlacement};
use super::profiles::SharedProfile;
use crate::diag::Reported;
use crate::facts::Lock;
use crate::hir::{Engine, Id, Registry, Role, Serving};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role with its own processes, and everything that follows for them.
#[derive(Clone, Debug)]
pub struct ServedRole {
    /// The role.
    pub id: Id<Role>,
    /// Its serving settings.
    pub serving: Arc<Serving>,
    /// Its addresses and ports.
    pub endpoint: Endpoint,
    /// Its model files.
    pub files: RoleFiles,
    /// The environment of its processes, in byte order of names.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// Its GPUs. `None` on a host without GPUs.
    pub gpus: Option<Box<RoleGpus>>,
    /// The devices of its container. `None` if its program is on the host.
    pub container: Option<Box<ContainerDevices>>,
    /// The placement of its processes.
    pub placement: PerInstance<ProcessPlacement>,
    /// Its command lines, or the proof that its engine was reported.
    pub command: Result<Arc<RoleCommand>, Reported>,
    /// The verdict about its draft. `None` without a draft, or if the engine was reported.
    pub draft: Option<Box<DraftVerdict>>,
    /// The memory of each of its processes.
    pub memory: RoleMemory,
    /// The upper limit of the load time of a process.
    pub load_time: LoadTime,
}

/// A role whose values are not derived yet.
pub(super) struct RoleSource {
    pub(super) id: Id<Role>,
    pub(super) serving: Arc<Serving>,
    /// Its engine and the profile of that, or the proof that one of them was reported.
    pub(super) engine: Result<(Id<Engine>, SharedProfile), Reported>,
    /// True if no earlier role serves the model, and the model generates text.
    pub(super) has_one_shot: bool,
    /// The names of the roles that share its processes.
    pub(super) sharers: Vec<Arc<str>>,
}

impl RoleSource {
    /// Derives everything except the computed memory: equal roles share that computation.
    pub(super) fn derive(self, registry: &Registry, lock: &Lock) -> ServedRole {
        let Self { id, serving, engine, has_one_shot, sharers } = self;
        let name = &registry.roles.get(id).head.name.value;
        let aliases = serving.aliases().iter().map(|alias| &alias.value);
        let names = std::iter::once(name).chain(&sharers).chain(aliases).cloned().collect();
        let endpoint = Endpoint::new(registry, &serving, names);
        let files = RoleFiles::new(registry, &serving);
        let (host, env) = (registry.hosts.get(serving.host.value), env(registry, &serving));
        let gpus = RoleGpus::new(registry, &serving);
        let settings = RoleSettings {
            registry,
            gpus: gpus.as_ref(),
            lock,
            serving: &serving,
            files: &files,
            endpoint: &endpoint,
            env: &env,
            has_one_shot,
        };
        let command = engine.map(|(engine, profile)| Arc::new(settings.command(engine, &profile)));
        let profile = command.as_ref().map(|command| &command.profile).ok();
        ServedRole {
            id,
            env,
            container: registry.is_container(&serving).then(|| Box::new(ContainerDevices::of(gpus.as_ref()))),
            gpus: gpus.map(Box::new),
            placement: PerInstance::new(&serving, host, |n| ProcessPlacement::new(&serving, host, n)),
            draft: profile.and_then(|profile| draft_verdict(registry, lock, profile, &serving)).map(Box::new),
            memory: RoleMemory::default(),
            load_time: Err(""),
            endpoint,
            files,
            command,
            serving,
        }
    }
}

/// The variables of the engine and the role. The role wins.
fn env(registry: &Registry, serving: &Serving) -> Vec<(Arc<str>, Arc<str>)> {
    let engine = serving.engine.iter().flat_map(|engine| &registry.engines.get(engine.value).env);
    let all = engine.chain(&serving.env).map(|(name, value)| (name.value.clone(), value.value.clone()));
    all.collect::<BTreeMap<_, _>>().into_iter().collect()
}

impl ServedRole {
    /// True if its processes read the model files in random order.
    pub(super) fn reads_at_random(&self) -> bool {
        self.known_command().is_some_and(|command| command.reads_at_random)
    }

    /// The command lines. `None` if the engine was reported.
    pub fn known_command(&self) -> Option<&RoleCommand> {
        self.command.as_deref().ok()
    }
}
