//! Other settings of a role with which its memory fits into its GPUs.

use super::memory::RoleMemory;
use super::parts;
use super::role::ServedRole;
use crate::engine::layers::layers;
use crate::engine::memory::{CacheHalf, MemoryOptions, indivisible_head};
use crate::facts::{Facts, Lock, tensor_types};
use crate::hir::{Context, GpuLayers, Registry};

/// A setting of a role other than the declared one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alternative {
    /// This number of layers on the GPUs.
    Layers(u32),
    /// This number of leading layers with their experts on the host.
    CpuExperts(u32),
    /// This context, in tokens.
    Context(u32),
    /// This type of the KV cache.
    CacheType(&'static str),
}

/// The step of a smaller context, in tokens: the engine rounds the cells of a cache up to a multiple of 256.
const CONTEXT_STEP: u32 = 256;

/// The types of a KV cache that all back ends compute attention with, largest first.
const CACHE_TYPES: &[&str] = &["f16", "q8_0", "q4_0"];

/// A role whose memory is computed, with what its settings can be.
#[derive(Clone, Copy, Debug)]
pub struct FittingRole<'d> {
    /// The role.
    pub served: &'d ServedRole,
    /// The number of layers of the model, without the output matrix.
    pub layers: u32,
    registry: &'d Registry,
    lock: &'d Lock,
    options: &'d MemoryOptions,
    /// The context for which the model was trained, in tokens. `None` if it is unknown.
    trained: Option<u32>,
    has_experts: bool,
    /// True if the role can have a quantized cache: its values need flash attention.
    allows_quantized_cache: bool,
}

impl<'d> FittingRole<'d> {
    /// The role, if it has GPUs and its memory is computed.
    ///
    /// # Errors
    ///
    /// The reason why it has no alternatives, as a clause.
    pub fn new(registry: &'d Registry, lock: &'d Lock, served: &'d ServedRole) -> Result<Self, String> {
        served.gpus.as_ref().filter(|gpus| !gpus.devices.is_empty()).ok_or("it has no GPU")?;
        if matches!(served.serving.context.value, Context::Fit(_)) {
            return Err("the engine fits its context and its layers".to_owned());
        }
        let command = served.known_command().ok_or("its engine is unknown")?;
        let options = command.memory.as_deref().map_err(|why| (*why).to_owned())?;
        let model = registry.models.get(served.serving.model.value);
        let facts = &super::locked::facts(lock, model)?.facts;
        layers(facts)?;
        let has_flash = served.serving.setting_word("flash-attention").is_none_or(|(word, _)| word != "off");
        let number = |key| facts.number(key).and_then(|number| u32::try_from(number).ok());
        Ok(Self {
            served,
            layers: number("block_count").ok_or("its number of layers is unknown")?,
            registry,
            lock,
            options,
            trained: number("context_length"),
            has_experts: number("expert_count").is_some_and(|count| count > 0),
            allows_quantized_cache: has_flash && has_divisible_heads(facts),
        })
    }

    /// The memory of the role after a change.
    pub fn memory_after(&self, change: Alternative) -> Option<RoleMemory> {
        let mut options = self.options.clone();
        match change {
            Alternative::Layers(layers) => options.set_gpu_layers(layers),
            Alternative::CpuExperts(layers) => options.set_host_experts(layers),
            Alternative::Context(tokens) => options.set_context(tokens),
            Alternative::CacheType(name) => {
                let known = tensor_types().iter().find(|known| known.name == name)?;
                (options.cache_type_k, options.cache_type_v) = (known, known);
            }
        }
        parts::memory_with(self.registry, self.lock, self.served, options)
    }

    /// True if the engine decides how many layers are on the GPUs.
    pub fn leaves_layers(&self) -> bool {
        self.served.gpus.as_ref().is_some_and(|gpus| gpus.layers == GpuLayers::Fit)
    }

