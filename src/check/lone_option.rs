//! An option that needs another option.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that has an effect only together with another option or field, which is missing.
    ///
    /// ## Why
    /// The engine prints no warning. For example, with `--spec-type draft-eagle3` and no draft it serves without
    /// speculation, at a fifth of the speed.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" value="ngram-cache"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" value="ngram-cache"
    ///     option "lookup-cache-static" value="/srv/models/ngrams.bin"
    /// }
    /// ```
    pub(super) static LONE_OPTION = 375, "lone-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::Incomplete) {
        findings.report(faulty.at_name(&LONE_OPTION, "needs another option or field"));
    }
}
