//! The human-readable text of `orchgen engine diff`.

use super::upgrade::{CommandChange, UpgradeImpact};
use crate::cli::table::{Section, Table, Text, Tone, hanging};
use crate::cli::text_diff::WordHunk;
use crate::diag::report::{Style, hanging_words};
use crate::diag::words;
use crate::engine::{ChangeKind, OptionChange, ProfileDiff, Repeat};
use crate::render::quote::shell;
use std::collections::BTreeMap;

/// The maximum number of names in a line; the others are counted.
const MAX_NAMES: usize = 6;

/// The numbers of changes, and how many roles of a registry break.
pub(super) fn totals(difference: &ProfileDiff, impact: Option<&UpgradeImpact>) -> Text {
    let breaking = difference.changes.iter().filter(|change| change.kind.can_break()).count();
    let others = difference.changes.len() - breaking;
    let can_break = |number: usize| format!("{} can break", words::count(number, "change"));
    let errors = impact.map_or(0, |impact| impact.findings.summary().errors);
    let mut text = match impact.map(|impact| impact.broken.len()) {
        None => Text::default(),
        Some(0) if errors > 0 => {
            Text::new(Tone::Bad, words::count(errors, "new error")).and(Tone::Plain, "; ")
        }
        Some(0) => Text::new(Tone::Good, "no role breaks").and(Tone::Plain, "; "),
        Some(1) => Text::new(Tone::Bad, "1 role breaks").and(Tone::Plain, "; "),
        Some(number) => Text::new(Tone::Bad, format!("{number} roles break")).and(Tone::Plain, "; "),
    };
    text = match (breaking, others) {
        (0, 0) => return text.and(Tone::Good, "no option differs"),
        (0, _) => text.and(Tone::Good, "no change can break a command line"),
        (number, _) => text.and(Tone::Bad, can_break(number)),
    };
    match others {
        0 => text,
        1 => text.and(Tone::Plain, ", 1 other"),
        number => text.and(Tone::Plain, format!(", {number} others")),
    }
}

/// The differences between two profiles.
pub(super) fn profile_diff((old, new): (&str, &str), difference: &ProfileDiff, style: Style) -> String {
    let titles = [("changes that can break a command line or a script", true), ("other changes", false)];
    let section = |(title, breaks): (&str, bool)| {
        let changes = difference.changes.iter().filter(|change| change.kind.can_break() == breaks);
        let tone = if breaks { Tone::Bad } else { Tone::Strong };
        let rows = changes.map(|change| change_row(change, difference));
        Section::pairs(Some(Text::new(tone, title)), rows.collect())
    };
    let sections: Vec<Section> =
        titles.into_iter().map(section).filter(|section| !section.rows.is_empty()).collect();
    let mut text = String::new();
    if !sections.is_empty() {
        text = format!("\n{}", Table::new(sections).print(style));
    }
    text.push('\n');
    let mut line = |word: &str, names: String| {
        let prefix = Text::new(Tone::Detail, word).and(Tone::Plain, ": ");
        text.push_str(&hanging(&prefix, &Text::new(Tone::Detail, names), style));
    };
    line("compared", name_list(&difference.programs));
    for (programs, name) in [(&difference.only_old, old), (&difference.only_new, new)] {
        if !programs.is_empty() {
            let names = format!("{} (only in {})", name_list(programs), words::printable(name));
            line("not compared", names);
        }
    }
    text
}

fn change_row(change: &OptionChange, difference: &ProfileDiff) -> (Text, Text) {
    let all = change.programs.len() == difference.programs.len();
    let programs = if all { String::new() } else { format!("  ({})", name_list(&change.programs)) };
    let kind = &change.kind;
    let is_added =
        matches!(kind, ChangeKind::Added { .. } | ChangeKind::NameAdded { .. } | ChangeKind::Returned);
    let tone = if kind.can_break() {
        Tone::Bad
    } else if is_added {
        Tone::Good
    } else if matches!(kind, ChangeKind::Deprecated { .. }) {
        Tone::Open
    } else {
        Tone::Plain
    };
    let text = Text::new(tone, describe_change(kind)).and(Tone::Detail, programs);
    (words::printable(&change.option).into(), text)
}

