//! An option with a value that the build refuses or misreads.

use super::options;
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// An `option` of a role with a value that the pinned build refuses or misreads.
    ///
    /// Such values are:
    ///
    /// - a number with a unit;
    /// - a word that is not one of its choices;
    /// - a value for an option without a value;
    /// - a missing value.
    ///
    /// ## Why
    /// The engine reads the leading digits of a number and silently drops the rest: `8k` is 8. Other bad values stop
    /// the server, are misread, or (for `chat-template llama3`) replace every prompt.
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
    pub(super) static OPTION_VALUE = 372, "option-value", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for faulty in options::with_fault(derived, FaultKind::BadValue) {
        let label =
            if faulty.option.value.is_some() { "not a value of this option" } else { "value missing" };
        findings.report(faulty.at_value(&OPTION_VALUE, label));
    }
}
