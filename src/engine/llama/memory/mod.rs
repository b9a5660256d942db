//! Predicts the memory of a server process from the headers of its files and its command line.
//!
//! The formulas are those of llama.cpp b11434 on a CPU; earlier builds allocate compute buffers differently. Each part
//! has an error margin, or the reason why it is not known. Unknown parts are never guessed.
//!
//! Not counted: the program and its libraries, the tables of the tokenizer, the work buffers of its threads
//! (`ggml_graph_plan` of `ggml/src/ggml-cpu/ggml-cpu.c`, about the widest layer of one batch), and requests in transit.

mod cache;
mod context;
mod options;
mod part;
mod weights;

pub use cache::{CacheHalf, indivisible_head, needs_equal_cache_types};
pub use options::MemoryOptions;
pub use part::{Amount, Owner, Part, PartKind, Place};

use super::architecture::{Architecture, Class, architecture};
use super::compute::{self, ContextParams};
use super::layers::{Layers, layers};
use super::options::{Given, row_of};
use super::{Profile, SERVER};
use crate::facts::Facts;

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
        let amount = Amount::Unknown(why.to_owned());
        let rest = Part::on_host(PartKind::Rest, Owner::Model, amount);
        return without_empty(vec![prompt_cache(options), rest]);
    }
    let mut parts = context_parts(process, model, Owner::Model);
    match draft {
        Some(draft) if options.uses_mtp() => {
            parts.extend(weights::weight_parts(draft, options, Owner::Draft));
            parts.extend(mtp_parts(process, draft));
        }
        Some(draft) => parts.extend(draft_parts(process, draft)),
        None if options.uses_mtp() => parts.extend(mtp_parts(process, model)),
        None => {}
    }
    if let Some(projector) = projector {
        let amount = Amount::exact(weights::total_bytes(projector));
        parts.push(Part::on_host(PartKind::Loaded, Owner::Projector, amount));
        let why = "the compute buffer of a projector depends on the image".to_owned();
        parts.push(Part::on_host(PartKind::Compute, Owner::Projector, Amount::Unknown(why)));
    }
    if options.has_ngram_table() {
        let amount = Amount::exact(NGRAM_TABLE);
        parts.push(Part::on_host(PartKind::Rest, Owner::Model, amount));
    }
    parts.push(prompt_cache(options));
    if options.fits && options.context == 0 {
        let least = options.least_context;
        let of = if options.kv_unified || options.slots.is_none_or(|slots| slots < 2) {
            ""
        } else {
            " of each slot"
        };
        let why = format!(
            "the engine fits the context to the memory of the machine: only its minimum, {least} tokens{of}, is counted"
        );
        parts.push(Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(why)));
    }
    let unknown = options.unknown.iter().cloned().chain(options.unknown_speculation().map(ToOwned::to_owned));
    parts.extend(unknown.map(|why| Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(why))));
    without_empty(parts)
}

