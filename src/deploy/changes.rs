//! The differences of roles in words.

use super::layout::CONFIGURATION;
use crate::render::deployment::{DeployedHost, DeployedProcess, DeployedRole};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The kind of change of a role or a gateway.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum RoleChangeKind {
    /// It is new.
    Added,
    /// It is removed.
    Removed,
    /// Its settings or its units change.
    Changed,
    /// Only the process of it or of its gateway starts or restarts.
    Restarted,
}

/// A value before and afterwards. `None` if there is none.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ValueChange {
    /// The name of the setting, place or option.
    pub name: String,
    /// The value before.
    pub old: Option<String>,
    /// The value afterwards.
    pub new: Option<String>,
}

/// The change of a role or a gateway.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct RoleChange {
    /// Its name.
    pub name: String,
    /// `role` or `gateway`.
    pub kind: String,
    /// The kind of change.
    pub change: RoleChangeKind,
    /// The changed settings.
    pub settings: Vec<ValueChange>,
    /// The changed options of the command line that no setting describes.
    pub options: Vec<ValueChange>,
    /// The changed settings of units.
    pub units: Vec<ValueChange>,
    /// The changed memory by place.
    pub memory: Vec<MemoryChange>,
    /// How long clients wait or get errors, in seconds. `None` if it is unknown.
    pub down_seconds: Option<f64>,
}

/// The memory of a role at a place, in bytes.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct MemoryChange {
    /// The name of the place.
    pub place: String,
    /// The bytes before.
    pub old: u64,
    /// The bytes afterwards.
    pub new: u64,
}

/// The roles of two hosts by name and kind, in the order of declaration: the new ones, then those that are removed.
pub(super) fn paired<'r>(
    old: Option<&'r DeployedHost>,
    new: Option<&'r DeployedHost>,
) -> Vec<(Option<&'r DeployedRole>, Option<&'r DeployedRole>)> {
    let all = |host: Option<&'r DeployedHost>| host.into_iter().flat_map(|host| &host.roles);
    let same = |one: &DeployedRole, other: &DeployedRole| one.name == other.name && one.kind == other.kind;
    let both = all(new).map(|role| (all(old).find(|before| same(before, role)), Some(role)));
    let gone = all(old).filter(|before| !all(new).any(|role| same(before, role)));
    both.chain(gone.map(|role| (Some(role), None))).collect()
}

/// The changed settings of a role.
pub(super) fn settings(old: &DeployedRole, new: &DeployedRole) -> Vec<ValueChange> {
    let values = |role: &'_ DeployedRole| {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &role.settings {
            all.entry(name.clone()).or_default().push(value.clone());
        }
        all
    };
    let (before, after) = (values(old), values(new));
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in new.settings.iter().chain(&old.settings) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut changes = Vec::new();
    for name in names {
        let empty = Vec::new();
        let (old, new) = (before.get(name).unwrap_or(&empty), after.get(name).unwrap_or(&empty));
        let gone: Vec<&String> = old.iter().filter(|value| !new.contains(value)).collect();
        let added: Vec<&String> = new.iter().filter(|value| !old.contains(value)).collect();
        for at in 0..gone.len().max(added.len()) {
            let value = |values: &[&String]| values.get(at).map(|value| (*value).clone());
            changes.push(ValueChange { name: name.clone(), old: value(&gone), new: value(&added) });
        }
    }
    changes
}

/// The changed options of two command lines, without those whose values a changed setting has.
pub(super) fn options(
    old: &DeployedProcess,
    new: &DeployedProcess,
    settings: &[ValueChange],
) -> Vec<ValueChange> {
    let (before, after) = (by_option(&old.command), by_option(&new.command));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_setting = |old: &Option<String>, new: &Option<String>| {
        settings.iter().any(|one| one.old == *old && one.new == *new)
    };
    let changes = names.into_iter().filter_map(|name| {
        let (old, new) = (before.get(name).cloned(), after.get(name).cloned());
        let is_same = old == new || is_setting(&old, &new);
        (!is_same).then(|| ValueChange { name: name.clone(), old, new })
    });
    changes.collect()
}

/// The values of each option. The program is an option without a name.
fn by_option(command: &[String]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::from("program");
    for word in command {
        let is_option =
            word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| !c.is_ascii_digit()));
        if is_option {
            name.clone_from(word);
            all.entry(name.clone()).or_default();
            continue;
        }
        let value = all.entry(name.clone()).or_default();
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(word);
    }
    all
}

/// The memory of a role by place, before and afterwards.
pub(super) fn memory(old: Option<&DeployedRole>, new: Option<&DeployedRole>) -> Vec<MemoryChange> {
    let sums = |role: Option<&DeployedRole>| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        let mut files = BTreeSet::new();
        for part in role.into_iter().flat_map(|role| &role.processes).flat_map(|process| &process.memory) {
            let is_counted =
                part.file.as_ref().is_none_or(|file| files.insert((part.place.clone(), file.clone())));
            if is_counted {
                let sum = sums.entry(part.place.clone()).or_default();
                *sum = sum.saturating_add(part.bytes);
            }
        }
        sums
    };
    let (before, after) = (sums(old), sums(new));
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let at = |sums: &BTreeMap<String, u64>, place| sums.get(place).copied().unwrap_or(0);
    let all = places.into_iter().map(|place| MemoryChange {
        place: place.clone(),
        old: at(&before, place),
        new: at(&after, place),
    });
    all.filter(|change| change.old != change.new).collect()
}

/// The changed settings of a unit file, by key. Repeated keys are joined.
pub(super) fn unit_settings(old: &[u8], new: &[u8]) -> Vec<ValueChange> {
    let (before, after) = (by_key(old), by_key(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let (old, new) = (before.get(name).cloned(), after.get(name).cloned());
        (old != new).then(|| ValueChange { name: name.clone(), old, new })
    });
    changes.collect()
}

/// The values of each key of a unit file.
fn by_key(text: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(text).replace("\\\n", " ");
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', ';', '['])) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let joined = all.entry(name.trim().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str("; ");
        }
        joined.push_str(value.trim());
    }
    all
}

/// The settings that the service manager takes over without a restart of the process: dependencies, limits of starts and stops, and
/// texts. Each unit has a limit that depends on the models of other roles.
const TAKEN_OVER: &[&str] = &[
    "After",
    "Description",
    "HealthStartPeriod",
    "KillMode",
    "PartOf",
    "RequiresMountsFor",
    "Restart",
    "RestartPreventExitStatus",
    "RestartSec",
    "StartLimitBurst",
    "StartLimitIntervalSec",
    "StopWhenUnneeded",
    "SuccessExitStatus",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "WantedBy",
];

/// True if a process that runs with one version of a file need not restart for another one.
pub(super) fn is_same_file(key: &str, old: &[u8], new: &[u8]) -> bool {
    if key.starts_with(CONFIGURATION) { old == new } else { is_same_process(old, new) }
}

/// True if a process that runs with one unit file need not restart for another one.
fn is_same_process(old: &[u8], new: &[u8]) -> bool {
    let relevant = |text: &[u8]| {
        let mut settings = by_key(text);
        settings.retain(|name, _| !TAKEN_OVER.contains(&name.as_str()));
        settings
    };
    old == new || relevant(old) == relevant(new)
}
