//! Targets and slices: which units start together, and how much memory they may use together.

use serde::Serialize;

use super::{SLICE, STACK, has_units, roles_with_units};
use crate::plan::{Bytes, Group, Host, Plan, Start, UnitScope};
use crate::render::ArtifactCollector;
use crate::render::names::Names;

/// The template data of a target.
#[derive(Serialize)]
struct TargetView<'p> {
    unit: String,
    /// The command that controls the units.
    systemctl: &'static str,
    description: &'p str,
    /// The target of the whole stack; none for that target itself.
    target: Option<String>,
    /// The targets of the residencies; only for the target of the stack.
    groups: Vec<String>,
    /// The units that start with it: services, or sockets if the role is on demand.
    wants: Vec<String>,
    /// The systemd target that starts it.
    wanted_by: &'static str,
}

/// The template data of a slice.
#[derive(Serialize)]
struct SliceView<'p> {
    unit: String,
    /// The command that controls the units.
    systemctl: &'static str,
    description: &'p str,
    /// The limit: the budget, and what the engines may take in addition.
    limit: Option<u64>,
    may_grow: bool,
    memory_low: Option<u64>,
    /// The content of the memory, for comments.
    content: &'static str,
}

/// Adds the targets and slices of a host.
pub(super) fn add_units<'p>(
    plan: &'p Plan,
    host: &'p Host,
    folder: &str,
    collector: &mut ArtifactCollector<'p>,
) {
    let names = Names { stack: &plan.stack };
    let systemctl = plan.scope.systemctl();
    let wanted_by = plan.scope.boot_target();
    let groups = move || host.groups.iter().filter(move |group| has_units(plan, group));
    let title = plan.title.as_deref().unwrap_or(&plan.stack);
    collector.file(format!("{folder}/{}", names.target()), &STACK, move || {
        Ok(TargetView {
            unit: names.target(),
            systemctl,
            description: title,
            target: None,
            groups: groups().map(|group| names.group_target(group)).collect(),
            wanted_by,
            wants: groups().flat_map(|group| wanted_units(plan, group)).collect(),
        })
    });
    collector.file(format!("{folder}/{}", names.slice()), &SLICE, move || {
        let resident = host.groups.iter().filter_map(|group| memory_low(plan, group));
        let memory_low = resident.reduce(u64::saturating_add);
        Ok(SliceView {
            unit: names.slice(),
            systemctl,
            description: title,
            limit: None,
            may_grow: false,
            memory_low,
            content: content(plan, &host.groups),
        })
    });
    for group in groups() {
        collector.file(format!("{folder}/{}", names.group_target(group)), &STACK, move || {
            Ok(TargetView {
                unit: names.group_target(group),
                systemctl,
                description: &group.title,
                target: Some(names.target()),
                groups: Vec::new(),
                wanted_by,
                wants: wanted_units(plan, group).collect(),
            })
        });
        collector.file(format!("{folder}/{}", names.group_slice(group)), &SLICE, move || {
            Ok(SliceView {
                unit: names.group_slice(group),
                systemctl,
                description: &group.title,
                limit: group.budget.map(|budget| budget.plus(group.growth).0),
                may_grow: group.growth > Bytes(0),
                memory_low: memory_low(plan, group),
                content: content(plan, std::slice::from_ref(group)),
            })
        });
    }
}

/// The units that start with a residency.
fn wanted_units<'p>(plan: &'p Plan, group: &'p Group) -> impl Iterator<Item = String> + 'p {
    let names = Names { stack: &plan.stack };
    // Container units install themselves into the target.
    roles_with_units(plan, group).flat_map(move |role| {
        let suffix = match role.start {
            Start::Boot => "service",
            Start::OnDemand => "socket",
        };
        role.processes.iter().map(move |process| format!("{}.{suffix}", names.process(role, process)))
    })
}

/// The word for what the roles of groups that start at boot have in memory.
fn content(plan: &Plan, groups: &[Group]) -> &'static str {
    let at_boot = groups.iter().filter(|group| group.start == Start::Boot);
    let mut roles = at_boot.flat_map(|group| &group.roles).filter_map(|n| plan.roles.get(*n));
    if roles.any(|role| role.engine_family().is_some()) { "models" } else { "programs" }
}

/// `MemoryLow=`: the memory of the models of a residency that starts at boot. For units of a user it has no effect,
/// because the slices above them have none.
fn memory_low(plan: &Plan, group: &Group) -> Option<u64> {
    let is_resident = group.start == Start::Boot && plan.scope == UnitScope::System;
    group.load.filter(|_| is_resident).map(|load| load.0)
}
