//! What models need not say of themselves, because somebody read their files.

use super::Bytes;
use crate::source::Spanned;
use std::collections::BTreeMap;

/// What is known of models, by their names.
#[derive(Clone, Debug)]
pub struct Known {
    /// Models whose files were read.
    pub models: BTreeMap<Box<str>, Said>,
    /// What becomes of a model whose size neither it nor its file says.
    pub unsaid: Unsaid,
}

/// What becomes of a model whose size nobody says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsaid {
    /// It is said that the size is missing.
    Say,
    /// The model is left out: that its facts cannot be read was said.
    LeaveOut,
    /// It has none: its file is about to be read.
    Allow,
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
