//! Fingerprints identify a finding across runs, even if it moves to another line.

use super::{Diagnostic, Diagnostics, SilenceReason};
use crate::source::{SourceFile, SourceMap};
use std::collections::BTreeMap;
use std::fmt;

/// Identifies a finding by its code, its subject, the names in its headline, and the declared number that it is about, such
/// as a port. Line numbers, sums and wording do not count. If several findings are equal in this, each also gets its position among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fingerprint(u128);

/// A finding with its fingerprint, and the reason if it is silenced.
#[derive(Clone, Copy, Debug)]
pub struct FingerprintedFinding<'a> {
    /// The finding.
    pub finding: &'a Diagnostic,
    /// The fingerprint, unique within the run.
    pub fingerprint: Fingerprint,
    /// Why the finding is silenced; none if it counts.
    pub silence: Option<&'a SilenceReason>,
}

/// All findings of a run with their fingerprints, in text order, including silenced ones.
pub fn fingerprinted<'a>(findings: &'a Diagnostics, map: &SourceMap) -> Vec<FingerprintedFinding<'a>> {
    let counted = findings.findings().iter().map(|finding| (finding, None));
    let silenced = findings.silenced().iter().map(|one| (&one.finding, Some(&one.why)));
    let mut all: Vec<_> = counted.chain(silenced).collect();
    all.sort_by(|(a, _), (b, _)| a.order(b));
    let mut counts: BTreeMap<u128, u64> = BTreeMap::new();
    let fingerprinted = all.into_iter().map(|(finding, silence)| {
        let base = base_hash(finding, map);
        let count = counts.entry(base.0).or_default();
        let fingerprint = if *count == 0 { base } else { base.with(&count.to_string()) };
        *count += 1;
        FingerprintedFinding { finding, fingerprint: Fingerprint(fingerprint.0), silence }
    });
    fingerprinted.collect()
}

/// The kind and the name of a finding's subject. A file is identified by its name without its folder, because a
/// registry is one flat folder that may be anywhere.
pub(super) fn subject_of<'a>(finding: &'a Diagnostic, map: &'a SourceMap) -> (&'a str, &'a str) {
    if let Some(subject) = &finding.subject {
        return (subject.kind, &subject.name);
    }
    let name = map.get(finding.primary.span.file).map_or("", SourceFile::name);
    ("file", name.rsplit_once('/').map_or(name, |(_, base)| base))
}

fn base_hash(finding: &Diagnostic, map: &SourceMap) -> Hash {
    let (kind, name) = subject_of(finding, map);
    let mut hash = Hash::START.with(&finding.code.number.to_string()).with(kind).with(name);
    for name in finding.message.split('`').skip(1).step_by(2) {
        hash = hash.with(name);
    }
    finding.number.iter().fold(hash, |hash, number| hash.with(number))
}

/// FNV-1a over parts, each prefixed with its length.
#[derive(Clone, Copy)]
struct Hash(u128);

impl Hash {
    const START: Self = Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    fn with(self, part: &str) -> Self {
        let length = (part.len() as u64).to_le_bytes();
        let bytes = length.iter().chain(part.as_bytes());
        Self(bytes.fold(self.0, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(Self::PRIME)))
    }
}

impl fmt::Display for Fingerprint {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
