//! An option that the build marks as deprecated.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the pinned build still accepts but marks as deprecated.
    ///
    /// ## Why
    /// A later build may reject it. The unit would then fail to start after an upgrade.
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
    pub(super) static DEPRECATED_OPTION = 371, "deprecated-option", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::Deprecated) {
        findings.report(faulty.at_name(&DEPRECATED_OPTION, "deprecated"));
    }
}
