//! One engine build as data: the options of each of its programs, and the metadata keys it knows.
//!
//! A profile is a JSON file, sorted, one option a line ([`ProfileFile::text`]):
//!
//! | field | |
//! |---|---|
//! | `engine` | `llama.cpp` |
//! | `build` | `b11434`, or date and commit where the number is not known |
//! | `source` | where the facts come from |
//! | `version`, `commit`, `date` | what the build says of itself; optional |
//! | `extends` | the profile that this one adds to (a fork); optional |
//! | `tools` | the programs: a list, or `{"llama-x": {"as": "llama-y"}}`, *x takes the options of y*, where it extends |
//! | `options` | [`OptionRecord`]s |
//! | `not_understood` | lines of a help text that nobody could read; optional |
//! | `metadata_keys`, `architectures` | what its loader knows; a profile without them takes the table of b11434 |
//!
//! In a file that extends another one, an option shadows the options of the same name of the programs that it lists. What a
//! profile does not know is *not checked*, never *fine*: a program that it does not list may well exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::buckets::Buckets;
use super::built_in;
use super::file::{FileTools, ProfileFile};
use super::option::{OptionRecord, Side, Tools};

/// What one build accepts.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    build: String,
    source: String,
    tools: Vec<String>,
    /// A program and the one whose options it takes.
    alias: BTreeMap<String, String>,
    options: Vec<OptionRecord>,
    /// Every spelling with the index of its option, sorted; the option that shadows comes first.
    index: Vec<(String, usize)>,
    buckets: Buckets,
    metadata_keys: Vec<MetadataKey>,
    architectures: Vec<String>,
}

/// A metadata key that a build reads, with `{arch}` for the architecture, and its type as `u32|arr[u32]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataKey {
    /// The key: `{arch}.context_length`.
    pub key: String,
    /// What the reader insists on.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Why a file is no profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileError {
    /// Not JSON, or not of the shape of a profile; the message names line and column.
    Shape {
        /// The profile.
        profile: String,
        /// What the reader says.
        why: String,
    },
    /// It extends a profile that is not there.
    Extends {
        /// The profile.
        profile: String,
        /// The one it names.
        missing: String,
    },
    /// A program takes the options of one that is not there.
    Alias {
        /// The profile.
        profile: String,
        /// The program.
        tool: String,
        /// The one it names.
        missing: String,
    },
    /// An option without a name, or with one that does not begin with a dash.
    Name {
        /// The profile.
        profile: String,
        /// The name.
        name: String,
    },
    /// A program would have two options of one name.
    Twice {
        /// The profile.
        profile: String,
        /// The name.
        name: String,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { profile, why } => write!(f, "the profile `{profile}` cannot be read: {why}"),
            Self::Extends { profile, missing } => {
                write!(f, "the profile `{profile}` extends `{missing}`, which is no profile that is known")
            }
            Self::Alias { profile, tool, missing } => {
                write!(
                    f,
                    "in the profile `{profile}`, `{tool}` takes the options of `{missing}`, which it does not list"
                )
            }
            Self::Name { profile, name } => {
                write!(
                    f,
                    "the profile `{profile}` has an option named `{name}`; names begin with a dash, and each has one"
                )
            }
            Self::Twice { profile, name } => {
                write!(f, "the profile `{profile}` has two options named `{name}` for the same program")
            }
        }
    }
}

impl std::error::Error for ProfileError {}

