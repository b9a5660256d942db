//! The GPUs of each host, and what each role puts on them.

use super::memory::has_several_hosts;
use super::text;
use crate::derive::{Derived, RoleGpus, ServedRole};
use crate::hir::{self, Bytes, CachePlace, CpuExperts, GpuLayers, Host};
use serde::Serialize;
use std::sync::Arc;

/// The GPUs of all hosts, and the roles on these hosts.
#[derive(Debug, Serialize)]
pub struct Gpus {
    /// The GPUs, in the order of declaration.
    pub rows: Vec<GpuRow>,
    /// The roles on the hosts with GPUs, in the order of declaration.
    pub roles: Vec<PlacedRole>,
    /// True if at least two hosts have roles.
    pub has_hosts: bool,
}

/// A GPU.
#[derive(Debug, Serialize)]
pub struct GpuRow {
    /// Its name for the engine.
    pub name: Arc<str>,
    /// Its product name.
    pub title: Option<Arc<str>>,
    /// Its memory. `None` if it is not declared.
    pub memory: Option<Bytes>,
    /// The memory that stays free. `None` without a memory or a reserve.
    pub reserve: Option<Bytes>,
    /// The host. `None` if only one host has roles.
    pub host: Option<Arc<str>>,
}

/// A role on a host with GPUs.
#[derive(Debug, Serialize)]
pub struct PlacedRole {
    /// Its name.
    pub name: Arc<str>,
    /// The GPUs of its model. Empty: the model is on the host.
    pub gpus: Vec<Arc<str>>,
    /// The layers on the GPUs. `None` without GPUs, or if another program decides it.
    pub layers: Option<PlacedLayers>,
    /// The share of each GPU. Empty if one GPU has everything, or if the engine decides.
    pub shares: Vec<u64>,
    /// The leading layers whose experts are on the host.
    pub cpu_experts: Option<PlacedLayers>,
    /// True if the KV cache is on the host although the model has GPUs.
    pub is_cache_on_host: bool,
    /// Its draft and its projector, if they are elsewhere.
    pub others: Vec<PlacedFile>,
    /// The host. `None` if only one host has roles.
    pub host: Option<Arc<str>>,
}

/// A draft or a projector that is not on the GPUs of the model.
#[derive(Debug, Serialize)]
pub struct PlacedFile {
    /// `draft` or `projector`.
    pub what: &'static str,
    /// Its GPUs. Empty: it is on the host.
    pub gpus: Vec<Arc<str>>,
}

/// A number of layers.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "kind", content = "count", rename_all = "kebab-case")]
pub enum PlacedLayers {
    /// All layers.
    All,
    /// As many as fit: the engine decides when it starts.
    Fit,
    /// This number.
    Count(u32),
}

pub(super) fn gpus(derived: &Derived) -> Gpus {
    let (registry, has_hosts) = (&derived.registry, has_several_hosts(derived));
    let host_name = |host: &Host| has_hosts.then(|| host.head.name.value.clone());
    let of_host = |host: &Host| {
        let row = |gpu: &hir::Gpu| GpuRow {
            name: gpu.name.value.clone(),
            title: text(gpu.title.as_ref()),
            memory: gpu.memory.map(|memory| memory.value),
            reserve: gpu.reserved().filter(|_| gpu.memory.is_some() || gpu.reserve.is_some()),
            host: host_name(host),
        };
        host.gpus.iter().map(row).collect::<Vec<_>>()
    };
    let placed = |served: &ServedRole| {
        let role = registry.roles.get(served.id).head.name.value.clone();
        let host = host_name(registry.hosts.get(served.serving.host.value));
        Some(PlacedRole { host, ..of_engine(role, served, served.gpus.as_deref()?, derived) })
    };
    let programs = derived.programs.iter().filter_map(|served| {
        let role = registry.roles.get(served.id).head.name.value.clone();
        let host = host_name(registry.hosts.get(served.program.host.value));
        Some(PlacedRole { host, ..of_program(role, served.used_gpus()?) })
    });
    Gpus {
        rows: registry.hosts.iter().flat_map(of_host).collect(),
        roles: derived.roles.iter().filter_map(placed).chain(programs).collect(),
        has_hosts,
    }
}

fn of_engine(name: Arc<str>, served: &ServedRole, gpus: &RoleGpus, derived: &Derived) -> PlacedRole {
    let placement = served.serving.placement.gpus();
    let has_gpus = !gpus.devices.is_empty();
    let has_projector = derived.registry.models.get(served.serving.model.value).projector.is_some();
    let has_own_projector = has_gpus && has_projector && gpus.projector.as_ref() != gpus.devices.first();
    let draft = gpus.draft.clone().filter(|_| served.serving.draft.is_some());
    let projector = has_own_projector.then(|| gpus.projector.iter().cloned().collect());
    let others = [("draft", draft), ("projector", projector)].into_iter();
    PlacedRole {
        layers: has_gpus.then_some(match gpus.layers {
            GpuLayers::All => PlacedLayers::All,
            GpuLayers::Fit => PlacedLayers::Fit,
            GpuLayers::Count(count) => PlacedLayers::Count(count),
        }),
        shares: gpus.shares.clone(),
        cpu_experts: placement.cpu_experts.filter(|_| has_gpus).map(|experts| match experts.value {
            CpuExperts::All => PlacedLayers::All,
            CpuExperts::Count(count) => PlacedLayers::Count(count),
        }),
        is_cache_on_host: has_gpus && placement.kv.is_some_and(|kv| kv.value == CachePlace::Host),
        others: others.filter_map(|(what, gpus)| Some(PlacedFile { what, gpus: gpus? })).collect(),
        gpus: gpus.devices.clone(),
        ..of_program(name, Vec::new())
    }
}

/// The role of another program, which decides what it puts on its GPUs.
fn of_program(name: Arc<str>, gpus: Vec<Arc<str>>) -> PlacedRole {
    PlacedRole {
        name,
        gpus,
        layers: None,
        shares: Vec::new(),
        cpu_experts: None,
        is_cache_on_host: false,
        others: Vec::new(),
        host: None,
    }
}
