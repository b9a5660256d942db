//! The cheat sheet of llama-server: each option of the built-in builds, and the field that sets it.

use super::{link, row, table};
use crate::cli::schema::{Builds, field_of};
use crate::engine::dialect::reason_not_allowed;
use crate::engine::{Family, OptionRecord, Profile};
use std::collections::BTreeMap;

/// The page without its title.
pub(super) fn body() -> String {
    let Some(latest) = Profile::built_in_of(Family::LlamaCpp).last() else { return String::new() };
    let mut text = format!(
        "A role sets the options of llama-server with its fields. An option without a field is written as it is: \
         `option \"top-k\" 40` in KDL, `options: {{top-k: 40}}` in YAML.\n`orchgen check` reports options that a field \
         sets, and options that would break the service.\n\nThe first table has all options of `{}`, the latest \
         built-in profile. The column *builds* lists the built-in profiles with the option.\n\n",
        latest.name(),
    );
    let own = sorted(latest);
    text.push_str(&table(&HEAD));
    text.extend(own.values().map(|option| line(option)));
    text.push_str("\n## Options of other builds\n\nThe latest profile does not have these options.\n\n");
    text.push_str(&table(&HEAD));
    text.extend(other_options(latest).values().map(|option| line(option)));
    text
}

const HEAD: [&str; 4] = ["option", "other spellings", "in a registry", "builds"];

/// The options of the server of a build, by their main names.
fn sorted(profile: &'static Profile) -> BTreeMap<&'static str, &'static OptionRecord> {
    let accepted = profile.options().iter().filter(|option| profile.tool_accepts(profile.server(), option));
    let visible = accepted.filter(|option| {
        // A profile that extends another one may shadow an option.
        profile.option(profile.server(), option.title()).is_some_and(|found| std::ptr::eq(found, *option))
    });
    visible.map(|option| (option.title().trim_start_matches('-'), option)).collect()
}

/// The options that only other builds have. The record of the latest of these builds is used.
fn other_options(latest: &'static Profile) -> BTreeMap<&'static str, &'static OptionRecord> {
    let mut found: BTreeMap<&str, &OptionRecord> = BTreeMap::new();
    let others = Family::ALL.into_iter().flat_map(|family| {
        let mut profiles: Vec<&Profile> = Profile::built_in_of(family).collect();
        profiles.reverse();
        profiles
    });
    for profile in others {
        for (title, option) in sorted(profile) {
            let is_in_latest = long_names(option).any(|name| latest.option(latest.server(), name).is_some());
            let is_known = |other: &&OptionRecord| long_names(other).any(|name| option.names.contains(name));
            if option.removed.is_none() && !is_in_latest && !found.values().any(is_known) {
                found.insert(title, option);
            }
        }
    }
    found
}

/// The long spellings of an option, or the short ones if it has no other. Families use short ones for different options.
fn long_names(option: &OptionRecord) -> impl Iterator<Item = &String> {
    let has_long = option.title().starts_with("--");
    option.names.iter().filter(move |name| !has_long || name.starts_with("--"))
}

/// True if a build has an option under one of its long spellings, also only a negative one.
fn has(profile: &Profile, option: &OptionRecord) -> bool {
    let has_long = option.title().starts_with("--");
    let mut names =
        option.spellings().map(|(name, _)| name).filter(|name| !has_long || name.starts_with("--"));
    names.any(|name| {
        let found = profile.find(profile.server(), name);
        found.is_some_and(|(found, ..)| found.removed.is_none())
    })
}

/// The row of an option.
fn line(option: &OptionRecord) -> String {
    let title = option.title();
    let others = option.spellings().map(|(name, _)| name).filter(|name| *name != title);
    let others: Vec<String> = others.map(|name| format!("`{name}`")).collect();
    let builds = Builds::that(|profile| has(profile, option));
    let placeholder = option.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
    row(&[format!("`{title}{placeholder}`"), others.join(", "), in_registry(option), builds.text()])
}

/// The field that sets an option, or the reason why a role cannot set it.
fn in_registry(option: &OptionRecord) -> String {
    let title = option.title();
    let name = title.trim_start_matches('-');
    let field = option.row().and_then(|row| row.owner).and_then(field_of).map(|path| link(&path));
    let place = match (field, reason_not_allowed(option, title)) {
        (Some(field), _) => field,
        (None, Some((why, _))) => format!("refused: {why}"),
        (None, None) if option.row().is_some_and(|row| row.is_secret) => {
            "refused: its value is a secret ([ORC358 secret-in-registry](../codes/ORC358.md))".to_owned()
        }
        (None, None) => format!("`option \"{name}\"`"),
    };
    match (&option.removed, &option.deprecated) {
        (Some(instead), _) => format!("{place}; the option is removed ({instead})"),
        (None, Some(instead)) => format!("{place}; the option is deprecated ({instead})"),
        (None, None) => place,
    }
}
