//! An option that the build does not have.

use super::ground::Ground;
use super::options::Wrong;
use super::{GroundCheck, options};
use crate::diag::{Diagnostics, Near, near, words};
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that llama-server of the pinned build does not have: a misspelt one, one of another program, or one of a
    /// newer build.
    ///
    /// ## Why
    /// llama-server refuses an option that it does not know, and the unit does not start.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "tpo-k" value=20
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" value=20
    /// }
    /// ```
    static UNKNOWN_OPTION = 369, "unknown-option", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &UNKNOWN_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Unknown) {
        // What another program or build has is spelled as it should be.
        let near = if wrong.said.builds.is_empty() { option_near(&wrong) } else { None };
        let finding = match near {
            None => wrong.at_name(&UNKNOWN_OPTION, "no option of this build"),
            Some(near) => {
                let shown = words::printable(near.name);
                let finding = wrong.at_name(&UNKNOWN_OPTION, format!("did you mean `{shown}`?"));
                let finding = finding.help(format!("write `{shown}`"));
                match near.safety() {
                    Some(safety) => {
                        finding.write(as_written(&wrong, near.name), wrong.option.name.span, safety)
                    }
                    None => finding,
                }
            }
        };
        findings.report(finding);
    }
}

/// A name of the build with dashes or without, as the registry writes the one that is meant.
fn as_written<'n>(wrong: &Wrong, name: &'n str) -> &'n str {
    if wrong.option.name.starts_with('-') { name } else { name.trim_start_matches('-') }
}

/// The option of the build that is nearest to one that no program of it has.
fn option_near<'g>(wrong: &Wrong<'g>) -> Option<Near<'g>> {
    let name = format!("--{}", wrong.option.name.trim_start_matches('-'));
    if !wrong.profile.takers(&name).is_empty() {
        return None;
    }
    near(&name, wrong.profile.option_names("llama-server"))
}
