//! An engine build as data: the options of each of its programs, and the metadata keys that it knows.
//!
//! A profile is a sorted JSON file with one option per line ([`ProfileFile::to_json`]):
//!
//! | field | |
//! |---|---|
//! | `engine` | the family: `llama.cpp`, `ik_llama.cpp` |
//! | `build` | `b11434`, or date and commit if there is no build number |
//! | `source` | the source of the data |
//! | `version`, `commit`, `date` | as printed by the build; optional |
//! | `extends` | the profile that this one extends (for a fork); optional |
//! | `tools` | the programs: a list, or with `extends` `{"llama-x": {"as": "llama-y"}}`: *x accepts the options of y* |
//! | `options` | [`OptionRecord`]s |
//! | `not_understood` | lines of a help text that could not be parsed; optional |
//! | `metadata_keys` | those that its loader knows; a profile of llama.cpp without them uses the table of b11434 |
//! | `architectures`, `pre_tokenizers`, `projector_types`, `tensor_types` | those that its loader knows; without a list, models are not checked |
//!
//! In a file that extends another one, an option shadows options with the same name, for the programs that it lists.
//! Missing data means *not checked*, never *correct*: a build may have programs that its profile does not list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::file::{FileTools, ProfileFile};
use super::lists::ClosedLists;
use super::option::{OptionRecord, Switch, Tools};
use super::{VARIABLE_PREFIX, built_in};
use crate::engine::Family;

/// The options, metadata keys and closed lists of one engine build.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    family: Family,
    build: String,
    source: String,
    tools: Vec<String>,
    /// Programs that accept the options of another program, with that program.
    alias: BTreeMap<String, String>,
    options: Vec<OptionRecord>,
    /// Each spelling with the index of its option, sorted, and grouped by length, which is quick to compare. A shadowing
    /// option comes before the shadowed one.
    index: Vec<Vec<(String, usize)>>,
    metadata_keys: Vec<MetadataKey>,
    lists: ClosedLists,
}

/// A metadata key that a build reads, with `{arch}` for the architecture, and its type, such as `u32|arr[u32]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataKey {
    /// The key, such as `{arch}.context_length`.
    pub key: String,
    /// The type that the engine requires.
    #[serde(rename = "type")]
    pub kind: String,
}

/// An error in a profile file.
#[derive(Debug)]
pub enum ProfileError {
    /// Not JSON, or not the shape of a profile. The message names line and column.
    Shape {
        /// The profile.
        profile: String,
        /// The error of the JSON parser.
        error: serde_json::Error,
    },
    /// An unknown profile or program, or a bad option: the whole sentence.
    Content(String),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { profile, error } => write!(f, "cannot read the profile `{profile}`: {error}"),
            Self::Content(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for ProfileError {}

impl Profile {
    /// The built-in profile with this name. The first call parses it and the profiles that it extends.
    pub fn built_in(name: &str) -> Option<&'static Self> {
        built_in::profile(name)
    }

    /// The names of the built-in profiles, oldest build first in each family.
    pub fn built_in_names() -> &'static [&'static str] {
        built_in::NAMES
    }

