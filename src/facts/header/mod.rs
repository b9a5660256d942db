//! The header of one GGUF file: metadata, the vocabulary as digests, and where tensors lie.
//!
//! The format as llama.cpp b11434 reads it (`ggml/src/gguf.cpp`). What its reader refuses is damage here, said with the byte
//! at which it stands. Numbers in the file are promises: a count is believed as far as the file is long enough for it.

mod scan;
mod tensors;
mod value;
mod vocabulary;

pub use tensors::Tensor;
pub use value::{Data, MAX_LIST, MAX_TEXT, Value, ValueKind};
pub use vocabulary::{FIRST_COMPARED, Keep, TokenTexts, Vocabulary};

use super::Fault;
use crate::source::Digest;
use scan::Scan;
use std::collections::BTreeMap;
use std::io::Read;

const MAGIC: u32 = u32::from_le_bytes(*b"GGUF");

/// Where tensors begin unless `general.alignment` says otherwise, in bytes.
const ALIGNMENT: u64 = 32;

/// The most tensors and keys that are read. Models have a few thousand tensors and a hundred keys.
const MAX_TENSORS: u64 = 1 << 20;
const MAX_KEYS: u64 = 1 << 16;

/// The longest key, in bytes, as the format has it.
const MAX_KEY: u64 = 65_535;

const ALIGNMENT_KEY: &str = "general.alignment";
const TOKENS_KEY: &str = "tokenizer.ggml.tokens";

/// The order of the bytes of numbers. Nothing in a file names it; the version shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteOrder {
    /// The lowest byte first, as x86-64 and ARM have it.
    Little,
    /// The highest byte first; a machine of the other order refuses the file.
    Big,
}

/// All that one file says, without weights.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    /// 2 or 3.
    pub version: u32,
    /// The order of bytes.
    pub order: ByteOrder,
    /// The bytes before the padding that comes before the tensors.
    pub bytes: u64,
    /// The bytes of the whole file.
    pub length: u64,
    /// The digest of the header's bytes.
    pub digest: Digest,
    /// Metadata by key.
    pub values: BTreeMap<Box<str>, Value>,
    /// The tokens, where there are any.
    pub vocabulary: Option<Vocabulary>,
    /// Tensors, in the order of the file.
    pub tensors: Vec<Tensor>,
}

impl Header {
    /// Reads the header of a file of `length` bytes, and no byte beyond the piece in which it ends.
    pub fn read(source: impl Read, length: u64, keep: Keep) -> Result<Self, Fault> {
        let mut scan = Scan::new(source, length);
        let magic = scan.u32("the magic number")?;
        if magic != MAGIC {
            return Err(Fault::at(0, "the file does not begin with `GGUF`: it is no GGUF file"));
        }
        let version = version(&mut scan)?;
        let tensors = scan.count("the number of tensors", tensors::LEAST, MAX_TENSORS)?;
        let pairs = scan.count("the number of metadata keys", 13, MAX_KEYS)?;
        let mut header = Self {
            version,
            order: scan.order,
            bytes: 0,
            length,
            digest: Digest::of(b""),
            values: BTreeMap::new(),
            vocabulary: None,
            tensors: Vec::new(),
        };
        for _ in 0..pairs {
            header.pair(&mut scan, keep)?;
        }
        let alignment = header.alignment(scan.at())?;
        header.tensors = tensors::infos(&mut scan, tensors)?;
        header.bytes = scan.at();
        let start = header.bytes.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
        tensors::lie_in_order(&header.tensors, start, alignment, scan.length())?;
        header.digest = scan.digest();
        Ok(header)
    }

