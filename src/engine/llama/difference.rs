//! The difference between two builds, option by option, for each program that both profiles list.
//!
//! A program that only one profile lists is not compared: the other build may have it too. Missing data about accepted
//! values or repetition does not count as a change. Profiles have no defaults, so these are not compared.

use std::collections::BTreeMap;

use serde::Serialize;

use super::option::{OptionRecord, Repeat};
use super::profile::Profile;

/// The difference between two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileDiff {
    /// The programs that both profiles list. Their options are compared.
    pub programs: Vec<String>,
    /// Programs that only the old profile lists.
    pub only_old: Vec<String>,
    /// Programs that only the new profile lists.
    pub only_new: Vec<String>,
    /// The changes, sorted by option.
    pub changes: Vec<OptionChange>,
}

/// One change of one option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OptionChange {
    /// The name of the option in the old build, or in the new build if the old one does not have it.
    pub option: String,
    /// The kind of change.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// The programs with this change.
    pub programs: Vec<String>,
}

/// The kind of change of an option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The new build has no such option.
    Gone {
        /// The replacement that the old build names.
        instead: Option<String>,
    },
    /// The new build knows the name and fails with an error.
    Removed {
        /// The replacement that the new build names.
        instead: String,
    },
    /// The option has another main name.
    Renamed {
        /// The new name.
        to: String,
        /// True if the old name is still accepted.
        is_kept: bool,
    },
    /// The option has lost one of its spellings.
    NameGone {
        /// The name.
        name: String,
        /// The option that has this spelling now.
        belongs_to: Option<String>,
    },
    /// The value has another shape: more or fewer arguments, a word instead of a list, a closed set of words instead of
    /// any value.
    Retyped {
        /// The old placeholder. `None` for no value.
        from: Option<String>,
        /// The new placeholder. `None` for no value.
        to: Option<String>,
    },
    /// The closed set of values changes.
    Choices {
        /// Values that are no longer accepted.
        gone: Vec<String>,
        /// New values.
        added: Vec<String>,
    },
    /// The environment variable that sets the option changes, appears or disappears.
    Environment {
        /// The variable of the old build.
        from: Option<String>,
        /// The variable of the new build.
        to: Option<String>,
    },
    /// The effect of giving the option twice changes.
    Repeated {
        /// The effect in the old build.
        from: Repeat,
        /// The effect in the new build.
        to: Repeat,
    },
    /// The help text has another placeholder for the value, or a list is accepted now. Old values stay valid.
    Placeholder {
        /// The old placeholder.
        from: Option<String>,
        /// The new placeholder.
        to: Option<String>,
    },
    /// The option is deprecated, but still works.
    Deprecated {
        /// The replacement.
        instead: String,
    },
    /// The old build failed on the option, and the new build accepts it again.
    Returned,
    /// The option has a new spelling.
    NameAdded {
        /// The name.
        name: String,
    },
    /// The option is new.
    Added {
        /// The placeholder of its value.
        value: Option<String>,
    },
}

impl ChangeKind {
    /// True if the new build may refuse a command line of the old build, or interpret it differently.
    pub fn can_break(&self) -> bool {
        match self {
            Self::Gone { .. }
            | Self::Removed { .. }
            | Self::NameGone { .. }
            | Self::Retyped { .. }
            | Self::Repeated { .. } => true,
            Self::Renamed { is_kept, .. } => !is_kept,
            Self::Choices { gone, .. } => !gone.is_empty(),
            Self::Environment { from, .. } => from.is_some(),
            Self::Placeholder { .. }
            | Self::Deprecated { .. }
            | Self::Returned
            | Self::NameAdded { .. }
            | Self::Added { .. } => false,
        }
    }
}

/// Compares two profiles.
pub fn diff_profiles(old: &Profile, new: &Profile) -> ProfileDiff {
    let only = |some: &Profile, other: &Profile| {
        some.tools().filter(|tool| !other.has_tool(tool)).map(str::to_owned).collect()
    };
    let programs: Vec<String> = old.tools().filter(|tool| new.has_tool(tool)).map(str::to_owned).collect();
    let mut found: BTreeMap<(String, ChangeKind), Vec<String>> = BTreeMap::new();
    for tool in &programs {
        for change in diff_tool(tool, old, new) {
            found.entry(change).or_default().push(tool.clone());
        }
    }
    let mut changes: Vec<OptionChange> =
        found.into_iter().map(|((option, kind), programs)| OptionChange { option, kind, programs }).collect();
    changes.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    ProfileDiff { programs, only_old: only(old, new), only_new: only(new, old), changes }
}

fn sort_key(change: &OptionChange) -> (&str, &ChangeKind) {
    (change.option.trim_start_matches('-'), &change.kind)
}

/// The options that a program accepts, without those that another option shadows.
fn reachable_options<'p>(tool: &str, profile: &'p Profile) -> Vec<&'p OptionRecord> {
    let seen = |option: &&OptionRecord| {
        option
            .spellings()
            .any(|(name, _)| profile.option(tool, name).is_some_and(|found| std::ptr::eq(found, *option)))
    };
    profile.options().iter().filter(|option| profile.tool_accepts(tool, option)).filter(seen).collect()
}

