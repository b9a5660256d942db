//! Weights: what stays in pages of the file, what is read into the process, and what is copied into a layout of the processor.

use super::{Amount, Asked, Kind, Part, Whose};
use crate::engine::architecture::{Architecture, architecture};
use crate::facts::Facts;
use std::collections::BTreeMap;

/// The types that a processor with AVX2 has a layout of eight rows for (llama.cpp b11434, `ggml/src/ggml-cpu/repack.cpp`). Those of
/// ARM, which have other ones, are not known here.
const REPACKED: &[&str] = &["iq4_nl", "mxfp4", "q4_0", "q4_K"];
/// The type that only one with AVX-512 has a layout for, of which a registry says nothing.
const WITH_AVX512: &str = "q2_K";

/// Bytes of all tensors.
pub(super) fn all(facts: &Facts) -> u64 {
    sum(&facts.tensors.bytes)
}

fn sum(bytes: &BTreeMap<Box<str>, u64>) -> u64 {
    bytes.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// The weights of a model or a draft.
pub(super) fn of(facts: &Facts, asked: &Asked, of: Whose) -> Vec<Part> {
    let tensors = &facts.tensors;
    let unused = if asked.predicts() { 0 } else { sum(&tensors.nextn) };
    let used = all(facts).saturating_sub(unused);
    let copied = if asked.repacks { copies(facts) } else { 0 };
    let doubled = if asked.repacks { doubled(facts) } else { 0 };
    let kept = if asked.maps { Kind::Mapped } else { Kind::Loaded };
    let part = |kind, bytes| Part { kind, of, amount: Amount::exact(bytes) };
    if tensors.bytes.is_empty() {
        let why = "the lock does not say which tensors there are".to_owned();
        return vec![Part { kind: kept, of, amount: Amount::Unknown(why) }];
    }
    let mut parts =
        vec![part(kept, used.saturating_sub(copied)), part(Kind::Repacked, copied.saturating_add(doubled))];
    if asked.repacks && asked.maps && tensors.in_rows_of_8.contains_key(WITH_AVX512) {
        let why =
            format!("whether the processor copies `{WITH_AVX512}`, which is then not shared, is not known");
        parts.push(Part { kind: Kind::Rest, of, amount: Amount::Unknown(why) });
    }
    parts
}

fn copies(facts: &Facts) -> u64 {
    let repacked = REPACKED.iter().filter_map(|kind| facts.tensors.in_rows_of_8.get(*kind));
    repacked.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// The embeddings, where they are the output as well: a layout of the processor is for products alone, so the table is kept and
/// copied.
fn doubled(facts: &Facts) -> u64 {
    let is_tied = facts.tensors.output.is_empty();
    let puts_out = facts.architecture.as_deref().and_then(architecture).is_some_and(Architecture::has_memory);
    let in_eights = facts.vocabulary.as_ref().is_some_and(|vocabulary| vocabulary.size.is_multiple_of(8));
    if !(is_tied && puts_out && in_eights) {
        return 0;
    }
    let repacked = REPACKED.iter().filter_map(|kind| facts.tensors.token_embd.get(*kind));
    repacked.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}
