//! A plan as text for a terminal.

use super::plan::PlanReport;
use crate::deploy::{Action, FileAction, HostPlan, PlacePeak, RoleChange, RoleChangeKind, Step, ValueChange};
use crate::diag::report::hanging;
use crate::diag::words::{self, count, printable, quoted};
use crate::render::deployment::size_text;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The longest value that is printed. Longer ones are cut.
const MAX_VALUE: usize = 60;

/// The most names of unit settings that are printed for a role.
const MAX_NAMES: usize = 8;

/// The plans of all hosts.
pub(super) fn plan(report: &PlanReport, width: usize) -> String {
    let mut out = String::new();
    let against =
        if report.against == "last build" { "the last build".to_owned() } else { quoted(&report.against) };
    if !report.changes {
        return format!("no changes against {against}\n");
    }
    let _ = writeln!(out, "plan of the stack {} against {against}", quoted(&report.stack));
    for host in &report.hosts {
        out.push('\n');
        out.push_str(&host_plan(host, width));
    }
    out
}

/// The plan of one host.
pub(super) fn host_plan(plan: &HostPlan, width: usize) -> String {
    let mut out = String::new();
    let name = quoted(&plan.host);
    if plan.is_empty() && plan.roles.is_empty() && plan.files.is_empty() {
        return format!("{name}: no changes\n");
    }
    let _ = writeln!(out, "{name}: {} (plan {})", summary(plan), plan.id);
    let mut line = |indent: usize, text: &str| out.push_str(&hanging(&" ".repeat(indent), text, width));
    for role in &plan.roles {
        line(2, &role_line(role));
        for detail in details(role) {
            line(6, &detail);
        }
    }
    if !plan.steps.is_empty() {
        line(0, "steps");
        for (step, number) in plan.steps.iter().zip(1..) {
            line(2, &format!("{number}. {}", step_text(step, plan)));
        }
    }
    if !plan.reloaded.is_empty() {
        line(0, &format!("reloaded without a restart: {}", plan.reloaded.join(", ")));
    }
    plan.memory
        .iter()
        .filter(|place| place.before != 0 || place.after != 0)
        .for_each(|place| line(0, &memory(place)));
    for remark in remarks(plan) {
        line(0, &remark);
    }
    out
}

/// The numbers of roles by what happens to them.
pub(super) fn summary(plan: &HostPlan) -> String {
    let kinds = [
        (RoleChangeKind::Added, "added"),
        (RoleChangeKind::Changed, "changed"),
        (RoleChangeKind::Removed, "removed"),
        (RoleChangeKind::Restarted, "restarted"),
    ];
    let number = |kind| plan.roles.iter().filter(|role| role.change == kind).count();
    let parts = kinds.iter().filter(|(kind, _)| number(*kind) > 0);
    let parts: Vec<String> = parts.map(|(kind, word)| format!("{} {word}", number(*kind))).collect();
    if parts.is_empty() { "no role changes".to_owned() } else { parts.join(", ") }
}

/// For example `~ role chat: port 8081 → 8082`.
fn role_line(role: &RoleChange) -> String {
    let mark = match role.change {
        RoleChangeKind::Added => '+',
        RoleChangeKind::Removed => '-',
        RoleChangeKind::Changed => '~',
        RoleChangeKind::Restarted => '↻',
    };
    let word = match role.change {
        RoleChangeKind::Added => "new",
        RoleChangeKind::Removed => "removed",
        RoleChangeKind::Changed => "changed",
        RoleChangeKind::Restarted => "starts again",
    };
    format!("{mark} {} {}: {word}{}", role.kind, quoted(&role.name), down(role))
}

/// How long clients wait, as a part of a sentence.
pub(super) fn down(role: &RoleChange) -> String {
    match (role.change, role.down_seconds) {
        (RoleChangeKind::Added | RoleChangeKind::Removed, _) => String::new(),
        (_, None) => ", down for an unknown time".to_owned(),
        (_, Some(0.0)) => ", no interruption".to_owned(),
        (_, Some(seconds)) => format!(", down for about {}", duration(seconds)),
    }
}

/// The changed values of a role.
pub(super) fn details(role: &RoleChange) -> Vec<String> {
    let mut all: Vec<String> = role.settings.iter().map(|change| value_change("", change)).collect();
    all.extend(role.options.iter().map(|change| value_change("option ", change)));
    if !role.units.is_empty() {
        let names: BTreeSet<String> = role.units.iter().map(|change| printable(&change.name)).collect();
        let more = names.len().saturating_sub(MAX_NAMES);
        let names: Vec<String> = names.into_iter().take(MAX_NAMES).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        all.push(format!("unit settings: {}{more}", names.join(", ")));
    }
    all.extend(role.memory.iter().map(|change| {
        format!("memory at {}: {} → {}", change.place, size_text(change.old), size_text(change.new))
    }));
    all
}

