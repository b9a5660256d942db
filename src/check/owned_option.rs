//! An option that a field says, or that keeps the unit from serving.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that a field of the registry writes, as `port` or `ctx-size`, or that keeps the unit from serving: one that prints
    /// something and ends, brings a model of its own, or hides `/health` from the unit that asks for it.
    ///
    /// ## Why
    /// Units, documents and sums are made of the fields. An option beside them would say something else, and the last one counts.
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
    static OWNED_OPTION = 374, "owned-option", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OWNED_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Owned) {
        findings.report(wrong.at_name(&OWNED_OPTION, "not an option of its own"));
    }
}
