//! Other settings of a role with which its memory fits into its GPUs.

use super::memory::RoleMemory;
use super::role::ServedRole;
use super::{Derived, parts};
use crate::engine::layers::layers;
use crate::engine::memory::MemoryOptions;
use crate::facts::tensor_types;
use crate::hir::Context;

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

/// The types of a smaller KV cache, largest first. All back ends compute attention with them.
const SMALLER_CACHES: &[&str] = &["q8_0", "q4_0"];

/// A role whose memory is computed, with what its settings can be.
#[derive(Clone, Copy, Debug)]
pub struct FittingRole<'d> {
    /// The role.
    pub served: &'d ServedRole,
    derived: &'d Derived,
    options: &'d MemoryOptions,
    /// The number of layers of the model, without the output matrix.
    layers: u32,
    has_experts: bool,
}

impl<'d> FittingRole<'d> {
    /// `None` if the role has no GPUs, leaves its layers to the engine, or its memory is not computed.
    pub fn new(derived: &'d Derived, served: &'d ServedRole) -> Option<Self> {
        let gpus = served.gpus.as_ref().filter(|gpus| !gpus.devices.is_empty())?;
        let options = served.known_command()?.memory.as_deref().ok()?;
        let model = derived.registry.models.get(served.serving.model.value);
        let facts = &super::locked::facts(&derived.lock, model).ok()?.facts;
        layers(facts).ok()?;
        let is_declared = gpus.layers != crate::hir::GpuLayers::Fit;
        Some(Self {
            served,
            derived,
            options,
            layers: u32::try_from(facts.number("block_count")?).ok()?,
            has_experts: facts.number("expert_count").is_some_and(|count| count > 0),
        })
        .filter(|_| is_declared)
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
        parts::memory_with(self.derived, self.served, options)
    }

    /// The smallest change of each kind with which the memory fits, and the memory after it. A kind without one is left out.
    pub fn smallest(&self, fits: impl Fn(&RoleMemory) -> bool) -> Vec<(Alternative, RoleMemory)> {
        let try_change = |change: Alternative| {
            let memory = self.memory_after(change)?;
            fits(&memory).then_some((change, memory))
        };
        // The output matrix counts as one layer.
        let layers = most(self.layers, |layers| try_change(Alternative::Layers(layers)));
        let all = self.layers;
        let experts = || most(all.saturating_sub(1), |kept| try_change(Alternative::CpuExperts(all - kept)));
        let context = match self.served.serving.context.value {
            Context::Tokens(tokens) => most(tokens.saturating_sub(1) / CONTEXT_STEP, |steps| {
                if steps == 0 { None } else { try_change(Alternative::Context(steps * CONTEXT_STEP)) }
            }),
            Context::Trained | Context::Fit(_) => None,
        };
        let is_f16 =
            self.served.serving.cache_type("k").is_none() && self.served.serving.cache_type("v").is_none();
        let mut caches = SMALLER_CACHES.iter().filter(|_| is_f16);
        let cache = caches.find_map(|name| try_change(Alternative::CacheType(name)));
        let experts = if self.has_experts { experts() } else { None };
        [experts, layers, context, cache].into_iter().flatten().collect()
    }
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
