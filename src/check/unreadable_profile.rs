//! A profile file that is no profile.

use super::GroundCheck;
use super::ground::{Accepted, Ground};
use crate::diag::{Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// An engine whose `profile` is a file that stands beside the registry and cannot be read as a profile.
    ///
    /// ## Why
    /// A profile is JSON, one option a line, as `orchgen engine probe` writes it. What is wrong with the file is said with its line and
    /// column; nothing of the roles of the engine is checked against it.
    ///
    /// ## Instead
    /// Make it anew with `orchgen engine probe`, or mend it by the profiles that are built in.
    static UNREADABLE_PROFILE = 378, "unreadable-profile", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &UNREADABLE_PROFILE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for (engine, accepted) in ground.engines() {
        let Accepted::Unreadable(why) = accepted else { continue };
        let message = format!(
            "the profile {} of engine {} cannot be read: {}",
            words::quoted(&engine.profile),
            words::quoted(&engine.head.name),
            words::printable(why)
        );
        let finding = UNREADABLE_PROFILE
            .at(engine.profile.span, "no profile", message)
            .about("engine", &*engine.head.name.value);
        findings.report(finding.help("make it anew with `orchgen engine probe`"));
    }
}
