//! The difference between the command line of a source and the one that orchgen writes for its role.

use super::assemble::{host_path, is_assumed};
use super::given::{Builds, Given};
use super::source::{At, Server, Sources, Word};
use crate::engine::Profile;
use std::collections::BTreeMap;

/// A difference of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Both have the option with the same meaning.
    Kept(String),
    /// Both have the option with different values.
    Changed(OptionChange),
    /// Only the source has it. It has the option as written.
    Lost {
        /// The main name.
        option: String,
        /// The option with its value, as written.
        what: String,
        /// The place.
        at: At,
    },
    /// Only orchgen writes it.
    Added {
        /// The main name.
        option: String,
        /// Its value.
        is: String,
    },
}

/// An option with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionChange {
    /// The main name.
    pub option: String,
    /// The option as the source has it.
    pub was: String,
    /// The value that orchgen writes.
    pub is: String,
    /// The place.
    pub at: At,
}

/// Options that follow from the address and the name of a role, which are compared separately.
pub const ADDRESS: &[&str] = &["--host", "--port", "--alias"];

/// The differences of all options, those of the source first.
pub fn differences(
    (sources, server): (&Sources, &Server),
    written: &[&str],
    env: &[(&str, &str)],
    profile: &Profile,
) -> Vec<Difference> {
    let builds = Builds { profile };
    let source = builds.read(server);
    let mut lowered = Server::new("", server.at, server.program.clone());
    lowered.args = written.iter().map(|word| Word::new(*word, server.at)).collect();
    lowered.env =
        env.iter().map(|(name, value)| ((*name).to_owned(), Word::new(*value, server.at))).collect();
    let lowered = builds.read(&lowered);
    let mut rest: BTreeMap<&str, &Given<'_>> =
        lowered.all.iter().map(|given| (given.record.title(), given)).collect();
    let mut found = Vec::new();
    for given in source.all.iter().filter(|given| !ADDRESS.contains(&given.record.title())) {
        let option = given.record.title().to_owned();
        let renamed = || {
            let same_row = |other: &&&Given<'_>| given.row().is_some() && other.row() == given.row();
            let other = rest.values().find(same_row).map(|other| other.record.title())?;
            let is_in_source = source.all.iter().any(|known| known.record.title() == other);
            (!given.is_known && !is_in_source).then_some(other)
        };
        if let Some(other) = renamed() {
            let now = rest.remove(other).map(value_of).unwrap_or_default();
            found.push(Difference::Changed(OptionChange {
                option,
                was: given.shown(),
                is: format!("{other} {now}"),
                at: given.spelling.at,
            }));
            continue;
        }
        match rest.remove(given.record.title()) {
            Some(now) if is_same(given, now, (sources, server)) => found.push(Difference::Kept(option)),
            Some(now) => found.push(Difference::Changed(OptionChange {
                option,
                was: given.shown(),
                is: value_of(now),
                at: given.spelling.at,
            })),
            None => found.push(Difference::Lost { option, what: given.shown(), at: given.spelling.at }),
        }
    }
    join_replaced(&mut found, &mut rest);
    let added = lowered
        .all
        .iter()
        .filter(|given| rest.contains_key(given.record.title()) && !ADDRESS.contains(&given.record.title()));
    found.extend(
        added.map(|given| Difference::Added { option: given.record.title().to_owned(), is: value_of(given) }),
    );
    found
}

/// The switches that `--load-mode` has replaced in later builds (llama.cpp b10434, `common/arg.cpp`).
const REPLACED: (&[&str], &str) = (&["--mmap", "--mlock", "--direct-io"], "--load-mode");

/// Makes one change of switches that are gone and of the option that replaces them.
fn join_replaced(found: &mut [Difference], rest: &mut BTreeMap<&str, &Given<'_>>) {
    let (gone, option) = REPLACED;
    let is_gone =
        |one: &Difference| matches!(one, Difference::Lost { option, .. } if gone.contains(&option.as_str()));
    let Some(now) = rest.get(option).filter(|_| found.iter().any(is_gone)).map(|now| value_of(now)) else {
        return;
    };
    rest.remove(option);
    for one in found.iter_mut().filter(|one| is_gone(one)) {
        if let Difference::Lost { option: old, what, at } = one {
            let (was, is) = (what.clone(), format!("{option} {now}"));
            *one = Difference::Changed(OptionChange { option: old.clone(), was, is, at: *at });
        }
    }
}

/// The value of an option: `on` or `off` for a switch.
fn value_of(given: &Given<'_>) -> String {
    if given.record.arity() == 0 { if given.is_on { "on" } else { "off" }.to_owned() } else { given.text() }
}

/// True if two options mean the same.
fn is_same(source: &Given<'_>, lowered: &Given<'_>, (sources, server): (&Sources, &Server)) -> bool {
    if source.record.arity() == 0 {
        return source.is_on == lowered.is_on;
    }
    let is_path = |given: &Given<'_>| {
        given.row().is_some_and(|row| {
            row.path.is_some()
                || row.owner.is_some_and(|owner| {
                    ["model", "projector", "draft", "template", "lora", "key-file"].contains(&owner.field)
                })
        })
    };
    let (was, is) = (source.text(), lowered.text());
    was == is
        || normal(&was, source) == normal(&is, lowered)
        || is_path(source) && !is_assumed(server, &was) && host_path(sources, server, &was) == is
}

/// One text for values that mean the same.
fn normal(text: &str, given: &Given<'_>) -> String {
    let has = |word: &str| given.record.choices.iter().any(|choice| choice == word);
    if has("on") && has("off") {
        match text {
            "1" | "true" | "enabled" => return "on".to_owned(),
            "0" | "false" | "disabled" => return "off".to_owned(),
            _ => {}
        }
    }
    if let Ok(number) = text.parse::<f64>()
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte))
    {
        return number.to_string();
    }
    if text.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(text)
    {
        return value.to_string();
    }
    text.to_owned()
}
