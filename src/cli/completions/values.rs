//! The values of arguments: names of the registry, codes, profiles, fields, and what is installed.

use super::shell::Candidate;
use crate::catalogue::codes;
use crate::cli::args::Args;
use crate::cli::deploy::{installed_generations, installed_stacks};
use crate::cli::guide;
use crate::compile::lower;
use crate::diag::{Code, Diagnostics, Severity};
use crate::engine::Profile;
use crate::hir::schema::FieldPath;
use crate::hir::{Model, Registry, Role, RoleKind, Text};
use crate::source::{find_registry, load, stamps, text};
use clap::{ArgMatches, CommandFactory};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The most bytes of a registry that a completion reads: about 15 000 roles. A larger one would be slow.
const MAX_BYTES: u64 = 4 << 20;

/// The values that an argument takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum List {
    Roles,
    Models,
    Hosts,
    Stacks,
    Generations,
    Codes,
    /// Codes that `--warn` and `--ignore` take.
    LowerableCodes,
    /// Codes, and the word for all of them.
    CodesAndAll,
    Profiles,
    OptionsOfProfile,
    Fields,
    Topics,
    Compared,
}

/// Reads the values.
pub(super) struct Values {
    matches: Option<ArgMatches>,
}

impl List {
    /// The files that the argument also takes, if it does. Folders can have such files.
    pub(super) fn file_filter(self) -> Option<fn(&Path) -> bool> {
        match self {
            Self::Profiles => {
                Some(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "json"))
            }
            Self::Compared => Some(Path::is_dir),
            Self::Roles
            | Self::Models
            | Self::Hosts
            | Self::Stacks
            | Self::Generations
            | Self::Codes
            | Self::LowerableCodes
            | Self::CodesAndAll
            | Self::OptionsOfProfile
            | Self::Fields
            | Self::Topics => None,
        }
    }
}

impl Values {
    /// `words` is the command line, which names the registry. It may be incomplete.
    pub(super) fn new(words: &[OsString]) -> Self {
        let parsed = Args::command().ignore_errors(true).try_get_matches_from(words);
        let mut matches = parsed.ok();
        while let Some((_, below)) = matches.as_mut().and_then(ArgMatches::remove_subcommand) {
            matches = Some(below);
        }
        Self { matches }
    }

    /// The values of an argument. `None` if clap knows them, or if they are free texts.
    pub(super) fn of(id: &str, value_name: &str) -> Option<List> {
        Some(match (id, value_name) {
            (_, "ROLE") => List::Roles,
            (_, "MODEL") => List::Models,
            ("host", _) => List::Hosts,
            ("stack", _) => List::Stacks,
            ("number", "N") => List::Generations,
            ("error", "CODE") => List::CodesAndAll,
            ("warn" | "ignore", "CODE") => List::LowerableCodes,
            (_, "CODE") => List::Codes,
            ("profile" | "old" | "new", _) => List::Profiles,
            (_, "OPTION") => List::OptionsOfProfile,
            (_, "FIELD") => List::Fields,
            (_, "TOPIC") => List::Topics,
            ("against", _) => List::Compared,
            _ => return None,
        })
    }

    /// The values of a list. Empty if they cannot be read: a shell has no place for errors.
    pub(super) fn list(&self, list: List) -> Vec<Candidate> {
        match list {
            List::Roles => self.registry_items(roles),
            List::Models => self.registry_items(models),
            List::Hosts => self.registry_items(|registry| {
                registry.hosts.iter().map(|host| item(&host.head.name, "")).collect()
            }),
            List::Stacks => installed_stacks().into_iter().map(|name| candidate(name, "")).collect(),
            List::Generations => {
                let all = installed_generations(self.argument("stack").map(String::as_str));
                all.into_iter().map(|(number, about)| candidate(number.to_string(), about)).collect()
            }
            List::Codes => code_candidates(&codes()),
            List::CodesAndAll => [vec![candidate("all", "all codes")], code_candidates(&codes())].concat(),
            List::LowerableCodes => {
                let mut found = codes();
                found.retain(|code| code.severity != Severity::Error);
                [vec![candidate("all", "all codes")], code_candidates(&found)].concat()
            }
            List::Profiles => Profile::built_in_names()
                .iter()
                .rev()
                .map(|name| candidate(*name, "built-in profile"))
                .collect(),
            List::OptionsOfProfile => self.options(),
            List::Fields => FieldPath::all().iter().map(field).collect(),
            List::Topics => guide::pages().iter().map(|page| candidate(&*page.name, page.title())).collect(),
            List::Compared => vec![candidate("host", "what runs on this machine")],
        }
    }

