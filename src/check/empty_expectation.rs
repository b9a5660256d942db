//! An expectation that cannot fail.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Expected, Id, Registry, Residency};
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
    static EMPTY_EXPECTATION = 362, "empty-expectation", Warning;
}

pub(super) static CHECK: Check = Check { code: &EMPTY_EXPECTATION, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let used: BTreeSet<Id<Residency>> =
        registry.served().map(|(_, serving)| serving.residency.value).collect();
    for expect in registry.expects.iter() {
        let Expected::Fits(residency, _) = &expect.expected else { continue };
        if used.contains(&residency.value) {
            continue;
        }
        let name = words::quoted(&registry.residencies.get(residency.value).head.name);
        let message = format!(
            "expectation {} cannot fail: no role uses the residency {name}",
            words::quoted(&expect.head.name)
        );
        let finding =
            EMPTY_EXPECTATION.at(residency.span, "no role uses this residency", message).about(&expect.head);
        findings.report(finding.help("name a residency with roles, or remove the expectation"));
    }
}
