//! What a finding is recognised by from one run to the next, whatever line it has moved to.

use super::{Diagnostic, Diagnostics, Silence};
use crate::source::{SourceFile, SourceMap};
use std::collections::BTreeMap;
use std::fmt;

/// What a finding is recognised by: its code, the item it speaks of, and the names in its headline. Lines, sums and the
/// wording do not count; of several that are alike in this, each has its own by its turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fingerprint(u128);

/// A finding with its fingerprint, and why it is not shown.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The finding.
    pub finding: &'a Diagnostic,
    /// What it is recognised by; no other of the run has it.
    pub fingerprint: Fingerprint,
    /// Why it does not count; none where it does.
    pub silence: Option<&'a Silence>,
}

/// All findings of a run in the order of the text, those that do not count among them, with their fingerprints.
pub fn known<'a>(findings: &'a Diagnostics, map: &SourceMap) -> Vec<Known<'a>> {
    let counted = findings.findings().iter().map(|finding| (finding, None));
    let silenced = findings.silenced().iter().map(|one| (&one.finding, Some(&one.why)));
    let mut all: Vec<_> = counted.chain(silenced).collect();
    all.sort_by(|(a, _), (b, _)| a.order(b));
    let mut turns: BTreeMap<u128, u64> = BTreeMap::new();
    let known = all.into_iter().map(|(finding, silence)| {
        let alike = likeness(finding, map);
        let turn = turns.entry(alike.0).or_default();
        let fingerprint = if *turn == 0 { alike } else { alike.with(&turn.to_string()) };
        *turn += 1;
        Known { finding, fingerprint: Fingerprint(fingerprint.0), silence }
    });
    known.collect()
}

/// The kind and the name of what a finding speaks of. A registry is one flat folder, wherever it lies, so the own name of a
/// file says which it is.
pub(super) fn topic<'a>(finding: &'a Diagnostic, map: &'a SourceMap) -> (&'a str, &'a str) {
    if let Some(subject) = &finding.subject {
        return (subject.kind, &subject.name);
    }
    let name = map.get(finding.primary.span.file).map_or("", SourceFile::name);
    ("file", name.rsplit_once('/').map_or(name, |(_, own)| own))
}

fn likeness(finding: &Diagnostic, map: &SourceMap) -> Hash {
    let (kind, name) = topic(finding, map);
    let mut hash = Hash::START.with(&finding.code.number.to_string()).with(kind).with(name);
    for name in finding.message.split('`').skip(1).step_by(2) {
        hash = hash.with(name);
    }
    hash
}

/// FNV-1a over parts, each with its length before it.
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
