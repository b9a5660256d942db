//! An option that has no effect.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the engine takes and that has no effect there: a CPU mask for batches without `threads-batch`, settings of a draft
    /// without a draft, of experts on a model without any, of a router on a server with a model.
    ///
    /// ## Why
    /// The engine says nothing, and whoever wrote it believes that it holds.
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
    static IDLE_OPTION = 379, "idle-option", Warning;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &IDLE_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Idle) {
        findings.report(wrong.at_name(&IDLE_OPTION, "has no effect"));
    }
}
