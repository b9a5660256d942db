//! A plan as text for a terminal.

use super::plan::PlanReport;
use crate::cli::table::{Column, Section, Spacing, Table, Text, Tone, cut_middle, hanging};
use crate::deploy::{Action, FileAction, HostPlan, PlacePeak, RoleChange, RoleChangeKind, Step, ValueChange};
use crate::diag::report::Style;
use crate::diag::words::{self, count, printable, quoted};
use crate::render::deployment::size_text;
use std::collections::{BTreeMap, BTreeSet};

/// The longest value that is printed. Longer ones are cut.
const MAX_VALUE: usize = 60;

/// The most names of unit settings that are printed for a role.
const MAX_NAMES: usize = 8;

/// The plans of all hosts.
pub(super) fn plan(report: &PlanReport, style: Style) -> String {
    let against =
        if report.against == "last build" { "the last build".to_owned() } else { quoted(&report.against) };
    if report.hosts.is_empty() && !report.failed.is_empty() {
        return String::new();
    }
    if !report.changes {
        // Nothing is known about the others, whose reasons are printed as errors.
        let of = if report.failed.is_empty() {
            String::new()
        } else {
            format!(" of {}", words::all_of(&names_of(report)))
        };
        return hanging(&"".into(), &format!("no changes{of} against {against}").into(), style);
    }
    let number = |kind| report.hosts.iter().map(|host| number_of(host, kind)).sum();
    let title = Text::from(format!("plan of the stack {} against {against}: ", quoted(&report.stack)));
    let mut out = hanging(&"".into(), &title.and(Tone::Strong, changes(&number)), style);
    match &*report.hosts {
        // Its numbers are those of the stack.
        [only] => {
            let host = format!("\n{} (plan {})\n", quoted(&only.host), only.id);
            out.push_str(&(host + &changes_of_host(only, style)));
        }
        all => out.extend(all.iter().map(|host| format!("\n{}", host_plan(host, style)))),
    }
    out
}

/// The names of the hosts with a plan.
fn names_of(report: &PlanReport) -> Vec<String> {
    report.hosts.iter().map(|host| quoted(&host.host)).collect()
}

/// The plan of one host.
pub(super) fn host_plan(plan: &HostPlan, style: Style) -> String {
    let name = quoted(&plan.host);
    let line = |text: Text| hanging(&"".into(), &text, style);
    if plan.is_empty() && plan.roles.is_empty() && plan.files.is_empty() {
        return line(format!("{name}: no changes").into());
    }
    let title = Text::from(format!("{name}: ")).and(Tone::Strong, summary(plan));
    line(title.and(Tone::Plain, format!(" (plan {})", plan.id))) + &changes_of_host(plan, style)
}

/// The roles, steps, sums and remarks of a host.
fn changes_of_host(plan: &HostPlan, style: Style) -> String {
    let line = |text: Text| hanging(&"".into(), &text, style);
    let mut out = roles(plan).print(style) + &steps(plan).print(style);
    let reloaded = plan.reloaded.join(", ");
    if !plan.reloaded.is_empty() {
        out.push_str(&line(format!("reloaded without a restart: {reloaded}").into()));
    }
    for place in plan.memory.iter().filter(|place| place.before != 0 || place.after != 0) {
        let (sizes, excess) = memory(place);
        let place = Text::new(Tone::Strong, format!("memory at {}", place.place)).and(Tone::Plain, ": ");
        out.push_str(&hanging(&place, &Text::from(sizes).and(Tone::Bad, excess), style));
    }
    for (tone, remark) in remarks(plan) {
        out.push_str(&line(Text::new(tone, remark)));
    }
    out
}

/// The roles with their changes.
fn roles(plan: &HostPlan) -> Table {
    let section = |role: &RoleChange| {
        let rows = details(role).into_iter().map(|(name, value)| (name.into(), value.into()));
        Section::pairs(Some(role_title(role)), rows.collect())
    };
    let sections = plan.roles.iter().map(section).collect();
    Table { spacing: Spacing::Tight, indent: 2, row_indent: 4, ..Table::new(sections) }
}

/// The steps with their numbers.
fn steps(plan: &HostPlan) -> Table {
    let row = |(step, number): (&Step, i32)| {
        let (action, time) = step_parts(step, plan);
        let tone = if step.seconds.is_none() { Tone::Open } else { Tone::Detail };
        vec![Text::from(format!("{number}.")), Text::from(action).and(tone, time)]
    };
    let section = Section {
        title: Some(Text::new(Tone::Strong, "steps")),
        columns: vec![Column::numbers(""), Column::words("")],
        rows: plan.steps.iter().zip(1..).map(row).collect(),
    };
    Table::new(if plan.steps.is_empty() { Vec::new() } else { vec![section] })
}

/// The numbers of roles by what happens to them.
pub(super) fn summary(plan: &HostPlan) -> String {
    changes(&|kind| number_of(plan, kind))
}