impl Profile {
    /// The profile of that name that comes with the program. Parsed at the first call, with what it extends and nothing
    /// else.
    pub fn built_in(name: &str) -> Option<&'static Self> {
        built_in::profile(name)
    }

    /// The names of the profiles that come with the program, oldest build first.
    pub fn names() -> &'static [&'static str] {
        built_in::NAMES
    }

    /// Reads a profile file. `extended` gives the profile that it names under `extends`; a chain ends there, since that
    /// one is complete.
    pub fn parse<'a>(
        name: &str,
        json: &str,
        extended: impl FnOnce(&str) -> Option<&'a Self>,
    ) -> Result<Self, ProfileError> {
        let file = ProfileFile::parse(json)
            .map_err(|error| ProfileError::Shape { profile: name.to_owned(), why: error.to_string() })?;
        let base = match &file.extends {
            None => None,
            Some(missing) => Some(extended(missing).ok_or_else(|| ProfileError::Extends {
                profile: name.to_owned(),
                missing: missing.clone(),
            })?),
        };
        let own = file.options.len();
        let mut profile = Self::assemble(name, file, base);
        profile.check_tools()?;
        profile.index_options(own)?;
        Ok(profile)
    }

    fn assemble(name: &str, file: ProfileFile, base: Option<&Self>) -> Self {
        let (mut tools, alias) = match file.tools {
            FileTools::List(tools) => (tools, BTreeMap::new()),
            FileTools::Alias(alias) => {
                (Vec::new(), alias.into_iter().map(|(tool, target)| (tool, target.tool)).collect())
            }
        };
        let mut profile = Self {
            name: name.to_owned(),
            build: file.build,
            source: file.source,
            tools: Vec::new(),
            alias,
            options: file.options,
            index: Vec::new(),
            buckets: Buckets::default(),
            metadata_keys: file.metadata_keys,
            architectures: file.architectures,
        };
        if let Some(base) = base {
            tools.extend(base.tools.iter().cloned());
            profile.alias.extend(base.alias.iter().map(|(tool, target)| (tool.clone(), target.clone())));
            profile.options.extend(base.options.iter().cloned());
            if profile.metadata_keys.is_empty() {
                profile.metadata_keys.clone_from(&base.metadata_keys);
                profile.architectures.clone_from(&base.architectures);
            }
        }
        profile.tools = tools;
        profile
    }

    fn check_tools(&self) -> Result<(), ProfileError> {
        let lost = self.alias.iter().find(|(_, target)| !self.tools.contains(target));
        match lost {
            None => Ok(()),
            Some((tool, missing)) => Err(ProfileError::Alias {
                profile: self.name.clone(),
                tool: tool.clone(),
                missing: missing.clone(),
            }),
        }
    }

    /// Sorts all spellings; the first `own` options are the file's own and shadow the others.
    fn index_options(&mut self, own: usize) -> Result<(), ProfileError> {
        let profile = || self.name.clone();
        let mut index = Vec::with_capacity(self.options.len() * 3);
        for (at, option) in self.options.iter().enumerate() {
            if option.names.is_empty() {
                return Err(ProfileError::Name { profile: profile(), name: String::new() });
            }
            for (name, _) in option.spellings() {
                if !name.starts_with('-') {
                    return Err(ProfileError::Name { profile: profile(), name: name.to_owned() });
                }
                index.push((name.to_owned(), at));
            }
        }
        index.sort_unstable();
        for pair in index.windows(2) {
            let [(first, a), (second, b)] = pair else { continue };
            let shadows = *a < own && *b >= own;
            if first == second && !shadows && self.share_a_tool(*a, *b) {
                return Err(ProfileError::Twice { profile: profile(), name: first.clone() });
            }
        }
        self.buckets = Buckets::new(index.iter().map(|(name, _)| name.as_str()));
        self.index = index;
        Ok(())
    }

    fn share_a_tool(&self, a: usize, b: usize) -> bool {
        match (self.options.get(a).map(|o| &o.tools), self.options.get(b).map(|o| &o.tools)) {
            (Some(Tools::Some(a)), Some(Tools::Some(b))) => a.iter().any(|tool| b.contains(tool)),
            (Some(_), Some(_)) => true,
            _ => false,
        }
    }

    /// The name under which the registry pins it: `llama.cpp-b11434`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The build: `b11434`, or date and commit.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// Where its facts come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The number of the build, where the profile is named by one.
    pub fn build_number(&self) -> Option<u32> {
        self.build.strip_prefix('b')?.parse().ok()
    }

    /// Whether it comes with the program.
    pub fn is_built_in(&self) -> bool {
        built_in::NAMES.contains(&self.name.as_str())
    }

    /// The programs that it knows.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().chain(self.alias.keys()).map(String::as_str)
    }

    /// Whether it knows the program. A build may have programs that its profile does not list.
    pub fn has_tool(&self, tool: &str) -> bool {
        self.alias.contains_key(tool) || self.tools.iter().any(|known| known == tool)
    }

    /// All options, those of the file itself before those of the profile that it extends.
    pub fn options(&self) -> &[OptionRecord] {
        &self.options
    }

    /// The metadata keys that its loader reads; empty where the profile does not say.
    pub fn metadata_keys(&self) -> &[MetadataKey] {
        &self.metadata_keys
    }

    /// The architectures that its loader knows; empty where the profile does not say.
    pub fn architectures(&self) -> &[String] {
        &self.architectures
    }

    /// Whether a program takes an option.
    pub fn takes(&self, tool: &str, option: &OptionRecord) -> bool {
        match &option.tools {
            Tools::All => self.has_tool(tool),
            Tools::Some(tools) => {
                let target = self.alias.get(tool).map_or(tool, String::as_str);
                tools.iter().any(|taker| taker == target || taker == tool)
            }
        }
    }

    /// The option of a program by any of its spellings: with dashes, or without them, and with `_` for `-` as the engine
    /// folds long names (llama.cpp b11434, `common/arg.cpp`).
    pub fn option(&self, tool: &str, name: &str) -> Option<&OptionRecord> {
        self.find(tool, name).map(|(option, _, _)| option)
    }

    /// The option of a program with the spelling that the build has, and whether that switches it on or off.
    pub fn find(&self, tool: &str, name: &str) -> Option<(&OptionRecord, &str, Side)> {
        if name.starts_with('-') {
            return self.spelled(tool, name).or_else(|| {
                let folded = name.starts_with("--") && name.contains('_');
                if folded { self.spelled(tool, &name.replace('_', "-")) } else { None }
            });
        }
        self.find(tool, &format!("--{name}")).or_else(|| self.spelled(tool, &format!("-{name}")))
    }

    fn spelled(&self, tool: &str, name: &str) -> Option<(&OptionRecord, &str, Side)> {
        self.all_named(name).find(|(option, _, _)| self.takes(tool, option))
    }

    fn all_named(&self, name: &str) -> impl Iterator<Item = (&OptionRecord, &str, Side)> {
        let entries = self.buckets.of(name).iter().filter_map(|at| self.index.get(usize::from(*at)));
        let same = entries.filter(move |(known, _)| known == name);
        same.filter_map(|(known, at)| {
            let option = self.options.get(*at)?;
            let side = if option.negative.contains(known) { Side::Off } else { Side::On };
            Some((option, known.as_str(), side))
        })
    }

    /// The option that a variable of the environment sets, for any program. An option that can be switched off has two: the
    /// second, with `NO_` after `LLAMA_ARG_`, switches it off whatever it holds (llama.cpp b11434, `common/arg.cpp`).
    pub fn variable(&self, name: &str) -> Option<&OptionRecord> {
        self.options.iter().find(|option| variables(option).any(|known| known == name))
    }

    /// The variables of the environment that a program reads as options.
    pub fn variables(&self, tool: &str) -> BTreeSet<String> {
        self.options.iter().filter(|option| self.takes(tool, option)).flat_map(variables).collect()
    }

    /// The programs that take an option of that spelling, dashes included.
    pub fn takers(&self, name: &str) -> Vec<&str> {
        self.tools().filter(|tool| self.spelled(tool, name).is_some()).collect()
    }

    /// The first of several spellings that the program has and that is not removed from it.
    pub fn spelling<'c>(&self, tool: &str, candidates: &[&'c str]) -> Option<&'c str> {
        let usable =
            |name: &str| self.spelled(tool, name).is_some_and(|(option, _, _)| option.removed.is_none());
        candidates.iter().copied().find(|name| usable(name))
    }

    /// The spellings that a program takes, removed ones left out: what a misspelt one is compared with.
    pub fn option_names(&self, tool: &str) -> Vec<&str> {
        let usable =
            |at: &usize| self.options.get(*at).is_some_and(|o| o.removed.is_none() && self.takes(tool, o));
        self.index.iter().filter(|(_, at)| usable(at)).map(|(name, _)| name.as_str()).collect()
    }
}

/// The variables of an option: its own, and the one that switches it off.
fn variables(option: &OptionRecord) -> impl Iterator<Item = String> {
    let own = option.env.iter();
    let off = own.clone().filter(|_| !option.negative.is_empty());
    let off =
        off.filter_map(|name| name.strip_prefix("LLAMA_ARG_").map(|rest| format!("LLAMA_ARG_NO_{rest}")));
    own.cloned().chain(off)
}
