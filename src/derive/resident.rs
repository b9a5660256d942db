//! Memory of several roles in a scope, in which a mapped file counts once.

use crate::hir::Bytes;
use std::collections::BTreeMap;

/// Memory of several roles: a sum, and the bytes of each mapped file in it.
#[derive(Clone, Default, Debug)]
pub(super) struct Resident<'r> {
    pub(super) total: Bytes,
    files: BTreeMap<&'r str, Bytes>,
}

impl<'r> Resident<'r> {
    /// Adds a part. A mapped file counts once, with its largest reader.
    pub(super) fn add(&mut self, part: &ResidentPart<'r>) {
        match part.file {
            Some(file) => {
                let known = self.files.entry(file).or_default();
                self.total = self.total.plus(part.bytes.minus(*known));
                *known = part.bytes.max(*known);
            }
            None => self.total = self.total.plus(part.bytes),
        }
    }

    /// The sum with further parts.
    pub(super) fn total_with<'p>(&self, parts: impl Iterator<Item = &'p ResidentPart<'r>>) -> Bytes
    where
        'r: 'p,
    {
        let mut added = Self { total: self.total, files: BTreeMap::new() };
        for part in parts {
            let known = part.file.and_then(|file| self.files.get(file)).copied().unwrap_or(Bytes(0));
            if part.file.is_none() || part.bytes > known {
                added.add(&ResidentPart { bytes: part.bytes.minus(known), ..*part });
            }
        }
        added.total
    }
}

/// A part of the memory of a role in a scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResidentPart<'r> {
    /// The path of a mapped file.
    pub(super) file: Option<&'r str>,
    pub(super) bytes: Bytes,
}
