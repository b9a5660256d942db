//! An engine profile that is neither built in nor a file in the registry folder.

use crate::derive::{Derived, EngineProfile, FILE_ENDING};
use crate::diag::{Diagnostics, suggest, words};
use crate::engine::Profile;

declare_code! {
    /// ## What it finds
    /// An engine whose `profile` is neither a built-in name nor a `*.json` file in the registry folder.
    ///
    /// ## Why
    /// The profile lists the options of the build. Without it orchgen cannot write a valid command line.
    /// `orchgen engine probe` creates a profile from a program.
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
    pub(super) static UNKNOWN_PROFILE = 311, "unknown-profile", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let is_unknown = |profile: &EngineProfile| matches!(profile, EngineProfile::Unknown);
    for (engine, _) in derived.engines().filter(|(_, profile)| is_unknown(profile)) {
        let name: &str = &engine.profile;
        let is_file = name.ends_with(FILE_ENDING);
        let near = if is_file {
            suggest(name, derived.profile_files().iter().map(|file| &**file))
        } else {
            suggest(name, Profile::built_in_names().iter().copied())
        };
        let label = match near {
            Some(near) => format!("did you mean `{}`?", words::printable(near.name)),
            None if is_file => "no such file in the registry folder".to_owned(),
            None => "no such profile".to_owned(),
        };
        let message = format!("{engine} has the unknown profile {}", words::quoted(name));
        let finding = UNKNOWN_PROFILE.at(engine.profile.span, label, message).about(engine);
        let known: Vec<String> = Profile::built_in_names().iter().map(|name| format!("`{name}`")).collect();
        let finding = finding.suggest(near, engine.profile.span);
        findings.report(finding.help(if is_file {
            "put the file into the registry folder, and write its name without a path".to_owned()
        } else {
            format!(
                "use a built-in profile ({}), or create one with `orchgen engine probe`",
                words::any_of(&known)
            )
        }));
    }
}
