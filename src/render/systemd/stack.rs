//! Targets and slices: what starts together, and what it may take together.

use std::sync::Arc;

use serde::Serialize;

use super::names::Names;
use super::{SLICE, STACK, Shared};
use crate::plan::{Group, Host, Start};
use crate::render::Claims;
use crate::render::artifact::RenderError;

/// What a target says.
#[derive(Serialize)]
struct TargetView<'p> {
    unit: String,
    description: &'p str,
    /// The target above it.
    target: Option<String>,
    /// The targets below it.
    groups: Vec<String>,
    /// What starts with it: services, and sockets of what is loaded on demand.
    wants: Vec<String>,
}

/// What a slice says.
#[derive(Serialize)]
struct SliceView<'p> {
    unit: String,
    description: &'p str,
    budget: Option<u64>,
    low: Option<u64>,
}

/// The targets and slices of a host.
pub(super) fn claim<'p>(shared: &Arc<Shared<'p>>, host: &'p Host, folder: &str, claims: &mut Claims<'_, 'p>) {
    let names = Names { stack: &shared.plan.stack };
    let own = shared.clone();
    claims.file(format!("{folder}/{}", names.target()), move || stack_target(&own, host));
    let own = shared.clone();
    claims.file(format!("{folder}/{}", names.slice()), move || stack_slice(&own, host));
    for group in &host.groups {
        let own = shared.clone();
        claims.file(format!("{folder}/{}", names.group_target(group)), move || group_target(&own, group));
        let own = shared.clone();
        claims.file(format!("{folder}/{}", names.group_slice(group)), move || group_slice(&own, group));
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
        wants: host.groups.iter().flat_map(|group| starts(shared, group)).collect(),
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
        wants: starts(shared, group).collect(),
    };
    shared.templates.render(&STACK, &view)
}

/// The units that start with a residency.
fn starts<'v>(shared: &'v Shared<'_>, group: &'v Group) -> impl Iterator<Item = String> + 'v {
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
    let resident = host.groups.iter().filter_map(low);
    let view = SliceView {
        unit: Names { stack: &shared.plan.stack }.slice(),
        description: title(shared),
        budget: None,
        low: resident.reduce(u64::saturating_add),
    };
    shared.templates.render(&SLICE, &view)
}

fn group_slice(shared: &Shared<'_>, group: &Group) -> Result<String, RenderError> {
    let view = SliceView {
        unit: Names { stack: &shared.plan.stack }.group_slice(group),
        description: &group.title,
        budget: group.budget.map(|budget| budget.0),
        low: low(group),
    };
    shared.templates.render(&SLICE, &view)
}

/// What stays in memory of a group that starts with the machine.
fn low(group: &Group) -> Option<u64> {
    (group.start == Start::Boot).then_some(group.load.0)
}
