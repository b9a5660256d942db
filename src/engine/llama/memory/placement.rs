//! Where a server puts the layers of a model or a draft, from its command line and the number of layers.
//!
//! The rules are those of `load_tensors` in `src/llama-model.cpp`, of `llama_prepare_model_devices` in `src/llama.cpp` and, for
//! a draft, of `common_base_params_to_speculative` in `common/speculative.cpp` (llama.cpp b11434).

use super::{MemoryOptions, Owner};
use crate::engine::offload::Offload;
use crate::facts::Facts;

/// The maximum number of layers (llama.cpp b11434, `LLAMA_MAX_LAYERS` of `src/llama-hparams.h`).
const MAX_LAYERS: u64 = 512;

/// The placement options of a command line, as written. Pairs are of the model and of the draft.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch of the command line")]
pub(in crate::engine::llama) struct PlacementOptions {
    /// `--device`: `none`, or names separated by commas.
    pub(in crate::engine::llama) devices: [Option<Box<str>>; 2],
    /// `--n-gpu-layers`: a number, `all` or `auto`.
    pub(in crate::engine::llama) gpu_layers: [Option<Box<str>>; 2],
    /// `--split-mode`.
    pub(in crate::engine::llama) split_mode: Option<Box<str>>,
    /// `--tensor-split`.
    pub(in crate::engine::llama) tensor_split: Option<Box<str>>,
    /// `--main-gpu`.
    pub(in crate::engine::llama) main_gpu: Option<Box<str>>,
    /// The number of leading layers whose experts stay on the host (`--n-cpu-moe`); the maximum for `--cpu-moe`.
    pub(in crate::engine::llama) host_experts: [u64; 2],
    /// True if KV caches stay on the host (`--no-kv-offload`).
    pub(in crate::engine::llama) cache_on_host: bool,
    /// True if the projector stays on the host (`--no-mmproj-offload`).
    pub(in crate::engine::llama) projector_on_host: bool,
    /// `--mmproj-device`.
    pub(in crate::engine::llama) projector_device: Option<Box<str>>,
    /// True if weights of the host are not in pinned buffers (`--no-host`).
    pub(in crate::engine::llama) no_host: bool,
    /// True if the host computes with its weights also for large batches (`--no-op-offload`).
    pub(in crate::engine::llama) no_op_offload: bool,
    /// True if the engine does not fit layers that are not given (`--fit off`).
    pub(in crate::engine::llama) never_fits: bool,
    /// True if the mapped weights of the host are locked in memory (`--mlock`).
    pub(in crate::engine::llama) locks: bool,
    /// Options whose effect on the placement is not modeled, each as a clause.
    pub(in crate::engine::llama) unknown: Vec<String>,
}

/// The half of a pair of [`PlacementOptions`] that belongs to a model or to its draft.
fn half<T>([target, draft]: &[T; 2], owner: Owner) -> &T {
    if owner == Owner::Draft { draft } else { target }
}

impl PlacementOptions {
    /// Keeps the experts of the first layers on the host. The engine collects such rules, so the largest number counts.
    pub(in crate::engine::llama) fn add_host_experts(&mut self, of: usize, layers: u64) {
        for number in self.host_experts.iter_mut().skip(of).take(1) {
            *number = layers.max(*number);
        }
    }

    /// The names of the devices of a model or a draft. A draft without devices has those of its target.
    fn devices(&self, owner: Owner) -> Option<Vec<Box<str>>> {
        let [target, draft] = &self.devices;
        let own = if owner == Owner::Draft { draft.as_ref() } else { None };
        let names = own.or(target.as_ref())?;
        if &**names == "none" {
            return Some(Vec::new());
        }
        Some(names.split(',').filter(|name| !name.is_empty()).map(Into::into).collect())
    }

    /// The devices that remain after `--split-mode none` selects one. A draft with one device has the split mode `layer`.
    fn used_devices(&self, owner: Owner) -> Result<Vec<Box<str>>, String> {
        let devices = self.devices(owner).unwrap_or_default();
        let has_own_device = owner == Owner::Draft
            && self.devices[1].as_deref().is_some_and(|names| names != "none" && !names.contains(','));
        match self.split_mode.as_deref() {
            _ if devices.is_empty() || has_own_device => Ok(devices),
            None | Some("layer") => Ok(devices),
            Some("none") => self.main_device(&devices),
            Some(mode) => Err(format!("how `split-mode` `{mode}` splits tensors is not known")),
        }
    }

    /// The device of `--main-gpu`. A negative number means the host.
    fn main_device(&self, devices: &[Box<str>]) -> Result<Vec<Box<str>>, String> {
        let number = self.main_gpu.as_deref().unwrap_or("0");
        let main: i32 = number.parse().map_err(|_| format!("`main-gpu` `{number}` is no number"))?;
        let Ok(main) = usize::try_from(main) else { return Ok(Vec::new()) };
        let device = devices
            .get(main)
            .ok_or_else(|| format!("`main-gpu` is {main}, and the server has {} devices", devices.len()))?;
        Ok(vec![device.clone()])
    }

    /// The number of layers on devices, from the last one; the output matrix counts as one.
    fn offloaded(&self, owner: Owner, all: u64) -> Result<u64, String> {
        match half(&self.gpu_layers, owner).as_deref() {
            Some("all") => Ok(all),
            // The engine fits only the layers of the model, not those of its draft (`common/fit.cpp`).
            None | Some("auto") if self.never_fits || owner == Owner::Draft => Ok(all),
            None | Some("auto") => {
                Err("the engine fits the layers to the free memory of the device".to_owned())
            }
            Some(text) => match text.parse::<i32>() {
                Ok(number) => Ok(u64::try_from(number).map_or(all, |number| number.min(all))),
                Err(_) => Err(format!("`n-gpu-layers` `{text}` is no number")),
            },
        }
    }

