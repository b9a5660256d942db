//! The header of one GGUF file: metadata, digests of the vocabulary, and the offsets of tensors.
//!
//! The parser follows llama.cpp b11434 (`ggml/src/gguf.cpp`). It reports everything that llama.cpp refuses as damage,
//! with the byte offset. Lengths and counts in the file are untrusted: a count is only accepted if the file is long
//! enough for it.

mod scan;
mod tensors;
mod value;
mod vocabulary;

pub use tensors::Tensor;
pub use value::{GgufType, MAX_LIST, MAX_TEXT, Value, ValueData};
pub use vocabulary::{FIRST_COMPARED, TokenTexts, Vocabulary, VocabularyDetail};

use super::ReadError;
use crate::source::Digest;
use scan::Scan;
use std::collections::BTreeMap;
use std::io::Read;

const MAGIC: u32 = u32::from_le_bytes(*b"GGUF");

/// The default alignment of tensors in bytes; `general.alignment` can change it.
const ALIGNMENT: u64 = 32;

/// The maximum number of tensors, and of keys. Models have a few thousand tensors and about a hundred keys.
const MAX_TENSORS: u64 = 1 << 20;
const MAX_KEYS: u64 = 1 << 16;

/// The maximum length of a key in bytes, according to the format.
const MAX_KEY: u64 = 65_535;

const ALIGNMENT_KEY: &str = "general.alignment";
const TOKENS_KEY: &str = "tokenizer.ggml.tokens";

/// The byte order of numbers. The file does not declare it; it is inferred from the version number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteOrder {
    /// Little-endian, as on x86-64 and ARM.
    Little,
    /// Big-endian. Little-endian machines refuse the file.
    Big,
}

/// The header of one GGUF file.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    /// The version of the format, 2 or 3.
    pub version: u32,
    /// The byte order.
    pub order: ByteOrder,
    /// The size of the header in bytes, without the padding before the tensors.
    pub bytes: u64,
    /// The size of the whole file in bytes.
    pub length: u64,
    /// The digest of the header's bytes.
    pub digest: Digest,
    /// Metadata by key.
    pub values: BTreeMap<Box<str>, Value>,
    /// The vocabulary, if the file has one.
    pub vocabulary: Option<Vocabulary>,
    /// Tensors, in the order of the file.
    pub tensors: Vec<Tensor>,
}