    fn pair<R: Read>(&mut self, scan: &mut Scan<R>, keep: Keep) -> Result<(), Fault> {
        let at = scan.at();
        let length = scan.u64("the length of a key")?;
        if length == 0 || length > MAX_KEY {
            let what = format!("a key has {length} bytes, where 1 to {MAX_KEY} are allowed");
            return Err(Fault::at(at, what));
        }
        let mut bytes = Vec::new();
        scan.bytes(length, "a key", &mut bytes)?;
        let key: Box<str> = String::from_utf8_lossy(&bytes).into();
        if self.values.contains_key(&key) {
            return Err(Fault::at(at, format!("the key `{key}` stands twice")));
        }
        let kind = kind(scan, &key)?;
        let value = if kind == ValueKind::Array {
            self.array(scan, &key, keep)?
        } else {
            Value { kind, data: value::single(scan, kind, &key)? }
        };
        self.values.insert(key, value);
        Ok(())
    }

    fn array<R: Read>(&mut self, scan: &mut Scan<R>, key: &str, keep: Keep) -> Result<Value, Fault> {
        let at = scan.at();
        let kind = kind(scan, key)?;
        if kind == ValueKind::Array {
            return Err(Fault::at(at, format!("`{key}` is an array of arrays, which no engine reads")));
        }
        let count = scan.count(&format!("the number of values of `{key}`"), kind.size(), u64::MAX)?;
        if key == TOKENS_KEY && kind == ValueKind::Text {
            self.vocabulary = Some(vocabulary::tokens(scan, count, keep)?);
            return Ok(Value { kind, data: Data::List(count) });
        }
        Ok(Value { kind, data: value::list(scan, kind, count, key)? })
    }

    /// The alignment of tensors, in bytes; `end` is where the metadata ends.
    fn alignment(&self, end: u64) -> Result<u64, Fault> {
        let Some(value) = self.values.get(ALIGNMENT_KEY) else { return Ok(ALIGNMENT) };
        let said = value.integer().and_then(|number| u64::try_from(number).ok());
        match said.filter(|n| value.kind == ValueKind::U32 && n.is_power_of_two()) {
            Some(alignment) => Ok(alignment),
            None => Err(Fault::at(
                end,
                format!("`{ALIGNMENT_KEY}` has to be a u32 that is a power of two, and is {value}"),
            )),
        }
    }

    /// A metadata value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// `general.architecture`.
    pub fn architecture(&self) -> Option<&str> {
        self.value("general.architecture")?.text()
    }

    /// A metadata number that is not negative.
    pub fn number(&self, key: &str) -> Option<u64> {
        u64::try_from(self.value(key)?.integer()?).ok()
    }
}

/// The version, and with it the order of bytes: a small number in one order is a large one in the other.
fn version<R: Read>(scan: &mut Scan<R>) -> Result<u32, Fault> {
    let mut version = scan.u32("the version")?;
    if version != 0 && version.trailing_zeros() >= 16 {
        scan.order = ByteOrder::Big;
        version = version.swap_bytes();
    }
    match version {
        2 | 3 => Ok(version),
        _ => Err(Fault::at(4, format!("the file is of version {version}, and engines read 2 and 3"))),
    }
}

fn kind<R: Read>(scan: &mut Scan<R>, key: &str) -> Result<ValueKind, Fault> {
    let (at, number) = (scan.at(), scan.u32("a type")?);
    ValueKind::of(number)
        .ok_or_else(|| Fault::at(at, format!("`{key}` is of type {number}, and types are 0 to 12")))
}

/// As people read it: `u32 4096`, `str qwen2`, `arr[i32] of 151936`.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind.word();
        match &self.data {
            Data::Integer(number) => write!(f, "{kind} {number}"),
            Data::Float(number) => write!(f, "{kind} {number}"),
            Data::Flag(flag) => write!(f, "{kind} {flag}"),
            Data::Text(text) => write!(f, "{kind} {}", crate::diag::words::printable(text)),
            Data::LongText(bytes) => write!(f, "{kind} of {bytes} bytes"),
            Data::Integers(numbers) => {
                let shown: Vec<String> = numbers.iter().take(64).map(ToString::to_string).collect();
                let more = if numbers.len() > 64 { ", …" } else { "" };
                write!(f, "arr[{kind}] {}{more}", shown.join(", "))
            }
            Data::List(count) => write!(f, "arr[{kind}] of {count}"),
        }
    }
}