    /// The only built-in profile whose name has this part, such as `b11669`, or whose build is a part of this word. `None`
    /// if there are several or none.
    pub fn built_in_with(part: &str) -> Option<&'static str> {
        built_in::name_with(part)
    }

    /// The built-in profiles of a family, oldest build first.
    pub fn built_in_of(family: Family) -> impl Iterator<Item = &'static Self> {
        let all = built_in::NAMES.iter().filter_map(|name| Self::built_in(name));
        all.filter(move |profile| profile.family == family)
    }

    /// Parses a profile file. `extended` returns the profile that the file names under `extends`. That profile is
    /// already complete, so there is no chain to follow.
    pub fn parse<'a>(
        name: &str,
        json: &str,
        extended: impl FnOnce(&str) -> Option<&'a Self>,
    ) -> Result<Self, ProfileError> {
        let file = ProfileFile::parse(json)
            .map_err(|error| ProfileError::Shape { profile: name.to_owned(), error })?;
        let base = match &file.extends {
            None => None,
            Some(missing) => Some(extended(missing).ok_or_else(|| {
                let what = format!("extends `{missing}`, which is not a known profile");
                ProfileError::Content(format!("the profile `{name}` {what}"))
            })?),
        };
        let own = file.options.len();
        let mut profile = Self::assemble(name, file, base);
        profile.check_tools()?;
        profile.index_options(own)?;
        Ok(profile)
    }

    fn assemble(name: &str, file: ProfileFile, base: Option<&Self>) -> Self {
        let lists = file.lists().sorted();
        let (mut tools, alias) = match file.tools {
            FileTools::List(tools) => (tools, BTreeMap::new()),
            FileTools::Alias(alias) => {
                (Vec::new(), alias.into_iter().map(|(tool, target)| (tool, target.tool)).collect())
            }
        };
        let mut profile = Self {
            name: name.to_owned(),
            family: file.engine,
            build: file.build,
            source: file.source,
            tools: Vec::new(),
            alias,
            options: file.options,
            index: Vec::new(),
            metadata_keys: file.metadata_keys,
            lists,
        };
        for option in &mut profile.options {
            option.row = option.find_row();
        }
        if let Some(base) = base {
            tools.extend(base.tools.iter().cloned());
            profile.alias.extend(base.alias.iter().map(|(tool, target)| (tool.clone(), target.clone())));
            profile.options.extend(base.options.iter().cloned());
            if profile.metadata_keys.is_empty() {
                profile.metadata_keys.clone_from(&base.metadata_keys);
            }
            profile.lists = std::mem::take(&mut profile.lists).or(&base.lists);
        }
        profile.tools = tools;
        profile
    }

    fn error<T>(&self, what: &str) -> Result<T, ProfileError> {
        Err(ProfileError::Content(format!("the profile `{}` {what}", self.name)))
    }

    fn check_tools(&self) -> Result<(), ProfileError> {
        match self.alias.iter().find(|(_, target)| !self.tools.contains(target)) {
            None => Ok(()),
            Some((tool, missing)) => {
                self.error(&format!("declares `{tool}` as `{missing}`, a program that it does not list"))
            }
        }
    }

    /// Indexes all spellings. The first `own` options come from the file itself and shadow the others.
    fn index_options(&mut self, own: usize) -> Result<(), ProfileError> {
        let bad_name = |name: &str| {
            self.error(&format!("has an option `{name}`; each option needs a name that begins with a dash"))
        };
        let mut index: Vec<Vec<(String, usize)>> = Vec::new();
        for (at, option) in self.options.iter().enumerate() {
            if option.names.is_empty() {
                return bad_name("");
            }
            for (name, _) in option.spellings() {
                if !name.starts_with('-') {
                    return bad_name(name);
                }
                index.resize_with(index.len().max(name.len() + 1), Vec::new);
                index.get_mut(name.len()).into_iter().for_each(|group| group.push((name.to_owned(), at)));
            }
        }
        for group in &mut index {
            group.sort_unstable();
        }
        for pair in index.iter().flat_map(|group| group.windows(2)) {
            let [(first, a), (second, b)] = pair else { continue };
            let shadows = *a < own && *b >= own;
            if first == second && !shadows && self.share_tool(*a, *b) {
                return self.error(&format!("has two options named `{first}` for the same program"));
            }
        }
        self.index = index;
        Ok(())
    }

    fn share_tool(&self, a: usize, b: usize) -> bool {
        match (self.options.get(a).map(|o| &o.tools), self.options.get(b).map(|o| &o.tools)) {
            (Some(Tools::Some(a)), Some(Tools::Some(b))) => a.iter().any(|tool| b.contains(tool)),
            (Some(_), Some(_)) => true,
            _ => false,
        }
    }

    /// The name that the registry uses, such as `llama.cpp-b11434`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The family of the build.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The program that serves a model.
    pub fn server(&self) -> &'static str {
        self.family.server()
    }

    /// The build: `b11434`, or date and commit.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The source of the data.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The build number, if the build is identified by one.
    pub fn build_number(&self) -> Option<u32> {
        self.build.strip_prefix('b')?.parse().ok()
    }

    /// True if the profile is built in.
    pub fn is_built_in(&self) -> bool {
        built_in::NAMES.contains(&self.name.as_str())
    }

    /// The programs that the profile lists.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().chain(self.alias.keys()).map(String::as_str)
    }

    /// True if the profile lists the program. A build may have programs that its profile does not list.
    pub fn has_tool(&self, tool: &str) -> bool {
        self.alias.contains_key(tool) || self.tools.iter().any(|known| known == tool)
    }

    /// All options: first those of this profile, then those of the profile that it extends.
    pub fn options(&self) -> &[OptionRecord] {
        &self.options
    }

    /// The metadata keys that the loader reads. Empty means unknown.
    pub fn metadata_keys(&self) -> &[MetadataKey] {
        &self.metadata_keys
    }

    /// The words of model files that the loader knows.
    pub fn lists(&self) -> &ClosedLists {
        &self.lists
    }

    /// True if a program accepts an option.
    pub fn tool_accepts(&self, tool: &str, option: &OptionRecord) -> bool {
        match &option.tools {
            Tools::All => self.has_tool(tool),
            Tools::Some(tools) => {
                let target = self.alias.get(tool).map_or(tool, String::as_str);
                tools.iter().any(|listed| listed == target || listed == tool)
            }
        }
    }

    /// The option of a program with this name. The name may lack dashes, and `_` counts as `-` in long names, as in the
    /// engine (llama.cpp b11434, `common/arg.cpp`).
    pub fn option(&self, tool: &str, name: &str) -> Option<&OptionRecord> {
        self.find(tool, name).map(|(option, _, _)| option)
    }

    /// The option of a program with this name, its spelling in the build, and whether that spelling switches it on or
    /// off.
    pub fn find(&self, tool: &str, name: &str) -> Option<(&OptionRecord, &str, Switch)> {
        if name.starts_with('-') {
            return self.find_exact(tool, name).or_else(|| {
                let folded = name.starts_with("--") && name.contains('_');
                if folded { self.find_exact(tool, &name.replace('_', "-")) } else { None }
            });
        }
        self.find(tool, &format!("--{name}")).or_else(|| self.find_exact(tool, &format!("-{name}")))
    }

    fn find_exact(&self, tool: &str, name: &str) -> Option<(&OptionRecord, &str, Switch)> {
        self.all_named(name).find(|(option, _, _)| self.tool_accepts(tool, option))
    }

    fn all_named(&self, name: &str) -> impl Iterator<Item = (&OptionRecord, &str, Switch)> {
        let group = self.index.get(name.len()).map(Vec::as_slice).unwrap_or_default();
        let first = group.partition_point(|(known, _)| **known < *name);
        let same = group.iter().skip(first).take_while(move |(known, _)| known == name);
        same.filter_map(|(known, at)| {
            let option = self.options.get(*at)?;
            let switch = if option.negative.contains(known) { Switch::Off } else { Switch::On };
            Some((option, known.as_str(), switch))
        })
    }

    /// The option that an environment variable sets, in any program. An option that can be switched off has a second
    /// variable, with `NO_` after `LLAMA_ARG_`. It switches the option off with any value (llama.cpp b11434,
    /// `common/arg.cpp`).
    pub fn variable(&self, name: &str) -> Option<&OptionRecord> {
        self.options.iter().find(|option| variables(option).any(|known| known == name))
    }

    /// The environment variables that a program reads as options.
    pub fn variables(&self, tool: &str) -> BTreeSet<String> {
        self.options.iter().filter(|option| self.tool_accepts(tool, option)).flat_map(variables).collect()
    }

    /// The programs that accept an option with this spelling, including its dashes.
    pub fn tools_with(&self, name: &str) -> Vec<&str> {
        self.tools().filter(|tool| self.find_exact(tool, name).is_some()).collect()
    }

    /// The first of several spellings that the program accepts. Removed options do not count.
    pub fn first_spelling<'c>(&self, tool: &str, candidates: &[&'c str]) -> Option<&'c str> {
        let usable =
            |name: &str| self.find_exact(tool, name).is_some_and(|(option, _, _)| option.removed.is_none());
        candidates.iter().copied().find(|name| usable(name))
    }

    /// True if a server of this build can listen on several addresses.
    pub fn serves_several_addresses(&self) -> bool {
        self.option(self.server(), "--host").is_some_and(OptionRecord::takes_comma_list)
    }

    /// The spellings that a program accepts, for suggestions. Removed options do not count.
    pub fn option_names(&self, tool: &str) -> Vec<&str> {
        let usable = |at: &usize| {
            self.options.get(*at).is_some_and(|o| o.removed.is_none() && self.tool_accepts(tool, o))
        };
        let mut names: Vec<&str> =
            self.index.iter().flatten().filter(|(_, at)| usable(at)).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// The variable that switches an option off, for the variable that sets it.
pub fn off_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix(VARIABLE_PREFIX)?;
    Some(format!("{VARIABLE_PREFIX}NO_{rest}"))
}

/// The environment variables of an option: the one that sets it, and the one that switches it off.
fn variables(option: &OptionRecord) -> impl Iterator<Item = String> {
    let own = option.env.iter();
    let off = own.clone().filter(|_| !option.negative.is_empty());
    let off = off.filter_map(|name| off_variable(name));
    own.cloned().chain(off)
}
