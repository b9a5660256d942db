//! Weights: mapped from the file, loaded into the process, or repacked into a layout of the CPU.

use super::{Amount, MemoryOptions, Owner, Part, PartKind};
use crate::engine::architecture::{Architecture, StateKind, architecture};
use crate::engine::layers::layers;
use crate::engine::offload::Offload;
use crate::facts::{Facts, Tensors};
use std::collections::BTreeMap;

/// The types that an AVX2 CPU repacks in groups of eight rows (llama.cpp b11434, `ggml/src/ggml-cpu/repack.cpp`). ARM
/// CPUs have others, which are not modeled.
const REPACKED: &[&str] = &["iq4_nl", "mxfp4", "q4_0", "q4_K"];
/// The type that only an AVX-512 CPU repacks. A registry does not contain the kind of CPU.
const REPACKED_WITH_AVX512: &str = "q2_K";

/// Bytes of all tensors.
pub(super) fn total_bytes(facts: &Facts) -> u64 {
    sum(&facts.tensors.bytes)
}

fn sum(bytes: &BTreeMap<Box<str>, u64>) -> u64 {
    bytes.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// The weights of a model or a draft by place.
pub(super) fn weight_parts(
    facts: &Facts,
    options: &MemoryOptions,
    owner: Owner,
    offload: &Offload,
) -> Vec<Part> {
    if offload.devices.is_empty() {
        return host_parts(facts, options, owner);
    }
    if facts.tensors.layers.is_empty() {
        return offload.parts(PartKind::Loaded, owner, || Amount::Unknown(NO_LAYERS.to_owned()));
    }
    let mut sums = sums_by_place(&facts.tensors, offload, used_layers(facts, options));
    move_scans(facts, offload, &mut sums);
    if has_tied_output(facts) {
        // The device has a copy of the token embeddings, because the input layer is on the host.
        let copy = sums.entry(offload.output).or_default();
        *copy =
            copy.saturating_add(if offload.output.is_some() { sum(&facts.tensors.token_embd) } else { 0 });
    }
    let on_host = sums.remove(&None).unwrap_or_default();
    let kind = if options.mmap { PartKind::Mapped } else { PartKind::Loaded };
    let mut parts = vec![Part::on_host(kind, owner, Amount::exact(on_host))];
    parts.extend(offload.placed(PartKind::Loaded, owner, &sums));
    if options.placement.no_host && options.repack && options.mmap {
        let why = "with `no-host`, the weights of the host that are repacked are not known".to_owned();
        parts.push(Part::on_host(PartKind::Rest, owner, Amount::Unknown(why)));
    }
    if options.placement.locks && options.mmap {
        // Measured with llama-server b11669: the lock reaches from the start of the file to the last tensor of the host.
        let why = "with `mlock`, the engine also locks weights of devices that precede those of the host in the file";
        parts.push(Part::on_host(PartKind::Rest, owner, Amount::Unknown(why.to_owned())));
    }
    parts
}

/// The tensors of an adapter by place: each is where the tensor is that it changes (llama.cpp b11434,
/// `src/llama-adapter.cpp`).
pub(super) fn adapter_parts(adapter: &Facts, offload: &Offload) -> Vec<Part> {
    let (kind, owner) = (PartKind::Adapters, Owner::Model);
    if offload.devices.is_empty() {
        return vec![Part::on_host(kind, owner, Amount::exact(total_bytes(adapter)))];
    }
    if adapter.tensors.layers.is_empty() {
        return offload.parts(kind, owner, || Amount::Unknown(NO_LAYERS.to_owned()));
    }
    offload.placed(kind, owner, &sums_by_place(&adapter.tensors, offload, u64::MAX))
}

/// The bytes of the tensors that are always on the host: those of the input layer.
pub(super) fn input_part(facts: &Facts, options: &MemoryOptions, owner: Owner) -> Part {
    let kind = if options.mmap { PartKind::Mapped } else { PartKind::Loaded };
    let is_known = !facts.tensors.layers.is_empty();
    let amount =
        if is_known { Amount::exact(facts.tensors.input) } else { Amount::Unknown(NO_LAYERS.to_owned()) };
    Part::on_host(kind, owner, amount)
}

/// Moves the tensors `ssm_a` of Mamba-1 layers to the host if their device cannot compute with them.
fn move_scans(facts: &Facts, offload: &Offload, sums: &mut BTreeMap<Option<usize>, u64>) {
    let arch = facts.architecture.as_deref().and_then(architecture);
    if arch.is_none_or(|arch| arch.layout().state != Some(StateKind::Mamba)) {
        return;
    }
    let [inner, state] = ["ssm.inner_size", "ssm.state_size"].map(|key| facts.number(key).unwrap_or(0));
    let bytes = inner.saturating_mul(state).saturating_mul(F32);
    let Ok(layers) = layers(facts) else { return };
    for (layer, _) in (0..).zip(&layers.each).filter(|(_, layer)| layer.has_state) {
        let device = offload.device_of(layer);
        let name = device.and_then(|device| offload.devices.get(device));
        if name.is_none_or(|name| scans(name, inner, state)) {
            continue;
        }
        if let Some(sum) = sums.get_mut(&device) {
            let moved = bytes.min(*sum);
            *sum = sum.saturating_sub(moved);
            let host = sums.entry(None).or_default();
            *host = host.saturating_add(moved);
        }
    }
}

/// True if a device can compute the state space scan of a Mamba-1 layer, as far as its back end is known (llama.cpp b11434,
/// `GGML_OP_SSM_SCAN` in `supports_op` of `ggml/src/ggml-vulkan/ggml-vulkan.cpp` and `ggml/src/ggml-cuda/ggml-cuda.cu`, which
/// `ROCm` and MUSA share).
fn scans(device: &str, inner: u64, state: u64) -> bool {
    match device.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "Vulkan" => false,
        "CUDA" | "ROCm" | "MUSA" => state == 16 && inner.is_multiple_of(128),
        _ => true,
    }
}

