//! llama.cpp: its builds, the options that a build accepts, its command lines, and what it does with a model.
//!
//! A [`Profile`] lists the options of a build. [`dialect`] lowers the specification of a process to the argv of that
//! build, or reports what the build cannot express. [`keys`] and [`architecture`] describe the metadata of models.

pub mod architecture;
mod buckets;
mod built_in;
pub mod compute;
pub mod dialect;
mod difference;
mod file;
pub mod help;
pub mod keys;
pub mod layers;
pub mod memory;
mod option;
pub mod pairing;
mod probed;
pub mod profile;
pub mod version;

pub use difference::{ChangeKind, OptionChange, ProfileDiff, diff_profiles};
pub use file::{FileTools, ProfileFile, ToolAlias};
pub use option::{OptionRecord, Repeat, Switch, Tools};
pub use probed::profile_from_help;
pub use profile::{Profile, ProfileError};
