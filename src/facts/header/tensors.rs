//! Tensor infos: names, shapes, types and places, held against each other and against the length of the file.

use super::scan::Scan;
use crate::facts::{Fault, TensorType, tensor_type};
use std::collections::BTreeSet;
use std::io::Read;

/// The longest name of a tensor, in bytes (`GGML_MAX_NAME` of llama.cpp b11434 with its NUL).
const MAX_NAME: u64 = 63;

/// The most dimensions (`GGML_MAX_DIMS` of b11434).
const MAX_DIMENSIONS: usize = 4;

/// The least bytes of a tensor info: the length of its name, the number of dimensions, a type and an offset.
pub(super) const LEAST: u64 = 24;

/// A tensor: where and how large it is, never what is in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// Its name.
    pub name: Box<str>,
    /// Numbers in a row, rows, and so on; 1 where there are fewer dimensions.
    pub shape: [u64; MAX_DIMENSIONS],
    /// Its type.
    pub kind: &'static TensorType,
    /// The bytes that it takes, without padding.
    pub bytes: u64,
    /// Where it lies, in bytes after the header and its padding.
    offset: u64,
    /// Where its info stands.
    at: u64,
}

/// Reads `count` infos.
pub(super) fn infos<R: Read>(scan: &mut Scan<R>, count: u64) -> Result<Vec<Tensor>, Fault> {
    let (mut tensors, mut names) = (Vec::new(), BTreeSet::new());
    for number in 0..count {
        let at = scan.at();
        let tensor = info(scan, number)?;
        if !names.insert(tensor.name.clone()) {
            return Err(Fault::at(at, format!("there are two tensors named `{}`", tensor.name)));
        }
        tensors.push(tensor);
    }
    Ok(tensors)
}

fn info<R: Read>(scan: &mut Scan<R>, number: u64) -> Result<Tensor, Fault> {
    let at = scan.at();
    let length = scan.u64("the length of a tensor's name")?;
    if length > MAX_NAME {
        let what =
            format!("the name of tensor {number} has {length} bytes, and {MAX_NAME} are allowed at the most");
        return Err(Fault::at(at, what));
    }
    let mut name = Vec::new();
    scan.bytes(length, "a tensor's name", &mut name)?;
    let name: Box<str> = String::from_utf8_lossy(&name).into();
    let (place, dimensions) = (scan.at(), scan.u32("a number of dimensions")?);
    let mut shape = [1; MAX_DIMENSIONS];
    let Some(said) = usize::try_from(dimensions).ok().and_then(|n| shape.get_mut(..n)) else {
        let what = format!("`{name}` has {dimensions} dimensions, and 4 are allowed at the most");
        return Err(Fault::at(place, what));
    };
    for size in said {
        *size = scan.u64("a dimension")?;
    }
    let (place, id) = (scan.at(), scan.u32("a tensor's type")?);
    let kind = tensor_type(id).ok_or_else(|| {
        Fault::at(place, format!("`{name}` is of type {id}, which is none of llama.cpp b11434"))
    })?;
    let bytes = bytes(&name, shape, kind).map_err(|what| Fault::at(at, what))?;
    Ok(Tensor { name, shape, kind, bytes, offset: scan.u64("a tensor's offset")?, at })
}

/// The bytes of all rows; in words why there cannot be so many.
fn bytes(name: &str, shape: [u64; MAX_DIMENSIONS], kind: &TensorType) -> Result<u64, String> {
    let [row, rest @ ..] = shape;
    if row % kind.block != 0 {
        return Err(format!(
            "a row of `{name}` has {row} numbers, where {} is stored in blocks of {}",
            kind.name, kind.block
        ));
    }
    let too_large = || format!("`{name}` has {shape:?} numbers, more than can be counted");
    let rows = |start: u64| rest.iter().try_fold(start, |all, n| all.checked_mul(*n));
    let numbers = rows(row).filter(|all| i64::try_from(*all).is_ok());
    let stored = (row / kind.block).checked_mul(kind.bytes).and_then(rows);
    numbers.and(stored).ok_or_else(too_large)
}

/// Whether each tensor begins where the one before it ends, and the last one ends in the file; `start` is where the first
/// one may begin.
pub(super) fn lie_in_order(tensors: &[Tensor], start: u64, alignment: u64, length: u64) -> Result<(), Fault> {
    let mut expected = 0_u64;
    for tensor in tensors {
        if tensor.offset != expected {
            return Err(Fault::at(
                tensor.at,
                format!(
                    "`{}` lies at offset {}, and {expected} was expected, where the one before it ends",
                    tensor.name, tensor.offset
                ),
            ));
        }
        let end = start.checked_add(expected).and_then(|begin| begin.checked_add(tensor.bytes));
        let next = expected.checked_add(tensor.bytes).and_then(|end| end.checked_next_multiple_of(alignment));
        match (end, next) {
            (Some(end), Some(next)) if end <= length => expected = next,
            (end, _) => {
                let end = end.map_or_else(|| "no byte that there can be".into(), |end| format!("byte {end}"));
                return Err(Fault::at(
                    tensor.at,
                    format!(
                        "`{}` ends at {end}, and the file has {length} bytes: it is cut short",
                        tensor.name
                    ),
                ));
            }
        }
    }
    Ok(())
}