fn describe_change(change: &ChangeKind) -> String {
    let plain = |text: &String| words::printable(text);
    let value = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| words::quoted(value))
    };
    match change {
        ChangeKind::Gone { instead: None } => "no longer exists".to_owned(),
        ChangeKind::Gone { instead: Some(instead) } => format!("no longer exists: {}", plain(instead)),
        ChangeKind::Removed { instead } => format!("refused: {}", plain(instead)),
        ChangeKind::Renamed { to, is_kept: true } => {
            format!("renamed to {}; the old name still works", plain(to))
        }
        ChangeKind::Renamed { to, is_kept: false } => {
            format!("renamed to {}; the old name is refused", plain(to))
        }
        ChangeKind::NameGone { name, belongs_to: None } => format!("no longer has the name {}", plain(name)),
        ChangeKind::NameGone { name, belongs_to: Some(other) } => {
            format!("no longer has the name {}, which is now a name of {}", plain(name), plain(other))
        }
        ChangeKind::Retyped { from, to } => format!("value changes from {} to {}", value(from), value(to)),
        ChangeKind::Placeholder { from, to } => {
            format!("the help text has {} for the value (before: {})", value(to), value(from))
        }
        ChangeKind::Choices { gone, added } => {
            let list = |word: &str, values: &[String]| {
                let values: Vec<String> = values.iter().map(plain).collect();
                (!values.is_empty()).then(|| format!("{word} {}", words::all_of(&values)))
            };
            let parts = [list("removed", gone), list("added", added)];
            format!("values: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        ChangeKind::Environment { from, to } => {
            environment_text(from.as_ref().map(plain), to.as_ref().map(plain))
        }
        ChangeKind::Repeated { from, to } => {
            format!("if repeated, {} (before: {})", repeat_text(*to), repeat_text(*from))
        }
        ChangeKind::Deprecated { instead } => format!("deprecated: {}", plain(instead)),
        ChangeKind::Returned => "accepted again".to_owned(),
        ChangeKind::NameAdded { name } => format!("also has the name {}", plain(name)),
        ChangeKind::Added { value: None } => "added".to_owned(),
        ChangeKind::Added { value: Some(value) } => format!("added, value {}", plain(value)),
    }
}

fn environment_text(from: Option<String>, to: Option<String>) -> String {
    match (from, to) {
        (None, to) => format!("new environment variable {}", to.unwrap_or_default()),
        (Some(from), None) => format!("environment variable {from} is now ignored"),
        (Some(from), Some(to)) => format!("environment variable {from} is now ignored; {to} replaces it"),
    }
}

fn repeat_text(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::List => "both values count",
        Repeat::Last => "the last value counts",
    }
}

/// The impact on a registry, without the findings.
pub(super) fn registry_impact(new: &str, impact: &UpgradeImpact, style: Style) -> String {
    let names_of = |is: fn(&CommandChange) -> bool| -> Vec<String> {
        impact.changed.iter().filter(|line| is(line)).map(|line| line.name.clone()).collect()
    };
    let mut sections = vec![String::new()];
    let removed = names_of(|line| line.kind == "model" && line.new.is_none());
    let added = names_of(|line| line.kind == "model" && line.old.is_none());
    for (title, tone, names) in [
        ("roles that break", Tone::Bad, impact.broken.iter().cloned().collect()),
        ("one-shot commands that are removed", Tone::Bad, removed),
        ("one-shot commands that are added", Tone::Good, added),
    ] {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| words::printable(name)).collect();
            let title = Text::new(tone, title).and(Tone::Plain, ": ");
            sections.push(hanging(&title, &words::all_of(&names).into(), style));
        }
    }
    sections.extend(changed_lines(impact, style));
    let changed = impact.changed.iter().filter(|line| line.old.is_some() && line.new.is_some()).count();
    let (new, unchanged) = (words::printable(new), impact.unchanged);
    let verb = if changed == 1 { "changes" } else { "change" };
    let lines = words::count(changed, "command line");
    let total = Text::new(Tone::Strong, format!("{lines} {verb} with {new}, {unchanged} unchanged"));
    sections.push(hanging(&"".into(), &total, style));
    sections.join("\n")
}

/// The changed arguments of command lines.
fn changed_lines(impact: &UpgradeImpact, style: Style) -> Vec<String> {
    let mut all = Vec::new();
    for (kind, title) in [("role", "server command lines"), ("model", "one-shot command lines")] {
        for (hunks, names) in group_by_hunks(impact, kind) {
            let title =
                Text::new(Tone::Strong, title).and(Tone::Plain, format!(" of {}:", name_list(&names)));
            let mut text = hanging(&"".into(), &title, style);
            for (sign, line) in hunks.iter().flat_map(|(removed, added)| [("-", removed), ("+", added)]) {
                if !line.is_empty() {
                    let line: Vec<String> = line.iter().map(|word| shell(word).into_owned()).collect();
                    let line = line.iter().map(String::as_str);
                    text.push_str(&hanging_words(&format!("  {sign} "), line, style.width));
                }
            }
            all.push(text);
        }
    }
    all
}

/// The differences, each with the names of all command lines that have exactly these, in the order of the first one.
fn group_by_hunks(impact: &UpgradeImpact, kind: &str) -> Vec<(Vec<WordHunk>, Vec<String>)> {
    let mut indexes: BTreeMap<Vec<WordHunk>, usize> = BTreeMap::new();
    let mut all: Vec<(Vec<WordHunk>, Vec<String>)> = Vec::new();
    for line in impact.changed.iter().filter(|line| line.kind == kind) {
        let hunks = line.hunks();
        if hunks.is_empty() {
            continue;
        }
        let at = *indexes.entry(hunks.clone()).or_insert(all.len());
        match all.get_mut(at) {
            None => all.push((hunks, vec![line.name.clone()])),
            Some((_, names)) if names.last() != Some(&line.name) => names.push(line.name.clone()),
            Some(_) => {}
        }
    }
    all
}

/// A list of names. After [`MAX_NAMES`], the number of the others.
fn name_list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(|name| words::printable(name)).collect();
    match names.len().checked_sub(MAX_NAMES) {
        None | Some(0) => words::all_of(&shown),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}
