//! Codes 2xx of the lock's own shape.

use crate::diag::Code;

/// All codes of this room.
pub static ALL: &[&Code] = &[&DAMAGED_LOCK, &UNKNOWN_LOCK_FORMAT];

declare_code! {
    /// ## What it finds
    /// A `registry.lock` that is not as `orchgen lock` writes it: cut short, edited or merged by hand.
    ///
    /// ## Why
    /// What it says of models would be believed. An entry that cannot be read is left out, and what depends on it is not
    /// checked.
    ///
    /// ## Example
    /// ```lock
    /// {"format_version": 1, "models": {"plain": {"file": "plain.gguf", "header": "0", "size": "4.4 GB"}}}
    /// ```
    ///
    /// ## Instead
    /// ```lock
    /// {"format_version": 1, "models": {"plain": {"file": "plain.gguf", "header": "0", "size": 4400000000}}}
    /// ```
    pub static DAMAGED_LOCK = 216, "damaged-lock", Error;
}

declare_code! {
    /// ## What it finds
    /// A `registry.lock` of another format than this orchgen reads.
    ///
    /// ## Why
    /// A newer orchgen wrote it, and what it means by a fact is not known here.
    ///
    /// ## Example
    /// ```lock
    /// {"format_version": 2, "models": {}}
    /// ```
    ///
    /// ## Instead
    /// ```lock
    /// {"format_version": 1, "models": {}}
    /// ```
    pub static UNKNOWN_LOCK_FORMAT = 217, "unknown-lock-format", Error;
}
