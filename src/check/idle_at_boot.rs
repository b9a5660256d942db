//! An idle time for models that are never unloaded.

use crate::derive::Derived;
use crate::diag::{Diagnostics, Line};
use crate::hir::Start;

declare_code! {
    /// ## What it finds
    /// A residency with `start` boot and `idle`.
    ///
    /// ## Why
    /// `idle` is the time without connections after which a model is unloaded. Models that start at boot stay loaded,
    /// so the setting has no effect.
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
    pub(super) static IDLE_AT_BOOT = 317, "idle-at-boot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for residency in
        derived.registry.residencies.iter().filter(|residency| residency.start.value == Start::Boot)
    {
        let Some(idle) = &residency.idle else { continue };
        let message = format!("{residency} starts at boot, so `idle` has no effect");
        let finding = IDLE_AT_BOOT
            .at(idle.span, "has no effect", message)
            .about(residency)
            .also(residency.start.span, "starts at boot");
        findings.report(finding.remove(idle.span).write(residency.head.span, Line::of("start", "on-demand")));
    }
}