    /// The value of an argument of the command line.
    fn argument<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Option<&T> {
        self.matches.as_ref()?.try_get_one::<T>(id).ok()?
    }

    /// The items of the registry that the command would use. Items that cannot be read are absent.
    fn registry_items(&self, items: impl Fn(&Registry) -> Vec<Candidate>) -> Vec<Candidate> {
        let folder = self.argument::<PathBuf>("given").cloned().unwrap_or_else(find_registry);
        let bytes = stamps(&folder).iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        let loaded = if bytes <= MAX_BYTES { load(&folder).ok() } else { None };
        loaded.map(|loaded| items(&lower(&loaded, &mut Diagnostics::default()).registry)).unwrap_or_default()
    }

    /// The options of the profile that is the argument before.
    fn options(&self) -> Vec<Candidate> {
        let Some(name) = self.argument::<String>("profile") else { return Vec::new() };
        let file = || Profile::parse(name, &text(Path::new(name)).ok()?, Profile::built_in).ok();
        let of = |profile: &Profile| -> Vec<Candidate> {
            let long = |names: &[String]| names.iter().find(|name| name.starts_with("--")).cloned();
            let names = profile.options().iter().filter_map(|option| long(&option.names));
            names.map(|name| candidate(name.trim_start_matches('-'), "")).collect()
        };
        Profile::built_in(name).map(of).or_else(|| file().as_ref().map(of)).unwrap_or_default()
    }
}

fn candidate(value: impl Into<String>, help: impl Into<String>) -> Candidate {
    Candidate { value: value.into(), help: help.into() }
}

/// An item of the registry.
fn item(name: &Text, help: &str) -> Candidate {
    candidate(name.value.to_string(), help)
}

/// The roles, each with its purpose or its model.
fn roles(registry: &Registry) -> Vec<Candidate> {
    let title = |id| registry.models.get(id).title.value.to_string();
    let about = |role: &Role| match &role.kind {
        RoleKind::Served(serving) => title(serving.model.value),
        RoleKind::Listed(model) => title(model.value),
        RoleKind::Shares(other) => format!("shares {}", registry.roles.get(other.value).head.name.value),
        RoleKind::Program(_) => String::new(),
    };
    let help = |role: &Role| role.purpose.as_ref().map_or_else(|| about(role), |text| text.value.to_string());
    registry.roles.iter().map(|role| item(&role.head.name, &help(role))).collect()
}

/// The models, each with its title, or with its file if the title is its name.
fn models(registry: &Registry) -> Vec<Candidate> {
    let help = |model: &Model| {
        let named = if model.title.value == model.head.name.value { &model.file } else { &model.title };
        named.value.to_string()
    };
    registry.models.iter().map(|model| item(&model.head.name, &help(model))).collect()
}

/// The names of codes, each with its number and its summary, then the numbers with their names.
fn code_candidates(codes: &[&Code]) -> Vec<Candidate> {
    let names = codes.iter().map(|code| candidate(code.name, format!("{code}: {}", code.summary())));
    let numbers = codes.iter().map(|code| candidate(code.to_string(), code.name));
    names.chain(numbers).collect()
}

fn field(path: &FieldPath) -> Candidate {
    candidate(path.text(), path.field().map_or("", |field| field.doc))
}
