//! The engines of a registry: the builds that the servers run.

use super::unique::Names;
use crate::diag::Line;
use crate::engine::{Family, Profile};
use crate::import::source::{Program, Server, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// The choice of profiles.
#[derive(Clone, Debug, Default)]
pub struct EngineChoice {
    /// The profile for all builds that the source does not identify. `None` means the latest built-in one that has the options of the
    /// sources.
    pub profile: Option<&'static Profile>,
    /// Programs on this machine: the path of each name that the sources use without a folder.
    pub programs: BTreeMap<String, String>,
}

/// The engines that the servers need.
pub(super) struct Engines<'c> {
    choice: &'c EngineChoice,
    /// For each family, the latest built-in profile that has the options of the sources.
    inferred: Vec<&'static Profile>,
    names: Names,
    known: Vec<Known>,
}

/// An engine: its programs and its profile.
struct Known {
    name: String,
    place: Place,
    profile: &'static Profile,
    /// Variables of all its processes.
    env: Vec<Line>,
}

/// Where the programs of an engine are.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Folder(String),
    Image(String),
}

/// The folder of programs that the source names without a folder.
const DEFAULT_FOLDER: &str = "/usr/bin";

/// True for a program that is a server of an engine.
pub(super) fn is_engine(program: &str, args: &[crate::import::source::Word]) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    name == "llama-server" || name == "llama" && args.first().is_some_and(|word| word.text == "serve")
}

impl<'c> Engines<'c> {
    pub(super) fn new(choice: &'c EngineChoice, sources: &Sources) -> Self {
        let inferred = Family::ALL.iter().filter_map(|family| fitting_profile(*family, sources)).collect();
        Self { choice, inferred, names: Names::default(), known: Vec::new() }
    }

