//! Opens model files. It never reads weights. Only this module and `source/load.rs` read files of the user.

use super::{Header, ReadError, VocabularyDetail};
use crate::source::{Digest, DigestBuilder};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The headers of the files of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelHeaders {
    /// The header of the file, or of the first shard, which has all metadata.
    pub first: Header,
    /// The headers of the other shards that exist.
    pub others: Vec<Header>,
    /// The declared number of shards. `None` for a single file.
    pub shards: Option<u16>,
    /// The missing shards, numbered from 1.
    pub missing: Vec<u16>,
}

/// The reason why a model cannot be read, and the shard that caused it.
#[derive(Clone, PartialEq, Debug)]
pub struct ShardError {
    /// The number of the shard, from 1. `None` for the file that the registry names.
    pub shard: Option<u16>,
    /// The cause.
    pub cause: ReadError,
}

/// The error of reading a file that does not exist. `None` if it exists.
pub fn missing_file(path: &Path) -> Option<ShardError> {
    (!path.exists()).then_some(ShardError { shard: None, cause: ReadError::Missing })
}

impl ModelHeaders {
    /// Reads the header of a file. If it is the first of several shards, also reads the headers of the others.
    pub fn read(path: &Path, detail: VocabularyDetail) -> Result<Self, ShardError> {
        let whole = |cause| ShardError { shard: None, cause };
        let first = read_header(path, detail).map_err(whole)?;
        let short = |key: &str| first.number(key).and_then(|n| u16::try_from(n).ok());
        let Some(count) = short("split.count").filter(|count| *count > 1) else {
            return Ok(Self { first, others: Vec::new(), shards: None, missing: Vec::new() });
        };
        if let Some(number) = short("split.no").filter(|number| *number > 0) {
            return Err(whole(ReadError::LaterShard { number: u64::from(number) + 1, count }));
        }
        let mut parts = Self { first, others: Vec::new(), shards: Some(count), missing: Vec::new() };
        let name = shard_name(path, count).ok_or_else(|| {
            let what =
                format!("the first of {count} shards needs a name that ends in `-00001-of-{count:05}.gguf`");
            whole(ReadError::at(0, what))
        })?;
        for number in 2..=count {
            match read_header(&name(number), VocabularyDetail::Digests) {
                Ok(header) if header.number("split.no") == Some(u64::from(number) - 1) => {
                    parts.others.push(header);
                }
                Ok(_) => {
                    let what = format!("expected `split.no` {}", number - 1);
                    return Err(ShardError { shard: Some(number), cause: ReadError::at(0, what) });
                }
                Err(ReadError::Missing) => parts.missing.push(number),
                Err(cause) => return Err(ShardError { shard: Some(number), cause }),
            }
        }
        Ok(parts)
    }

    /// All headers, in the order of the shards.
    pub fn headers(&self) -> impl Iterator<Item = &Header> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The digest of all headers: the digest of a single header, or the digest of the concatenated digests.
    pub fn digest(&self) -> Digest {
        if self.others.is_empty() {
            return self.first.digest;
        }
        let mut hash = DigestBuilder::default();
        self.headers().for_each(|header| hash.add(header.digest.to_string().as_bytes()));
        hash.finish()
    }
}

/// A function that returns the path of each shard. `None` if the name of the first one does not have the form that the
/// engine expects (`prefix-00001-of-00003.gguf`, llama.cpp b11434, `src/llama.cpp`).
fn shard_name(first: &Path, count: u16) -> Option<impl Fn(u16) -> PathBuf> {
    let name = first.file_name()?.to_str()?;
    let prefix = name.strip_suffix(&format!("-00001-of-{count:05}.gguf"))?.to_owned();
    let folder = first.parent()?.to_owned();
    Some(move |number: u16| folder.join(format!("{prefix}-{number:05}-of-{count:05}.gguf")))
}

/// Reads the header of one file. Opens only regular files, because opening a FIFO would block.
pub fn read_header(path: &Path, detail: VocabularyDetail) -> Result<Header, ReadError> {
    let about = std::fs::metadata(path).map_err(|error| read_error(&error))?;
    if !about.is_file() {
        return Err(ReadError::Disk("it is not a regular file".into()));
    }
    let file = File::open(path).map_err(|error| read_error(&error))?;
    Header::read(file, about.len(), detail)
}

fn read_error(error: &io::Error) -> ReadError {
    let kind = error.kind();
    if matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory) {
        ReadError::Missing
    } else if kind == ErrorKind::PermissionDenied {
        ReadError::Disk("permission denied".into())
    } else {
        ReadError::Disk(error.to_string())
    }
}
