//! The meaning of an option or a setting of llama.cpp in a registry, for users who write it as a field of a role.

use super::Profile;
use super::options::row_of;
use crate::engine::Family;

/// Where a registry has a setting of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A field of a role, or a part of it.
    Field(&'static str, Option<&'static str>),
    /// An `option` of a role with this name.
    Option(String),
    /// A secret, which belongs into a file.
    Secret,
}

/// Names for options of the server in the C interface and the HTTP interface (llama.cpp b11669, `include/llama.h`,
/// `common/common.h` and `tools/server/README.md`), in Ollama and in vLLM.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("n-ctx", "ctx-size"),
    ("num-ctx", "ctx-size"),
    ("max-model-len", "ctx-size"),
    ("n-batch", "batch-size"),
    ("n-ubatch", "ubatch-size"),
    ("ubatch", "ubatch-size"),
    ("n-threads", "threads"),
    ("num-threads", "threads"),
    ("num-thread", "threads"),
    ("n-parallel", "parallel"),
    ("max-num-seqs", "parallel"),
    ("num-gpu", "gpu-layers"),
    ("offload-kqv", "kv-offload"),
    ("temperature", "temp"),
    ("max-tokens", "n-predict"),
    ("num-predict", "n-predict"),
    ("use-mlock", "mlock"),
];

/// The meaning of a word, with `-` or `_`, long or short, with or without dashes. `None` if no build has such an option,
/// or if a role cannot have it.
pub fn meaning(word: &str) -> Option<Meaning> {
    let name = word.trim_start_matches('-').replace('_', "-").to_ascii_lowercase();
    let name = OTHER_NAMES.iter().find(|(other, _)| *other == name).map_or(name.as_str(), |(_, name)| name);
    let profile = Profile::built_in_of(Family::LlamaCpp).last()?;
    let record = [format!("--{name}"), format!("-{name}")];
    let record = record.iter().find_map(|name| profile.option(profile.server(), name));
    let row = row_of(name).or_else(|| record?.row());
    if row.is_some_and(|row| row.is_secret) {
        return Some(Meaning::Secret);
    }
    match row.and_then(|row| row.owner) {
        Some(owner) => Some(Meaning::Field(owner.field, owner.part)),
        None if row.is_some_and(|row| row.refusal.is_some()) => None,
        None => Some(Meaning::Option(record?.title().trim_start_matches('-').to_owned())),
    }
}

/// The main name of an option of the server: the same for all its names. `None` if no built-in build has it. The latest
/// build that has the name decides.
pub fn option_title(name: &str) -> Option<&'static str> {
    let all: Vec<&'static Profile> =
        Family::ALL.iter().rev().flat_map(|family| Profile::built_in_of(*family)).collect();
    all.into_iter().rev().find_map(|profile| Some(profile.option(profile.server(), name)?.title()))
}
