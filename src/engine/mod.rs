//! What one engine build accepts and does with a model: profiles, spellings, metadata keys, architectures.
//!
//! Everything here is a function of plain values: no registry, no findings, no disk. A [`Profile`] says which options a
//! build has; [`dialect`] turns what a process has to do into the argv of that build, or says what it cannot express;
//! [`keys`] and [`architecture`] hold the facts about model metadata.

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

pub use difference::{Change, Difference, What, difference};
pub use file::{As, FileTools, ProfileFile};
pub use option::{OptionRecord, Repeat, Side, Tools};
pub use probed::probed;
pub use profile::{Profile, ProfileError};
