//! An option that the build will lose.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the pinned build still takes and says to be on its way out.
    ///
    /// ## Why
    /// The next build may refuse it, and the unit will not start after the upgrade.
    ///
    /// ## Example
    /// ```kdl
    /// engine "autumn" profile="llama.cpp-b10434" bin="/opt/autumn/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="autumn" port=9000 context=4096 {
    ///     option "no-mmap"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "autumn" profile="llama.cpp-b10434" bin="/opt/autumn/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="autumn" port=9000 context=4096 {
    ///     option "load-mode" value="none"
    /// }
    /// ```
    static DEPRECATED_OPTION = 371, "deprecated-option", Warning;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &DEPRECATED_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Deprecated) {
        findings.report(wrong.at_name(&DEPRECATED_OPTION, "taken for the time being"));
    }
}