    /// The profile of the engine of a server. `None` if its program is no engine.
    pub(super) fn profile_of(&mut self, server: &Server, sources: &Sources) -> Option<&'static Profile> {
        let place = self.place_of(server, sources)?;
        let at = self.add(place)?;
        self.known.get(at).map(|known| known.profile)
    }

    /// The name of the engine of a server, if it is not the default of the stack.
    pub(super) fn name_of(&self, server: &Server, sources: &Sources) -> Option<&str> {
        let place = self.place_of(server, sources)?;
        let at = self.known.iter().position(|known| known.place == place)?;
        (at > 0).then(|| self.known.get(at)).flatten().map(|known| known.name.as_str())
    }

    /// The name of the default engine of the stack.
    pub(super) fn default_name(&self) -> Option<&str> {
        self.known.first().map(|known| known.name.as_str())
    }

    /// Variables of all processes of the engine of a server.
    pub(super) fn set_env(&mut self, server: &Server, sources: &Sources, env: &[Line]) {
        let Some(place) = self.place_of(server, sources) else { return };
        if let Some(known) = self.known.iter_mut().find(|known| known.place == place) {
            for line in env {
                known.env.retain(|other| other.name != line.name);
                known.env.push(line.clone());
            }
        }
    }

    /// The path of a program that the source names without a folder, if it is on this machine.
    pub(super) fn program(&self, name: &str) -> Option<&'c str> {
        self.choice.programs.get(name).map(String::as_str)
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |known: &Known| {
            let line = Line::of("engine", known.name.as_str());
            let line = line.with(Line::of("profile", known.profile.name()));
            let line = match &known.place {
                Place::Folder(folder) => line.with(Line::of("bin", folder.as_str())),
                Place::Image(image) => line.with(Line::of("image", image.as_str())),
            };
            if known.env.is_empty() {
                return line;
            }
            line.with(Line::new("env").with_each(known.env.iter().cloned()))
        };
        self.known.iter().map(line).collect()
    }

    fn place_of(&self, server: &Server, sources: &Sources) -> Option<Place> {
        match &server.program {
            Program::Path(word) if is_engine(&word.text, &server.args) => {
                Some(Place::Folder(self.folder(&word.text, server)))
            }
            Program::Path(_) => None,
            Program::Image { image, .. } => Some(Place::Image(server_image(&image.text))),
            Program::Gateway => {
                let gateway = sources.gateways.get(server.gateway?)?;
                let program = gateway.program.as_ref().map_or("llama-server", |word| &word.text);
                Some(Place::Folder(self.folder(program, server)))
            }
        }
    }

    /// The folder of a program.
    fn folder(&self, program: &str, server: &Server) -> String {
        let program = self.choice.programs.get(program).map_or(program, |path| path);
        match program.rsplit_once('/') {
            Some(("", _)) => "/".to_owned(),
            Some((folder, _)) if folder.starts_with('/') => folder.to_owned(),
            Some((folder, _)) => {
                let base = server.folder.as_ref().map_or("/", |folder| &folder.text);
                super::paths::normal_path(&format!("{base}/{folder}"))
            }
            None => DEFAULT_FOLDER.to_owned(),
        }
    }

    fn add(&mut self, place: Place) -> Option<usize> {
        if let Some(at) = self.known.iter().position(|known| known.place == place) {
            return Some(at);
        }
        let text = match &place {
            Place::Folder(text) | Place::Image(text) => text.clone(),
        };
        let profile = self.profile(&text)?;
        let wanted = self.wanted_name(&place, profile);
        let name = self.names.add("engine", &wanted);
        self.known.push(Known { name, place, profile, env: Vec::new() });
        self.known.len().checked_sub(1)
    }

    /// The name of an engine: that of its family, or a part of its path that differs.
    fn wanted_name(&self, place: &Place, profile: &Profile) -> String {
        let family = profile.family().name();
        if self.known.iter().all(|known| known.name != family) {
            return family.to_owned();
        }
        match place {
            Place::Folder(folder) => {
                let parts = folder.rsplit('/').filter(|part| !matches!(*part, "bin" | "build" | "" | "usr"));
                parts.map(str::to_owned).next().unwrap_or_else(|| family.to_owned())
            }
            Place::Image(image) => image.rsplit(['/', ':']).next().unwrap_or(family).to_owned(),
        }
    }

    /// The profile for a path or an image: by its family, and by the build in its name.
    fn profile(&self, text: &str) -> Option<&'static Profile> {
        let family = if text.contains("ik_llama") { Family::IkLlamaCpp } else { Family::LlamaCpp };
        let all: Vec<&'static Profile> = Profile::built_in_of(family).collect();
        let named =
            builds(text).find_map(|build| all.iter().copied().find(|profile| profile.build() == build));
        let of_family = |profile: &&'static Profile| profile.family() == family;
        let chosen = self.choice.profile.filter(|profile| profile.family() == family);
        named.or(chosen).or_else(|| self.inferred.iter().find(|profile| of_family(profile)).copied())
    }
}

/// The latest built-in profile that has the options of the sources: those that are gone or deprecated in later builds show that
/// the programs are older. Forks are left out.
fn fitting_profile(family: Family, sources: &Sources) -> Option<&'static Profile> {
    let all: Vec<&'static Profile> =
        Profile::built_in_of(family).filter(|profile| !profile.name().ends_with("-fork")).collect();
    let has = |profile: &Profile, word: &str| {
        let found = profile.find(profile.server(), word);
        found.is_some_and(|(record, ..)| record.removed.is_none() && record.deprecated.is_none())
    };
    let words = sources.servers.iter().flat_map(|server| &server.args).map(|word| word.text.as_str());
    let options: BTreeSet<&str> = words.filter(|word| word.starts_with('-')).collect();
    let known: Vec<&str> =
        options.into_iter().filter(|word| all.iter().any(|profile| has(profile, word))).collect();
    let missing = |profile: &Profile| known.iter().filter(|word| !has(profile, word)).count();
    // The first of equal ones is the latest.
    all.into_iter().rev().min_by_key(|profile| missing(profile))
}

/// The words of a path or an image that have the form of a build, such as `b11669`.
fn builds(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| {
        let digits = word.strip_prefix('b').unwrap_or_default();
        digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The image whose entry point is llama-server: the images `full` of llama.cpp have a script, and there is an image `server` of the
/// same build (`docs/docker.md` of llama.cpp b11669).
pub(super) fn server_image(image: &str) -> String {
    match image.rsplit_once(":full") {
        Some((name, rest)) if name.ends_with("llama.cpp") => format!("{name}:server{rest}"),
        _ => image.to_owned(),
    }
}
