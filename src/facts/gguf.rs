//! Opens model files. With `source/load.rs` the only reader of the user's files; it never reads weights.

use super::{Fault, Header, Keep};
use crate::source::{Digest, Digesting};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The headers of a model's files.
#[derive(Clone, PartialEq, Debug)]
pub struct Parts {
    /// That of the file, or of the first shard, in which all metadata stands.
    pub first: Header,
    /// Those of the other shards that are there.
    pub others: Vec<Header>,
    /// How many shards there should be, where there are several.
    pub shards: Option<u16>,
    /// The shards that are not there, from 1.
    pub missing: Vec<u16>,
}

/// Why a model cannot be read, and which of its shards is the cause.
#[derive(Clone, PartialEq, Debug)]
pub struct PartFault {
    /// The shard, from 1; none where the file is the whole model.
    pub shard: Option<u16>,
    /// The cause.
    pub fault: Fault,
}

impl Parts {
    /// Reads the header of a file, and those of the other shards where it is the first of several.
    pub fn read(path: &Path, keep: Keep) -> Result<Self, PartFault> {
        let whole = |fault| PartFault { shard: None, fault };
        let first = read_header(path, keep).map_err(whole)?;
        let short = |key: &str| first.number(key).and_then(|n| u16::try_from(n).ok());
        let Some(count) = short("split.count").filter(|count| *count > 1) else {
            return Ok(Self { first, others: Vec::new(), shards: None, missing: Vec::new() });
        };
        if let Some(number) = short("split.no").filter(|number| *number > 0) {
            let what = format!("this is shard {} of {count}, and the first one has to be named", number + 1);
            return Err(whole(Fault::at(0, what)));
        }
        let mut parts = Self { first, others: Vec::new(), shards: Some(count), missing: Vec::new() };
        let name = shard_name(path, count).ok_or_else(|| {
            let what = format!(
                "it is the first of {count} shards, and its name does not end in `-00001-of-{count:05}.gguf`"
            );
            whole(Fault::at(0, what))
        })?;
        for number in 2..=count {
            match read_header(&name(number), Keep::Digests) {
                Ok(header) if header.number("split.no") == Some(u64::from(number) - 1) => {
                    parts.others.push(header);
                }
                Ok(_) => {
                    let what = format!("its `split.no` is not {}", number - 1);
                    return Err(PartFault { shard: Some(number), fault: Fault::at(0, what) });
                }
                Err(Fault::Missing) => parts.missing.push(number),
                Err(fault) => return Err(PartFault { shard: Some(number), fault }),
            }
        }
        Ok(parts)
    }

    /// The headers that were read, in the order of the shards.
    pub fn headers(&self) -> impl Iterator<Item = &Header> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The digest of all headers: that of the one there is, or of the digests one after another.
    pub fn digest(&self) -> Digest {
        if self.others.is_empty() {
            return self.first.digest;
        }
        let mut hash = Digesting::default();
        self.headers().for_each(|header| hash.add(&header.digest.text()));
        hash.end()
    }
}

/// The name of each shard of `count`, where the first one is called as the engine expects it
/// (`prefix-00001-of-00003.gguf`, llama.cpp b11434, `src/llama.cpp`).
fn shard_name(first: &Path, count: u16) -> Option<impl Fn(u16) -> PathBuf> {
    let name = first.file_name()?.to_str()?;
    let prefix = name.strip_suffix(&format!("-00001-of-{count:05}.gguf"))?.to_owned();
    let folder = first.parent()?.to_owned();
    Some(move |number: u16| folder.join(format!("{prefix}-{number:05}-of-{count:05}.gguf")))
}

/// Reads the header of one file. Only files are opened: a fifo would be waited for.
pub fn read_header(path: &Path, keep: Keep) -> Result<Header, Fault> {
    let about = std::fs::metadata(path).map_err(|error| fault(&error))?;
    if !about.is_file() {
        return Err(Fault::Disk("it is not a file".into()));
    }
    let file = File::open(path).map_err(|error| fault(&error))?;
    Header::read(file, about.len(), keep)
}

fn fault(error: &io::Error) -> Fault {
    let kind = error.kind();
    if matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory) {
        Fault::Missing
    } else if kind == ErrorKind::PermissionDenied {
        Fault::Disk("permission denied".into())
    } else {
        Fault::Disk(error.to_string())
    }
}