fn diff_tool(tool: &str, old: &Profile, new: &Profile) -> Vec<(String, ChangeKind)> {
    let mut changes = Vec::new();
    let mut matched: Vec<&OptionRecord> = Vec::new();
    for option in reachable_options(tool, old) {
        let title = || option.title().to_owned();
        let names = std::iter::once(option.title()).chain(option.spellings().map(|(name, _)| name));
        let same: Vec<&OptionRecord> = names
            .filter_map(|name| new.option(tool, name).filter(|other| is_same_option(option, other, name)))
            .collect();
        let live = same.iter().copied().find(|other| other.removed.is_none());
        matched.extend(same.iter().copied().filter(|other| other.removed.is_some()));
        matched.extend(live);
        let stub = same.iter().find_map(|other| other.removed.clone());
        match (&option.removed, live, stub) {
            (Some(_), Some(_), _) => changes.push((title(), ChangeKind::Returned)),
            (Some(_), None, _) => {}
            (None, Some(other), _) => {
                changes
                    .extend(diff_option((tool, new), option, other).into_iter().map(|kind| (title(), kind)));
            }
            (None, None, Some(instead)) => changes.push((title(), ChangeKind::Removed { instead })),
            (None, None, None) => {
                changes.push((title(), ChangeKind::Gone { instead: option.deprecated.clone() }));
                changes.extend(reused_names((tool, new), option).into_iter().map(|kind| (title(), kind)));
            }
        }
    }
    for option in reachable_options(tool, new).into_iter().filter(|option| option.removed.is_none()) {
        if !matched.iter().any(|other| std::ptr::eq(*other, option)) {
            changes.push((option.title().to_owned(), ChangeKind::Added { value: option.value.clone() }));
        }
    }
    changes
}

/// True if an option of the new build with this spelling is the option of the old build. A short spelling can be given to
/// another option. Then it means the same option only if both have the same environment variable, or if one of them has
/// only short spellings.
fn is_same_option(old: &OptionRecord, other: &OptionRecord, name: &str) -> bool {
    let has_long = |option: &OptionRecord| option.spellings().any(|(name, _)| name.starts_with("--"));
    let same_variable = old.env.is_some() && old.env == other.env;
    name.starts_with("--") || same_variable || !has_long(old) || !has_long(other)
}

/// The spellings of an option without a counterpart that another option of the new build has.
fn reused_names((tool, new): (&str, &Profile), old: &OptionRecord) -> Vec<ChangeKind> {
    let reused = old.spellings().filter_map(|(name, _)| {
        let belongs_to = Some(new.option(tool, name)?.title().to_owned());
        Some(ChangeKind::NameGone { name: name.to_owned(), belongs_to })
    });
    reused.collect()
}

/// The changes between an option of the old build and its counterpart in the new build.
fn diff_option((tool, new): (&str, &Profile), old: &OptionRecord, other: &OptionRecord) -> Vec<ChangeKind> {
    let mut found = diff_names((tool, new), old, other);
    let list = OptionRecord::takes_list_of_choices;
    let [was_closed, is_closed] = [old, other].map(|option| !option.choices.is_empty());
    let both_closed = was_closed && is_closed;
    let (from, to) = (old.value.clone(), other.value.clone());
    let is_narrower = (list(old) && !list(other)) || (is_closed && !was_closed);
    if old.arity() != other.arity() || is_narrower {
        found.push(ChangeKind::Retyped { from, to });
    } else if list(old) != list(other) || (!both_closed && from != to) {
        found.push(ChangeKind::Placeholder { from, to });
    }
    if both_closed && old.choices != other.choices {
        let without = |some: &OptionRecord, other: &OptionRecord| {
            some.choices.iter().filter(|word| !other.lists_value(word)).cloned().collect::<Vec<_>>()
        };
        let (gone, added) = (without(old, other), without(other, old));
        if !gone.is_empty() || !added.is_empty() {
            found.push(ChangeKind::Choices { gone, added });
        }
    }
    if old.env != other.env {
        found.push(ChangeKind::Environment { from: old.env.clone(), to: other.env.clone() });
    }
    if let (Some(from), Some(to)) = (old.repeat, other.repeat)
        && from != to
    {
        found.push(ChangeKind::Repeated { from, to });
    }
    if let (None, Some(instead)) = (&old.deprecated, &other.deprecated) {
        found.push(ChangeKind::Deprecated { instead: instead.clone() });
    }
    found
}

/// The changes of the spellings of an option.
fn diff_names((tool, new): (&str, &Profile), old: &OptionRecord, other: &OptionRecord) -> Vec<ChangeKind> {
    let mut found = Vec::new();
    let has = |option: &OptionRecord, name: &str| option.spellings().any(|(known, _)| known == name);
    let is_renamed = old.title() != other.title();
    if is_renamed {
        found.push(ChangeKind::Renamed { to: other.title().to_owned(), is_kept: has(other, old.title()) });
    }
    for (name, _) in old.spellings().filter(|(name, _)| !has(other, name)) {
        let belongs_to = new.option(tool, name).map(|option| option.title().to_owned());
        if !is_renamed || name != old.title() || belongs_to.is_some() {
            found.push(ChangeKind::NameGone { name: name.to_owned(), belongs_to });
        }
    }
    for (name, _) in other.spellings().filter(|(name, _)| !has(old, name)) {
        if !is_renamed || name != other.title() {
            found.push(ChangeKind::NameAdded { name: name.to_owned() });
        }
    }
    found
}
