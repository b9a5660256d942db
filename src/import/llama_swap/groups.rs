//! Groups of models (`internal/router/group.go`).
//!
//! Loading a model unloads the other members of its group if the group has `swap`. It unloads the members of other groups that are not
//! `persistent` if its group is `exclusive`. So two models of different groups can be together unless both groups are exclusive and not
//! persistent: in the other cases, at least one order of loading keeps both.

use super::keys;
use super::settings::{listed, too_many};
use super::{Sets, SwapFile};
use crate::import::plain;
use crate::import::source::{At, Change, Server};
use crate::syntax::yaml::{Tree, TreeEntry};
use std::collections::BTreeSet;

/// The maximum number of servers in all sets together.
pub(super) const MAX_MEMBERS: usize = 100_000;
/// The maximum number of groups.
const MAX_GROUPS: usize = 2000;

struct Group {
    at: At,
    swap: bool,
    exclusive: bool,
    persistent: bool,
    /// The indices of its servers in the file.
    members: Vec<usize>,
}

impl Group {
    /// True if loading a model of the group unloads the models of another group.
    fn unloads(&self, other: &Self) -> bool {
        self.exclusive && !other.persistent
    }
}

/// The sets of models that groups allow. Without groups each model is alone.
pub(super) fn read(swap: &mut SwapFile<'_>, entry: Option<&TreeEntry>, servers: &mut [Server]) -> Sets {
    let entry = entry.filter(|entry| !entry.value.entries().is_empty());
    let mut groups = Vec::new();
    let mut grouped = BTreeSet::new();
    for group in entry.map_or(&[][..], |entry| entry.value.entries()) {
        groups.push(read_group(swap, group, &mut grouped));
    }
    let rest: Vec<usize> = (0..servers.len()).filter(|at| !grouped.contains(at)).collect();
    let at = entry.map(|entry| swap.at(entry.line));
    groups.push(Group {
        at: at.unwrap_or_default(),
        swap: true,
        exclusive: true,
        persistent: false,
        members: rest,
    });
    groups.retain(|group| !group.members.is_empty());
    let is_small = groups.len() <= MAX_GROUPS;
    if is_small {
        note_orders(&groups, servers);
    }
    let found = if is_small { sets(&groups) } else { None };
    let sets = found.map(|sets| {
        let absolute = |set: Vec<usize>| set.into_iter().map(|at| at + swap.first).collect();
        sets.into_iter().map(absolute).collect()
    });
    if sets.is_none() {
        too_many("groups", at.unwrap_or(swap.at(swap.root.line)), swap);
    }
    Sets { sets, at }
}

fn read_group(swap: &mut SwapFile<'_>, entry: &TreeEntry, grouped: &mut BTreeSet<usize>) -> Group {
    let mut switch = |key: &str, default: bool| {
        let Some(field) = entry.value.get(key).filter(|field| !field.value.is_null()) else { return default };
        plain::boolean(&swap.text(&field.value, key)).unwrap_or(default)
    };
    let [is_swap, exclusive, persistent] = [("swap", true), ("exclusive", true), ("persistent", false)]
        .map(|(key, default)| switch(key, default));
    let mut members = Vec::new();
    for item in entry.value.get("members").map_or(&[][..], |members| members.value.items()) {
        let name = swap.text(item, "members");
        match swap.ids.get(&name).map(|at| at - swap.first) {
            Some(at) if grouped.insert(at) => members.push(at),
            Some(_) => {
                let why = "the model is in a group already, so llama-swap does not start";
                swap.lose(format!("groups: {} has {name}", entry.key), item.line, why);
            }
            None => {
                let why = "there is no model with this id";
                swap.lose(format!("groups: {} has {name}", entry.key), item.line, why);
            }
        }
    }
    for field in entry.value.entries() {
        if keys::find("groups.ID", &field.key).is_none() {
            lose_field(swap, &entry.key, &field.key, &field.value, field.line);
        }
    }
    Group { at: swap.at(entry.line), swap: is_swap, exclusive, persistent, members }
}

fn lose_field(swap: &mut SwapFile<'_>, group: &str, key: &str, value: &Tree, line: u32) {
    let text = super::model::summary(value);
    swap.lose(format!("groups: {group} has {key} {text}"), line, "llama-swap has no such setting");
}

/// Reports servers that unload others only if they are loaded after them. A residency has no order.
fn note_orders(groups: &[Group], servers: &mut [Server]) {
    for group in groups {
        let others = groups.iter().filter(|other| !std::ptr::eq(*other, group));
        let later = others.filter(|other| group.unloads(other) && !other.unloads(group));
        let members: Vec<usize> = later.flat_map(|other| other.members.iter().copied()).take(1000).collect();
        let names: Vec<&str> =
            members.iter().filter_map(|at| servers.get(*at)).map(|server| server.name.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let was = format!("loading it unloads {}", listed(&names));
        for at in &group.members {
            let Some(server) = servers.get_mut(*at) else { continue };
            let option = "groups".to_owned();
            let is = "they may be in memory together, in any order".to_owned();
            let why = "llama-swap keeps both only if this one is loaded first".to_owned();
            server.changes.push(Change { option, was: was.clone(), is, why, at: group.at });
        }
    }
}

/// All maximal sets: at most one group that is exclusive and not persistent, and all other groups; of a group with `swap` one member.
fn sets(groups: &[Group]) -> Option<Vec<Vec<usize>>> {
    let is_alone = |group: &&Group| group.exclusive && !group.persistent;
    let shared: Vec<&Group> = groups.iter().filter(|group| !is_alone(group)).collect();
    let common = products(&[vec![]], &shared)?;
    let mut found = Vec::new();
    let mut members = 0;
    let mut alone = groups.iter().filter(is_alone).peekable();
    if alone.peek().is_none() {
        return Some(common.into_iter().filter(|set| !set.is_empty()).collect());
    }
    for group in alone {
        let new = products(&common, &[group])?;
        members += new.iter().map(Vec::len).sum::<usize>();
        if members > MAX_MEMBERS {
            return None;
        }
        found.extend(new);
    }
    Some(found)
}

/// Each set with the members of each group. `None` if there are too many.
fn products(sets: &[Vec<usize>], groups: &[&Group]) -> Option<Vec<Vec<usize>>> {
    let mut found = sets.to_vec();
    for group in groups {
        let choices = if group.swap { group.members.len() } else { 1 };
        let added = if group.swap { 1 } else { group.members.len() };
        let longest = found.iter().map(Vec::len).max().unwrap_or(0);
        if found.len().saturating_mul(choices).saturating_mul(longest + added) > MAX_MEMBERS {
            return None;
        }
        let with = |set: &Vec<usize>, new: &[usize]| -> Vec<usize> {
            let mut set = [set.as_slice(), new].concat();
            set.sort_unstable();
            set
        };
        found = if group.swap {
            found
                .iter()
                .flat_map(|set| group.members.iter().map(move |member| with(set, &[*member])))
                .collect()
        } else {
            found.iter().map(|set| with(set, &group.members)).collect()
        };
    }
    Some(found)
}
