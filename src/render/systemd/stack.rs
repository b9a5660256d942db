//! Targets and slices: which units start together, and how much memory they may use together.

use std::sync::Arc;

use serde::Serialize;

use super::names::Names;
use super::{SLICE, STACK, Shared};
use crate::plan::{Group, Host, Start};
use crate::render::ArtifactCollector;
use crate::render::artifact::RenderError;

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
    budget: Option<u64>,
    memory_low: Option<u64>,
}

/// Adds the targets and slices of a host.
pub(super) fn add_units<'p>(
    shared: &Arc<Shared<'p>>,
    host: &'p Host,
    folder: &str,
    collector: &mut ArtifactCollector<'_, 'p>,
) {
    let names = Names { stack: &shared.plan.stack };
    let data = shared.clone();
    collector.file(format!("{folder}/{}", names.target()), move || stack_target(&data, host));
    let data = shared.clone();
    collector.file(format!("{folder}/{}", names.slice()), move || stack_slice(&data, host));
    for group in &host.groups {
        let data = shared.clone();
        collector.file(format!("{folder}/{}", names.group_target(group)), move || group_target(&data, group));
        let data = shared.clone();
        collector.file(format!("{folder}/{}", names.group_slice(group)), move || group_slice(&data, group));
    }
}

fn title<'p>(shared: &Shared<'p>) -> &'p str {
    shared.plan.title.as_deref().unwrap_or(&shared.plan.stack)
}

fn stack_target(shared: &Shared<'_>, host: &Host) -> Result<String, RenderError> {
    let names = Names { stack: &shared.plan.stack };
    let view = TargetView {
        unit: names.target(),
        description: title(shared),
        target: None,
        groups: host.groups.iter().map(|group| names.group_target(group)).collect(),
        wants: host.groups.iter().flat_map(|group| wanted_units(shared, group)).collect(),
    };
    shared.templates.render(&STACK, &view)
}

fn group_target(shared: &Shared<'_>, group: &Group) -> Result<String, RenderError> {
    let names = Names { stack: &shared.plan.stack };
    let view = TargetView {
        unit: names.group_target(group),
        description: &group.title,
        target: Some(names.target()),
        groups: Vec::new(),
        wants: wanted_units(shared, group).collect(),
    };
    shared.templates.render(&STACK, &view)
}

/// The units that start with a residency.
fn wanted_units<'v>(shared: &'v Shared<'_>, group: &'v Group) -> impl Iterator<Item = String> + 'v {
    let names = Names { stack: &shared.plan.stack };
    let suffix = match group.start {
        Start::Boot => "service",
        Start::OnDemand => "socket",
    };
    let roles = group.roles.iter().filter_map(|n| shared.plan.roles.get(*n));
    roles.flat_map(move |role| {
        role.processes.iter().map(move |process| format!("{}.{suffix}", names.process(role, process)))
    })
}

fn stack_slice(shared: &Shared<'_>, host: &Host) -> Result<String, RenderError> {
    let resident = host.groups.iter().filter_map(memory_low);
    let view = SliceView {
        unit: Names { stack: &shared.plan.stack }.slice(),
        description: title(shared),
        budget: None,
        memory_low: resident.reduce(u64::saturating_add),
    };
    shared.templates.render(&SLICE, &view)
}

fn group_slice(shared: &Shared<'_>, group: &Group) -> Result<String, RenderError> {
    let view = SliceView {
        unit: Names { stack: &shared.plan.stack }.group_slice(group),
        description: &group.title,
        budget: group.budget.map(|budget| budget.0),
        memory_low: memory_low(group),
    };
    shared.templates.render(&SLICE, &view)
}

/// `MemoryLow=`: the memory of the models of a residency that starts at boot.
fn memory_low(group: &Group) -> Option<u64> {
    (group.start == Start::Boot).then_some(group.load.0)
}
