//! An option that the build has lost.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that older builds of the engine had and the pinned one has not, or has only to refuse it.
    ///
    /// ## Why
    /// Options go between builds, some without a word: `--mlock` was right in the spring of 2026 and stops every server of that
    /// autumn at its start.
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
    static REMOVED_OPTION = 370, "removed-option", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &REMOVED_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Removed) {
        findings.report(wrong.at_name(&REMOVED_OPTION, "removed before this build"));
    }
}
