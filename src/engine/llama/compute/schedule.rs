//! The device of each operation: `ggml_backend_sched_split_graph` of `ggml/src/ggml-backend.cpp`, llama.cpp b11434, passes 1
//! to 4.
//!
//! A back end is the index of a device; the last one is the host. An operation runs where its weights are. The others run
//! where their neighbours run, on a device rather than on the host.

use super::backend::Api;
use super::graph::{Graph, Home, Op, Section, Storage, Tensor, TensorId};
use crate::engine::offload::Offload;

/// The smallest batch for which a device takes over operations whose weights are on the host (`GGML_OP_OFFLOAD_MIN_BATCH`
/// of `ggml/src/ggml-cuda/ggml-cuda.cu` and `ggml/src/ggml-vulkan/ggml-vulkan.cpp`, b11434).
const MIN_OFFLOADED_BATCH: u64 = 32;

/// The back ends and how the context uses them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine<'m> {
    pub(super) offload: &'m Offload,
    /// The interface to each device.
    pub(super) apis: &'m [Api],
    /// True if devices take over operations of large batches whose weights are on the host (`op_offload`).
    pub(super) op_offload: bool,
    /// True if norms run where the weights of their layer are (`graph_get_cb` of `src/llama-context.cpp`).
    pub(super) pins_norms: bool,
    /// The size in bytes of the largest tensor that Vulkan computes or reads.
    pub(super) max_vulkan_tensor: u64,
    /// The number of copies of each input (`n_copies`): more than one with pipeline parallelism.
    pub(super) copies: usize,
}

impl Machine<'_> {
    /// The back end of the host.
    pub(super) fn host(&self) -> usize {
        self.offload.devices.len()
    }

    /// True if weights of the host are copied to devices.
    pub(super) fn copies_weights(&self) -> bool {
        self.op_offload && self.host() > 0 && (!self.offload.is_complete() || self.offload.host_experts > 0)
    }

    /// The back end of a weight or cache. Weights that are too large for Vulkan stay on the host.
    fn place(&self, tensor: &Tensor, home: Home) -> usize {
        let backend = self.home(home);
        let is_vulkan = self.apis.get(backend) == Some(&Api::Vulkan);
        let is_too_large = is_vulkan && tensor.is_weight() && tensor.bytes() > self.max_vulkan_tensor;
        if is_too_large { self.host() } else { backend }
    }

    /// The back end of a part of a model.
    fn home(&self, home: Home) -> usize {
        let device = match home {
            Home::Input => None,
            Home::Output => self.offload.output,
            Home::Experts(layer) if layer < self.offload.host_experts => None,
            Home::Cache(_) if self.offload.cache_on_host => None,
            Home::Layer(layer) | Home::Experts(layer) | Home::Cache(layer) => self.offload.device_of(layer),
        };
        device.filter(|device| *device < self.host()).unwrap_or(self.host())
    }
}

/// The back end of each tensor, by its index.
pub(super) fn backends(graph: &Graph, machine: &Machine<'_>) -> Vec<usize> {
    let mut assignment = Assignment { graph, machine, backends: vec![None; graph.tensors.len()] };
    assignment.assign_by_storage();
    assignment.expand(graph.nodes.iter(), Reach::Devices);
    assignment.expand(graph.nodes.iter().rev(), Reach::Devices);
    assignment.expand(graph.nodes.iter(), Reach::All);
    assignment.expand(graph.nodes.iter().rev(), Reach::All);
    assignment.assign_others();
    assignment.backends.into_iter().map(|backend| backend.unwrap_or(machine.host())).collect()
}

/// True if flash attention runs where its layer is. Otherwise llama.cpp turns it off, unless the user asks for it
/// (`llama_context::resolve_fused_ops` of `src/llama-context.cpp`, b11434).
pub(super) fn keeps_flash_attention(graph: &Graph, machine: &Machine<'_>, backends: &[usize]) -> bool {
    graph.nodes.iter().all(|id| {
        let tensor = graph.tensor(*id);
        let Section::Layer(layer) = tensor.section else { return true };
        let backend = backends.get(id.index()).copied();
        tensor.op != Op::FlashAttention || backend == Some(machine.home(Home::Layer(layer)))
    })
}

/// Which back ends an operation can take over from its neighbour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Devices,
    All,
}

struct Assignment<'a> {
    graph: &'a Graph,
    machine: &'a Machine<'a>,
    backends: Vec<Option<usize>>,
}

