//! Weights: mapped from the file, loaded into the process, or repacked into a layout of the CPU.

use super::{Amount, MemoryOptions, Owner, Part, PartKind};
use crate::engine::architecture::{Architecture, architecture};
use crate::facts::Facts;
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

/// The weights of a model or a draft.
pub(super) fn weight_parts(facts: &Facts, options: &MemoryOptions, owner: Owner) -> Vec<Part> {
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
    let is_tied = facts.tensors.output.is_empty();
    let has_output =
        facts.architecture.as_deref().and_then(architecture).is_some_and(Architecture::has_memory);
    let is_multiple_of_8 =
        facts.vocabulary.as_ref().is_some_and(|vocabulary| vocabulary.size.is_multiple_of(8));
    if !(is_tied && has_output && is_multiple_of_8) {
        return 0;
    }
    let repacked = REPACKED.iter().filter_map(|name| facts.tensors.token_embd.get(*name));
    repacked.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}
