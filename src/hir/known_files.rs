//! Properties that a model may omit, because the lock has them.

use super::Bytes;
use crate::source::Spanned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The known properties of model files, by model name.
#[derive(Clone, Debug)]
pub struct KnownFiles {
    /// The models whose files were read.
    pub files: BTreeMap<Arc<str>, KnownFile>,
    /// The policy for a model without `size` whose file is not known.
    pub missing_size: MissingSize,
}

/// The policy for a model of unknown size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MissingSize {
    /// Report the missing size.
    Report,
    /// Leave the model out. The damaged lock is already reported.
    LeaveOut,
    /// Accept it: `orchgen lock` is about to read the file.
    Allow,
}

/// The known properties of one model file.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// The file that was read, as written in the model.
    pub file: Arc<str>,
    /// The size, with its place in the lock.
    pub size: Spanned<Bytes>,
    /// The trained context length, in tokens.
    pub trained_context: Option<Spanned<u64>>,
}
