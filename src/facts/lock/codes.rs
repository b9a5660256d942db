//! Codes about the lock: its format (2xx), and the model files that it describes (3xx).

use crate::diag::Code;

/// All codes of this module.
pub static ALL: &[&Code] =
    &[&DAMAGED_LOCK, &UNKNOWN_LOCK_FORMAT, &MISSING_MODEL, &UNREADABLE_MODEL, &STALE_LOCK];

declare_code! {
    /// ## What it finds
    /// A `registry.lock` that does not have the format of `orchgen lock`: truncated, edited, or merged by hand.
    ///
    /// ## Why
    /// Checks trust the facts in the lock. orchgen omits an entry that it cannot read, and does not run the checks that
    /// need it.
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
    /// A `registry.lock` in a format that this version of orchgen does not support.
    ///
    /// ## Why
    /// A newer orchgen wrote it. This version does not know the meaning of its facts.
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

declare_code! {
    /// ## What it finds
    /// With `orchgen lock`: the file of a model, a projector, an adapter or another option does not exist.
    ///
    /// ## Why
    /// On the machine that serves the model, the engine would exit at startup. orchgen locks all other models. It keeps
    /// the facts of an older lock for this model.
    ///
    /// With several hosts, only files of this machine are required: those that its roles use, and models without a role in
    /// stores that it has. The machine is the host with its name or its address, or the one that `--host` names.
    ///
    /// ## Instead
    /// Add the file, or correct `file`, the `path` of the store, or the `path` of its `mount`. If each host has its own models,
    /// run `orchgen lock` on each of them in turn, with the same registry.
    pub static MISSING_MODEL = 388, "missing-model", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen lock`: a file that is not a GGUF file, is truncated, contradicts itself, or has a tensor type of another
    /// engine or a removed one. The finding names the byte offset.
    ///
    /// ## Why
    /// The engine refuses the file or, worse, reads beyond its end. orchgen reads headers as llama.cpp b11434 does
    /// (`ggml/src/gguf.cpp`), and never reads weights.
    ///
    /// ## Instead
    /// Download the file again, and compare its size and SHA-256 with those of its source. For a tensor type of another
    /// engine, use a file of the model that is made for llama.cpp.
    pub static UNREADABLE_MODEL = 389, "unreadable-model", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen lock --check`: the file of a model differs from the lock, a model is not locked, or the lock has a
    /// model that the registry does not have.
    ///
    /// ## Why
    /// Builds trust the lock. A replaced file with the same name may have another vocabulary, size or context.
    ///
    /// ## Instead
    /// Run `orchgen lock` and commit the result. The diff of the lock shows what changed in the model.
    pub static STALE_LOCK = 390, "stale-lock", Error;
}