/// The parts that are not empty, and those of files: an empty one shows that nothing of the file is mapped.
fn without_empty(mut parts: Vec<Part>) -> Vec<Part> {
    let is_file = |part: &Part| matches!(part.kind, PartKind::Mapped | PartKind::Loaded);
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

/// The context that drafts with MTP layers, of the model itself or of a draft. `gemma4-assistant` reads the cache of its
/// target (`create_memory` in `src/llama-model.cpp` of llama.cpp b11434).
fn mtp_parts(process: &Process<'_>, facts: &Facts) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |kind, amount| parts.push(Part::on_host(kind, Owner::Draft, amount));
    if facts.architecture.as_deref() != Some("gemma4-assistant") {
        let cache = layers(facts).and_then(|layers| {
            let params = context_params(process.options, facts, &layers, Owner::Draft);
            cache::mtp_caches(&layers, &params, process.options.draft_cache_types)
        });
        add(PartKind::Cache, cache.map_or_else(Amount::Unknown, Amount::exact));
    }
    let why = "the compute buffers of drafting with MTP layers are not known".to_owned();
    add(PartKind::Compute, Amount::Unknown(why));
    parts
}

/// The parts of a draft. It has the context of its target and separate cache types (llama.cpp b11434,
/// `common_base_params_to_speculative` of `common/speculative.cpp`).
fn draft_parts(process: &Process<'_>, draft: &Facts) -> Vec<Part> {
    let options = process.options;
    if process.profile.option(SERVER, "--ctx-size-draft").is_none() {
        return context_parts(process, draft, Owner::Draft);
    }
    let mut parts = weights::weight_parts(draft, options, Owner::Draft);
    for kind in [PartKind::Cache, PartKind::Compute] {
        let why = "the draft context of a build with `--ctx-size-draft` is not known".to_owned();
        parts.push(Part::on_host(kind, Owner::Draft, Amount::Unknown(why)));
    }
    parts
}

/// The parts of a model or draft and its context.
fn context_parts(process: &Process<'_>, facts: &Facts, owner: Owner) -> Vec<Part> {
    let options = process.options;
    let mut parts = weights::weight_parts(facts, options, owner);
    let mut add = |kind, amount| parts.push(Part::on_host(kind, owner, amount));
    let layers = match layers(facts) {
        Ok(layers) => layers,
        Err(why) => {
            add(PartKind::Rest, Amount::Unknown(why));
            return parts;
        }
    };
    let params = context_params(options, facts, &layers, owner);
    let types = if owner == Owner::Draft {
        options.draft_cache_types
    } else {
        [options.cache_type_k, options.cache_type_v]
    };
    let kv_caches = cache::kv_caches(&layers, &params, types);
    add(PartKind::Cache, kv_caches.map_or_else(Amount::Unknown, Amount::exact));
    let state = cache::recurrent_state(&layers, &params, rollback(options, facts, owner));
    add(PartKind::State, Amount::exact(state));
    match cache::checkpoint(&layers, &params, types) {
        Ok(bytes) => {
            let of_slots = bytes.saturating_mul(params.slots);
            let kept = of_slots.saturating_mul(options.checkpoints);
            let bound = if options.checkpoints_are_default { Amount::MayGrow } else { Amount::AtMost };
            add(PartKind::Checkpoints, bound(kept));
            // Speculation with a recurrent model needs one more checkpoint.
            let for_drafting = process.draft.is_some() && layers.each.iter().any(|layer| layer.has_state);
            add(PartKind::Checkpoints, Amount::AtMost(if for_drafting { of_slots } else { 0 }));
        }
        Err(why) => add(PartKind::Checkpoints, Amount::Unknown(why)),
    }
    add(PartKind::Compute, compute_amount(process, facts, &params, owner));
    // The buffer grows with the first batch that has more than one output per slot.
    let grown = ContextParams { slots: params.outputs.max(params.slots), ..params };
    let sampling = if options.samples_in_backend(owner) { sampling_bytes(facts, grown.slots) } else { 0 };
    let output = compute::output_buffer(facts, &grown).saturating_add(sampling);
    add(PartKind::Output, Amount::AtMost(output));
    parts
}

/// The compute buffer of a model or draft.
fn compute_amount(process: &Process<'_>, facts: &Facts, params: &ContextParams, owner: Owner) -> Amount {
    let has_memory =
        facts.architecture.as_deref().and_then(architecture).is_none_or(Architecture::has_memory);
    let since = if has_memory { KNOWN_SINCE } else { ENCODERS_KNOWN_SINCE };
    let is_known = process.profile.build_number().is_some_and(|build| build >= since);
    // Older builds may reserve another number of outputs. The tokens of the batch are an upper bound.
    let params = if is_known { *params } else { ContextParams { outputs: params.ubatch, ..*params } };
    match compute::compute_buffer(facts, &params) {
        Ok(_) if !is_known && owner == Owner::Draft => {
            Amount::Unknown("the draft context of a build before b11434 is not known".to_owned())
        }
        Ok(estimate) if is_known => {
            Amount::Within { bytes: estimate.bytes, percent: estimate.margin_percent }
        }
        Ok(estimate) => Amount::AtMost(estimate.bytes),
        Err(why) => Amount::Unknown(why),
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
