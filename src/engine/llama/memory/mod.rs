//! Predicts the memory of a server process from the headers of its files and its command line.
//!
//! The formulas are those of llama.cpp b11434 on a CPU; earlier builds allocate compute buffers differently. Each part
//! has an error margin, or the reason why it is not known. Unknown parts are never guessed.
//!
//! # Devices
//!
//! With a list of devices, each part has the place where the pinned build puts it. Pinned buffers (`CUDA_Host`,
//! `Vulkan_Host`) are memory of the host. `served::devices` compares all parts with llama-server b11669 on a software Vulkan
//! driver: weights, caches and states are exact, except for the rounding of the log.
//!
//! On other back ends these sizes differ by alignment (llama.cpp b11434):
//! - The tensors of a buffer are aligned to 128 bytes on CUDA, HIP and MUSA (`ggml/src/ggml-cuda/ggml-cuda.cu`), and to
//!   `minStorageBufferOffsetAlignment` on Vulkan, at most 256 bytes by its specification (`ggml-vulkan.cpp`). A model with 1000
//!   tensors on a device therefore needs at most 0.25 MiB more.
//! - CUDA pads a quantized matrix or cache whose rows are no multiple of 512 values by less than 512 values
//!   (`MATRIX_ROW_PADDING`), once for each tensor. That is at most 576 bytes.
//! - A tensor stays on the host if the device cannot compute with its type and operation (`select_weight_buft` in
//!   `src/llama-model-loader.cpp`). Only `ssm_a` of Mamba-1 on Vulkan and CUDA is modeled. The software driver, whose
//!   `maxStorageBufferRange` is 128 MiB, also refuses larger tensors, and output matrices whose results for 512 tokens are
//!   larger. A GPU driver usually allows 4 GiB.
//!
//! The error margin of 1 % of weights and caches covers the first two.
//!
//! Not counted: what the driver needs on a device, the program and its libraries, the tables of the tokenizer, the work
//! buffers of its threads (`ggml_graph_plan` of `ggml/src/ggml-cpu/ggml-cpu.c`, about the widest layer of one batch), and
//! requests in transit.

mod attached;
mod buffers;
mod cache;
mod context;
mod options;
mod part;
mod placement;
mod weights;

pub use attached::adapter_parts;
pub use cache::{CacheHalf, indivisible_head, needs_equal_cache_types};
pub use options::MemoryOptions;
pub use part::{Amount, Owner, Part, PartKind, Place};

use super::architecture::{Class, architecture};
use super::compute::{self, ContextParams};
use super::layers::{Layers, layers};
use super::options::{Given, row_of};
use super::{Profile, SERVER};
use crate::engine::offload::Offload;
use crate::facts::{Facts, TensorType};
use part::everywhere;

/// The first build whose context buffers are known.
const KNOWN_SINCE: u32 = 11434;
/// The same for encoders. Encoders in b11434 need less memory, because this build does not round up attention masks
/// (`src/llama-graph.cpp`).
const ENCODERS_KNOWN_SINCE: u32 = 11669;

/// Bytes of the table of `ngram-mod`: 4 Mi entries of 4 bytes (llama.cpp b11434, `common/speculative.cpp`).
const NGRAM_TABLE: u64 = 16 << 20;

/// The files and options of a server process.
#[derive(Clone, Copy, Debug)]
pub struct Process<'p> {
    /// The build.
    pub profile: &'p Profile,
    /// The memory options of its command line.
    pub options: &'p MemoryOptions,
    /// The facts of the model, with overrides applied.
    pub model: &'p Facts,
    /// The facts of the draft, if any.
    pub draft: Option<&'p Facts>,
    /// The facts of the projector, if any.
    pub projector: Option<&'p Facts>,
}