/// Bytes of an f32.
const F32: u64 = 4;

/// The reason why the weights of a device are not known.
const NO_LAYERS: &str = "the lock has no sizes by layer: run `orchgen lock` where the file is";

/// The number of layers of the file that the engine loads. It loads MTP layers only for drafting.
fn used_layers(facts: &Facts, options: &MemoryOptions) -> u64 {
    let layers = facts.number("block_count").unwrap_or(u64::MAX);
    let nextn = facts.number("nextn_predict_layers").unwrap_or(0);
    if options.uses_mtp() { layers } else { layers.saturating_sub(nextn) }
}

/// Bytes by device, or of the host. `load_tensors` in `src/llama-model.cpp` of llama.cpp b11434 keeps the input layer on the
/// host and places the others; `--n-cpu-moe` keeps experts on the host.
fn sums_by_place(tensors: &Tensors, offload: &Offload, used_layers: u64) -> BTreeMap<Option<usize>, u64> {
    let mut sums: BTreeMap<Option<usize>, u64> = BTreeMap::new();
    let mut add = |place, bytes: u64| {
        let sum = sums.entry(place).or_default();
        *sum = sum.saturating_add(bytes);
    };
    add(None, tensors.input);
    let mut rest = sum(&tensors.bytes).saturating_sub(tensors.input);
    let mut layer = 0_u64;
    for run in &tensors.layers {
        rest = rest.saturating_sub(run.bytes.saturating_add(run.experts).saturating_mul(run.layers));
        // A damaged lock may have any number of layers.
        let end = layer.saturating_add(run.layers).min(used_layers).min(offload.layers.len() as u64);
        for layer in layer..end {
            let device = offload.device_of(layer);
            add(device, run.bytes);
            add(if layer < offload.host_experts { None } else { device }, run.experts);
        }
        layer = layer.saturating_add(run.layers);
    }
    add(offload.output, rest);
    sums
}

/// The weights of a model or a draft of which all layers are on the host, without a device that could pin them.
fn host_parts(facts: &Facts, options: &MemoryOptions, owner: Owner) -> Vec<Part> {
    let tensors = &facts.tensors;
    let unused = if options.uses_mtp() { 0 } else { sum(&tensors.nextn) };
    let used = total_bytes(facts).saturating_sub(unused);
    let repacked = if options.repack { repacked_bytes(facts) } else { 0 };
    let tied_output = if options.repack { tied_output_bytes(facts) } else { 0 };
    let file_kind = if options.mmap { PartKind::Mapped } else { PartKind::Loaded };
    let part = |kind, bytes| Part::on_host(kind, owner, Amount::exact(bytes));
    if tensors.bytes.is_empty() {
        let why = "the lock has no tensor sizes".to_owned();
        return vec![Part::on_host(file_kind, owner, Amount::Unknown(why))];
    }
    let mut parts = vec![
        part(file_kind, used.saturating_sub(repacked)),
        part(PartKind::Repacked, repacked.saturating_add(tied_output)),
    ];
    if options.repack && options.mmap && tensors.in_rows_of_8.contains_key(REPACKED_WITH_AVX512) {
        let why = format!(
            "`{REPACKED_WITH_AVX512}` weights are repacked on AVX-512 CPUs, and repacked weights are not shared"
        );
        parts.push(Part::on_host(PartKind::Rest, owner, Amount::Unknown(why)));
    }
    parts
}

fn repacked_bytes(facts: &Facts) -> u64 {
    let repacked = REPACKED.iter().filter_map(|name| facts.tensors.in_rows_of_8.get(*name));
    repacked.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// Bytes of the repacked copy of tied embeddings. Only matrix products can read a repacked layout, so the embedding
/// table is also stored as it is.
fn tied_output_bytes(facts: &Facts) -> u64 {
    let is_multiple_of_8 =
        facts.vocabulary.as_ref().is_some_and(|vocabulary| vocabulary.size.is_multiple_of(8));
    if !(has_tied_output(facts) && is_multiple_of_8) {
        return 0;
    }
    let repacked = REPACKED.iter().filter_map(|name| facts.tensors.token_embd.get(*name));
    repacked.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// True if the token embeddings are also the output matrix. Of the architectures without a memory module, only some have an
/// output matrix (`src/models/*.cpp` of llama.cpp b11434).
fn has_tied_output(facts: &Facts) -> bool {
    let name = facts.architecture.as_deref().unwrap_or_default();
    let has_output = matches!(name, "dream" | "gemma-embedding" | "llada" | "rnd1")
        || architecture(name).is_some_and(Architecture::has_memory);
    facts.tensors.output.is_empty() && has_output
}
