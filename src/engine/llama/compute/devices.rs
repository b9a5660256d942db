//! The compute buffers of a model on several devices, and on the host next to them.
//!
//! As ggml does, this module builds the graph of the largest batch and of a batch with one token per sequence, finds the
//! back end of each operation (`schedule`), copies the inputs of each back end (`split`), orders the operations as Vulkan
//! does (`reorder`), and allocates each buffer (`alloc`).
//!
//! Measured with llama-server b11669 on Vulkan (a software driver, one and two devices): 616 of 706 settings within 2 %.
//! If only the last layer or the output is on a device, models that b11434 computes to the end for all tokens (gpt-oss,
//! Qwen3.5) can get a few MiB too many there: b11669 selects the tokens with an output earlier.
//!
//! Other back ends can differ as follows (sources of b11434):
//!
//! - CUDA, `ROCm` and MUSA keep the order of the graph, which is measured with `GGML_VK_DISABLE_GRAPH_OPTIMIZE`. They
//!   align to 128 bytes, pad the rows of quantized weights to 512 elements (`MATRIX_ROW_PADDING`; only copies of weights),
//!   and convert a quantized KV cache to f16 in the compute buffer (`ggml_cuda_flash_attn_ext_get_alloc_size`).
//!   `ggml_backend_cuda_graph_optimize` keeps the inputs of the router of a mixture of experts a little longer. Not
//!   measured, so the margin is at least 20 %. CUDA graphs and pools are outside this buffer.
//! - Vulkan limits a buffer to 1 GiB (`suballocation_block_size`), so larger compute buffers have several parts. The gaps
//!   between them are not counted.
//! - Metal, SYCL and other back ends allocate more for some operations or reorder the graph differently: not known.

use super::alloc::{Buffers, HOST_ALIGNMENT, buffer_sizes};
use super::backend::Api;
use super::build::Builder;
use super::graph::Graph;
use super::hparams::Hparams;
use super::schedule::{Machine, backends, keeps_flash_attention};
use super::split::add_copies;
use super::{ContextParams, layers};
use crate::engine::architecture::Mixer;
use crate::engine::offload::Offload;
use crate::facts::{Facts, TensorType};

/// `GGML_SCHED_MAX_COPIES` of `ggml/src/ggml-backend.cpp`, b11434.
const PIPELINE_COPIES: usize = 4;

/// Norms of smaller batches run where the weights of their layer are (`graph_get_cb` of `src/llama-context.cpp`, b11434).
const MIN_UNPINNED_BATCH: u64 = 32;

/// The options of a context that only matter with devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceOptions {
    /// The types of the keys and of the values in the KV cache.
    pub cache_types: [&'static TensorType; 2],
    /// True unless `--no-op-offload` is given: devices take over operations of large batches whose weights are on the host.
    pub op_offload: bool,
    /// True unless `--flash-attn on` is given: the server turns flash attention off if a device cannot run it.
    pub auto_flash_attention: bool,
    /// Bytes of the largest tensor that Vulkan devices compute or read: [`MAX_VULKAN_TENSOR`], except for software drivers.
    /// Operations with larger ones run on the host.
    pub max_vulkan_tensor: u64,
}

/// The limit of most GPUs (`maxStorageBufferRange`). The software driver of Mesa, llvmpipe, has 128 MiB.
pub const MAX_VULKAN_TENSOR: u64 = (1 << 32) - 1;

