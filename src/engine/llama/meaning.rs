//! The meaning of an option or a setting of llama.cpp in a registry, for users who write it as a field of a role.

use super::options::row_of;
use super::{OptionRecord, Profile, Switch};
use crate::engine::Family;

/// Where a registry has a setting of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A field of a role, or a part of it.
    Field(&'static str, Option<&'static str>),
    /// An option of a role with this name.
    Option(String),
    /// An option with this name, which the word switches off.
    OptionOff(String),
    /// An option with this name and value.
    OptionValue(&'static str, &'static str),
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

/// Switches of earlier builds, and the option with the value that replaces them since b10434 (`common/arg.cpp`).
const REPLACED: &[(&str, &str, &str)] = &[
    ("no-mmap", "load-mode", "none"),
    ("mmap", "load-mode", "mmap"),
    ("use-mmap", "load-mode", "mmap"),
    ("direct-io", "load-mode", "dio"),
];

/// Switches that are a part or a word of a field.
const SWITCHES: &[(&str, &str)] = &[("kv-unified", "shared"), ("fit", "fit")];

/// The meaning of a word: an option with `-` or `_`, in camel case, long or short, with or without dashes, or its
/// environment variable. `None` if no build has such an option, or if a role cannot have it.
pub fn meaning(word: &str) -> Option<Meaning> {
    let profile = Profile::built_in_of(Family::LlamaCpp).last()?;
    if let Some(record) = profile.variable(word) {
        let is_off = record.env.as_deref() != Some(word);
        return in_role(record.title(), Some((record, if is_off { Switch::Off } else { Switch::On })));
    }
    let name = bare(word);
    let name = OTHER_NAMES.iter().find(|(other, _)| *other == name).map_or(name.as_str(), |(_, name)| name);
    if let Some((_, option, value)) = REPLACED.iter().find(|(replaced, ..)| *replaced == name) {
        return Some(Meaning::OptionValue(option, value));
    }
    let spellings = [format!("--{name}"), format!("-{name}")];
    let found = spellings.iter().find_map(|name| profile.find(profile.server(), name));
    in_role(name, found.map(|(record, _, switch)| (record, switch)))
}

/// The option of the server that has another name elsewhere, such as `ctx-size` for `n_ctx`.
pub fn usual_name(word: &str) -> Option<&'static str> {
    let name = bare(word);
    OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, name)| *name)
}

/// The place in a role of an option with this name, and its record in the latest build.
fn in_role(name: &str, found: Option<(&OptionRecord, Switch)>) -> Option<Meaning> {
    let row = row_of(name).or_else(|| found?.0.row());
    if row.is_some_and(|row| row.is_secret) {
        return Some(Meaning::Secret);
    }
    if let Some((row, owner)) = row.and_then(|row| Some((row, row.owner?))) {
        let part = SWITCHES.iter().find(|(name, _)| row.names.contains(name)).map(|(_, part)| *part);
        return Some(Meaning::Field(owner.field, part.or(owner.part)));
    }
    if row.is_some_and(|row| row.refusal.is_some()) {
        return None;
    }
    let (record, switch) = found?;
    let title = record.title().trim_start_matches('-').to_owned();
    Some(if switch == Switch::Off { Meaning::OptionOff(title) } else { Meaning::Option(title) })
}

/// The word with `-` between its parts: `n_ctx`, `nCtx` and `--n-ctx` are the same.
fn bare(word: &str) -> String {
    let word = word.trim_start_matches('-');
    let mut name = String::with_capacity(word.len() + 2);
    let is_all_upper = !word.contains(|c: char| c.is_ascii_lowercase());
    for c in word.chars() {
        if c.is_ascii_uppercase() && !is_all_upper && !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        name.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    name
}

/// The main name of an option of the server: the same for all its names. `None` if no built-in build has it. The latest
/// build that has the name decides.
pub fn option_title(name: &str) -> Option<&'static str> {
    let all: Vec<&'static Profile> =
        Family::ALL.iter().rev().flat_map(|family| Profile::built_in_of(*family)).collect();
    all.into_iter().rev().find_map(|profile| Some(profile.option(profile.server(), name)?.title()))
}

/// The number of values of an option of the server. 0 for a switch, and if no built-in build has it.
pub fn option_arity(name: &str) -> usize {
    let latest = Profile::built_in_of(Family::LlamaCpp).last();
    latest.and_then(|profile| profile.option(profile.server(), name)).map_or(0, OptionRecord::arity)
}
