//! What models need not say of themselves, because somebody read their files.

use super::Bytes;
use crate::source::Spanned;
use std::collections::BTreeMap;

/// What is known of models, by their names.
#[derive(Clone, Debug)]
pub struct Known {
    /// Models whose files were read.
    pub models: BTreeMap<Box<str>, Said>,
    /// Whether that is all that there was to know; otherwise what is missing was said.
    pub is_complete: bool,
}

/// What the file of a model says.
#[derive(Clone, Debug)]
pub struct Said {
    /// The file that was read, as a model names it.
    pub file: Box<str>,
    /// Its size, and where that stands.
    pub size: Spanned<Bytes>,
    /// The context that it was trained for, in tokens.
    pub trained_context: Option<Spanned<u64>>,
}
