//! An option that has no effect.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the engine accepts but ignores.
    ///
    /// Examples:
    ///
    /// - a CPU mask for batches without `threads-batch`;
    /// - draft options without a draft;
    /// - expert options for a model without experts;
    /// - router options for a server with a model.
    ///
    /// ## Why
    /// The engine prints no warning, so the option appears to work.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "cpu-range-batch" value="0-7"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "cpu-range-batch" value="0-7"
    ///     option "threads-batch" value=8
    /// }
    /// ```
    pub(super) static IDLE_OPTION = 379, "idle-option", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::NoEffect) {
        findings.report(faulty.at_name(&IDLE_OPTION, "has no effect"));
    }
}
