//! A file that is not a valid engine profile.

use crate::derive::{Derived, EngineProfile};
use crate::diag::{Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// An engine whose `profile` is a file in the registry folder, but not a valid profile.
    ///
    /// ## Why
    /// A profile is a JSON file with one option per line, as `orchgen engine probe` writes it. The finding reports the
    /// fault with its line and column. The roles of the engine are not checked.
    ///
    /// ## Instead
    /// Create it again with `orchgen engine probe`, or correct it. Built-in profiles show the format.
    pub(super) static UNREADABLE_PROFILE = 378, "unreadable-profile", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (engine, profile) in derived.engines() {
        let EngineProfile::Unreadable(why) = profile else { continue };
        let message = format!(
            "the profile {} of {engine} cannot be read: {}",
            words::quoted(&engine.profile),
            words::printable(why)
        );
        let finding =
            UNREADABLE_PROFILE.at(engine.profile.span, "not a valid profile", message).about(engine);
        findings.report(finding.help("create it again with `orchgen engine probe`, or correct it"));
    }
}
