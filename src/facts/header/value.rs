//! Metadata values: their types as they are stored, and what is kept of them.

use super::scan::Scan;
use crate::facts::Fault;
use std::io::Read;

/// A type of values (`ggml/include/gguf.h` of llama.cpp b11434).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
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
    /// Four bytes with a fraction.
    F32,
    /// One byte, 0 or 1.
    Bool,
    /// A length of eight bytes, then so many bytes.
    Text,
    /// A type, a count, then so many values.
    Array,
    /// Eight bytes, unsigned.
    U64,
    /// Eight bytes, signed.
    I64,
    /// Eight bytes with a fraction.
    F64,
}

/// A metadata value.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// The type; of an array, that of its members.
    pub kind: ValueKind,
    /// What was kept.
    pub data: Data,
}

/// What is kept of a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// A flag.
    Flag(bool),
    /// A text of at most [`MAX_TEXT`] bytes; what is not UTF-8 is replaced.
    Text(Box<str>),
    /// A longer text: its length in bytes.
    LongText(u64),
    /// Whole numbers or flags (0 and 1), at most [`MAX_LIST`] of them, as one a layer.
    Integers(Vec<i128>),
    /// Any other array: how many members it has.
    List(u64),
}

/// The longest text that is kept, in bytes. Chat templates are longer and not needed.
pub const MAX_TEXT: u64 = 4096;

/// The longest array that is kept. Models have 512 layers at the most (`LLAMA_MAX_LAYERS` of b11434).
pub const MAX_LIST: u64 = 1024;

impl ValueKind {
    const ALL: [Self; 13] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::Text,
        Self::Array,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    /// The type of a number in a file.
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }

    /// The word that llama.cpp has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::Text => "str",
            Self::Array => "arr",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// The bytes of a value; of a text, the least that it takes.
    pub(super) fn size(self) -> u64 {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::Text => 8,
            Self::Array => 12,
        }
    }

    fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64 | Self::Text | Self::Array)
    }
}

impl Value {
    /// The whole number, where it is one.
    pub fn integer(&self) -> Option<i128> {
        if let Data::Integer(number) = self.data { Some(number) } else { None }
    }

    /// The text, where it is one that was kept.
    pub fn text(&self) -> Option<&str> {
        if let Data::Text(text) = &self.data { Some(text) } else { None }
    }

    /// The flag, where it is one.
    pub fn flag(&self) -> Option<bool> {
        if let Data::Flag(flag) = self.data { Some(flag) } else { None }
    }
}

/// Reads one value that is no array.
pub(super) fn single<R: Read>(scan: &mut Scan<R>, kind: ValueKind, what: &str) -> Result<Data, Fault> {
    Ok(match kind {
        ValueKind::U8 => Data::Integer(scan.u8(what)?.into()),
        ValueKind::I8 => Data::Integer(scan.u8(what)?.cast_signed().into()),
        ValueKind::U16 => Data::Integer(scan.u16(what)?.into()),
        ValueKind::I16 => Data::Integer(scan.u16(what)?.cast_signed().into()),
        ValueKind::U32 => Data::Integer(scan.u32(what)?.into()),
        ValueKind::I32 => Data::Integer(scan.u32(what)?.cast_signed().into()),
        ValueKind::U64 => Data::Integer(scan.u64(what)?.into()),
        ValueKind::I64 => Data::Integer(scan.u64(what)?.cast_signed().into()),
        ValueKind::F32 => Data::Float(f32::from_bits(scan.u32(what)?).into()),
        ValueKind::F64 => Data::Float(f64::from_bits(scan.u64(what)?)),
        ValueKind::Bool => Data::Flag(scan.u8(what)? != 0),
        ValueKind::Text | ValueKind::Array => text(scan, what)?,
    })
}

fn text<R: Read>(scan: &mut Scan<R>, what: &str) -> Result<Data, Fault> {
    let length = scan.count(what, 1, u64::MAX)?;
    if length > MAX_TEXT {
        scan.skip(length, what)?;
        return Ok(Data::LongText(length));
    }
    let mut bytes = Vec::new();
    scan.bytes(length, what, &mut bytes)?;
    Ok(Data::Text(String::from_utf8_lossy(&bytes).into()))
}

/// Reads the `count` members of an array.
pub(super) fn list<R: Read>(
    scan: &mut Scan<R>,
    kind: ValueKind,
    count: u64,
    what: &str,
) -> Result<Data, Fault> {
    if kind.is_integer() && count <= MAX_LIST {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(match single(scan, kind, what)? {
                Data::Flag(flag) => flag.into(),
                Data::Integer(number) => number,
                Data::Float(_) | Data::Text(_) | Data::LongText(_) | Data::Integers(_) | Data::List(_) => 0,
            });
        }
        return Ok(Data::Integers(numbers));
    }
    if kind == ValueKind::Text {
        for _ in 0..count {
            let length = scan.count(what, 1, u64::MAX)?;
            scan.skip(length, what)?;
        }
    } else {
        scan.skip(count.saturating_mul(kind.size()), what)?;
    }
    Ok(Data::List(count))
}
