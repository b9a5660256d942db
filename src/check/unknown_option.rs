//! An option that the build does not have.

use super::options;
use super::options::FaultyOption;
use crate::derive::Derived;
use crate::diag::{Diagnostics, Suggestion, suggest, words};
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that llama-server of the pinned build does not have: a misspelled option, an option of
    /// another program, or an option of a newer build.
    ///
    /// ## Why
    /// llama-server refuses unknown options, and the unit does not start.
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
    pub(super) static UNKNOWN_OPTION = 369, "unknown-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::UnknownOption) {
        // An option of another program or build is not a spelling error.
        let near = if faulty.issue.builds.is_empty() { option_near(&faulty) } else { None };
        let finding = match near {
            None => faulty.at_name(&UNKNOWN_OPTION, "not an option of this build"),
            Some(near) => {
                let shown = words::printable(near.name);
                let finding = faulty.at_name(&UNKNOWN_OPTION, format!("did you mean `{shown}`?"));
                let finding = finding.help(match value_in_name(&faulty) {
                    Some(value) => format!("write `{shown}` as `name`, and `{value}` as `value`"),
                    None => format!("write `{shown}`"),
                });
                match near.safety() {
                    Some(safety) => {
                        finding.suggest_word(as_written(&faulty, near.name), faulty.option.name.span, safety)
                    }
                    None => finding,
                }
            }
        };
        findings.report(finding);
    }
}

/// The value that the name of the option contains by mistake: `20` of `--top-k 20` or `--top-k=20`.
fn value_in_name(faulty: &FaultyOption) -> Option<String> {
    let (_, value) = faulty.option.name.trim().split_once([' ', '='])?;
    Some(words::printable(value.trim()))
}

/// The name of the suggested option, with leading dashes only if the registry writes them.
fn as_written<'n>(faulty: &FaultyOption, name: &'n str) -> &'n str {
    if faulty.option.name.starts_with('-') { name } else { name.trim_start_matches('-') }
}

/// The most similar option of the build. `None` if another program of the build has the option.
fn option_near<'g>(faulty: &FaultyOption<'g>) -> Option<Suggestion<'g>> {
    let name = format!("--{}", faulty.option.name.trim_start_matches('-'));
    if !faulty.profile.tools_with(&name).is_empty() {
        return None;
    }
    suggest(&name, faulty.profile.option_names("llama-server"))
}
