//! Why a model file could not be read: the disk, or its bytes.

use std::fmt;

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is no such file.
    Missing,
    /// It is there and cannot be read; what the system says, in lower case and without a full stop.
    Disk(String),
    /// Its bytes are not those of a GGUF file that an engine loads.
    Damaged(Damage),
}

/// What is wrong with the bytes, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The byte of the file, from 0.
    pub at: u64,
    /// What was expected and found there.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Disk(reason) => f.write_str(reason),
            Self::Damaged(Damage { at, what }) => write!(f, "byte {at}: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// What was expected and found at a byte.
    pub(super) fn at(at: u64, what: impl Into<String>) -> Self {
        Self::Damaged(Damage { at, what: what.into() })
    }
}
