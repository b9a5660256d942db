//! An option that a field of the registry sets, or that keeps the unit from serving.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that a field of the registry sets, such as `port` or `ctx-size`, or that keeps the unit
    /// from serving: an option that prints something and exits, that loads another model, or that hides `/health` from
    /// the unit.
    ///
    /// ## Why
    /// Units, documents and memory sums are made from the fields. An additional option would contradict them, and the
    /// engine uses the last one.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "parallel" value=4
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     slots 4
    /// }
    /// ```
    pub(super) static OWNED_OPTION = 374, "owned-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::OwnedByField) {
        findings.report(faulty.at_name(&OWNED_OPTION, "cannot be set as an option"));
    }
}