    /// The upper bounds of the shares of devices, each from 0 to 1.
    fn shares(&self, devices: usize) -> Result<Vec<f32>, String> {
        if devices < 2 {
            return Ok(vec![1.0; devices]);
        }
        let split = self.tensor_split.as_deref().unwrap_or_default();
        let parts = split.split([',', '/']).filter(|part| !part.is_empty());
        let parts: Result<Vec<f32>, _> = parts.map(|part| part.trim().parse::<f32>()).collect();
        let mut parts = parts.map_err(|_| format!("`tensor-split` `{split}` is no list of numbers"))?;
        parts.resize(devices, 0.0);
        if parts.iter().all(|part| *part == 0.0) {
            return Err("the engine splits the layers by the free memory of the devices".to_owned());
        }
        let mut sum = 0.0;
        for part in &mut parts {
            sum += *part;
            *part = sum;
        }
        for part in &mut parts {
            *part /= sum;
        }
        let is_rising = parts.is_sorted() && parts.iter().all(|part| *part >= 0.0);
        if is_rising { Ok(parts) } else { Err(format!("`tensor-split` `{split}` has a negative number")) }
    }

    /// The device of the projector, or the host. It follows `--device` in a build that `follows_devices` (`common/arg.cpp`
    /// and `tools/mtmd/clip.cpp` of b11434). On the host if the command line has no device.
    #[expect(clippy::fn_params_excessive_bools, reason = "a property of the build")]
    pub(super) fn projector(&self, follows_devices: bool) -> Result<Option<&str>, &'static str> {
        if self.projector_on_host {
            return Ok(None);
        }
        let device = match (self.projector_device.as_deref(), self.devices[0].as_deref()) {
            (Some(device), _) => device,
            (None, Some(names)) if follows_devices => names.split(',').next().unwrap_or(names),
            (None, Some(_)) => return Err("the engine selects the device of the projector"),
            (None, None) => return Ok(None),
        };
        Ok(Some(device).filter(|device| *device != "none"))
    }
}

impl MemoryOptions {
    /// The placement of the layers of a model or its draft. On the host if the command line has no list of devices.
    ///
    /// # Errors
    ///
    /// The reason why it is not known, as a clause.
    pub fn offload(&self, facts: &Facts, owner: Owner) -> Result<Offload, String> {
        let placement = &self.placement;
        let devices = placement.used_devices(owner)?;
        if devices.is_empty() {
            return Ok(Offload::default());
        }
        let layers = facts.number("block_count").ok_or("the header has no `block_count`")?;
        if layers > MAX_LAYERS {
            return Err(format!("the engine refuses a model with {layers} layers"));
        }
        let all = layers.saturating_add(1);
        let offloaded = placement.offloaded(owner, all)?;
        let shares = placement.shares(devices.len())?;
        let place = |layer: u64| device_of(layer, all, offloaded, &shares);
        Ok(Offload {
            layers: (0..layers).map(place).collect(),
            output: place(layers),
            host_experts: *half(&placement.host_experts, owner),
            cache_on_host: placement.cache_on_host,
            devices,
        })
    }

    /// Gives a name to all devices that the engine finds, if the command line has no list of devices.
    pub fn name_found_devices(&mut self, name: &str) {
        let placement = &mut self.placement;
        placement.devices[0].get_or_insert_with(|| name.into());
        placement.projector_device.get_or_insert_with(|| name.into());
    }

    /// Sets the number of layers of the model on devices, in place of `--n-gpu-layers`.
    pub fn set_gpu_layers(&mut self, layers: u32) {
        self.placement.gpu_layers[0] = Some(layers.to_string().into());
    }

    /// Sets the number of leading layers of the model whose experts stay on the host, in place of `--n-cpu-moe`.
    pub fn set_host_experts(&mut self, layers: u32) {
        self.placement.host_experts[0] = u64::from(layers);
    }

    /// True if devices compute large batches with weights of the host.
    pub(super) fn offloads_operations(&self) -> bool {
        !self.placement.no_op_offload
    }

    /// The names of all devices that a list of devices names, of the model or of its draft.
    pub fn devices(&self, owner: Owner) -> Vec<Box<str>> {
        self.placement.devices(owner).unwrap_or_default()
    }

    /// True if layers of the model or its draft may be offloaded to a GPU that no list of devices names. By default the
    /// engine offloads as many as fit (llama.cpp b11434, `common/common.h`).
    pub fn may_offload(&self, owner: Owner) -> bool {
        let placement = &self.placement;
        placement.devices(owner).is_none() && half(&placement.gpu_layers, owner).as_deref() != Some("0")
    }
}

/// The device of one layer of `all`, of which the last `offloaded` are on devices; the output matrix is the last layer. The
/// engine computes shares as `float`, and so does this function.
#[expect(clippy::cast_precision_loss, reason = "the engine rounds in the same way")]
fn device_of(layer: u64, all: u64, offloaded: u64, shares: &[f32]) -> Option<usize> {
    let position = layer.checked_sub(all.saturating_sub(offloaded))?;
    if position >= offloaded {
        return None;
    }
    let share = position as f32 / offloaded as f32;
    Some(shares.partition_point(|bound| *bound <= share).min(shares.len().saturating_sub(1)))
}
