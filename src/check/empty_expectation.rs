//! An expectation that cannot fail.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::{Expected, Id, Residency};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// An `expect` with `fits` for a residency that no role uses.
    ///
    /// ## Why
    /// An empty residency always fits, so the expectation never fails. It does not protect the models that it was
    /// written for.
    ///
    /// ## Example
    /// ```kdl
    /// residency "cold" title="rarely" start="on-demand"
    /// expect "cold stays small" residency="cold" fits="10 GB"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// residency "cold" title="rarely" start="on-demand"
    /// expect "cold stays small" residency="hot" fits="30 GB"
    /// ```
    pub(super) static EMPTY_EXPECTATION = 362, "empty-expectation", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let used: BTreeSet<Id<Residency>> =
        registry.processes().map(|(_, serving)| serving.residency.value).collect();
    for expect in registry.expects.iter() {
        let Expected::Fits(residency, ..) = &expect.expected else { continue };
        if !registry.unused.residencies.contains(&residency.value) {
            continue;
        }
        let name = words::quoted(&registry.residencies.get(residency.value).head.name);
        let message = format!(
            "expectation {} cannot fail: no role uses the residency {name}",
            words::quoted(&expect.head.name)
        );
        let finding =
            EMPTY_EXPECTATION.at(residency.span, "no role uses this residency", message).about(expect);
        let other = used.iter().next().map(|id| words::quoted(&registry.residencies.get(*id).head.name));
        let such_as = other.map(|other| format!(", such as {other}")).unwrap_or_default();
        findings.report(
            finding
                .help(format!("name a residency with roles{such_as}"))
                .remedy("or remove the expectation", Change::remove(expect.head.span)),
        );
    }
}
