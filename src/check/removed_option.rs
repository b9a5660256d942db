//! An option that the build no longer has.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that older builds of the engine had, but that the pinned build removed or refuses.
    ///
    /// ## Why
    /// Builds remove options, sometimes silently: `--mlock` worked in spring 2026, and stops every server of autumn
    /// 2026 at start.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "mlock"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     placement { lock #true }
    /// }
    /// ```
    pub(super) static REMOVED_OPTION = 370, "removed-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::Removed) {
        findings.report(faulty.at_name(&REMOVED_OPTION, "removed before this build"));
    }
}
