//! Computes everything that follows from a registry, its lock and the profiles of its engines: command lines, files, memory.

mod derived;
mod extra_memory;
mod files;
pub mod intent;
mod load;
pub mod locked;
pub mod memory;
mod memory_scope;

pub use derived::{Derived, EngineProfile, FILE_ENDING, LoweringIssues, ProfileText};
pub use extra_memory::{ExtraMemory, FilePart, PrivateMemory, RoleMemory};
pub use files::{MemoryKind, MemoryPart, ModelFiles};
pub use load::{LoadChange, LoadLine, MemoryLoad, RoleGroup, RoleGroups};
pub use memory_scope::MemoryScope;