impl Assignment<'_> {
    fn get(&self, id: TensorId) -> Option<usize> {
        self.backends.get(id.index()).copied().flatten()
    }

    /// True if a back end computes an operation. The host computes all.
    fn supports(&self, backend: usize, tensor: &Tensor) -> bool {
        let Some(api) = self.machine.apis.get(backend) else { return true };
        let fits = |tensor: &Tensor| *api != Api::Vulkan || tensor.bytes() <= self.machine.max_vulkan_tensor;
        let mut sources = tensor.sources.iter().map(|source| self.graph.tensor(*source));
        api.supports(tensor.unsupported) && fits(tensor) && sources.all(fits)
    }

    fn set(&mut self, id: TensorId, backend: Option<usize>) {
        if let Some(slot) = self.backends.get_mut(id.index()) {
            *slot = backend;
        }
    }

    /// Pass 1: inputs, weights and caches have a back end, and so have the operations that read weights or write caches.
    fn assign_by_storage(&mut self) {
        for (tensor, backend) in self.graph.tensors.iter().zip(&mut self.backends) {
            *backend = match (tensor.storage, tensor.home) {
                (Storage::Input, _) => Some(self.machine.host()),
                (_, Some(home)) => Some(self.machine.place(tensor, home)),
                _ => None,
            };
        }
        for id in &self.graph.nodes {
            let tensor = self.graph.tensor(*id);
            if self.get(*id).is_none() {
                self.set(*id, self.pinned(tensor).or_else(|| self.of_weights(tensor)));
            }
        }
    }

    /// The back end that llama.cpp chooses for some operations.
    fn pinned(&self, tensor: &Tensor) -> Option<usize> {
        match (tensor.op, tensor.section) {
            (Op::LayerNorm | Op::RmsNorm, Section::Layer(layer)) if self.machine.pins_norms => {
                Some(self.machine.home(Home::Layer(layer)))
            }
            (Op::AttentionRows, _) if self.machine.offload.cache_on_host => Some(self.machine.host()),
            _ => None,
        }
    }

    /// The back end of the first weight that an operation reads, or the first device if it takes over the operation.
    fn of_weights(&self, tensor: &Tensor) -> Option<usize> {
        let mut sources = tensor.sources.iter().map(|source| self.graph.tensor(*source));
        let weight = sources.find(|source| source.is_weight())?;
        let backend = self.machine.place(weight, weight.home?);
        let takes_over =
            |device: &usize| tensor.batch_size() >= MIN_OFFLOADED_BATCH && self.supports(*device, tensor);
        let device = if self.machine.op_offload && backend == self.machine.host() {
            (0..self.machine.host()).find(takes_over)
        } else {
            None
        };
        device.or(Some(backend).filter(|backend| self.supports(*backend, tensor)))
    }

    /// Pass 2: each operation without a back end takes that of the previous one, of a device only or also of the host.
    fn expand<'n>(&mut self, nodes: impl Iterator<Item = &'n TensorId>, reach: Reach) {
        let mut last = None;
        for id in nodes.filter(|id| self.graph.tensor(**id).op != Op::View) {
            let takes_over = |backend: &usize| reach == Reach::All || *backend != self.machine.host();
            if let Some(backend) = self.get(*id) {
                last = Some(backend).filter(takes_over);
            } else {
                let tensor = self.graph.tensor(*id);
                self.set(*id, last.filter(|last| self.supports(*last, tensor)));
            }
        }
    }

    /// Pass 3: operations that no neighbour supports run on the host. (The rest of this pass concerns back ends that share
    /// memory.) Pass 4: views are where their source is, and other sources where their reader is.
    fn assign_others(&mut self) {
        for id in &self.graph.nodes {
            let is_view = matches!(self.graph.tensor(*id).storage, Storage::View(_));
            if self.get(*id).is_none() && !is_view {
                self.set(*id, Some(self.machine.host()));
            }
        }
        for id in &self.graph.nodes {
            if self.get(*id).is_none() {
                self.set(*id, self.get(self.graph.view_src(*id)));
            }
            for source in &self.graph.tensor(*id).sources {
                if self.get(*source).is_none() {
                    let src = self.graph.view_src(*source);
                    self.set(*source, if src == *source { self.get(*id) } else { self.get(src) });
                }
            }
            if self.get(*id).is_none() {
                self.set(*id, Some(self.machine.host()));
            }
        }
    }
}