/// The compute buffers of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComputeBuffers {
    /// Bytes in the memory of the host.
    pub host: u64,
    /// Bytes in the memory of each device, in the order of [`Offload::devices`].
    pub devices: Vec<u64>,
    /// The error margin of each size in percent.
    pub margin_percent: u8,
    /// False if the server turns flash attention off. Its KV cache has other sizes then.
    pub flash_attention: bool,
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
    let unknown = |device: &str| format!("the compute buffers of the device `{device}` are not known");
    let apis = offload.devices.iter().map(|device| Api::of(device).ok_or_else(|| unknown(device)));
    let apis = apis.collect::<Result<Vec<_>, _>>()?;
    let mut model = Hparams::read(facts)?;
    model.sizes.cache_types = options.cache_types;
    let copies = if is_pipelined(offload) { PIPELINE_COPIES } else { 1 };
    let machine = Machine {
        offload,
        apis: &apis,
        op_offload: options.op_offload,
        pins_norms: false,
        max_vulkan_tensor: options.max_vulkan_tensor,
        copies,
    };
    if machine.copies_weights() && !model.sizes.are_known {
        return Err("the lock has no tensor sizes".to_owned());
    }
    let mut params = *params;
    let mut decoding = Batch::decoding(&model, &params, machine)?;
    if params.flash_attention && options.auto_flash_attention && !decoding.keeps_flash_attention() {
        if params.has_quantized_values {
            return Err("quantized values need flash attention, which a device does not support".to_owned());
        }
        params.flash_attention = false;
        decoding = Batch::decoding(&model, &params, machine)?;
    }
    // Each buffer is large enough for the largest batch of prompts and for a batch with one token per sequence.
    let mut sizes = Batch::new(&model, &params, machine)?.buffer_sizes();
    for (size, other) in sizes.iter_mut().zip(decoding.buffer_sizes()) {
        *size = (*size).max(other);
    }
    let host = sizes.pop().unwrap_or(0);
    let margin_percent = margin(&model, &machine);
    Ok(ComputeBuffers { host, devices: sizes, margin_percent, flash_attention: params.flash_attention })
}

/// The error margin of models whose graphs are only partly known with devices: with recurrent layers, latent attention,
/// encoders, or a KV cache on the host. The largest error of 706 measured settings is 24 %, except
/// a device with only the last layer or the output.
const SPECIAL_MARGIN: u8 = 25;
/// The error margin of other models. The largest measured error is 14 % (`smollm3`); most sizes are exact.
const USUAL_MARGIN: u8 = 15;
/// The error margin of devices that are not measured.
const UNMEASURED_MARGIN: u8 = 20;
/// The error margin if weights of several types are copied to devices.
const MIXED_MARGIN: u8 = 20;

/// The error margin in percent.
fn margin(model: &Hparams<'_>, machine: &Machine<'_>) -> u8 {
    let has_state = model.memory.each.iter().any(|layer| layer.has_state);
    let is_latent = model.recipe.mixer == Mixer::Mla;
    let is_special =
        has_state || is_latent || !model.architecture.has_memory() || machine.offload.cache_on_host;
    let mut margin =
        model.recipe.margin_percent().max(if is_special { SPECIAL_MARGIN } else { USUAL_MARGIN });
    if machine.apis.iter().any(|api| *api != Api::Vulkan) {
        margin = margin.max(UNMEASURED_MARGIN);
    }
    if machine.copies_weights() && model.sizes.are_mixed {
        margin = margin.max(MIXED_MARGIN);
    }
    margin
}

/// Pipeline parallelism (`llama_context` of `src/llama-context.cpp`, b11434).
fn is_pipelined(offload: &Offload) -> bool {
    offload.devices.len() > 1 && offload.is_complete() && !offload.cache_on_host && offload.host_experts == 0
}

/// The graph of a batch, with the back end of each tensor.
struct Batch<'m> {
    machine: Machine<'m>,
    graph: Graph,
    backends: Vec<usize>,
}

impl<'m> Batch<'m> {
    fn new(model: &Hparams<'_>, params: &ContextParams, machine: Machine<'m>) -> Result<Self, String> {
        let mut builder = Builder::new(model, params);
        builder.builds_all_layers = true;
        let pins_norms = machine.offload.is_complete() || builder.tokens < MIN_UNPINNED_BATCH;
        let machine = Machine { pins_norms, ..machine };
        let graph = layers::graph(builder)?;
        let backends = backends(&graph, &machine);
        Ok(Self { machine, graph, backends })
    }

    /// A batch with one token per sequence.
    fn decoding(model: &Hparams<'_>, params: &ContextParams, machine: Machine<'m>) -> Result<Self, String> {
        let params = ContextParams { ubatch: params.slots, outputs: params.slots, ..*params };
        Self::new(model, &params, machine)
    }

    fn keeps_flash_attention(&self) -> bool {
        keeps_flash_attention(&self.graph, &self.machine, &self.backends)
    }

    /// The size of the buffer of each device, and of the host last.
    fn buffer_sizes(mut self) -> Vec<u64> {
        add_copies(&mut self.graph, &mut self.backends, &self.machine);
        let apis = self.machine.apis;
        let alignments = apis.iter().map(|api| api.alignment()).chain([HOST_ALIGNMENT]).collect();
        let are_cuda = apis.iter().map(|api| *api == Api::Cuda).collect();
        buffer_sizes(&self.graph, &Buffers { of_tensor: self.backends, alignments, are_cuda })
    }
}
