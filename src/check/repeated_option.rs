//! An option that is given twice.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that is given twice, by the same name or by an alias, if the engine does not keep both
    /// values.
    ///
    /// ## Why
    /// The engine uses the last value and only logs a line.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" value=20
    ///     option "top-k" value=40
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" value=40
    /// }
    /// ```
    pub(super) static REPEATED_OPTION = 373, "repeated-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::Repeated) {
        let record = |name: &str| faulty.profile.option("llama-server", name).map(std::ptr::from_ref);
        let first =
            faulty.serving.options.iter().find(|other| record(&other.name) == record(&faulty.option.name));
        let mut finding = faulty.at_name(&REPEATED_OPTION, "given again");
        if let Some(first) = first {
            finding = finding.also(first.name.span, "first given here");
        }
        findings.report(finding);
    }
}
