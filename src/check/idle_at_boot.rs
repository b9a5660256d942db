//! An idle time for models that are never unloaded.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Start};

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
    static IDLE_AT_BOOT = 317, "idle-at-boot", Error;
}

pub(super) static CHECK: Check = Check { code: &IDLE_AT_BOOT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for residency in registry.residencies.iter().filter(|residency| residency.start.value == Start::Boot) {
        let Some(idle) = &residency.idle else { continue };
        let message = format!(
            "residency {} starts at boot, so `idle` has no effect",
            words::quoted(&residency.head.name)
        );
        let finding = IDLE_AT_BOOT
            .at(idle.span, "has no effect", message)
            .about(&residency.head)
            .also(residency.start.span, "starts at boot");
        findings.report(finding.help("remove `idle`, or set `start` to `on-demand`"));
    }
}
