//! What changes from one build to another: option by option, for each program that both profiles know.
//!
//! A program that only one of them knows is not compared: a profile lists what was looked at, not all that there is. Where one
//! side does not say what values or repetitions an option takes beyond its closed set, that is no change either. Defaults stand
//! in no profile.

use std::collections::BTreeMap;

use serde::Serialize;

use super::option::{OptionRecord, Repeat};
use super::profile::Profile;

/// What changes between two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The programs that both know, whose options are compared.
    pub programs: Vec<String>,
    /// Programs that only the old profile knows.
    pub only_old: Vec<String>,
    /// Programs that only the new one knows.
    pub only_new: Vec<String>,
    /// What changes, in the order of options.
    pub changes: Vec<Change>,
}

/// One change of one option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The option as the old build calls it, as the new one does where the old has none.
    pub option: String,
    /// What happens to it.
    #[serde(flatten)]
    pub what: What,
    /// The programs that it happens in.
    pub programs: Vec<String>,
}

/// What happens to an option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum What {
    /// The new build has no such option.
    Gone {
        /// What the old one said to use instead.
        instead: Option<String>,
    },
    /// The new build knows the name and fails on it.
    Removed {
        /// What it says to use instead.
        instead: String,
    },
    /// It is called otherwise.
    Renamed {
        /// Its name.
        to: String,
        /// Whether the old name is still taken.
        is_kept: bool,
    },
    /// Another name of it is no longer taken for it.
    NameGone {
        /// The name.
        name: String,
        /// The option that has the name in its place.
        belongs_to: Option<String>,
    },
    /// It takes another value: more or fewer arguments, a list in place of a word, another placeholder.
    Retyped {
        /// The placeholder; none for no value.
        from: Option<String>,
        /// The one that comes.
        to: Option<String>,
    },
    /// The closed set of its values changes.
    Choices {
        /// Values that are not taken any more.
        gone: Vec<String>,
        /// Values that come.
        added: Vec<String>,
    },
    /// Another variable of the environment sets it, or none, or one that none did.
    Environment {
        /// The variable of the old build.
        from: Option<String>,
        /// The variable of the new one.
        to: Option<String>,
    },
    /// Given twice, it does something else.
    Repeated {
        /// What the old build does.
        from: Repeat,
        /// What the new one does.
        to: Repeat,
    },
    /// It is still taken, and should not be used.
    Deprecated {
        /// What to use instead.
        instead: String,
    },
    /// The old build failed on it, and the new one takes it.
    Returned,
    /// It can be given by another name too.
    NameAdded {
        /// The name.
        name: String,
    },
    /// The old build has no such option.
    Added {
        /// The placeholder of its value.
        value: Option<String>,
    },
}

impl What {
    /// Whether a command line that the old build takes may be refused by the new one, or mean something else.
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
            Self::Deprecated { .. } | Self::Returned | Self::NameAdded { .. } | Self::Added { .. } => false,
        }
    }
}

/// Compares two profiles.
pub fn difference(old: &Profile, new: &Profile) -> Difference {
    let only = |some: &Profile, other: &Profile| {
        some.tools().filter(|tool| !other.has_tool(tool)).map(str::to_owned).collect()
    };
    let programs: Vec<String> = old.tools().filter(|tool| new.has_tool(tool)).map(str::to_owned).collect();
    let mut found: BTreeMap<(String, What), Vec<String>> = BTreeMap::new();
    for tool in &programs {
        for change in of_tool(tool, old, new) {
            found.entry(change).or_default().push(tool.clone());
        }
    }
    let mut changes: Vec<Change> =
        found.into_iter().map(|((option, what), programs)| Change { option, what, programs }).collect();
    changes.sort_by(|a, b| key(a).cmp(&key(b)));
    Difference { programs, only_old: only(old, new), only_new: only(new, old), changes }
}

fn key(change: &Change) -> (&str, &What) {
    (change.option.trim_start_matches('-'), &change.what)
}

