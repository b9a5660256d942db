//! Errors of reading a model file.

use super::TypeOrigin;
use std::fmt;

/// The reason why a model file cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// There is no such file.
    Missing,
    /// The file exists but cannot be read: the message of the system, in lower case and without a full stop.
    Disk(String),
    /// The bytes are not those of a GGUF file that an engine loads.
    Damaged(Damage),
    /// A tensor has a type that llama.cpp does not have, so the file is for another build.
    ForeignType(Damage, TypeOrigin),
    /// The file is another shard than the first.
    LaterShard {
        /// The number of the shard, from 1.
        number: u64,
        /// The number of shards.
        count: u16,
    },
}

/// An error in the bytes of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The offset in the file, from 0.
    pub at: u64,
    /// The expected and the found value.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Disk(reason) => f.write_str(reason),
            Self::Damaged(Damage { at, what }) | Self::ForeignType(Damage { at, what }, _) => {
                write!(f, "byte {at}: {what}")
            }
            Self::LaterShard { number, count } => write!(f, "this is shard {number} of {count}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    /// An error in the bytes at an offset.
    pub(super) fn at(at: u64, what: impl Into<String>) -> Self {
        Self::Damaged(Damage { at, what: what.into() })
    }
}
