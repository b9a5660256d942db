//! The compute buffers of a model on several devices.

use super::alloc::{Buffers, HOST_ALIGNMENT, buffer_sizes};
use super::build::Builder;
use super::hparams::Hparams;
use super::schedule::{Machine, backends};
use super::split::add_copies;
use super::{ContextParams, layers};
use crate::engine::offload::Offload;
use crate::facts::{Facts, TensorType};

/// `GGML_SCHED_MAX_COPIES` of `ggml/src/ggml-backend.cpp`, b11434.
const PIPELINE_COPIES: usize = 4;

/// The options of a context that only matter with devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceOptions {
    /// The types of the keys and of the values in the KV cache.
    pub cache_types: [&'static TensorType; 2],
    /// True if devices take over operations of large batches whose weights are on the host, unless `--no-op-offload` is given.
    pub op_offload: bool,
}

/// The compute buffers of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComputeBuffers {
    /// Bytes in the memory of the host.
    pub host: u64,
    /// Bytes in the memory of each device, in the order of [`Offload::devices`].
    pub devices: Vec<u64>,
    /// The error margin of each size in percent.
    pub margin_percent: u8,
}

/// The compute buffers of a model with `offload`.
///
/// # Errors
///
/// The reason why the sizes are not known, as a clause.
pub fn compute_buffers(
    facts: &Facts,
    params: &ContextParams,
    offload: &Offload,
    options: &DeviceOptions,
) -> Result<ComputeBuffers, String> {
    let mut model = Hparams::read(facts)?;
    model.sizes.cache_types = options.cache_types;
    // Each buffer is large enough for the largest batch of prompts and for a batch with one token per sequence.
    let decoding = ContextParams { ubatch: params.slots, outputs: params.slots, ..*params };
    let mut sizes = sizes(&model, params, offload, options)?;
    for (size, other) in sizes.iter_mut().zip(self::sizes(&model, &decoding, offload, options)?) {
        *size = (*size).max(other);
    }
    let host = sizes.pop().unwrap_or(0);
    Ok(ComputeBuffers { host, devices: sizes, margin_percent: model.recipe.margin_percent() })
}

/// The size of the buffer of each device, and of the host last.
fn sizes(
    model: &Hparams<'_>,
    params: &ContextParams,
    offload: &Offload,
    options: &DeviceOptions,
) -> Result<Vec<u64>, String> {
    let builder = Builder::with_offload(model, params, offload);
    let pins_norms = offload.is_complete() || builder.tokens < 32;
    let copies = if is_pipelined(offload) { PIPELINE_COPIES } else { 1 };
    let machine = Machine { offload, op_offload: options.op_offload, pins_norms, copies };
    let mut graph = layers::graph(builder)?;
    let mut of_tensor = backends(&graph, &machine);
    add_copies(&mut graph, &mut of_tensor, &machine);
    let alignments = offload.devices.iter().map(|_| 32).chain([HOST_ALIGNMENT]).collect();
    Ok(buffer_sizes(&graph, &Buffers { of_tensor, alignments }))
}

/// Pipeline parallelism (`llama_context` of `src/llama-context.cpp`, b11434).
fn is_pipelined(offload: &Offload) -> bool {
    offload.devices.len() > 1 && offload.is_complete() && !offload.cache_on_host && offload.host_experts == 0
}
