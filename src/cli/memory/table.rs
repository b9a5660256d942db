//! The human-readable table.

use super::{Certainty, MemoryReport, ReportedPart, ReportedRole, size_text};
use crate::diag::report::hanging;
use crate::diag::words::{printable, quoted};
use std::fmt::Write;

/// Title, size and certainty.
type Row = [String; 3];

/// The table, wrapped to a number of columns.
pub(super) fn human(report: &MemoryReport, width: usize) -> String {
    let mut out = String::new();
    for role in &report.roles {
        let processes =
            if role.processes > 1 { format!(", {} processes", role.processes) } else { String::new() };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} ({} on {}{processes})",
            printable(role.name),
            printable(role.residency),
            printable(role.host)
        );
        let mut rows: Vec<Row> = role.parts.iter().map(row).collect();
        rows.push(total(role));
        if role.may_grow_to > role.bytes {
            let why = "with the engine's defaults for what the registry does not state".to_owned();
            rows.push(["may grow to".to_owned(), size_text(role.may_grow_to), why]);
        }
        push_rows(&mut out, &rows, width);
        out.push('\n');
    }
    let mut rows: Vec<Row> = Vec::new();
    for residency in &report.residencies {
        let budget = residency.budget.map(|budget| format!("of {}", size_text(budget))).unwrap_or_default()
            + &excess(residency.over)
            + &growth(residency.bytes, residency.may_grow_to);
        let name = format!("residency {} on {}", quoted(residency.residency), quoted(residency.host));
        rows.push([name, sum_text(residency.bytes), budget]);
    }
    for host in &report.hosts {
        let services = match host.services {
            0 => String::new(),
            bytes => format!(", {} for services", size_text(bytes)),
        };
        let of = match (host.memory, host.reserve) {
            (Some(memory), Some(reserve)) => {
                format!("of {}, {} reserved{services}", size_text(memory), size_text(reserve))
            }
            _ => format!("the memory of the machine is not declared{services}"),
        };
        let of = of + &excess(host.over) + &growth(host.bytes, host.may_grow_to);
        rows.push([format!("host {}", quoted(host.host)), sum_text(host.bytes), of]);
    }
    if !rows.is_empty() {
        out.push_str("sums (a mapped file counts once in each sum)\n");
    }
    push_rows(&mut out, &rows, width);
    out
}

fn row(part: &ReportedPart) -> Row {
    let size = match part.certainty {
        Certainty::MayGrowTo(bytes) => size_text(bytes),
        Certainty::WithinPercent(_)
        | Certainty::AtMost(_)
        | Certainty::Declared(_)
        | Certainty::NotChecked(_) => part.bytes.map_or_else(|| "?".to_owned(), size_text),
    };
    let certainty = match part.certainty {
        // Processes that map the same file share its pages.
        Certainty::WithinPercent(percent) if part.kind == "mapped" => {
            format!("+/- {percent} %, once per host")
        }
        Certainty::WithinPercent(percent) => format!("+/- {percent} %"),
        Certainty::AtMost(_) => "at most".to_owned(),
        Certainty::Declared(_) => "as declared".to_owned(),
        Certainty::MayGrowTo(_) => "may grow to this, not counted".to_owned(),
        Certainty::NotChecked(why) => format!("not checked: {why}"),
    };
    [printable(&part.title), size, printable(&certainty)]
}

/// The sum of one process, with its error bound computed from the parts.
fn total(role: &ReportedRole) -> Row {
    let mut tolerance = 0_u64;
    for part in &role.parts {
        if let (Certainty::WithinPercent(percent), Some(bytes)) = (&part.certainty, part.bytes) {
            tolerance = tolerance.saturating_add(bytes / 100 * u64::from(*percent));
        }
    }
    let most = role.parts.iter().any(|part| matches!(part.certainty, Certainty::AtMost(_)));
    let margin = format!("+/- {}", size_text(tolerance));
    let bound = match (tolerance > 0, most, role.is_whole) {
        (false, false, true) => String::new(),
        (false, false, false) => "at least: other parts are unknown".to_owned(),
        (true, false, true) => margin,
        (true, false, false) => format!("{margin}; other parts are unknown"),
        (false, true, true) => "at most".to_owned(),
        (false, true, false) => "some parts are maximums, others are unknown".to_owned(),
        (true, true, true) => format!("{margin}; can be lower: some parts are maximums"),
        (true, true, false) => format!("{margin}; some parts are maximums, others are unknown"),
    };
    ["one process".to_owned(), size_text(role.bytes), bound]
}

/// A sum, or `?` if the size of a model is unknown.
fn sum_text(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), size_text)
}

/// How far a sum may grow.
fn growth(bytes: Option<u64>, may_grow_to: Option<u64>) -> String {
    match may_grow_to {
        Some(most) if Some(most) != bytes => format!("; may grow to {}", size_text(most)),
        _ => String::new(),
    }
}

/// The mark of a sum above its limit.
fn excess(over: u64) -> String {
    if over == 0 { String::new() } else { format!(": {} over", size_text(over)) }
}

fn push_rows(out: &mut String, rows: &[Row], width: usize) {
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (title, size) = (widest(0), widest(1));
    for [what, bytes, bound] in rows {
        out.push_str(&hanging(&format!("  {what:title$}  {bytes:>size$}  "), bound, width));
    }
}