    /// The declared context in tokens, or the trained one.
    fn context(&self) -> Option<u32> {
        match self.served.serving.context.value {
            Context::Tokens(tokens) => Some(tokens),
            Context::Trained | Context::Fit(_) => self.trained,
        }
    }

    /// The smallest change of each kind with which the memory fits, and the memory after it. A kind without one is left out.
    pub fn smallest(&self, fits: impl Fn(&RoleMemory) -> bool) -> Vec<(Alternative, RoleMemory)> {
        let layers = match self.served.gpus.as_ref().map(|gpus| gpus.layers) {
            Some(GpuLayers::Count(count)) => count.min(self.layers.saturating_add(1)).checked_sub(1),
            Some(GpuLayers::All) => Some(self.layers),
            Some(GpuLayers::Fit) | None => None,
        };
        let is_f16 = ["k", "v"].iter().all(|half| self.served.serving.cache_type(half).is_none());
        let caches = CACHE_TYPES.get(1..).filter(|_| is_f16).unwrap_or_default();
        self.alternatives((layers, self.context().map(|tokens| tokens.saturating_sub(1)), caches), fits)
    }

    /// The largest setting of each kind with which the memory fits, and the memory with it.
    pub fn largest(&self, fits: impl Fn(&RoleMemory) -> bool) -> Vec<(Alternative, RoleMemory)> {
        let layers = Some(self.layers.saturating_add(1));
        // Without a number of layers, the effect of another context is unknown.
        if self.leaves_layers() {
            return self.alternatives((layers, None, &[]), fits);
        }
        self.alternatives((layers, self.trained.max(self.context()), CACHE_TYPES), fits)
    }

    /// The largest settings up to these that fit: experts, layers, context, cache type.
    fn alternatives(
        &self,
        (layers, context, caches): (Option<u32>, Option<u32>, &[&'static str]),
        fits: impl Fn(&RoleMemory) -> bool,
    ) -> Vec<(Alternative, RoleMemory)> {
        let attempt = |change: Alternative| {
            let memory = self.memory_after(change)?;
            fits(&memory).then_some((change, memory))
        };
        let all = self.layers;
        let has_experts = self.has_experts && !self.leaves_layers();
        let experts = has_experts.then(|| most(all, |kept| attempt(Alternative::CpuExperts(all - kept))));
        let layers = layers.and_then(|layers| most(layers, |layers| attempt(Alternative::Layers(layers))));
        let steps = context.map(|tokens| tokens / CONTEXT_STEP).filter(|steps| *steps > 0);
        let tokens = |step: u32| Alternative::Context(step.saturating_add(1).saturating_mul(CONTEXT_STEP));
        let context = steps.and_then(|steps| most(steps - 1, |step| attempt(tokens(step))));
        let is_allowed = |name: &&&str| self.allows_quantized_cache || **name == "f16";
        let cache = caches.iter().filter(is_allowed).find_map(|name| attempt(Alternative::CacheType(name)));
        [experts.flatten(), layers, context, cache].into_iter().flatten().collect()
    }
}

/// True if the blocks of all types of a cache divide the heads of a model.
fn has_divisible_heads(facts: &Facts) -> bool {
    let halves = [CacheHalf::Keys, CacheHalf::Values];
    let types = tensor_types().iter().filter(|known| CACHE_TYPES.contains(&known.name));
    types.flat_map(|kind| halves.map(|half| indivisible_head(facts, kind, half))).all(|head| head.is_none())
}

/// The result for the largest number from 0 to `end` that has one. All smaller numbers have one, too.
fn most<T>(end: u32, attempt: impl Fn(u32) -> Option<T>) -> Option<T> {
    let mut best = None;
    let (mut low, mut high) = (0, end.saturating_add(1));
    while low < high {
        let middle = u32::midpoint(low, high);
        match attempt(middle) {
            Some(found) => {
                best = Some(found);
                low = middle + 1;
            }
            None => high = middle,
        }
    }
    best
}