/// All parts of the memory of a process. Empty parts are omitted, except those of files.
pub fn memory(process: &Process<'_>) -> Vec<Part> {
    let Process { profile, options, model, draft, projector } = *process;
    if let Some(why) = profile.family().unknown_facts() {
        let rest = Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(why.to_owned()));
        return without_empty(vec![prompt_cache(options), rest]);
    }
    let mut parts = context_parts(process, model, Owner::Model);
    match draft {
        Some(draft) if options.uses_mtp() => {
            parts.extend(weights_of(options, draft, Owner::Draft));
            parts.extend(mtp_parts(process, draft, Owner::Draft));
        }
        Some(draft) => parts.extend(draft_parts(process, draft)),
        None if options.uses_mtp() => parts.extend(mtp_parts(process, model, Owner::Model)),
        None => {}
    }
    parts.extend(projector.into_iter().flat_map(|projector| attached::projector_parts(process, projector)));
    if options.has_ngram_table() {
        let amount = Amount::exact(NGRAM_TABLE);
        parts.push(Part::on_host(PartKind::Rest, Owner::Model, amount));
    }
    parts.push(prompt_cache(options));
    parts.extend(fitted_context(options));
    parts.extend(unknown_options(options));
    without_empty(parts)
}

/// The context that the engine fits, which is not known.
fn fitted_context(options: &MemoryOptions) -> Vec<Part> {
    if !(options.fits && options.context == 0) {
        return Vec::new();
    }
    let least = options.least_context;
    let is_shared = options.kv_unified || options.slots.is_none_or(|slots| slots < 2);
    let of = if is_shared { "" } else { " of each slot" };
    let why = format!(
        "the engine fits the context to the memory of the machine: only its minimum, {least} tokens{of}, is counted"
    );
    everywhere(&options.devices(Owner::Model), PartKind::Rest, Owner::Model, || Amount::Unknown(why.clone()))
}

/// The parts of options whose effect is not known.
fn unknown_options(options: &MemoryOptions) -> Vec<Part> {
    let unknown = options.unknown.iter().cloned().chain(options.unknown_speculation().map(ToOwned::to_owned));
    let on_host = |why| Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(why));
    let mut parts: Vec<Part> = unknown.map(on_host).collect();
    let mut devices = options.devices(Owner::Model);
    devices.extend(options.devices(Owner::Draft));
    devices.sort();
    devices.dedup();
    for why in options.placement.unknown.iter().filter(|_| !devices.is_empty()) {
        let amount = || Amount::Unknown(why.clone());
        parts.extend(everywhere(&devices, PartKind::Rest, Owner::Model, amount));
    }
    parts
}

/// The parts that are not empty, and those of files: an empty one shows that nothing of the file is mapped.
fn without_empty(mut parts: Vec<Part>) -> Vec<Part> {
    let is_file =
        |part: &Part| part.place == Place::Host && matches!(part.kind, PartKind::Mapped | PartKind::Loaded);
    let is_empty = |part: &Part| {
        matches!(part.amount, Amount::Within { bytes: 0, .. } | Amount::AtMost(0) | Amount::MayGrow(0))
    };
    parts.retain(|part| is_file(part) || !is_empty(part));
    parts
}

fn prompt_cache(options: &MemoryOptions) -> Part {
    let amount = match options.prompt_cache {
        Some(bytes) if options.prompt_cache_is_default => Amount::MayGrow(bytes),
        Some(bytes) => Amount::AtMost(bytes),
        None => Amount::Unknown("the prompt cache has no size limit".to_owned()),
    };
    Part::on_host(PartKind::PromptCache, Owner::Model, amount)
}

/// The number of checkpoints of a slot by the engine's default.
pub fn default_checkpoints() -> u64 {
    let default = row_of("ctx-checkpoints").and_then(|row| row.default);
    default.and_then(|default| default.value.parse().ok()).unwrap_or(1)
}

/// The bytes of the prompt cache by a default of the engine, from the options of a command line. This needs no facts of the
/// model.
pub fn default_prompt_cache<'g>(given: impl Iterator<Item = Given<'g>>) -> u64 {
    let mut cache = given.filter(|one| one.is_default && one.row.names.contains(&"cache-ram"));
    cache.find_map(|one| one.mebibytes()).unwrap_or_default()
}

