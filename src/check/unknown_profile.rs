//! An engine profile that is not built in.

use super::Check;
use crate::diag::{Diagnostics, near, words};
use crate::engine::Profile;
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// An engine whose `profile` is not one that is built in.
    ///
    /// ## Why
    /// The profile says which options the build has. Without it no command line can be written that the build is known to take.
    ///
    /// ## Example
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11433" bin="/opt/other/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11434" bin="/opt/other/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    static UNKNOWN_PROFILE = 311, "unknown-profile", Error;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_PROFILE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for engine in registry.engines.iter() {
        if Profile::names().contains(&&**engine.profile) {
            continue;
        }
        let near = near(&engine.profile, Profile::names().iter().copied());
        let label = near
            .map_or_else(|| "no such profile".to_owned(), |near| format!("did you mean `{}`?", near.name));
        let message = format!(
            "engine {} has the unknown profile {}",
            words::quoted(&engine.head.name),
            words::quoted(&engine.profile)
        );
        let known: Vec<String> = Profile::names().iter().map(|name| format!("`{name}`")).collect();
        let finding =
            UNKNOWN_PROFILE.at(engine.profile.span, label, message).about("engine", &*engine.head.name.value);
        let finding = finding.meant(near, engine.profile.span);
        findings.say(finding.help(format!("name one that is built in: {}", words::any_of(&known))));
    }
}
