//! The placement of a role on the GPUs of its host.

use crate::engine::dialect::{Devices, DraftGpuSpec, GpuSpec, HostExperts, LayersSpec};
use crate::engine::memory::{MemoryOptions, Owner};
use crate::hir::{
    AUTO_GPU, CachePlace, Context, CpuExperts, Draft, Gpu, GpuLayers, GpuPlacement, Host, NO_GPU, Registry,
    Serving, SplitMode,
};
use std::sync::Arc;

/// Bytes of a MiB, the unit of shares and margins.
const MEBIBYTE: u64 = 1 << 20;

/// The GPUs of a role, of its draft and of its projector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleGpus {
    /// The GPUs of the model, in the order in which the engine fills them. Empty: everything is on the host.
    pub devices: Vec<Arc<str>>,
    /// The layers of the model on them.
    pub layers: GpuLayers,
    /// The share of each GPU. Empty if one GPU has everything, or if the engine decides.
    pub shares: Vec<u64>,
    /// The GPUs of the draft, if they are not those of the model. Empty: the draft is on the host.
    pub draft: Option<Vec<Arc<str>>>,
    /// The GPU of the projector. `None` for the host.
    pub projector: Option<Arc<str>>,
}

/// Where the weights of a file are, without its header.
pub(super) enum GpuShares {
    /// In the memory of the host.
    None,
    /// On these GPUs, with their shares.
    All(Vec<(Arc<str>, u64)>),
    /// Partly on GPUs.
    Unknown,
}

impl RoleGpus {
    /// The GPUs of a role. `None` if its host has none.
    pub(super) fn new(registry: &Registry, serving: &Serving) -> Option<Self> {
        let host = registry.hosts.get(serving.host.value);
        if host.gpus.is_empty() {
            return None;
        }
        let placement = serving.placement.gpus();
        let devices: Vec<Arc<str>> = placement.devices.iter().map(|name| name.value.clone()).collect();
        let first = devices.first().cloned();
        let projector = registry.models.get(serving.model.value).projector.as_ref();
        let named = projector.and_then(|projector| projector.gpu.as_ref()).map(|name| &name.value);
        let layers = layers(serving, placement.layers.map(|layers| layers.value));
        Some(Self {
            layers,
            shares: shares(host, placement, layers),
            draft: serving.draft.as_ref().and_then(|draft| draft_devices(draft)),
            // A model without GPUs keeps its projector on the host: its roles decide, not the projector.
            projector: first.and_then(|first| match named {
                Some(name) if &**name == NO_GPU => None,
                Some(name) => Some(name.clone()),
                None => Some(first),
            }),
            devices,
        })
    }

    /// Where the weights of a file are, as far as the registry has it.
    pub(super) fn shares_of(&self, owner: Owner, serving: &Serving) -> GpuShares {
        let placement = serving.placement.gpus();
        let draft = serving.draft.as_deref().map(|draft| &draft.value);
        let all = |names: &'_ [Arc<str>]| -> Vec<(Arc<str>, u64)> {
            let share = |at: usize| match self.shares.get(at) {
                Some(share) => *share,
                // One GPU has everything. The engine gives nothing to a GPU without a share.
                None => u64::from(names.len() == 1),
            };
            names.iter().enumerate().map(|(at, name)| (name.clone(), share(at))).collect()
        };
        let (devices, layers, experts) = match owner {
            Owner::Model => {
                (self.devices.as_slice(), Some(self.layers), placement.cpu_experts.map(|n| n.value))
            }
            Owner::Draft => (
                self.draft.as_deref().unwrap_or(&self.devices),
                draft.map(|draft| draft.layers.map_or(self.draft_layers(), |layers| layers.value)),
                draft.and_then(|draft| draft.cpu_experts).map(|n| n.value),
            ),
            Owner::Projector => {
                return self
                    .projector
                    .as_ref()
                    .map_or(GpuShares::None, |name| GpuShares::All(vec![(name.clone(), 1)]));
            }
        };
        let devices = if is_divided(placement) { devices } else { devices.get(..1).unwrap_or_default() };
        match (layers, experts) {
            _ if devices.is_empty() => GpuShares::None,
            // Without shares the engine divides by the memory that is free.
            _ if devices.len() > 1 && self.shares.is_empty() => GpuShares::Unknown,
            (Some(GpuLayers::All), None) => GpuShares::All(all(devices)),
            _ => GpuShares::Unknown,
        }
    }

    /// Names all GPUs that the engine finds in the options of a process that uses them: its command line has no names.
    pub(super) fn name_found(&self, options: &mut MemoryOptions) {
        if self.devices.iter().any(|name| **name == *AUTO_GPU) {
            options.name_found_devices(AUTO_GPU);
        }
    }

    /// The layers of a draft without `layers`.
    fn draft_layers(&self) -> GpuLayers {
        if self.layers == GpuLayers::Fit { GpuLayers::Fit } else { GpuLayers::All }
    }

    /// All GPUs that the processes use, each once.
    pub fn all(&self) -> Vec<&Arc<str>> {
        let mut all: Vec<&Arc<str>> = Vec::new();
        for name in self.devices.iter().chain(self.draft.iter().flatten()).chain(&self.projector) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }
}

/// The layers on the GPUs. If the engine fits the context, it also fits the layers.
fn layers(serving: &Serving, declared: Option<GpuLayers>) -> GpuLayers {
    let fits = matches!(serving.context.value, Context::Fit(_));
    declared.unwrap_or(if fits { GpuLayers::Fit } else { GpuLayers::All })
}