/// The context that drafts with MTP layers, of the model itself or of a draft, whose placement is that of `placed`.
/// `gemma4-assistant` reads the cache of its target (`create_memory` in `src/llama-model.cpp` of llama.cpp b11434).
fn mtp_parts(process: &Process<'_>, facts: &Facts, placed: Owner) -> Vec<Part> {
    let owner = Owner::Draft;
    let Ok(offload) = process.options.offload(facts, placed) else { return Vec::new() };
    let mut parts = Vec::new();
    if facts.architecture.as_deref() != Some("gemma4-assistant") {
        let caches = layers(facts).and_then(|layers| {
            let params = context_params(process.options, facts, &layers, Owner::Draft);
            cache::mtp_caches(&layers, &params, process.options.draft_cache_types, &offload)
        });
        parts.extend(placed_or_unknown(PartKind::Cache, owner, caches, &offload));
    }
    let why = || Amount::Unknown("the compute buffers of drafting with MTP layers are not known".to_owned());
    parts.extend(offload.parts(PartKind::Compute, owner, why));
    parts
}

/// The sums by place as parts, or an unknown part for each place.
fn placed_or_unknown(
    kind: PartKind,
    owner: Owner,
    sums: Result<cache::SumsByPlace, String>,
    offload: &Offload,
) -> Vec<Part> {
    match sums {
        Ok(sums) => offload.placed(kind, owner, &sums),
        Err(why) => offload.parts(kind, owner, || Amount::Unknown(why.clone())),
    }
}

/// The weights of a model or draft.
fn weights_of(options: &MemoryOptions, facts: &Facts, owner: Owner) -> Vec<Part> {
    match options.offload(facts, owner) {
        Ok(offload) => weights::weight_parts(facts, options, owner, &offload),
        Err(why) => {
            let unknown = || Amount::Unknown(why.clone());
            let mut parts = vec![weights::input_part(facts, options, owner)];
            parts.extend(everywhere(&options.devices(owner), PartKind::Rest, owner, unknown));
            parts
        }
    }
}

/// The parts of a draft. It has the context of its target and separate cache types (llama.cpp b11434,
/// `common_base_params_to_speculative` of `common/speculative.cpp`).
fn draft_parts(process: &Process<'_>, draft: &Facts) -> Vec<Part> {
    let options = process.options;
    if process.profile.option(SERVER, "--ctx-size-draft").is_none() {
        return context_parts(process, draft, Owner::Draft);
    }
    let mut parts = weights_of(options, draft, Owner::Draft);
    for kind in [PartKind::Cache, PartKind::Compute] {
        let why = || {
            Amount::Unknown("the draft context of a build with `--ctx-size-draft` is not known".to_owned())
        };
        parts.extend(everywhere(&options.devices(Owner::Draft), kind, Owner::Draft, why));
    }
    parts
}

/// The parts of a model or draft and its context.
fn context_parts(process: &Process<'_>, facts: &Facts, owner: Owner) -> Vec<Part> {
    let options = process.options;
    let mut parts = weights_of(options, facts, owner);
    let layers = match layers(facts) {
        Ok(layers) => layers,
        Err(why) => {
            let unknown = || Amount::Unknown(why.clone());
            parts.extend(everywhere(&options.devices(owner), PartKind::Rest, owner, unknown));
            return parts;
        }
    };
    let mut params = context_params(options, facts, &layers, owner);
    let offload = options.offload(facts, owner).ok();
    let compute = offload.as_ref().map(|offload| buffers::compute(process, facts, &params, owner, offload));
    // Without flash attention the caches have another size.
    params.flash_attention = compute.as_ref().map_or(params.flash_attention, |(_, flash)| *flash);
    let placed =
        offload.iter().flat_map(|offload| placed_parts(process, facts, owner, (&layers, &params), offload));
    parts.extend(placed);
    parts.extend(checkpoint_parts(process, &layers, &params, owner));
    parts.extend(compute.into_iter().flat_map(|(parts, _)| parts));
    // The buffer grows with the first batch that has more than one output per slot. It is on the host, also with devices.
    let grown = ContextParams { slots: params.outputs.max(params.slots), ..params };
    let sampling = if options.samples_in_backend(owner) { sampling_bytes(facts, grown.slots) } else { 0 };
    let output = compute::output_buffer(facts, &grown).saturating_add(sampling);
    parts.push(Part::on_host(PartKind::Output, owner, Amount::AtMost(output)));
    parts
}

