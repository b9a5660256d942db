//! An option that stands twice.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that stands twice, under one name or two, where the engine does not keep both values.
    ///
    /// ## Why
    /// The engine takes the last one and logs a line that nobody reads.
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
    static REPEATED_OPTION = 373, "repeated-option", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &REPEATED_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Repeated) {
        let record = |name: &str| wrong.profile.option("llama-server", name).map(std::ptr::from_ref);
        let first =
            wrong.serving.options.iter().find(|other| record(&other.name) == record(&wrong.option.name));
        let mut finding = wrong.at_name(&REPEATED_OPTION, "given again");
        if let Some(first) = first {
            finding = finding.also(first.name.span, "first given here");
        }
        findings.report(finding);
    }
}
