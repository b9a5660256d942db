//! The human-readable state of stacks: totals, a table of roles, differences with what to do, notes.

use crate::cli::table::{Column, Section, Table, Text, Tone, hanging};
use crate::deploy::{MemoryStatus, ProcessStatus, RoleState, RoleStatus, StackStatus, StatusReport, Verdict};
use crate::diag::report::Style;
use crate::diag::words::{count, is_control_like};
use crate::render::deployment::size_text;

/// The text, wrapped to the width of the style.
pub fn human(report: &StatusReport, style: Style) -> String {
    let stacks = report.stacks.iter().map(|stack| stack_text(stack, style));
    stacks.collect::<Vec<_>>().join("\n")
}

/// The text with escaped control characters.
pub(in crate::cli::deploy) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control_like(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

fn stack_text(stack: &StackStatus, style: Style) -> String {
    let mut out = head(stack, style);
    if stack.is_running {
        out.push('\n');
        out.push_str(&roles(&stack.roles).print(style));
    }
    let line = |prefix: Text, text: &str| hanging(&prefix, &Text::from(escaped(text)), style);
    let of_role = |role: Option<&str>| {
        let dash = Text::from("  - ");
        role.map_or(dash.clone(), |role| dash.and(Tone::Strong, escaped(role)).and(Tone::Plain, ": "))
    };
    let title = |words: &str| format!("\n{}", hanging(&"".into(), &Text::new(Tone::Strong, words), style));
    for (number, (role, difference)) in stack.all_differences().enumerate() {
        if number == 0 {
            out.push_str(&title("differences"));
        }
        out.push_str(&line(of_role(role), &difference.text));
        if let Some(help) = &difference.help {
            out.push_str(&line(Text::from("    ").and(Tone::Detail, "help").and(Tone::Plain, ": "), help));
        }
    }
    for (number, (role, note)) in stack.all_notes().enumerate() {
        if number == 0 {
            out.push_str(&title("notes"));
        }
        out.push_str(&line(of_role(role), note));
    }
    out
}

/// The totals in one line, then where the stack is and the numbers of roles by their state.
fn head(stack: &StackStatus, style: Style) -> String {
    let all = stack.roles.len();
    let is_ready = |state: RoleState| matches!(tone(state), Tone::Good | Tone::Plain);
    let ready = stack.roles.iter().filter(|role| is_ready(role.state)).count();
    let ready = if !stack.is_running {
        Text::from(format!("{}, only files are compared", count(all, "role")))
    } else if ready == all {
        Text::new(Tone::Good, format!("{ready} of {} ready", count(all, "role")))
    } else {
        Text::new(Tone::Open, format!("{ready} of {} ready", count(all, "role")))
    };
    let verdict = match stack.all_differences().count() {
        0 => Text::new(Tone::Good, "no differences"),
        number => Text::new(Tone::Bad, count(number, "difference")),
    };
    let title = Text::from("stack ").and(Tone::Strong, escaped(&stack.stack)).and(Tone::Plain, ": ");
    let title = title.join(ready).and(Tone::Plain, ", ").join(verdict);
    let generation = match stack.generation {
        Some(number) => format!("generation {number}"),
        None => "no generation".to_owned(),
    };
    let mut place =
        Text::from(format!("on {} ({}), {generation}", escaped(&stack.host), escaped(&stack.scope)));
    let totals = stack.totals.iter().filter(|_| stack.is_running);
    for (separator, (state, number)) in ["; "].into_iter().chain(std::iter::repeat(", ")).zip(totals) {
        place = place.and(Tone::Plain, separator).and(tone(*state), format!("{number} {}", state.word()));
    }
    hanging(&"".into(), &title, style) + &hanging(&"  ".into(), &place, style)
}

/// A line for each process, with the roles behind a gateway below it.
fn roles(roles: &[RoleStatus]) -> Table {
    let mut rows = Vec::new();
    let is_behind = |role: &&RoleStatus| role.processes.is_empty() && role.gateway.is_some();
    for role in roles.iter().filter(|role| !is_behind(role)) {
        let kind = if role.kind == "gateway" { " (gateway)" } else { "" };
        let name = escaped(&role.name);
        match &*role.processes {
            [] => rows.push(state_cells(name, role.state)),
            [only] => rows.push(process_cells(format!("{name}{kind}"), only)),
            several => rows.extend(
                several
                    .iter()
                    .enumerate()
                    .map(|(number, one)| process_cells(format!("{name} {number}"), one)),
            ),
        }
        let inner = roles
            .iter()
            .filter(is_behind)
            .filter(|inner| role.kind == "gateway" && inner.gateway.as_ref() == Some(&role.name));
        rows.extend(inner.map(|inner| state_cells(format!("  {}", escaped(&inner.name)), inner.state)));
    }
    let columns = vec![
        Column::words("role"),
        Column::words("state"),
        Column::numbers("port"),
        Column::numbers("pid"),
        Column::numbers("memory"),
        Column::numbers("planned"),
        Column::words(""),
    ];
    Table::new(vec![Section { title: None, columns, rows }])
}

fn state_cells(name: String, state: RoleState) -> Vec<Text> {
    vec![name.into(), Text::new(tone(state), state.word())]
}

fn process_cells(name: String, process: &ProcessStatus) -> Vec<Text> {
    let MemoryStatus { resident, planned, verdict, .. } = process.memory;
    let (is_over, size) = (verdict == Verdict::Differs, |bytes: u64| size_text(bytes));
    let resident = resident.map(size);
    let planned = planned.filter(|_| resident.is_some()).map(size).unwrap_or_default();
    let mut cells = state_cells(name, process.state);
    let tone = if is_over { Tone::Open } else { Tone::Plain };
    cells.extend([
        Text::from(process.port.to_string()),
        Text::from(process.pid.map(|pid| pid.to_string()).unwrap_or_default()),
        Text::new(tone, resident.unwrap_or_default()),
        Text::new(Tone::Detail, planned),
        Text::new(tone, if is_over { "above the plan" } else { "" }),
    ]);
    cells
}

/// Green is ready, yellow will change soon, red needs the user.
fn tone(state: RoleState) -> Tone {
    match state {
        RoleState::Serving => Tone::Good,
        RoleState::Loading | RoleState::Stopping | RoleState::Unknown => Tone::Open,
        RoleState::Stopped
        | RoleState::NotInstalled
        | RoleState::Unhealthy
        | RoleState::Restarting
        | RoleState::Failed => Tone::Bad,
        RoleState::Idle | RoleState::BehindGateway | RoleState::NotManaged => Tone::Plain,
    }
}
