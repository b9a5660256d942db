//! Codes of the lock: its own shape (2xx), and the files that it speaks of (3xx).

use crate::diag::Code;

/// All codes of this room.
pub static ALL: &[&Code] =
    &[&DAMAGED_LOCK, &UNKNOWN_LOCK_FORMAT, &MISSING_MODEL, &UNREADABLE_MODEL, &STALE_LOCK];

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

declare_code! {
    /// ## What it finds
    /// With `orchgen lock`: a model or a projector whose file is not there.
    ///
    /// ## Why
    /// On the machine that serves it, the engine would end at the start. All other models are locked; what an older lock
    /// says of this one is kept, since the file may lie on another machine of the stack.
    ///
    /// ## Instead
    /// Put the file there, or correct `file` or the `path` of the store. Where each machine has its own models, run `orchgen lock`
    /// on one after the other with the same registry.
    pub static MISSING_MODEL = 388, "missing-model", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen lock`: a file that is no GGUF file, is cut short, or contradicts itself, with the byte at which it does.
    ///
    /// ## Why
    /// The engine refuses it, or worse, reads past its end. Headers are read as llama.cpp b11434 reads them (`ggml/src/gguf.cpp`);
    /// weights are never read.
    ///
    /// ## Instead
    /// Fetch the file again, and compare its size and its SHA-256 with those of its source.
    pub static UNREADABLE_MODEL = 389, "unreadable-model", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen lock --check`: a model whose file is another one than that of the lock, one that is not locked, or a lock
    /// of models that the registry does not have.
    ///
    /// ## Why
    /// Builds believe the lock. A file that was replaced under the same name has other tokens, another size, another context.
    ///
    /// ## Instead
    /// Run `orchgen lock` and commit what it changes; the difference says what became of the model.
    pub static STALE_LOCK = 390, "stale-lock", Error;
}