/// The GPUs of a draft. `None` means those of the model.
fn draft_devices(draft: &Draft) -> Option<Vec<Arc<str>>> {
    let names = draft.gpu.iter().map(|name| name.value.clone());
    (!draft.gpu.is_empty()).then(|| names.filter(|name| &**name != NO_GPU).collect())
}

/// The shares of several GPUs, unless the engine fits the layers: as declared, else their memory without the reserve, as small numbers.
/// Empty if the memory of one is unknown.
fn shares(host: &Host, placement: &GpuPlacement, layers: GpuLayers) -> Vec<u64> {
    if layers == GpuLayers::Fit || !is_divided(placement) {
        return Vec::new();
    }
    if let Some(split) = &placement.split {
        return split.value.iter().map(|share| u64::from(*share)).collect();
    }
    if placement.devices.len() < 2 {
        return Vec::new();
    }
    let gpus = placement.devices.iter().filter_map(|name| host.gpu(name));
    let rooms: Option<Vec<u64>> = gpus.map(|gpu| Some(gpu.room()?.0 / MEBIBYTE)).collect();
    let rooms = rooms.unwrap_or_default();
    let divisor = rooms.iter().fold(0, |divisor, room| common_divisor(divisor, *room)).max(1);
    rooms.into_iter().map(|room| room / divisor).collect()
}

/// True unless one GPU has everything by `split-mode`.
fn is_divided(placement: &GpuPlacement) -> bool {
    placement.split_mode.is_none_or(|mode| mode.value != SplitMode::None)
}

/// The names of the GPUs of a host. `None` if they are unknown.
pub(super) fn gpu_names(host: &Host) -> Option<Vec<&str>> {
    let is_known = !host.gpus.iter().any(Gpu::is_auto);
    is_known.then(|| host.gpus.iter().map(|gpu| &*gpu.name.value).collect())
}

/// The mebibytes of a GPU that stay free. `None` if the registry declares neither its memory nor its reserve.
pub(super) fn margin(gpu: &Gpu) -> Option<u64> {
    let is_declared = gpu.memory.is_some() || gpu.reserve.is_some();
    gpu.reserved().filter(|_| is_declared).map(|reserve| reserve.0.div_ceil(MEBIBYTE))
}

/// The mebibytes that the engine keeps free of each GPU by default (`--fit-target`).
const DEFAULT_MARGIN: u64 = 1024;

/// The mebibytes of each GPU that stay free. Empty if none are declared.
fn margins<'h>(gpus: impl Iterator<Item = &'h Gpu>) -> Vec<u64> {
    let margins: Vec<Option<u64>> = gpus.map(margin).collect();
    if margins.iter().all(Option::is_none) {
        return Vec::new();
    }
    margins.into_iter().map(|margin| margin.unwrap_or(DEFAULT_MARGIN)).collect()
}

fn common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common_divisor(other, one % other) }
}

/// The specification for the command line. It borrows the lists.
pub(super) struct GpuLists<'r> {
    devices: Vec<&'r str>,
    draft: Option<Vec<&'r str>>,
    projector: Vec<&'r str>,
    margins: Vec<u64>,
    gpus: &'r RoleGpus,
    placement: &'r GpuPlacement,
    serving: &'r Serving,
}

impl<'r> GpuLists<'r> {
    pub(super) fn new(host: &Host, serving: &'r Serving, gpus: &'r RoleGpus) -> Self {
        let names = |names: &'r [Arc<str>]| names.iter().map(|name| &**name).collect::<Vec<&str>>();
        let fits = gpus.layers == GpuLayers::Fit;
        let known = gpus.devices.iter().filter(|_| fits).filter_map(|name| host.gpu(name));
        Self {
            devices: names(&gpus.devices),
            draft: gpus.draft.as_deref().map(names),
            projector: gpus.projector.as_deref().into_iter().collect(),
            margins: margins(known),
            gpus,
            placement: serving.placement.gpus(),
            serving,
        }
    }

    pub(super) fn spec(&self) -> GpuSpec<'_> {
        let Self { gpus, placement, .. } = self;
        GpuSpec {
            devices: devices(&self.devices),
            layers: layers_spec(gpus.layers),
            shares: &gpus.shares,
            split_mode: placement.split_mode.map(|mode| mode.value.word()),
            host_experts: host_experts(placement.cpu_experts.map(|experts| experts.value)),
            cache_on_host: placement.kv.is_some_and(|kv| kv.value == CachePlace::Host),
            margins: &self.margins,
            projector: devices(&self.projector),
            draft: self.serving.draft.as_ref().map(|draft| self.draft(draft)),
        }
    }

    fn draft(&self, draft: &Draft) -> DraftGpuSpec<'_> {
        let of_role = self.gpus.draft_layers();
        DraftGpuSpec {
            devices: self.draft.as_deref().map(devices),
            layers: layers_spec(draft.layers.map_or(of_role, |layers| layers.value)),
            host_experts: host_experts(draft.cpu_experts.map(|experts| experts.value)),
        }
    }
}

fn devices<'n>(names: &'n [&'n str]) -> Devices<'n> {
    match names {
        [] => Devices::Host,
        [AUTO_GPU] => Devices::Found,
        names => Devices::Named(names),
    }
}

fn layers_spec(layers: GpuLayers) -> LayersSpec {
    match layers {
        GpuLayers::All => LayersSpec::All,
        GpuLayers::Fit => LayersSpec::Fit,
        GpuLayers::Count(count) => LayersSpec::Count(count),
    }
}

fn host_experts(experts: Option<CpuExperts>) -> HostExperts {
    match experts {
        None => HostExperts::Count(0),
        Some(CpuExperts::All) => HostExperts::All,
        Some(CpuExperts::Count(layers)) => HostExperts::Count(layers),
    }
}
