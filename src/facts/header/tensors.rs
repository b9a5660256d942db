//! Tensor infos: names, shapes, types and offsets, checked against each other and against the size of the file.

use super::scan::Scan;
use crate::facts::tensor_type::describe_type;
use crate::facts::{Damage, ReadError, TensorType, TypeOrigin, tensor_type, type_origin};
use std::collections::BTreeSet;
use std::io::Read;

/// The maximum length of a tensor name in bytes (`GGML_MAX_NAME` of llama.cpp b11434 without the NUL).
const MAX_NAME: u64 = 63;

/// The maximum number of dimensions (`GGML_MAX_DIMS` of b11434).
const MAX_DIMENSIONS: usize = 4;

/// The minimum size of a tensor info: the length of its name, the number of dimensions, a type and an offset.
pub(super) const MIN_INFO_BYTES: u64 = 24;

/// A tensor, without its data.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// The name.
    pub name: Box<str>,
    /// The dimensions: values per row, rows, and so on. Missing dimensions are 1.
    pub shape: [u64; MAX_DIMENSIONS],
    /// The type.
    pub kind: &'static TensorType,
    /// The size in bytes, without padding.
    pub bytes: u64,
    /// The offset of the data, counted from the end of the header and its padding.
    offset: u64,
    /// The offset of the tensor info in the file.
    at: u64,
}

/// Reads `count` tensor infos.
pub(super) fn infos<R: Read>(scan: &mut Scan<R>, count: u64) -> Result<Vec<Tensor>, ReadError> {
    let (mut tensors, mut names) = (Vec::new(), BTreeSet::new());
    for number in 0..count {
        let at = scan.at();
        let tensor = info(scan, number)?;
        if !names.insert(tensor.name.clone()) {
            return Err(ReadError::at(at, format!("duplicate tensor `{}`", tensor.name)));
        }
        tensors.push(tensor);
    }
    Ok(tensors)
}

fn info<R: Read>(scan: &mut Scan<R>, number: u64) -> Result<Tensor, ReadError> {
    let at = scan.at();
    let length = scan.u64("the length of a tensor's name")?;
    if length > MAX_NAME {
        let what = format!("the name of tensor {number} has {length} bytes; the maximum is {MAX_NAME}");
        return Err(ReadError::at(at, what));
    }
    let mut name = Vec::new();
    scan.bytes(length, "a tensor's name", &mut name)?;
    let name: Box<str> = String::from_utf8_lossy(&name).into();
    let (place, dimensions) = (scan.at(), scan.u32("a number of dimensions")?);
    let mut shape = [1; MAX_DIMENSIONS];
    let Some(sizes) = usize::try_from(dimensions).ok().and_then(|n| shape.get_mut(..n)) else {
        let what = format!("`{name}` has {dimensions} dimensions; the maximum is 4");
        return Err(ReadError::at(place, what));
    };
    for size in sizes {
        *size = scan.u64("a dimension")?;
    }
    let (place, id) = (scan.at(), scan.u32("a tensor's type")?);
    let kind = tensor_type(id).ok_or_else(|| foreign(place, &name, id))?;
    let bytes = bytes(&name, shape, kind).map_err(|what| match type_origin(id) {
        Some(_) => foreign(place, &name, id),
        None => ReadError::at(at, what),
    })?;
    Ok(Tensor { name, shape, kind, bytes, offset: scan.u64("a tensor's offset")?, at })
}

/// The error about a type that llama.cpp does not have.
fn foreign(at: u64, name: &str, id: u32) -> ReadError {
    let origin = type_origin(id).unwrap_or(TypeOrigin::Unknown);
    ReadError::ForeignType(Damage { at, what: format!("`{name}` has type {}", describe_type(id)) }, origin)
}

/// The size of the tensor in bytes. The error describes an impossible size.
fn bytes(name: &str, shape: [u64; MAX_DIMENSIONS], kind: &TensorType) -> Result<u64, String> {
    let [row, rest @ ..] = shape;
    if row % kind.block != 0 {
        return Err(format!(
            "a row of `{name}` has {row} values, which is not a multiple of {}, the block size of {}",
            kind.block, kind.name
        ));
    }
    let too_large = || format!("`{name}` has the shape {shape:?}, which is too large");
    let rows = |start: u64| rest.iter().try_fold(start, |all, n| all.checked_mul(*n));
    let numbers = rows(row).filter(|all| i64::try_from(*all).is_ok());
    let stored = (row / kind.block).checked_mul(kind.bytes).and_then(|row| row.checked_add(kind.row));
    let stored = stored.and_then(rows);
    numbers.and(stored).ok_or_else(too_large)
}

/// Checks that each tensor begins where the one before it ends, and that the last one ends in the file. `start` is the
/// offset of the first tensor.
pub(super) fn check_layout(
    tensors: &[Tensor],
    start: u64,
    alignment: u64,
    length: u64,
) -> Result<(), ReadError> {
    check_offsets(tensors, start, alignment, length).map_err(|error| {
        // A type of another engine may have another size than in the table.
        let foreign_tensor = tensors.iter().find(|tensor| type_origin(tensor.kind.id).is_some());
        foreign_tensor.map_or(error, |tensor| foreign(tensor.at, &tensor.name, tensor.kind.id))
    })
}

fn check_offsets(tensors: &[Tensor], start: u64, alignment: u64, length: u64) -> Result<(), ReadError> {
    let mut expected = 0_u64;
    for tensor in tensors {
        if tensor.offset != expected {
            return Err(ReadError::at(
                tensor.at,
                format!(
                    "`{}` has offset {}; expected {expected}, the end of the tensor before it",
                    tensor.name, tensor.offset
                ),
            ));
        }
        let end = start.checked_add(expected).and_then(|begin| begin.checked_add(tensor.bytes));
        let next = expected.checked_add(tensor.bytes).and_then(|end| end.checked_next_multiple_of(alignment));
        match (end, next) {
            (Some(end), Some(next)) if end <= length => expected = next,
            (end, _) => {
                let end = end.map_or_else(|| "an offset above 64 bits".into(), |end| format!("byte {end}"));
                return Err(ReadError::at(
                    tensor.at,
                    format!(
                        "`{}` ends at {end}, but the file has only {length} bytes: it is truncated",
                        tensor.name
                    ),
                ));
            }
        }
    }
    Ok(())
}