impl Header {
    /// Reads the header of a file of `length` bytes. Reads nothing after the chunk in which the header ends.
    pub fn read(source: impl Read, length: u64, detail: VocabularyDetail) -> Result<Self, ReadError> {
        let mut scan = Scan::new(source, length);
        let magic = scan.u32("the magic number")?;
        if magic != MAGIC {
            return Err(ReadError::at(0, "this is not a GGUF file: it does not begin with `GGUF`"));
        }
        let version = read_version(&mut scan)?;
        let tensors = scan.count("the number of tensors", tensors::MIN_INFO_BYTES, MAX_TENSORS)?;
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
            header.read_pair(&mut scan, detail)?;
        }
        let alignment = header.alignment(scan.at())?;
        header.tensors = tensors::infos(&mut scan, tensors)?;
        header.bytes = scan.at();
        let start = header.bytes.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
        tensors::check_layout(&header.tensors, start, alignment, scan.length())?;
        header.digest = scan.digest();
        Ok(header)
    }

    fn read_pair<R: Read>(&mut self, scan: &mut Scan<R>, detail: VocabularyDetail) -> Result<(), ReadError> {
        let at = scan.at();
        let length = scan.u64("the length of a key")?;
        if length == 0 || length > MAX_KEY {
            let what = format!("a key has {length} bytes; allowed are 1 to {MAX_KEY}");
            return Err(ReadError::at(at, what));
        }
        let mut bytes = Vec::new();
        scan.bytes(length, "a key", &mut bytes)?;
        let key: Box<str> = String::from_utf8_lossy(&bytes).into();
        if self.values.contains_key(&key) {
            return Err(ReadError::at(at, format!("duplicate key `{key}`")));
        }
        let kind = read_type(scan, &key)?;
        let value = if kind == GgufType::Array {
            self.read_array(scan, &key, detail)?
        } else {
            Value { kind, data: value::read_scalar(scan, kind, &key)? }
        };
        self.values.insert(key, value);
        Ok(())
    }

    fn read_array<R: Read>(
        &mut self,
        scan: &mut Scan<R>,
        key: &str,
        detail: VocabularyDetail,
    ) -> Result<Value, ReadError> {
        let at = scan.at();
        let kind = read_type(scan, key)?;
        if kind == GgufType::Array {
            return Err(ReadError::at(at, format!("`{key}` is an array of arrays, which is not supported")));
        }
        let count = scan.count(&format!("the number of values of `{key}`"), kind.size(), u64::MAX)?;
        if key == TOKENS_KEY && kind == GgufType::Text {
            self.vocabulary = Some(vocabulary::tokens(scan, count, detail)?);
            return Ok(Value { kind, data: ValueData::List(count) });
        }
        Ok(Value { kind, data: value::read_array(scan, kind, count, key)? })
    }

    /// The alignment of tensors in bytes. `end` is the offset after the metadata, for errors.
    fn alignment(&self, end: u64) -> Result<u64, ReadError> {
        let Some(value) = self.values.get(ALIGNMENT_KEY) else { return Ok(ALIGNMENT) };
        let declared = value.integer().and_then(|number| u64::try_from(number).ok());
        match declared.filter(|n| value.kind == GgufType::U32 && n.is_power_of_two()) {
            Some(alignment) => Ok(alignment),
            None => Err(ReadError::at(
                end,
                format!("`{ALIGNMENT_KEY}` must be a u32 that is a power of two, not {value}"),
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

    /// A non-negative metadata number.
    pub fn number(&self, key: &str) -> Option<u64> {
        u64::try_from(self.value(key)?.integer()?).ok()
    }
}

/// Reads the version and infers the byte order: a small number in one order is a large number in the other.
fn read_version<R: Read>(scan: &mut Scan<R>) -> Result<u32, ReadError> {
    let mut version = scan.u32("the version")?;
    if version != 0 && version.trailing_zeros() >= 16 {
        scan.order = ByteOrder::Big;
        version = version.swap_bytes();
    }
    match version {
        2 | 3 => Ok(version),
        _ => Err(ReadError::at(4, format!("unsupported GGUF version {version}; engines read 2 and 3"))),
    }
}

fn read_type<R: Read>(scan: &mut Scan<R>, key: &str) -> Result<GgufType, ReadError> {
    let (at, number) = (scan.at(), scan.u32("a type")?);
    GgufType::from_id(number)
        .ok_or_else(|| ReadError::at(at, format!("`{key}` has type {number}; allowed are 0 to 12")))
}

/// Human-readable: `u32 4096`, `str qwen2`, `arr[i32] of 151936`.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind.word();
        match &self.data {
            ValueData::Integer(number) => write!(f, "{kind} {number}"),
            ValueData::Float(number) => write!(f, "{kind} {number}"),
            ValueData::Flag(flag) => write!(f, "{kind} {flag}"),
            ValueData::Text(text) => write!(f, "{kind} {}", crate::diag::words::printable(text)),
            ValueData::LongText(bytes) => write!(f, "{kind} of {bytes} bytes"),
            ValueData::Integers(numbers) => {
                let shown: Vec<String> = numbers.iter().take(64).map(ToString::to_string).collect();
                let more = if numbers.len() > 64 { ", …" } else { "" };
                write!(f, "arr[{kind}] {}{more}", shown.join(", "))
            }
            ValueData::List(count) => write!(f, "arr[{kind}] of {count}"),
        }
    }
}
