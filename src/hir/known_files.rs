//! Properties that a model may omit, because the lock has them.

use super::{Bytes, Text};
use crate::source::Spanned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The known properties of the models whose files were read, by model name.
pub type KnownFiles = BTreeMap<Arc<str>, KnownFile>;

/// The known properties of one model file, with their places in the lock.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// The file that was read, as written in the model.
    pub file: Arc<str>,
    /// The architecture.
    pub arch: Option<Text>,
    /// The quantization.
    pub quant: Option<Text>,
    /// The size.
    pub size: Spanned<Bytes>,
    /// The trained context length, in tokens.
    pub trained_context: Option<Spanned<u64>>,
}