/// The options that a program takes under their own names, those left out that another one shadows.
fn options<'p>(tool: &str, profile: &'p Profile) -> Vec<&'p OptionRecord> {
    let seen = |option: &&OptionRecord| {
        option
            .spellings()
            .any(|(name, _)| profile.option(tool, name).is_some_and(|found| std::ptr::eq(found, *option)))
    };
    profile.options().iter().filter(|option| profile.takes(tool, option)).filter(seen).collect()
}

fn of_tool(tool: &str, old: &Profile, new: &Profile) -> Vec<(String, What)> {
    let mut changes = Vec::new();
    let mut met: Vec<&OptionRecord> = Vec::new();
    for option in options(tool, old) {
        let title = || option.title().to_owned();
        let names = std::iter::once(option.title()).chain(option.spellings().map(|(name, _)| name));
        let same: Vec<&OptionRecord> = names.filter_map(|name| new.option(tool, name)).collect();
        let live = same.iter().copied().find(|other| other.removed.is_none());
        met.extend(same.iter().copied().filter(|other| other.removed.is_some()));
        met.extend(live);
        let stub = same.iter().find_map(|other| other.removed.clone());
        match (&option.removed, live, stub) {
            (Some(_), Some(_), _) => changes.push((title(), What::Returned)),
            (Some(_), None, _) => {}
            (None, Some(other), _) => {
                changes.extend(details((tool, new), option, other).into_iter().map(|what| (title(), what)));
            }
            (None, None, Some(instead)) => changes.push((title(), What::Removed { instead })),
            (None, None, None) => changes.push((title(), What::Gone { instead: option.deprecated.clone() })),
        }
    }
    for option in options(tool, new).into_iter().filter(|option| option.removed.is_none()) {
        if !met.iter().any(|other| std::ptr::eq(*other, option)) {
            changes.push((option.title().to_owned(), What::Added { value: option.value.clone() }));
        }
    }
    changes
}

/// How an option differs from what it becomes.
fn details((tool, new): (&str, &Profile), old: &OptionRecord, other: &OptionRecord) -> Vec<What> {
    let mut found = names((tool, new), old, other);
    let list = OptionRecord::takes_list_of_choices;
    let both_closed = !old.choices.is_empty() && !other.choices.is_empty();
    let same_shape = old.arity() == other.arity() && list(old) == list(other);
    if !same_shape || (!both_closed && old.value != other.value) {
        found.push(What::Retyped { from: old.value.clone(), to: other.value.clone() });
    }
    if both_closed && old.choices != other.choices {
        let without = |some: &OptionRecord, other: &OptionRecord| {
            some.choices.iter().filter(|word| !other.lists(word)).cloned().collect::<Vec<_>>()
        };
        let (gone, added) = (without(old, other), without(other, old));
        if !gone.is_empty() || !added.is_empty() {
            found.push(What::Choices { gone, added });
        }
    }
    if old.env != other.env {
        found.push(What::Environment { from: old.env.clone(), to: other.env.clone() });
    }
    if let (Some(from), Some(to)) = (old.repeat, other.repeat)
        && from != to
    {
        found.push(What::Repeated { from, to });
    }
    if let (None, Some(instead)) = (&old.deprecated, &other.deprecated) {
        found.push(What::Deprecated { instead: instead.clone() });
    }
    found
}

/// What becomes of its names.
fn names((tool, new): (&str, &Profile), old: &OptionRecord, other: &OptionRecord) -> Vec<What> {
    let mut found = Vec::new();
    let has = |option: &OptionRecord, name: &str| option.spellings().any(|(known, _)| known == name);
    let is_renamed = old.title() != other.title();
    if is_renamed {
        found.push(What::Renamed { to: other.title().to_owned(), is_kept: has(other, old.title()) });
    }
    for (name, _) in old.spellings().filter(|(name, _)| !has(other, name)) {
        let belongs_to = new.option(tool, name).map(|option| option.title().to_owned());
        if !is_renamed || name != old.title() || belongs_to.is_some() {
            found.push(What::NameGone { name: name.to_owned(), belongs_to });
        }
    }
    for (name, _) in other.spellings().filter(|(name, _)| !has(old, name)) {
        if !is_renamed || name != other.title() {
            found.push(What::NameAdded { name: name.to_owned() });
        }
    }
    found
}
