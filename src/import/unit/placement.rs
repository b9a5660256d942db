//! `CPUAffinity=`, `NUMAPolicy=` and `NUMAMask=` (systemd.exec(5)).

use super::settings::Settings;
use super::syntax::Setting;
use crate::import::source::{MemoryPolicy, Server, Word};
use std::collections::BTreeSet;

/// The maximum number of a CPU or node.
const MAX_NUMBER: u32 = 8191;

/// Sets the placement of a service.
pub(super) fn apply(settings: &Settings, server: &mut Server) {
    let masks = settings.list("Service", "NUMAMask");
    let nodes = nodes(&masks, server);
    let mut ranges: Vec<String> = Vec::new();
    let mut known = BTreeSet::new();
    let mut first: Option<&Setting> = None;
    for setting in settings.list("Service", "CPUAffinity") {
        if setting.value == "numa" {
            match &nodes {
                Some(nodes) => {
                    let text = format!("CPUAffinity=numa NUMAMask={}", join(nodes));
                    server.placement.cpu_nodes = Some((nodes.clone(), Word::new(text, setting.at)));
                }
                None => server.lose(setting.written(), setting.at, "systemd needs `NUMAMask=` for it"),
            }
            continue;
        }
        match parse(&setting.value) {
            Some(parsed) => {
                for (from, to) in parsed {
                    let range = if from == to { from.to_string() } else { format!("{from}-{to}") };
                    if known.insert(range.clone()) {
                        ranges.push(range);
                    }
                }
                first = first.or(Some(setting));
            }
            None => server.lose(setting.written(), setting.at, "this is no list of CPUs"),
        }
    }
    server.placement.cpus = first.map(|setting| Word::new(ranges.join(","), setting.at));
    memory(settings, &masks, nodes, server);
}

fn memory(settings: &Settings, masks: &[&Setting], nodes: Option<Vec<u32>>, server: &mut Server) {
    let Some(setting) = settings.last("Service", "NUMAPolicy") else {
        if server.placement.cpu_nodes.is_none() {
            for mask in masks {
                server.lose(mask.written(), mask.at, "it has no effect without `NUMAPolicy=`");
            }
        }
        return;
    };
    let policy = match setting.value.as_str() {
        "default" => return,
        "local" => MemoryPolicy::Local,
        "interleave" => MemoryPolicy::Interleave,
        "bind" => MemoryPolicy::Bind,
        "preferred" => MemoryPolicy::Preferred,
        _ => {
            server.lose(setting.written(), setting.at, "systemd does not know this policy");
            return;
        }
    };
    let (nodes, text) = match nodes {
        Some(nodes) => {
            let mask = if nodes.is_empty() { "all".to_owned() } else { join(&nodes) };
            (nodes, format!("{} NUMAMask={mask}", setting.written()))
        }
        None if policy == MemoryPolicy::Local => (Vec::new(), setting.written()),
        None => {
            server.lose(setting.written(), setting.at, "systemd needs `NUMAMask=` for it");
            return;
        }
    };
    server.placement.memory = Some((policy, nodes, Word::new(text, setting.at)));
}

/// The nodes: none for `all`. Without a mask, nothing.
fn nodes(masks: &[&Setting], server: &mut Server) -> Option<Vec<u32>> {
    let mut nodes = BTreeSet::new();
    let mut is_set = false;
    for mask in masks {
        if mask.value == "all" {
            return Some(Vec::new());
        }
        match parse(&mask.value) {
            Some(ranges) => nodes.extend(ranges.into_iter().take(128).flat_map(|(from, to)| from..=to)),
            None => {
                server.lose(mask.written(), mask.at, "this is no list of nodes");
                continue;
            }
        }
        is_set = true;
    }
    is_set.then(|| nodes.into_iter().collect())
}

/// The ranges of a list: numbers and ranges, separated by blanks or commas.
fn parse(text: &str) -> Option<Vec<(u32, u32)>> {
    let parts = text
        .split([',', ' ', '\t'])
        .map(|part| part.trim_matches(['"', '\'']))
        .filter(|part| !part.is_empty());
    let number = |text: &str| text.parse().ok().filter(|number| *number <= MAX_NUMBER);
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some((number(from)?, number(to)?)).filter(|(from, to)| from <= to)
    };
    let ranges: Vec<(u32, u32)> = parts.map(range).collect::<Option<_>>()?;
    (!ranges.is_empty()).then_some(ranges)
}

fn join(nodes: &[u32]) -> String {
    nodes.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
