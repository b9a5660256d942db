//! A plan as Markdown, for a comment of a pull request or the summary of a job.

use super::plan::PlanReport;
use super::text::{details, down, memory, remarks, step_text, summary};
use crate::deploy::{HostPlan, RoleChangeKind};
use std::fmt::Write;

/// The most bytes: GitHub refuses comments with more than 65 536 characters.
const MAX_BYTES: usize = 60_000;

/// The plans of all hosts.
pub(super) fn plan(report: &PlanReport) -> String {
    let against = escaped(&report.against);
    let mut out = format!("### Plan of `{}` against {against}\n\n", report.stack);
    for failed in &report.failed {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "**{}**: no plan: {}\n", escaped(&failed.host), escaped(&failed.reason));
    }
    if !report.changes && report.failed.is_empty() {
        out.push_str("No changes.\n");
        return out;
    }
    for host in &report.hosts {
        let part = host_plan(host);
        if out.len() + part.len() > MAX_BYTES {
            out.push_str("The plan is too long for Markdown: run `orchgen plan` to see all of it.\n");
            break;
        }
        out.push_str(&part);
    }
    out
}

fn host_plan(plan: &HostPlan) -> String {
    let mut out = format!("**{}**: {}\n\n", escaped(&plan.host), summary(plan));
    if !plan.roles.is_empty() {
        out.push_str("| | role | changes | down |\n|---|---|---|---|\n");
    }
    for role in &plan.roles {
        let word = match role.change {
            RoleChangeKind::Added => "new",
            RoleChangeKind::Removed => "removed",
            RoleChangeKind::Changed => "changed",
            RoleChangeKind::Restarted => "restarted",
        };
        let changes = details(role).into_iter().map(|(name, value)| escaped(&format!("{name}: {value}")));
        let changes: Vec<String> = changes.collect();
        let down = down(role);
        let down = down.trim_start_matches(", ").trim_start_matches("down for ");
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {word} | {} | {} | {down} |", escaped(&role.name), changes.join("<br>"));
    }
    if !plan.steps.is_empty() {
        out.push_str("\n<details><summary>Steps</summary>\n\n");
        for (step, number) in plan.steps.iter().zip(1..) {
            let _ = writeln!(out, "{number}. {}", escaped(&step_text(step, plan)));
        }
        out.push_str("\n</details>\n");
    }
    let places = plan.memory.iter().filter(|place| place.before != 0 || place.after != 0);
    let memories = places.map(|place| {
        let (sizes, excess) = memory(place);
        format!("memory at {}: {sizes}{excess}", place.place)
    });
    let lines: Vec<String> = memories.chain(remarks(plan).into_iter().map(|(_, remark)| remark)).collect();
    if !lines.is_empty() {
        out.push('\n');
    }
    for line in lines {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    out.push('\n');
    out
}

/// A text without characters that Markdown interprets in a table.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '@' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
