//! An engine profile that is neither built in nor a file beside the registry.

use super::GroundCheck;
use super::ground::{Accepted, FILE_ENDING, Ground};
use crate::diag::{Diagnostics, near, words};
use crate::engine::Profile;

declare_code! {
    /// ## What it finds
    /// An engine whose `profile` is neither one that is built in nor a `*.json` file beside the files of the registry.
    ///
    /// ## Why
    /// The profile says which options the build has. Without it no command line can be written that the build is known to take.
    /// `orchgen engine probe` makes one of a program.
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

pub(super) static CHECK: GroundCheck = GroundCheck { code: &UNKNOWN_PROFILE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let unknown = |accepted: &Accepted| matches!(accepted, Accepted::Unknown);
    for (engine, _) in ground.engines().filter(|(_, accepted)| unknown(accepted)) {
        let name: &str = &engine.profile;
        let is_file = name.ends_with(FILE_ENDING);
        let near = if is_file {
            near(name, ground.files().iter().map(|file| &**file))
        } else {
            near(name, Profile::names().iter().copied())
        };
        let label = match near {
            Some(near) => format!("did you mean `{}`?", words::printable(near.name)),
            None if is_file => "no such file beside the registry".to_owned(),
            None => "no such profile".to_owned(),
        };
        let message = format!(
            "engine {} has the unknown profile {}",
            words::quoted(&engine.head.name),
            words::quoted(name)
        );
        let finding =
            UNKNOWN_PROFILE.at(engine.profile.span, label, message).about("engine", &*engine.head.name.value);
        let known: Vec<String> = Profile::names().iter().map(|name| format!("`{name}`")).collect();
        let finding = finding.meant(near, engine.profile.span);
        findings.report(finding.help(if is_file {
            "put the file into the folder of the registry, by its bare name".to_owned()
        } else {
            format!("name one that is built in: {}", words::any_of(&known))
        }));
    }
}
