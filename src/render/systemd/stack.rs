//! Targets and slices: which units start together, and how much memory they may use together.

use serde::Serialize;

use super::{SLICE, STACK};
use crate::plan::{Bytes, Group, Host, Plan, Start};
use crate::render::ArtifactCollector;
use crate::render::names::Names;

/// The template data of a target.
#[derive(Serialize)]
struct TargetView<'p> {
    unit: String,
    description: &'p str,
    /// The target of the whole stack; none for that target itself.
    target: Option<String>,
    /// The targets of the residencies; only for the target of the stack.
    groups: Vec<String>,
    /// The units that start with it: services, or sockets if the role is on demand.
    wants: Vec<String>,
}

/// The template data of a slice.
#[derive(Serialize)]
struct SliceView<'p> {
    unit: String,
    description: &'p str,
    /// The limit: the budget, and what the engines may take in addition.
    limit: Option<u64>,
    may_grow: bool,
    memory_low: Option<u64>,
}

/// Adds the targets and slices of a host.
pub(super) fn add_units<'p>(
    plan: &'p Plan,
    host: &'p Host,
    folder: &str,
    collector: &mut ArtifactCollector<'p>,
) {
    let names = Names { stack: &plan.stack };
    let title = plan.title.as_deref().unwrap_or(&plan.stack);
    collector.file(format!("{folder}/{}", names.target()), &STACK, move || {
        Ok(TargetView {
            unit: names.target(),
            description: title,
            target: None,
            groups: host.groups.iter().map(|group| names.group_target(group)).collect(),
            wants: host.groups.iter().flat_map(|group| wanted_units(plan, group)).collect(),
        })
    });
    collector.file(format!("{folder}/{}", names.slice()), &SLICE, move || {
        let resident = host.groups.iter().filter_map(memory_low);
        let memory_low = resident.reduce(u64::saturating_add);
        Ok(SliceView { unit: names.slice(), description: title, limit: None, may_grow: false, memory_low })
    });
    for group in &host.groups {
        collector.file(format!("{folder}/{}", names.group_target(group)), &STACK, move || {
            Ok(TargetView {
                unit: names.group_target(group),
                description: &group.title,
                target: Some(names.target()),
                groups: Vec::new(),
                wants: wanted_units(plan, group).collect(),
            })
        });
        collector.file(format!("{folder}/{}", names.group_slice(group)), &SLICE, move || {
            Ok(SliceView {
                unit: names.group_slice(group),
                description: &group.title,
                limit: group.budget.map(|budget| budget.plus(group.growth).0),
                may_grow: group.growth > Bytes(0),
                memory_low: memory_low(group),
            })
        });
    }
}

/// The units that start with a residency.
fn wanted_units<'p>(plan: &'p Plan, group: &'p Group) -> impl Iterator<Item = String> + 'p {
    let names = Names { stack: &plan.stack };
    let suffix = match group.start {
        Start::Boot => "service",
        Start::OnDemand => "socket",
    };
    let roles = group.roles.iter().filter_map(|n| plan.roles.get(*n));
    roles.flat_map(move |role| {
        role.processes.iter().map(move |process| format!("{}.{suffix}", names.process(role, process)))
    })
}

/// `MemoryLow=`: the memory of the models of a residency that starts at boot.
fn memory_low(group: &Group) -> Option<u64> {
    group.load.filter(|_| group.start == Start::Boot).map(|load| load.0)
}
