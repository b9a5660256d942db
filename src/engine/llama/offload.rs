//! Where a build puts the layers of a model: on which device, or in the memory of the host.

/// The placement of a model or a draft. A device is the index of its name in `devices`; no index is the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Offload {
    /// The names of the devices in the order in which the engine uses them, such as `CUDA0`. Empty without offloading:
    /// everything is on the host.
    pub devices: Vec<Box<str>>,
    /// The device of each layer of the model: of its weights, except experts that stay on the host, and of its KV cache and
    /// recurrent state, unless they stay on the host.
    pub layers: Vec<Option<usize>>,
    /// The device of the output matrix and the final norm.
    pub output: Option<usize>,
    /// The number of leading layers whose experts stay on the host (`--n-cpu-moe`).
    pub host_experts: u64,
    /// True if KV caches and recurrent states stay on the host (`--no-kv-offload`).
    pub cache_on_host: bool,
}

impl Offload {
    /// The device of a layer. `None` for the host.
    pub fn device_of(&self, layer: u64) -> Option<usize> {
        usize::try_from(layer).ok().and_then(|layer| self.layers.get(layer).copied()).flatten()
    }

    /// The device of the KV cache and the recurrent state of a layer. `None` for the host.
    pub fn cache_device(&self, layer: u64) -> Option<usize> {
        if self.cache_on_host { None } else { self.device_of(layer) }
    }

    /// True if all layers and the output matrix are on devices.
    pub fn is_complete(&self) -> bool {
        !self.devices.is_empty() && self.output.is_some() && self.layers.iter().all(Option::is_some)
    }
}
