//! An option with a value that the build does not take, or would misread.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role with a value that the pinned build does not take or would misread: a unit behind a number, a word that is
    /// none of its choices, a value where there is none to have, or none where one is needed.
    ///
    /// ## Why
    /// The engine reads the digits in front of a number and drops the rest in silence: `8k` is 8. Of other values it refuses some at the start,
    /// takes some for another, and serves every prompt as the word `llama3` where that stands for a template.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" value="8k"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" value=8000
    /// }
    /// ```
    static OPTION_VALUE = 372, "option-value", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OPTION_VALUE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Value) {
        let label = if wrong.option.value.is_some() { "no value of this option" } else { "without a value" };
        findings.report(wrong.at_value(&OPTION_VALUE, label));
    }
}
