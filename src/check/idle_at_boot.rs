//! An idle time where nothing is ever idle.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Start};

declare_code! {
    /// ## What it finds
    /// A residency that starts at boot and has `idle`.
    ///
    /// ## Why
    /// `idle` is after how long without a connection a model leaves memory. What starts at boot stays; the setting would have no
    /// effect.
    ///
    /// ## Example
    /// ```kdl
    /// residency "always" title="always" start="boot" idle="15 min"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// residency "always" title="always" start="boot"
    /// ```
    static IDLE_AT_BOOT = 317, "idle-at-boot", Error;
}

pub(super) static CHECK: Check = Check { code: &IDLE_AT_BOOT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for residency in registry.residencies.iter().filter(|residency| residency.start.value == Start::Boot) {
        let Some(idle) = &residency.idle else { continue };
        let message = format!(
            "residency {} starts at boot, and `idle` has no effect there",
            words::quoted(&residency.head.name)
        );
        let finding = IDLE_AT_BOOT
            .at(idle.span, "has no effect", message)
            .about("residency", &*residency.head.name.value)
            .also(residency.start.span, "starts at boot");
        findings.report(finding.help("remove `idle`, or start on demand: `start=\"on-demand\"`"));
    }
}