fn number_of(plan: &HostPlan, kind: RoleChangeKind) -> usize {
    plan.roles.iter().filter(|role| role.change == kind).count()
}

/// Numbers of roles in words.
fn changes(number: &dyn Fn(RoleChangeKind) -> usize) -> String {
    let kinds = [
        (RoleChangeKind::Added, "added"),
        (RoleChangeKind::Changed, "changed"),
        (RoleChangeKind::Removed, "removed"),
        (RoleChangeKind::Restarted, "restarted"),
    ];
    let parts = kinds.iter().filter(|(kind, _)| number(*kind) > 0);
    let parts: Vec<String> = parts.map(|(kind, word)| format!("{} {word}", number(*kind))).collect();
    if parts.is_empty() { "no role changes".to_owned() } else { parts.join(", ") }
}

/// For example `~ role chat: changed, no interruption`.
fn role_title(role: &RoleChange) -> Text {
    let (mark, word, tone) = match role.change {
        RoleChangeKind::Added => ("+", "new", Tone::Good),
        RoleChangeKind::Removed => ("-", "removed", Tone::Open),
        RoleChangeKind::Changed => ("~", "changed", Tone::Open),
        RoleChangeKind::Restarted => ("↻", "starts again", Tone::Open),
    };
    let down_tone = match role.down_seconds {
        Some(0.0) => Tone::Good,
        _ => Tone::Open,
    };
    let name = format!(" {} {}: ", role.kind, quoted(&role.name));
    Text::new(tone, mark).and(Tone::Plain, name).and(tone, word).and(down_tone, down(role))
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

/// The changed values of a role: name, old and new value.
pub(super) fn details(role: &RoleChange) -> Vec<(String, String)> {
    let mut all: Vec<_> = role.settings.iter().map(|change| value_change("", change)).collect();
    all.extend(role.options.iter().map(|change| value_change("option ", change)));
    if !role.units.is_empty() {
        let names: BTreeSet<String> = role.units.iter().map(|change| printable(&change.name)).collect();
        let more = names.len().saturating_sub(MAX_NAMES);
        let names: Vec<String> = names.into_iter().take(MAX_NAMES).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        all.push(("unit settings".to_owned(), format!("{}{more}", names.join(", "))));
    }
    all.extend(role.memory.iter().map(|change| {
        let sizes = format!("{} → {}", size_text(change.old), size_text(change.new));
        (format!("memory at {}", change.place), sizes)
    }));
    all
}

fn value_change(what: &str, change: &ValueChange) -> (String, String) {
    let style = Style { unicode: true, ..Style::default() };
    let shown = |value: &Option<String>| match value.as_deref() {
        None => "none".to_owned(),
        Some("") => "set".to_owned(),
        Some(value) => cut_middle(&printable(value), MAX_VALUE, style),
    };
    let values = format!("{} → {}", shown(&change.old), shown(&change.new));
    (format!("{what}{}", printable(&change.name)), values)
}

/// A step in words.
pub(super) fn step_text(step: &Step, plan: &HostPlan) -> String {
    let (action, time) = step_parts(step, plan);
    action + &time
}

/// A step in words, and its time.
fn step_parts(step: &Step, plan: &HostPlan) -> (String, String) {
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
    let time = match step.seconds {
        Some(seconds) if seconds >= 0.1 => format!(" (about {})", duration(seconds)),
        Some(_) => String::new(),
        None => " (unknown time)".to_owned(),
    };
    (text, time)
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

/// The sums of memory at a place, and that they do not fit if so.
pub(super) fn memory(place: &PlacePeak) -> (String, &'static str) {
    let room = place.room.map(|room| format!(" of {}", size_text(room))).unwrap_or_default();
    let peak = if place.peak > place.before.max(place.after) {
        format!(", at most {} in between", size_text(place.peak))
    } else {
        String::new()
    };
    let sizes = format!("{} → {}{peak}{room}", size_text(place.before), size_text(place.after));
    (sizes, if place.fits { "" } else { ": DOES NOT FIT" })
}

/// The remarks about order, sums, edited files and the host.
pub(super) fn remarks(plan: &HostPlan) -> Vec<(Tone, String)> {
    let mut all: Vec<(Tone, String)> = reorders(plan).into_iter().map(|line| (Tone::Detail, line)).collect();
    if !plan.not_checked.is_empty() {
        let roles: Vec<String> = plan.not_checked.iter().map(|role| quoted(role)).collect();
        let line = format!("not in the sums, because the memory is unknown: {}", roles.join(", "));
        all.push((Tone::Open, line));
    }
    for file in &plan.files {
        match file.action {
            FileAction::Keep => {
                all.push((Tone::Open, format!("edited on the host, and kept: {}", file.file)));
            }
            FileAction::Conflict => {
                all.push((Tone::Bad, format!("edited on the host, and in the way: {}", file.file)));
            }
            FileAction::Create | FileAction::Update | FileAction::Remove => {}
        }
    }
    all.extend(plan.notes.iter().map(|note| (Tone::Plain, format!("note: {note}"))));
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