fn value_change(what: &str, change: &ValueChange) -> String {
    let shown = |value: &Option<String>| match value.as_deref() {
        None => "none".to_owned(),
        Some("") => "set".to_owned(),
        Some(value) => cut(&printable(value)),
    };
    format!("{what}{}: {} → {}", printable(&change.name), shown(&change.old), shown(&change.new))
}

/// A long value without its middle: both ends are more useful.
fn cut(value: &str) -> String {
    let length = value.chars().count();
    if length <= MAX_VALUE {
        return value.to_owned();
    }
    let half = MAX_VALUE / 2;
    let (start, end): (String, String) =
        (value.chars().take(half).collect(), value.chars().skip(length - half).collect());
    format!("{start}…{end}")
}

/// A step in words.
pub(super) fn step_text(step: &Step, plan: &HostPlan) -> String {
    let units = step.units.join(" ");
    let text = match step.action {
        Action::Install => format!("install {}", files(plan)),
        Action::Reload => "reload the service manager".to_owned(),
        Action::Stop => format!("stop {units}"),
        Action::Restart => format!("restart {units}"),
        Action::Start => format!("start {units}"),
        Action::Load => format!("load {units}, to verify that it serves"),
        Action::Enable => format!("enable and start {units}"),
    };
    let text = if step.repair { text + ", which is down" } else { text };
    match step.seconds {
        Some(seconds) if seconds >= 0.1 => format!("{text} (about {})", duration(seconds)),
        Some(_) => text,
        None => format!("{text} (unknown time)"),
    }
}

/// The numbers of files by what happens to them.
fn files(plan: &HostPlan) -> String {
    let kinds = [
        (FileAction::Create, "new"),
        (FileAction::Update, "updated"),
        (FileAction::Remove, "removed"),
        (FileAction::Conflict, "edited on the host"),
    ];
    let number = |action| plan.files.iter().filter(|file| file.action == action).count();
    let parts = kinds.iter().filter(|(kind, _)| number(*kind) > 0);
    let parts: Vec<String> = parts.map(|(kind, word)| format!("{} {word}", number(*kind))).collect();
    let all = plan.files.iter().filter(|file| file.action != FileAction::Keep).count();
    format!("{}: {}", count(all, "file"), parts.join(", "))
}

/// A duration for users.
pub(super) fn duration(seconds: f64) -> String {
    if seconds >= 120.0 { format!("{:.0} min", seconds / 60.0) } else { format!("{seconds:.1} s") }
}

/// The memory at a place.
pub(super) fn memory(place: &PlacePeak) -> String {
    let room = place.room.map(|room| format!(" of {}", size_text(room))).unwrap_or_default();
    let peak = if place.peak > place.before.max(place.after) {
        format!(", at most {} in between", size_text(place.peak))
    } else {
        String::new()
    };
    let fits = if place.fits { "" } else { ": DOES NOT FIT" };
    let sizes = format!("{} → {}", size_text(place.before), size_text(place.after));
    format!("memory at {}: {sizes}{peak}{room}{fits}", place.place)
}

/// The remarks about order, sums, edited files and the host.
pub(super) fn remarks(plan: &HostPlan) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(reorders(plan));
    if !plan.not_checked.is_empty() {
        let roles: Vec<String> = plan.not_checked.iter().map(|role| quoted(role)).collect();
        all.push(format!("not in the sums, because the memory is unknown: {}", roles.join(", ")));
    }
    for file in &plan.files {
        match file.action {
            FileAction::Keep => all.push(format!("edited on the host, and kept: {}", file.file)),
            FileAction::Conflict => all.push(format!("edited on the host, and in the way: {}", file.file)),
            FileAction::Create | FileAction::Update | FileAction::Remove => {}
        }
    }
    all.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    all
}

/// Why the order is not that of declaration, one line for each unit that waits.
fn reorders(plan: &HostPlan) -> Vec<String> {
    let mut waiting: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for one in &plan.reorders {
        let does = if one.stops { "stops early" } else { "goes first" };
        waiting.entry((&one.unit, &one.lacks)).or_default().push(format!("`{}` {does}", one.first));
    }
    let line = |((unit, lacks), first): ((&str, &str), Vec<String>)| {
        format!("order: `{unit}` waits for {lacks}, so {}", words::all_of(&first))
    };
    waiting.into_iter().map(line).collect()
}