/// The caches and states of a context.
fn placed_parts(
    process: &Process<'_>,
    facts: &Facts,
    owner: Owner,
    (layers, params): (&Layers, &ContextParams),
    offload: &Offload,
) -> Vec<Part> {
    let caches = cache::kv_caches(layers, params, cache_types(process.options, owner), offload);
    let mut parts = placed_or_unknown(PartKind::Cache, owner, caches, offload);
    let rollback = rollback(process.options, facts, owner);
    let states = cache::recurrent_state(layers, params, rollback, offload);
    parts.extend(offload.placed(PartKind::State, owner, &states));
    parts
}

/// The cache types of keys and values.
fn cache_types(options: &MemoryOptions, owner: Owner) -> [&'static TensorType; 2] {
    if owner == Owner::Draft {
        options.draft_cache_types
    } else {
        [options.cache_type_k, options.cache_type_v]
    }
}

/// The context checkpoints, which are on the host.
fn checkpoint_parts(
    process: &Process<'_>,
    layers: &Layers,
    params: &ContextParams,
    owner: Owner,
) -> Vec<Part> {
    let options = process.options;
    let part = |amount| Part::on_host(PartKind::Checkpoints, owner, amount);
    match cache::checkpoint(layers, params, cache_types(options, owner)) {
        Ok(bytes) => {
            let of_slots = bytes.saturating_mul(params.slots);
            let kept = of_slots.saturating_mul(options.checkpoints);
            let bound = if options.checkpoints_are_default { Amount::MayGrow } else { Amount::AtMost };
            // Speculation with a recurrent model needs one more checkpoint.
            let for_drafting = process.draft.is_some() && layers.each.iter().any(|layer| layer.has_state);
            vec![part(bound(kept)), part(Amount::AtMost(if for_drafting { of_slots } else { 0 }))]
        }
        Err(why) => vec![part(Amount::Unknown(why))],
    }
}

/// The additional output of backend sampling: logits and probabilities (f32), candidates and tokens (i32) (llama.cpp
/// b11434, `output_reserve` of `src/llama-context.cpp`).
fn sampling_bytes(facts: &Facts, rows: u64) -> u64 {
    let tokens = facts.vocabulary.as_ref().map_or(0, |vocabulary| vocabulary.size);
    rows.saturating_mul(tokens.saturating_mul(12).saturating_add(4))
}

/// The context parameters of a model or its draft, as the engine derives them from the options.
pub fn context_params(
    options: &MemoryOptions,
    facts: &Facts,
    layers: &Layers,
    owner: Owner,
) -> ContextParams {
    match owner {
        Owner::Draft => context::draft_params(options, facts, layers.window),
        Owner::Model | Owner::Projector => context::target_params(options, facts, layers.window),
    }
}

/// Additional rows of recurrent state for rollback (llama.cpp b11434, `src/llama-context.cpp`).
fn rollback(options: &MemoryOptions, facts: &Facts, owner: Owner) -> u64 {
    let arch = facts.architecture.as_deref().and_then(architecture);
    let is_supported = arch.is_some_and(|arch| arch.is(Class::RecurrentPartialRollback));
    if owner == Owner::Model && is_supported { options.rollback_tokens() } else { 0 }
}
