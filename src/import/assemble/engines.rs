//! The engines of a registry: the builds that the servers run.

use super::paths::host_path;
use super::unique::Names;
use crate::diag::Line;
use crate::engine::{Family, Profile};
use crate::import::prefix::is_server;
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
    selection: Selection,
    /// Variables of all its processes.
    env: Vec<Line>,
}

/// How the profile of an engine was selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// By the user.
    Chosen,
    /// By the build in the path or the image.
    Named,
    /// By the options of the sources: it is the latest built-in one that has them.
    Inferred,
}

impl Place {
    fn text(&self) -> &str {
        match self {
            Self::Folder(text) | Self::Image(text) => text,
        }
    }
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
    is_server(name) && name != "llama"
        || name == "llama" && args.first().is_some_and(|word| word.text == "serve")
}

impl<'c> Engines<'c> {
    pub(super) fn new(choice: &'c EngineChoice, sources: &Sources) -> Self {
        let inferred = Family::ALL.iter().filter_map(|family| fitting_profile(*family, sources)).collect();
        Self { choice, inferred, names: Names::default(), known: Vec::new() }
    }

    /// The profile of the engine of a server. `None` if its program is no engine.
    pub(super) fn profile_of(&self, server: &Server, sources: &Sources) -> Option<&'static Profile> {
        let place = self.place_of(server, sources)?;
        self.profile(place.text()).map(|(profile, _)| profile)
    }

    /// Adds the engine of a server that becomes a role.
    pub(super) fn register(&mut self, server: &Server, sources: &Sources) {
        if let Some(place) = self.place_of(server, sources) {
            self.add(place);
        }
    }

    /// The engines with their profiles, and how each was selected.
    pub(super) fn selections(&self) -> Vec<(String, &'static str, Selection)> {
        let selection = |known: &Known| (known.name.clone(), known.profile.name(), known.selection);
        self.known.iter().map(selection).collect()
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
                Some(Place::Folder(self.folder(&word.text, (server, sources))))
            }
            Program::Path(_) => None,
            Program::Image { image, .. } => Some(Place::Image(server_image(&image.text))),
            Program::Gateway => {
                let gateway = sources.gateways.get(server.gateway?)?;
                let program = gateway.program.as_ref().map_or(Family::LlamaCpp.server(), |word| &word.text);
                Some(Place::Folder(self.folder(program, (server, sources))))
            }
        }
    }

    /// The folder of a program.
    fn folder(&self, program: &str, (server, sources): (&Server, &Sources)) -> String {
        let program = self.choice.programs.get(program).map_or(program, |path| path);
        match program.rsplit_once('/') {
            Some(("", _)) => "/".to_owned(),
            Some((folder, _)) if folder.starts_with('/') => folder.to_owned(),
            Some((folder, _)) => host_path(sources, server, folder),
            None => DEFAULT_FOLDER.to_owned(),
        }
    }

    fn add(&mut self, place: Place) -> Option<usize> {
        if let Some(at) = self.known.iter().position(|known| known.place == place) {
            return Some(at);
        }
        let (profile, selection) = self.profile(place.text())?;
        let wanted = self.wanted_name(&place, profile);
        let name = self.names.add("engine", &wanted);
        self.known.push(Known { name, place, profile, selection, env: Vec::new() });
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
    fn profile(&self, text: &str) -> Option<(&'static Profile, Selection)> {
        let of_choice = self.choice.profile.map_or(Family::LlamaCpp, Profile::family);
        let family = if text.contains("ik_llama") { Family::IkLlamaCpp } else { of_choice };
        let of_family = |profile: &&'static Profile| profile.family() == family;
        let chosen = self.choice.profile.filter(|profile| profile.family() == family);
        let built_in = || Profile::built_in_of(family);
        let named = builds(text).find_map(|build| built_in().find(|profile| profile.build() == build));
        let inferred = self.inferred.iter().find(|profile| of_family(profile)).copied();
        let named = named.map(|profile| (profile, Selection::Named));
        let chosen = chosen.map(|profile| (profile, Selection::Chosen));
        named.or(chosen).or_else(|| Some((inferred?, Selection::Inferred)))
    }
}

/// The latest built-in profile that has the options and values of the sources: those that are gone or deprecated in later builds
/// show that the programs are older. Forks are left out.
fn fitting_profile(family: Family, sources: &Sources) -> Option<&'static Profile> {
    let all: Vec<&'static Profile> =
        Profile::built_in_of(family).filter(|profile| !profile.name().ends_with("-fork")).collect();
    let mut options: BTreeSet<(&str, &str)> = BTreeSet::new();
    for server in &sources.servers {
        let values = server.args.iter().skip(1).map(|word| word.text.as_str()).chain([""]);
        let words = server.args.iter().map(|word| word.text.as_str()).zip(values);
        options.extend(words.filter(|(word, _)| word.starts_with('-')));
    }
    // An option that no build has shows nothing.
    let verdicts = |profile: &Profile| -> Vec<Verdict> {
        options.iter().map(|(word, value)| Verdict::of(profile, word, value)).collect()
    };
    let all: Vec<(&'static Profile, Vec<Verdict>)> =
        all.into_iter().map(|profile| (profile, verdicts(profile))).collect();
    let is_known = |at: usize| all.iter().any(|(_, verdicts)| verdicts.get(at) != Some(&Verdict::Missing));
    let known: Vec<usize> = (0..options.len()).filter(|at| is_known(*at)).collect();
    let count = |verdicts: &[Verdict], wanted: Verdict| {
        known.iter().filter(|at| verdicts.get(**at) == Some(&wanted)).count()
    };
    let faults =
        |verdicts: &[Verdict]| (count(verdicts, Verdict::Missing), count(verdicts, Verdict::Deprecated));
    // The first of equal ones is the latest.
    all.iter().rev().min_by_key(|(_, verdicts)| faults(verdicts)).map(|(profile, _)| *profile)
}

/// The state of an option with its value in a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Known,
    Deprecated,
    Missing,
}

impl Verdict {
    fn of(profile: &Profile, word: &str, value: &str) -> Self {
        let Some((record, ..)) = profile.find(profile.server(), word) else { return Self::Missing };
        let is_value = |value: &str| record.allows_value(value) || record.choices.is_empty();
        let has_value = record.arity() != 1 || value.is_empty() || value.split(',').all(is_value);
        match (&record.removed, &record.deprecated) {
            (Some(_), _) => Self::Missing,
            _ if !has_value => Self::Missing,
            (None, Some(_)) => Self::Deprecated,
            (None, None) => Self::Known,
        }
    }
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
