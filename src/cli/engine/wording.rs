//! A change of builds in words.

use super::hunks::Hunk;
use super::upgrade::{Line, Upgrade};
use crate::diag::words;
use crate::engine::{Change, Difference, Repeat, What};
use crate::render::quote::shell;
use std::collections::BTreeMap;

/// How many names stand in a line before the rest is counted.
const NAMED: usize = 6;

/// What changes between the builds of these names.
pub(super) fn difference((old, new): (&str, &str), difference: &Difference) -> String {
    let mut text = format!("{} -> {}\n", words::printable(old), words::printable(new));
    if difference.changes.is_empty() {
        text.push_str("\nno option differs\n");
    }
    let sections = [("what can break a command line or a script", true), ("what else changes", false)];
    for (title, breaks) in sections {
        let changes: Vec<&Change> =
            difference.changes.iter().filter(|change| change.what.can_break() == breaks).collect();
        if changes.is_empty() {
            continue;
        }
        text.extend(["\n", title, ":\n"]);
        let width = changes.iter().map(|change| change.option.len()).max().unwrap_or(0).min(40);
        for change in changes {
            let all = change.programs.len() == difference.programs.len();
            let programs = if all { String::new() } else { format!("  ({})", some(&change.programs)) };
            let option = format!("{:width$}", words::printable(&change.option));
            text.extend(["  ", &option, "  ", &said(&change.what), &programs, "\n"]);
        }
    }
    text.extend(["\ncompared: ", &*some(&difference.programs), "\n"]);
    for (programs, name) in [(&difference.only_old, old), (&difference.only_new, new)] {
        if !programs.is_empty() {
            text.extend([
                "not compared: ",
                &*some(programs),
                ", which only ",
                &*words::printable(name),
                " lists\n",
            ]);
        }
    }
    text
}

fn said(what: &What) -> String {
    let plain = |text: &String| words::printable(text);
    let value = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| words::quoted(value))
    };
    match what {
        What::Gone { instead: None } => "gone".to_owned(),
        What::Gone { instead: Some(instead) } => format!("gone: {}", plain(instead)),
        What::Removed { instead } => format!("refused: {}", plain(instead)),
        What::Renamed { to, is_kept: true } => format!("is called {}; the old name is taken too", plain(to)),
        What::Renamed { to, is_kept: false } => format!("is called {}; the old name is refused", plain(to)),
        What::NameGone { name, belongs_to: None } => format!("is not called {}", plain(name)),
        What::NameGone { name, belongs_to: Some(other) } => {
            format!("is not called {}, which is {}", plain(name), plain(other))
        }
        What::Retyped { from, to } => format!("value {} becomes {}", value(from), value(to)),
        What::Choices { gone, added } => {
            let list = |word: &str, values: &[String]| {
                let values: Vec<String> = values.iter().map(plain).collect();
                (!values.is_empty()).then(|| format!("{word} {}", words::all_of(&values)))
            };
            let parts = [list("without", gone), list("with", added)];
            format!("values {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        What::Environment { from, to } => environment(from.as_ref().map(plain), to.as_ref().map(plain)),
        What::Repeated { from, to } => format!("given twice, {} instead of {}", repeat(*to), repeat(*from)),
        What::Deprecated { instead } => format!("deprecated: {}", plain(instead)),
        What::Returned => "taken again".to_owned(),
        What::NameAdded { name } => format!("also called {}", plain(name)),
        What::Added { value: None } => "added".to_owned(),
        What::Added { value: Some(value) } => format!("added, takes {}", plain(value)),
    }
}

fn environment(from: Option<String>, to: Option<String>) -> String {
    match (from, to) {
        (None, to) => format!("{} sets it", to.unwrap_or_default()),
        (Some(from), None) => format!("{from} is ignored"),
        (Some(from), Some(to)) => format!("{from} is ignored, {to} sets it"),
    }
}

fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::List => "both values count",
        Repeat::Last => "the last value counts",
    }
}

/// What the change does to a registry; the findings are drawn elsewhere.
pub(super) fn effect(new: &str, effect: &Upgrade) -> String {
    let named = |is: fn(&Line) -> bool| -> Vec<String> {
        effect.changed.iter().filter(|line| is(line)).map(|line| line.name.clone()).collect()
    };
    let mut sections = vec![String::new()];
    for (title, names) in [
        ("roles that break", effect.broken.iter().cloned().collect()),
        ("one-shot commands that are left out", named(|line| line.kind == "model" && line.new.is_none())),
        ("one-shot commands that come", named(|line| line.kind == "model" && line.old.is_none())),
    ] {
        if !names.is_empty() {
            sections.push(format!("{title}: {}\n", some(&names)));
        }
    }
    for (kind, title) in [("role", "servers"), ("model", "one-shot commands")] {
        for (hunks, names) in alike(effect, kind) {
            let mut text = format!("{title} of {}:\n", some(&names));
            for (sign, line) in hunks.iter().flat_map(|(gone, come)| [("-", gone), ("+", come)]) {
                if !line.is_empty() {
                    let line: Vec<String> = line.iter().map(|word| shell(word).into_owned()).collect();
                    text.extend(["  ", sign, " ", &*line.join(" "), "\n"]);
                }
            }
            sections.push(text);
        }
    }
    let changed = effect.changed.iter().filter(|line| line.old.is_some() && line.new.is_some()).count();
    let (new, stay) = (words::printable(new), effect.unchanged);
    let verb = if changed == 1 { "differs" } else { "differ" };
    sections.push(format!("{} {verb} under {new}, {stay} stay\n", words::count(changed, "command line")));
    sections.join("\n")
}

/// The differences, each with the names of the command lines that have just these, in the order of the first.
fn alike(effect: &Upgrade, kind: &str) -> Vec<(Vec<Hunk>, Vec<String>)> {
    let mut places: BTreeMap<Vec<Hunk>, usize> = BTreeMap::new();
    let mut all: Vec<(Vec<Hunk>, Vec<String>)> = Vec::new();
    for line in effect.changed.iter().filter(|line| line.kind == kind) {
        let hunks = line.hunks();
        if hunks.is_empty() {
            continue;
        }
        let at = *places.entry(hunks.clone()).or_insert(all.len());
        match all.get_mut(at) {
            None => all.push((hunks, vec![line.name.clone()])),
            Some((_, names)) if names.last() != Some(&line.name) => names.push(line.name.clone()),
            Some(_) => {}
        }
    }
    all
}

/// Names with commas; beyond a few, their number.
fn some(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| words::printable(name)).collect();
    match names.len().checked_sub(NAMED) {
        None | Some(0) => words::all_of(&shown),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}
