//! The human-readable state of stacks: totals, a table of roles, differences with what to do, notes.

use crate::deploy::{MemoryStatus, ProcessStatus, RoleState, RoleStatus, StackStatus, StatusReport, Verdict};
use crate::diag::report::{Style, hanging};
use crate::diag::words::{count, is_control_like};
use crate::render::deployment::size_text;
use std::fmt::Write;

/// A line of the table.
struct Row {
    name: String,
    state: RoleState,
    cells: [String; 3],
}

/// The titles of the columns after those of the role and its state.
const TITLES: [&str; 3] = ["port", "pid", "memory"];

/// The text, wrapped to the width of the style.
pub fn human(report: &StatusReport, style: Style) -> String {
    let stacks = report.stacks.iter().map(|stack| stack_text(stack, style));
    stacks.collect::<Vec<_>>().join("\n")
}

/// The text with escaped control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control_like(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

fn stack_text(stack: &StackStatus, style: Style) -> String {
    let generation = match stack.generation {
        Some(number) => format!("generation {number}"),
        None => "no generation".to_owned(),
    };
    let head = format!("{} on {} ({}): {generation}", stack.stack, stack.host, stack.scope);
    let mut out = hanging("", &escaped(&head), style.width);
    let differences: Vec<_> = stack.all_differences().collect();
    let totals: Vec<String> =
        stack.totals.iter().map(|(state, number)| format!("{number} {}", state.word())).collect();
    let verdict = match differences.len() {
        0 => painted("no differences", Color::Green, style),
        number => painted(&count(number, "difference"), Color::Red, style),
    };
    let states = if totals.is_empty() { String::new() } else { format!(": {}", totals.join(", ")) };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  {}{states}\n  {verdict}", count(stack.roles.len(), "role"));
    if stack.is_running {
        out.push('\n');
        push_rows(&mut out, &rows(&stack.roles), style);
    } else {
        out.push_str("  only files are compared: the system does not run\n");
    }
    if !differences.is_empty() {
        out.push_str("\ndifferences\n");
    }
    for (role, difference) in differences {
        let role = role.map(|role| format!("{role}: ")).unwrap_or_default();
        out.push_str(&hanging("  - ", &escaped(&format!("{role}{}", difference.text)), style.width));
        if let Some(help) = &difference.help {
            out.push_str(&hanging("    help: ", &escaped(help), style.width));
        }
    }
    let notes: Vec<_> = stack.all_notes().collect();
    if !notes.is_empty() {
        out.push_str("\nnotes\n");
    }
    for (role, note) in notes {
        let role = role.map(|role| format!("{role}: ")).unwrap_or_default();
        out.push_str(&hanging("  - ", &escaped(&format!("{role}{note}")), style.width));
    }
    out
}

/// A line for each process, with the roles behind a gateway below it.
fn rows(roles: &[RoleStatus]) -> Vec<Row> {
    let mut all = Vec::new();
    let is_behind = |role: &&RoleStatus| role.processes.is_empty() && role.gateway.is_some();
    for role in roles.iter().filter(|role| !is_behind(role)) {
        let kind = if role.kind == "gateway" { " (gateway)" } else { "" };
        let name = escaped(&role.name);
        match &*role.processes {
            [] => all.push(Row { name, state: role.state, cells: Default::default() }),
            [only] => all.push(process_row(format!("{name}{kind}"), only)),
            several => all.extend(
                several.iter().enumerate().map(|(number, one)| process_row(format!("{name} {number}"), one)),
            ),
        }
        let inner = roles
            .iter()
            .filter(is_behind)
            .filter(|inner| role.kind == "gateway" && inner.gateway.as_ref() == Some(&role.name));
        all.extend(inner.map(|inner| Row {
            name: format!("  {}", escaped(&inner.name)),
            state: inner.state,
            cells: Default::default(),
        }));
    }
    all
}

fn process_row(name: String, process: &ProcessStatus) -> Row {
    let pid = process.pid.map(|pid| pid.to_string()).unwrap_or_default();
    Row { name, state: process.state, cells: [process.port.to_string(), pid, memory_text(process.memory)] }
}

fn memory_text(memory: MemoryStatus) -> String {
    let MemoryStatus { resident, planned, verdict, .. } = memory;
    let over = if verdict == Verdict::Differs { ", above the plan" } else { "" };
    match (resident, planned) {
        (Some(resident), Some(planned)) => format!("{} of {}{over}", size_text(resident), size_text(planned)),
        (Some(resident), None) => size_text(resident),
        (None, _) => String::new(),
    }
}

fn push_rows(out: &mut String, rows: &[Row], style: Style) {
    let length = |text: &str| text.chars().count();
    let widest =
        |title: &str, cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or(0).max(length(title));
    let name = widest("role", &mut rows.iter().map(|row| length(&row.name)));
    let state = widest("state", &mut rows.iter().map(|row| row.state.word().len()));
    let [port, pid, _] = TITLES;
    let of = |at: usize| rows.iter().filter_map(move |row| row.cells.get(at)).map(|cell| length(cell));
    let (first, second) = (widest(port, &mut of(0)), widest(pid, &mut of(1)));
    let mut push = |title: &str, (word, color): (&str, Option<Color>), cells: &[String; 3]| {
        let padding = " ".repeat(state.saturating_sub(length(word)));
        let word = color.map_or_else(|| word.to_owned(), |color| painted(word, color, style));
        let [port, pid, memory] = cells;
        let line = format!("  {title:name$}  {word}{padding}  {port:>first$}  {pid:>second$}  {memory}");
        out.push_str(line.trim_end());
        out.push('\n');
    };
    push("role", ("state", None), &TITLES.map(str::to_owned));
    for row in rows {
        push(&row.name, (row.state.word(), color_of(row.state)), &row.cells);
    }
}

/// Colors with a meaning: green is good, yellow will change soon, red needs the user.
#[derive(Clone, Copy)]
enum Color {
    Red,
    Green,
    Yellow,
}

fn color_of(state: RoleState) -> Option<Color> {
    match state {
        RoleState::Serving => Some(Color::Green),
        RoleState::Loading | RoleState::Stopping => Some(Color::Yellow),
        RoleState::Stopped
        | RoleState::NotInstalled
        | RoleState::Unhealthy
        | RoleState::Restarting
        | RoleState::Failed => Some(Color::Red),
        RoleState::Idle | RoleState::BehindGateway | RoleState::Unknown | RoleState::NotManaged => None,
    }
}

fn painted(text: &str, color: Color, style: Style) -> String {
    let code = match color {
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
    };
    if style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
