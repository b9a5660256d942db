//! A measurement with an engine that no longer serves the role.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::{Engine, Id};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A role that was `measured` with another engine than the one that serves it.
    ///
    /// ## Why
    /// The documents print the number next to the role. Speeds differ between builds. If the options of speculation
    /// changed, they can differ by a factor.
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
    pub(super) static STALE_MEASUREMENT = 360, "stale-measurement", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for role in registry.roles.iter() {
        let Some(measured_with) = role.measured.as_ref().and_then(|measured| measured.value.engine) else {
            continue;
        };
        let Some(serves) = registry.engine_of_role(role).filter(|serves| serves.value != measured_with.value)
        else {
            continue;
        };
        let engine = |id: Spanned<Id<Engine>>| registry.engines.get(id.value);
        let (measured, now) = (engine(measured_with), words::quoted(&engine(serves).head.name));
        let message = format!("{role} was measured with {measured}, but {now} serves it");
        let finding = STALE_MEASUREMENT
            .at(measured_with.span, "measured with this engine", message)
            .also(serves.span, "served by this engine")
            .about(role);
        let measured = role.measured.as_ref().map_or(measured_with.span, |measured| measured.span);
        findings.report(
            finding
                .help(format!("measure the role again with {now}"))
                .remedy("or remove `{}`", Change::remove(measured)),
        );
    }
}
