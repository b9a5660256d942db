//! The table for people.

use super::{Known, Shown, ShownPart, ShownRole, sized};
use crate::diag::words::{printable, quoted};
use std::fmt::Write;

/// A title, a size, and how well that is known.
type Row = [String; 3];

pub(super) fn human(shown: &Shown) -> String {
    let mut out = String::new();
    for role in &shown.roles {
        let processes =
            if role.processes > 1 { format!(", {} processes", role.processes) } else { String::new() };
        // A text never fails to take more text.
        let _ = writeln!(
            out,
            "{} ({} on {}{processes})",
            printable(role.name),
            printable(role.residency),
            printable(role.host)
        );
        let mut rows: Vec<Row> = role.parts.iter().map(row).collect();
        rows.push(total(role));
        draw(&mut out, &rows);
        out.push('\n');
    }
    let mut rows: Vec<Row> = Vec::new();
    for residency in &shown.residencies {
        let budget = residency.budget.map(|budget| format!("of {}", sized(budget))).unwrap_or_default();
        let name = format!("residency {} on {}", quoted(residency.residency), quoted(residency.host));
        rows.push([name, sized(residency.bytes), budget]);
    }
    for host in &shown.hosts {
        let services = match host.services {
            0 => String::new(),
            bytes => format!(", {} for services", sized(bytes)),
        };
        let of = format!("of {}, {} in reserve{services}", sized(host.memory), sized(host.reserve));
        rows.push([format!("host {}", quoted(host.host)), sized(host.bytes), of]);
    }
    draw(&mut out, &rows);
    out
}

fn row(part: &ShownPart) -> Row {
    let size = part.bytes.map_or_else(|| "?".to_owned(), sized);
    let known = match part.known {
        // Others that map the same file have the same pages.
        Known::WithinPercent(percent) if part.kind == "mapped" => format!("within {percent} %, once a host"),
        Known::WithinPercent(percent) => format!("within {percent} %"),
        Known::AtMost(_) => "at most".to_owned(),
        Known::Declared(_) => "as declared".to_owned(),
        Known::NotChecked(why) => format!("not checked: {why}"),
    };
    [printable(&part.title), size, printable(&known)]
}

/// The sum of a process, and how far off it may be downwards and upwards by what is known of its parts.
fn total(role: &ShownRole) -> Row {
    let mut either = 0_u64;
    for part in &role.parts {
        if let (Known::WithinPercent(percent), Some(bytes)) = (&part.known, part.bytes) {
            either = either.saturating_add(bytes / 100 * u64::from(*percent));
        }
    }
    let most = role.parts.iter().any(|part| matches!(part.known, Known::AtMost(_)));
    let mut bound = if either > 0 { format!("within {}", sized(either)) } else { String::new() };
    if most {
        bound.push_str(if bound.is_empty() { "at most" } else { ", less where a part is `at most`" });
    }
    if !role.is_whole {
        bound.push_str(if bound.is_empty() {
            "without what is not checked"
        } else {
            ", without what is not checked"
        });
    }
    ["one process".to_owned(), sized(role.bytes), bound]
}

fn draw(out: &mut String, rows: &[Row]) {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (title, size) = (width(0), width(1));
    for [what, bytes, bound] in rows {
        let line = format!("  {what:title$}  {bytes:>size$}  {bound}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
}
