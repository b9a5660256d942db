//! The pods of Kubernetes: one for each replica of a role whose engine has an image, and for each router.

use super::process::RoleNumbers;
use super::{Mount, PresetEntry};
use crate::check::Checked;
use crate::derive::{self, PodGpus, ServedGateway};
use crate::engine::Word;
use crate::hir::kubernetes::GpuResource;
use crate::hir::{self, Bytes, Id, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The pods of a role or of a router.
#[derive(Clone, Debug)]
pub struct Pod {
    /// The role or the server of the gateway, as an index into [`Plan::roles`](super::Plan::roles).
    pub role: usize,
    /// The image. Its entry point is the server.
    pub image: Arc<str>,
    /// The arguments: the server listens on all addresses, and its GPUs have the names inside.
    pub args: Arc<[Word]>,
    /// The variables, in byte order of names.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// The number of CPUs of a pod. `None` if it is unknown.
    pub cpus: Option<u32>,
    /// The memory that it requests.
    pub request: Bytes,
    /// The limit of its memory. `None` if it is unknown.
    pub memory: Option<Bytes>,
    /// The number of GPUs of each resource.
    pub gpus: BTreeMap<GpuResource, u32>,
    /// The files and folders that the server uses, in byte order of paths.
    pub mounts: Vec<Mount>,
    /// The name of its machine. `None` if no host is declared.
    pub node: Option<Arc<str>>,
    /// The options of the models of a router, with the names of GPUs inside: each role, as an index into
    /// [`Plan::roles`](super::Plan::roles).
    pub presets: Vec<(usize, Box<[PresetEntry]>)>,
}

/// The pods of all roles and routers whose engine has an image, in the order of [`Plan::roles`](super::Plan::roles).
pub(super) fn pods(checked: &Checked, numbers: &RoleNumbers) -> Vec<Pod> {
    let source = PodSource { checked, registry: checked.registry(), numbers };
    let roles = checked.roles().filter_map(|(served, _)| {
        let pod = checked.derived().pod(served)?;
        let number = *numbers.get(&served.id)?;
        Some(source.pod(number, pod, served.serving.host.value))
    });
    let gateways = checked.derived().gateways.iter().zip(numbers.len()..);
    roles.chain(gateways.filter_map(|(gateway, number)| source.router(gateway, number))).collect()
}

struct PodSource<'c> {
    checked: &'c Checked,
    registry: &'c Registry,
    numbers: &'c RoleNumbers,
}

impl PodSource<'_> {
    fn pod(&self, role: usize, pod: derive::Pod, host: Id<hir::Host>) -> Pod {
        let machine = self.registry.hosts.get(host);
        Pod {
            role,
            image: pod.image,
            args: pod.args,
            env: pod.env,
            cpus: pod.cpus,
            request: pod.request,
            memory: pod.memory,
            gpus: pod.gpus.counts,
            mounts: pod.mounts,
            node: Some(machine.head.name.value.clone()).filter(|_| !machine.is_implied()),
            presets: Vec::new(),
        }
    }

    fn router(&self, gateway: &ServedGateway, number: usize) -> Option<Pod> {
        let pod = self.checked.derived().pod_of_gateway(gateway)?;
        let behind = self.checked.roles().filter(|(role, _)| gateway.roles.contains(&role.id));
        let presets = behind.filter_map(|(role, command)| {
            let entries = command.server().preset.iter().map(|entry| renamed(entry, &pod.gpus));
            Some((*self.numbers.get(&role.id)?, entries.collect()))
        });
        let presets = presets.collect();
        Some(Pod { presets, ..self.pod(number, pod, gateway.settings.host.value) })
    }
}

fn renamed(entry: &PresetEntry, gpus: &PodGpus) -> PresetEntry {
    PresetEntry { key: entry.key.clone(), value: gpus.rename(&entry.key, &entry.value).into() }
}
