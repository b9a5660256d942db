//! The profiles of the engines: built in, or read from files in the registry folder.

use crate::diag::{
    Code, Diagnostic, Diagnostics, Reported, Similarity, Suggestion, json_problem, suggest, words,
};
use crate::engine::{Profile, ProfileError};
use crate::hir::{Engine, Registry};
use std::borrow::Cow;
use std::sync::Arc;

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
    static UNKNOWN_PROFILE = 311, "unknown-profile", Error;
}

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
    static UNREADABLE_PROFILE = 378, "unreadable-profile", Error;
}

/// The codes of the findings about profiles.
pub static CODES: &[&Code] = &[&UNKNOWN_PROFILE, &UNREADABLE_PROFILE];

/// A profile file in the registry folder: its name, and its text or the reason why it cannot be read.
pub type ProfileText = (String, Result<String, String>);

/// The profile of an engine, shared by all roles that it serves.
pub type SharedProfile = Arc<Cow<'static, Profile>>;

/// The ending of profile file names. No built-in profile name has it.
const FILE_ENDING: &str = ".json";

/// The profiles that engines can name, in addition to the built-in ones.
#[derive(Clone, Copy, Default, Debug)]
pub struct ProfileSources<'p> {
    /// The profile files in the registry folder.
    pub files: &'p [ProfileText],
    /// The name of a profile, and the profile to use instead of it.
    pub upgrade: Option<(&'p str, &'p Profile)>,
}

impl ProfileSources<'_> {
    /// The profile of each engine, in the order of declaration. Reports profiles that are unknown or cannot be read.
    pub(super) fn resolve(
        self,
        registry: &Registry,
        findings: &mut Diagnostics,
    ) -> Vec<Result<SharedProfile, Reported>> {
        let profiles = registry.engines.iter().map(|engine| self.profile(engine));
        profiles.map(|found| found.map(Arc::new).map_err(|finding| findings.report(*finding))).collect()
    }

    fn profile(self, engine: &Engine) -> Result<Cow<'static, Profile>, Box<Diagnostic>> {
        let name: &str = &engine.profile;
        if let Some((_, new)) = self.upgrade.filter(|(old, _)| *old == name) {
            return Ok(Cow::Owned(new.clone()));
        }
        if !name.ends_with(FILE_ENDING) {
            let built_in = Profile::built_in(name).map(Cow::Borrowed);
            return built_in.ok_or_else(|| Box::new(self.unknown(engine)));
        }
        match self.files.iter().find(|(file, _)| file == name) {
            None => Err(Box::new(self.unknown(engine))),
            Some((_, Err(why))) => Err(Box::new(unreadable(engine, why))),
            Some((_, Ok(text))) => Profile::parse(name, text, Profile::built_in)
                .map(Cow::Owned)
                .map_err(|error| Box::new(unreadable(engine, &describe(error)))),
        }
    }

    fn unknown(self, engine: &Engine) -> Diagnostic {
        let name: &str = &engine.profile;
        let is_file = name.ends_with(FILE_ENDING);
        let near = if is_file {
            let file_name = name.rsplit('/').next().unwrap_or(name);
            suggest(file_name, self.files.iter().map(|(file, _)| file.as_str()))
        } else {
            // A part of a name, for example the number of a build.
            let part =
                Profile::built_in_with(name).map(|name| Suggestion { name, similarity: Similarity::Same });
            part.or_else(|| suggest(name, Profile::built_in_names().iter().copied()))
        };
        let label = match near {
            Some(near) => format!("did you mean `{}`?", words::printable(near.name)),
            None if is_file => "no such file in the registry folder".to_owned(),
            None => "no such profile".to_owned(),
        };
        let message = format!(
            "engine {} has the unknown profile {}",
            words::quoted(&engine.head.name),
            words::quoted(name)
        );
        let help = match near {
            Some(Suggestion { name, similarity: Similarity::Same | Similarity::Typo }) => {
                format!("write {}", words::quoted(name))
            }
            _ if is_file => {
                let file_name = words::quoted(name.rsplit('/').next().unwrap_or(name));
                format!(
                    "put the file into the folder of the registry, and write its name without a path: {file_name}"
                )
            }
            _ => {
                let known = Profile::built_in_names().iter().map(|name| format!("`{name}`"));
                let known = words::any_of(&known.collect::<Vec<_>>());
                format!("use a built-in profile ({known}), or create one with `orchgen engine probe`")
            }
        };
        let finding = UNKNOWN_PROFILE.at(engine.profile.span, label, message).about(&engine.head);
        finding.suggest(near, engine.profile.span).help(help)
    }
}

fn unreadable(engine: &Engine, why: &str) -> Diagnostic {
    let message = format!(
        "the profile {} of engine {} cannot be read: {}",
        words::quoted(&engine.profile),
        words::quoted(&engine.head.name),
        words::printable(why)
    );
    UNREADABLE_PROFILE
        .at(engine.profile.span, "not a valid profile", message)
        .about(&engine.head)
        .help("create it again with `orchgen engine probe`, or correct it")
}

/// The error without the name of the profile, which the finding already contains.
fn describe(error: ProfileError) -> String {
    match error {
        ProfileError::Shape { error, .. } => json_problem(&error),
        ProfileError::Content(sentence) => sentence,
    }
}
