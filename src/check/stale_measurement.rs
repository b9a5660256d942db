//! A measurement of another engine than the one that serves.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Engine, Id, Registry, Role, Work};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A role that was `measured` under another engine than the one it is served by.
    ///
    /// ## Why
    /// The documents print the number beside the role. Speeds differ between builds, by a factor where speculation is spelled
    /// otherwise.
    ///
    /// ## Example
    /// ```kdl
    /// engine "old" profile="llama.cpp-b9093" bin="/opt/old/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 { measured "12 t/s" engine="old" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "old" profile="llama.cpp-b9093" bin="/opt/old/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="old" { measured "12 t/s" engine="old" }
    /// ```
    static STALE_MEASUREMENT = 360, "stale-measurement", Warning;
}

pub(super) static CHECK: Check = Check { code: &STALE_MEASUREMENT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for role in registry.roles.iter() {
        let Some(under) = role.measured.as_ref().and_then(|measured| measured.value.engine) else { continue };
        let Some(serves) = engine_of(registry, role).filter(|serves| serves.value != under.value) else {
            continue;
        };
        let name = |engine: Spanned<Id<Engine>>| words::quoted(&registry.engines.get(engine.value).head.name);
        let message = format!(
            "role {} was measured under engine {} and is served by {}",
            words::quoted(&role.head.name),
            name(under),
            name(serves)
        );
        let finding = STALE_MEASUREMENT
            .at(under.span, "measured under this", message)
            .also(serves.span, "served by this")
            .about("role", &*role.head.name.value);
        findings.report(finding.help("measure it anew, or remove `measured`"));
    }
}

/// The engine that does a role's work; none for a role that is listed alone.
fn engine_of(registry: &Registry, role: &Role) -> Option<Spanned<Id<Engine>>> {
    match &role.work {
        Work::Served(serving) => serving.engine,
        Work::Shares(shared) => registry.roles.get(shared.value).serving()?.engine,
        Work::Listed(_) => None,
    }
}
