//! The GPUs of a host, and the placement of roles on them.

use super::lower::{FromTypedValue, TypedValue};
use super::{Bytes, Placement, Shape, Share, Text};
use crate::source::Spanned;

/// The word for no GPU in `gpu` of a placement, a draft or a projector.
pub const NO_GPU: &str = "none";

/// The name of a GPU of a host that means all GPUs that the engine finds.
pub const AUTO_GPU: &str = "auto";

/// The memory that stays free by default.
const DEFAULT_RESERVE: Share = Share::Amount(Bytes(1 << 30));

/// The most layers of a model that a field accepts.
const MOST_LAYERS: u64 = 10_000;

declare! {
    /// A GPU, or all of them.
    pub block Gpu = with_principal("name") {
        /// The name that `llama-server --list-devices` prints for the GPU, such as `CUDA0`, or `auto`: all GPUs that the
        /// engine finds.
        name: Text = required("name", Shape::Text).example("CUDA0"),
        /// The memory of the GPU, such as `24 GB`. Without it, sums of memory on the GPU are not checked.
        memory: Option<Spanned<Bytes>> = optional("memory", Shape::Size),
        /// Memory that stays free for the driver and the desktop, such as `1.5 GB`; default 1 GiB.
        reserve: Option<Spanned<Share>> = optional("reserve", Shape::Share).default("1 GiB").example("1.5 GB"),
        /// The product name of the GPU, for the documents. The service of a Vulkan GPU with AMD, Radeon, Intel or Arc in its
        /// title gets no NVIDIA devices.
        title: Option<Text> = optional("title", Shape::Text).example("RTX 4090"),
    }
}

impl Gpu {
    /// True if it means all GPUs that the engine finds.
    pub fn is_auto(&self) -> bool {
        *self.name.value == *AUTO_GPU
    }

    /// The memory that stays free. `None` if it is a percentage of an unknown memory.
    pub fn reserved(&self) -> Option<Bytes> {
        match self.reserve.map_or(DEFAULT_RESERVE, |reserve| reserve.value) {
            Share::Amount(bytes) => Some(bytes),
            share @ Share::Percent(_) => Some(share.of(self.memory?.value)),
        }
    }

    /// The memory for roles: all of it without the reserve. `None` if the memory is not declared, and for all GPUs together.
    pub fn room(&self) -> Option<Bytes> {
        let memory = self.memory.filter(|_| !self.is_auto())?.value;
        Some(memory.minus(self.reserved()?))
    }
}

/// The placement of a role on GPUs.
#[derive(Clone, PartialEq, Debug)]
pub struct GpuPlacement {
    /// The names of the GPUs, in the order in which the engine fills them. Empty: the role stays off the GPUs of its host.
    pub devices: Vec<Text>,
    /// The layers of the model on the GPUs; default: all of them, or what fits if the engine fits the context.
    pub layers: Option<Spanned<GpuLayers>>,
    /// The share of each GPU, in the order of `devices`.
    pub split: Option<Spanned<Vec<u32>>>,
    /// How the model is divided between several GPUs.
    pub split_mode: Option<Spanned<SplitMode>>,
    /// The leading layers whose experts stay in the memory of the host.
    pub cpu_experts: Option<Spanned<CpuExperts>>,
    /// Where the KV cache is; default: with its layers.
    pub kv: Option<Spanned<CachePlace>>,
}

/// The layers of a model that are on GPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GpuLayers {
    /// All layers.
    All,
    /// As many as fit: the engine decides when it starts.
    Fit,
    /// This number of layers, from the last one, with the output matrix as one more.
    Count(u32),
}

/// The leading layers of a model whose experts stay in the memory of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CpuExperts {
    /// All layers.
    All,
    /// The first layers.
    Count(u32),
}

declare_words! {
    /// How a model is divided between several GPUs (`--split-mode`).
    pub enum SplitMode {
        /// By layers, with their KV caches.
        Layer = "layer",
        /// By rows of the weights.
        Row = "row",
        /// By tensors: all GPUs compute each layer together.
        Tensor = "tensor",
        /// By attention heads (`ik_llama.cpp`).
        Attn = "attn",
        /// By the compute graph (`ik_llama.cpp`).
        Graph = "graph",
        /// Not divided: the first GPU has everything.
        None = "none",
    }
}

declare_words! {
    /// Where a KV cache is.
    pub enum CachePlace {
        /// On the GPU of its layer.
        Gpu = "gpu",
        /// In the memory of the host.
        Host = "host",
    }
}

/// The shape of a number of layers on GPUs.
pub(super) const GPU_LAYERS: Shape = Shape::CountOr(0, MOST_LAYERS, &["all", "fit"]);
/// The shape of a number of layers with experts on the host.
pub(super) const CPU_EXPERTS: Shape = Shape::CountOr(0, MOST_LAYERS, &["all"]);

impl FromTypedValue for GpuLayers {
    fn from_value(value: TypedValue) -> Option<Self> {
        if let TypedValue::Count(count) = value {
            return u32::try_from(count).ok().map(Self::Count);
        }
        let TypedValue::Word(word) = value else { return None };
        Some(if word == "fit" { Self::Fit } else { Self::All })
    }
}

impl FromTypedValue for CpuExperts {
    fn from_value(value: TypedValue) -> Option<Self> {
        if let TypedValue::Count(count) = value {
            return u32::try_from(count).ok().map(Self::Count);
        }
        matches!(value, TypedValue::Word(_)).then_some(Self::All)
    }
}

/// The placement of a role without fields about GPUs.
static OFF: GpuPlacement = GpuPlacement::OFF;

impl GpuPlacement {
    /// The placement that keeps a role off the GPUs of its host.
    pub const OFF: Self = Self {
        devices: Vec::new(),
        layers: None,
        split: None,
        split_mode: None,
        cpu_experts: None,
        kv: None,
    };

    /// True if the role uses all GPUs that the engine finds.
    pub fn is_auto(&self) -> bool {
        self.devices.iter().any(|name| *name.value == *AUTO_GPU)
    }
}

impl Placement {
    /// The placement on GPUs.
    pub fn gpus(&self) -> &GpuPlacement {
        self.gpu.as_deref().unwrap_or(&OFF)
    }
}
