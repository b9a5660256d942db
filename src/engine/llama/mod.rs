//! llama.cpp: its builds, the options that a build accepts, its command lines, and what it does with a model.
//!
//! A [`Profile`] lists the options of a build. [`dialect`] lowers the specification of a process to the argv of that
//! build, or reports what the build cannot express. [`keys`] and [`architecture`] describe the metadata of models.

pub mod architecture;
mod built_in;
pub mod compute;
pub mod dialect;
mod difference;
mod file;
pub mod help;
pub mod keys;
pub mod layers;
pub mod libraries;
pub mod lists;
mod meaning;
pub mod memory;
pub mod metrics;
pub mod offload;
mod option;
pub mod options;
pub mod pairing;
mod probed;
pub mod profile;
pub mod requests;
pub mod version;

/// The program that serves a model.
pub(super) const SERVER: &str = "llama-server";
/// The path of the health check (llama.cpp b11434, `tools/server/server.cpp`).
pub(super) const HEALTH_PATH: &str = "/health";
/// The start of the names of environment variables that set options.
pub(super) const VARIABLE_PREFIX: &str = "LLAMA_ARG_";
/// The environment variables that set API keys (`common/arg.cpp` of b11434).
pub(super) const KEY_VARIABLES: &[&str] = &["LLAMA_API_KEY", "LLAMA_ARG_API_KEY", "LLAMA_ARG_API_KEY_FILE"];
/// The environment variables whose value is a secret (same source).
pub(super) const SECRET_VARIABLES: &[&str] = &["LLAMA_API_KEY", "HF_TOKEN"];

/// The environment variable with the folder of downloaded models (`common/hf-cache.cpp` of b11434).
pub(super) const CACHE_VARIABLE: &str = "LLAMA_CACHE";

/// Environment variables that make a process set the affinity of its threads.
pub(super) const THREAD_VARIABLES: &[&str] =
    &["GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_PLACES", "OMP_PROC_BIND", "LLAMA_ARG_NUMA"];

pub use difference::{ChangeKind, OptionChange, ProfileDiff, diff_profiles};
pub use file::{FileTools, ProfileFile, ToolAlias};
pub use lists::{ClosedList, ClosedLists};
pub use meaning::{Meaning, meaning, option_arity, option_title, usual_name};
pub use option::{OptionRecord, Repeat, Switch, Tools};
pub use probed::profile_from_help;
pub use profile::{Profile, ProfileError};
