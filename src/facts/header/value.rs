//! Metadata values: their types in the file, and the part of each value that is kept.

use super::scan::Scan;
use crate::facts::ReadError;
use std::io::Read;

/// The type of a metadata value (`ggml/include/gguf.h` of llama.cpp b11434).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GgufType {
    /// One byte, unsigned.
    U8,
    /// One byte, signed.
    I8,
    /// Two bytes, unsigned.
    U16,
    /// Two bytes, signed.
    I16,
    /// Four bytes, unsigned.
    U32,
    /// Four bytes, signed.
    I32,
    /// A 32-bit float.
    F32,
    /// One byte, 0 or 1.
    Bool,
    /// A length of eight bytes, then the bytes.
    Text,
    /// A type, a count, then the values.
    Array,
    /// Eight bytes, unsigned.
    U64,
    /// Eight bytes, signed.
    I64,
    /// A 64-bit float.
    F64,
}

/// A metadata value.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// The type. For an array, the type of its members.
    pub kind: GgufType,
    /// The data that is kept.
    pub data: ValueData,
}

/// The data that is kept of a value.
#[derive(Clone, PartialEq, Debug)]
pub enum ValueData {
    /// A whole number.
    Integer(i128),
    /// A float.
    Float(f64),
    /// A flag.
    Flag(bool),
    /// A string of at most [`MAX_TEXT`] bytes. Invalid UTF-8 is replaced.
    Text(Box<str>),
    /// A longer string: only its length in bytes.
    LongText(u64),
    /// An array of at most [`MAX_LIST`] whole numbers or flags (0 and 1), such as one value per layer.
    Integers(Vec<i128>),
    /// Any other array: only the number of its members.
    List(u64),
}

/// The length of the longest string that is kept, in bytes. Chat templates are longer, and they are not needed.
pub const MAX_TEXT: u64 = 4096;

/// The length of the longest array that is kept. Models have at most 512 layers (`LLAMA_MAX_LAYERS` of b11434).
pub const MAX_LIST: u64 = 1024;

/// All types in the order of their ids in a file: the name in llama.cpp, and the size of a value in bytes. For strings and
/// arrays, the minimum size.
const TYPES: [(GgufType, &str, u64); 13] = [
    (GgufType::U8, "u8", 1),
    (GgufType::I8, "i8", 1),
    (GgufType::U16, "u16", 2),
    (GgufType::I16, "i16", 2),
    (GgufType::U32, "u32", 4),
    (GgufType::I32, "i32", 4),
    (GgufType::F32, "f32", 4),
    (GgufType::Bool, "bool", 1),
    (GgufType::Text, "str", 8),
    (GgufType::Array, "arr", 12),
    (GgufType::U64, "u64", 8),
    (GgufType::I64, "i64", 8),
    (GgufType::F64, "f64", 8),
];

impl GgufType {
    /// The type with this id in a file.
    pub fn from_id(number: u32) -> Option<Self> {
        TYPES.get(number as usize).map(|(kind, ..)| *kind)
    }

    /// The name of the type in llama.cpp.
    pub fn word(self) -> &'static str {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// The size of a value in bytes. For strings and arrays, the minimum.
    pub(super) fn size(self) -> u64 {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or(0, |(.., size)| *size)
    }

    fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64 | Self::Text | Self::Array)
    }
}

impl Value {
    /// The value, if it is a whole number.
    pub fn integer(&self) -> Option<i128> {
        if let ValueData::Integer(number) = self.data { Some(number) } else { None }
    }

    /// The value, if it is a string of at most [`MAX_TEXT`] bytes.
    pub fn text(&self) -> Option<&str> {
        if let ValueData::Text(text) = &self.data { Some(text) } else { None }
    }

    /// The value, if it is a flag.
    pub fn flag(&self) -> Option<bool> {
        if let ValueData::Flag(flag) = self.data { Some(flag) } else { None }
    }
}

/// Reads one value that is not an array.
pub(super) fn read_scalar<R: Read>(
    scan: &mut Scan<R>,
    kind: GgufType,
    what: &str,
) -> Result<ValueData, ReadError> {
    Ok(match kind {
        GgufType::U8 => ValueData::Integer(scan.u8(what)?.into()),
        GgufType::I8 => ValueData::Integer(scan.u8(what)?.cast_signed().into()),
        GgufType::U16 => ValueData::Integer(scan.u16(what)?.into()),
        GgufType::I16 => ValueData::Integer(scan.u16(what)?.cast_signed().into()),
        GgufType::U32 => ValueData::Integer(scan.u32(what)?.into()),
        GgufType::I32 => ValueData::Integer(scan.u32(what)?.cast_signed().into()),
        GgufType::U64 => ValueData::Integer(scan.u64(what)?.into()),
        GgufType::I64 => ValueData::Integer(scan.u64(what)?.cast_signed().into()),
        GgufType::F32 => ValueData::Float(f32::from_bits(scan.u32(what)?).into()),
        GgufType::F64 => ValueData::Float(f64::from_bits(scan.u64(what)?)),
        GgufType::Bool => ValueData::Flag(scan.u8(what)? != 0),
        GgufType::Text | GgufType::Array => text(scan, what)?,
    })
}

fn text<R: Read>(scan: &mut Scan<R>, what: &str) -> Result<ValueData, ReadError> {
    let length = scan.count(what, 1, u64::MAX)?;
    if length > MAX_TEXT {
        scan.skip(length, what)?;
        return Ok(ValueData::LongText(length));
    }
    let mut bytes = Vec::new();
    scan.bytes(length, what, &mut bytes)?;
    Ok(ValueData::Text(String::from_utf8_lossy(&bytes).into()))
}

/// Reads the `count` members of an array.
pub(super) fn read_array<R: Read>(
    scan: &mut Scan<R>,
    kind: GgufType,
    count: u64,
    what: &str,
) -> Result<ValueData, ReadError> {
    if kind.is_integer() && count <= MAX_LIST {
        let mut numbers = Vec::new();
        for _ in 0..count {
            let value = read_scalar(scan, kind, what)?;
            let flag = i128::from(value == ValueData::Flag(true));
            numbers.push(if let ValueData::Integer(number) = value { number } else { flag });
        }
        return Ok(ValueData::Integers(numbers));
    }
    if kind == GgufType::Text {
        for _ in 0..count {
            let length = scan.count(what, 1, u64::MAX)?;
            scan.skip(length, what)?;
        }
    } else {
        scan.skip(count.saturating_mul(kind.size()), what)?;
    }
    Ok(ValueData::List(count))
}
