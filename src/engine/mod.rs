//! Engines: what a build of an engine accepts, its command lines, and what it does with a model.
//!
//! All functions here work on plain values, without registry, findings or disk. [`llama`] describes the builds of
//! llama.cpp. The other rooms use what is exported here.

pub mod command;
mod family;
pub mod llama;
pub mod llama_swap;
mod word;

pub use family::Family;
pub use llama::{
    ChangeKind, ClosedList, ClosedLists, FileTools, Meaning, OptionChange, OptionRecord, Profile,
    ProfileDiff, ProfileError, ProfileFile, Repeat, Switch, ToolAlias, Tools, architecture, compute, dialect,
    diff_profiles, help, keys, layers, libraries, lists, meaning, memory, metrics, offload, option_arity,
    option_title, options, pairing, profile, profile_from_help, requests, usual_name, version,
};
pub use word::{Access, PortPart, Word};
