//! The human-readable table.

use super::{Certainty, MemoryReport, ReportedGateway, ReportedGpu, ReportedPart, ReportedRole, size_text};
use crate::diag::report::hanging;
use crate::diag::words::{count, printable, quoted};
use std::fmt::Write;

/// A line: title, sizes by place, and certainty.
struct Row {
    title: String,
    sizes: Vec<String>,
    bound: String,
}

impl Row {
    fn of(title: String, size: String, bound: String) -> Self {
        Self { title, sizes: vec![size], bound }
    }
}

/// The sums, then the roles, wrapped to a number of columns.
pub(super) fn human(report: &MemoryReport, width: usize) -> String {
    let mut out = String::new();
    let sums = sums(report);
    if !sums.is_empty() {
        out.push_str("sums (a mapped file counts once in each sum)\n");
        push_rows(&mut out, &sums, width);
    }
    for gateway in &report.gateways {
        push_gateway(&mut out, gateway, width);
    }
    for role in &report.roles {
        if !out.is_empty() {
            out.push('\n');
        }
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
        push_rows(&mut out, &role_rows(role), width);
    }
    out
}

/// Maximum number of sets of a gateway in the table.
const MAX_SETS: usize = 12;

/// The models that a gateway keeps in memory.
fn push_gateway(out: &mut String, gateway: &ReportedGateway, width: usize) {
    let name = quoted(gateway.gateway);
    if gateway.sets.is_empty() {
        let most = count(gateway.at_once as usize, "model");
        let _ = writeln!(out, "\ngateway {name} keeps at most {most} in memory");
        return;
    }
    let more = if gateway.is_stricter { ", stricter than the memory requires" } else { "" };
    let _ = writeln!(out, "\ngateway {name}: sets of models that may be in memory together{more}");
    for set in gateway.sets.iter().take(MAX_SETS) {
        let names = set.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        out.push_str(&hanging("  ", &names, width));
    }
    if let Some(rest) = gateway.sets.len().checked_sub(MAX_SETS).filter(|rest| *rest > 0) {
        let _ = writeln!(out, "  and {rest} more; `--output-format json` lists all");
    }
    if !gateway.alone.is_empty() {
        let names = gateway.alone.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        let text = format!("alone, because not all memory of the host is known: {names}");
        out.push_str(&hanging("  ", &text, width));
    }
}

/// The sums of residencies, hosts and GPUs.
fn sums(report: &MemoryReport) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for residency in &report.residencies {
        let budget = residency.budget.map(|budget| format!("of {}", size_text(budget))).unwrap_or_default()
            + &excess(residency.over)
            + &growth(residency.bytes, residency.may_grow_to);
        let budget = budget.trim_start_matches("; ").to_owned();
        let name = format!("residency {} on {}", quoted(residency.residency), quoted(residency.host));
        rows.push(Row::of(name, sum_text(residency.bytes), budget));
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
        rows.push(Row::of(format!("host {}", quoted(host.host)), sum_text(host.bytes), of));
        rows.extend(host.gpus.iter().map(|gpu| gpu_row(host.host, gpu)));
    }
    rows
}

fn gpu_row(host: &str, gpu: &ReportedGpu) -> Row {
    let rest = if gpu.is_whole { "" } else { "; other parts are unknown" };
    let of = match (gpu.memory, gpu.reserve) {
        (Some(memory), Some(reserve)) => {
            format!("of {}, {} reserved", size_text(memory), size_text(reserve))
        }
        _ => "the memory of the GPU is not declared".to_owned(),
    };
    let name = format!("GPU {} of {}", quoted(gpu.name), quoted(host));
    Row::of(name, size_text(gpu.bytes), of + &excess(gpu.over) + rest)
}

/// The parts of a role with a column for each place, and its sum.
fn role_rows(role: &ReportedRole) -> Vec<Row> {
    let mut rows = Vec::new();
    let gpus: Vec<&str> = role.gpus.iter().map(|gpu| gpu.name).collect();
    if !gpus.is_empty() {
        let names = std::iter::once("RAM").chain(gpus.iter().copied()).map(printable);
        rows.push(Row { title: String::new(), sizes: names.collect(), bound: String::new() });
    }
    let mut groups: Vec<Vec<&ReportedPart>> = Vec::new();
    for part in &role.parts {
        let is_of = |group: &&mut Vec<&ReportedPart>| {
            let places = || group.iter().all(|other| other.gpu != part.gpu);
            group.first().is_some_and(|first| (first.of, first.kind) == (part.of, part.kind)) && places()
        };
        match groups.iter_mut().find(is_of) {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
    }
    rows.extend(groups.iter().filter_map(|group| row(group, &gpus)));
    let sizes = std::iter::once(role.bytes).chain(role.gpus.iter().map(|gpu| gpu.bytes));
    rows.push(Row {
        title: "one process".to_owned(),
        sizes: sizes.map(size_text).collect(),
        bound: bound(role),
    });
    if role.may_grow_to > role.bytes {
        let why = "with the engine's defaults for what the registry does not state".to_owned();
        rows.push(Row::of("may grow to".to_owned(), size_text(role.may_grow_to), why));
    }
    rows
}

/// The line of a part, with its size at each place.
fn row(parts: &[&ReportedPart], gpus: &[&str]) -> Option<Row> {
    let first = parts.first()?;
    let size = |place: Option<&str>| {
        parts.iter().find(|part| part.gpu == place).map_or_else(String::new, |part| size_of(part))
    };
    let sizes = std::iter::once(None).chain(gpus.iter().map(|gpu| Some(*gpu)));
    // The least certain place decides.
    let least = parts.iter().max_by_key(|part| match part.certainty {
        Certainty::NotChecked(_) => 300,
        Certainty::MayGrowTo(_) | Certainty::AtMost(_) | Certainty::Declared(_) => 200,
        Certainty::WithinPercent(percent) => u16::from(percent),
    });
    let is_shared = parts.iter().any(|part| part.kind == "mapped" && part.gpu.is_none());
    let bound = least.map(|part| certainty(part)).unwrap_or_default();
    // Processes that map the same file share its pages.
    let bound = if is_shared { format!("{bound}, once per host") } else { bound };
    Some(Row { title: printable(&first.title), sizes: sizes.map(size).collect(), bound: printable(&bound) })
}

fn size_of(part: &ReportedPart) -> String {
    match part.certainty {
        Certainty::MayGrowTo(bytes) => size_text(bytes),
        Certainty::WithinPercent(_)
        | Certainty::AtMost(_)
        | Certainty::Declared(_)
        | Certainty::NotChecked(_) => part.bytes.map_or_else(|| "?".to_owned(), size_text),
    }
}

fn certainty(part: &ReportedPart) -> String {
    match part.certainty {
        Certainty::WithinPercent(percent) => format!("+/- {percent} %"),
        Certainty::AtMost(_) => "at most".to_owned(),
        Certainty::Declared(_) => "as declared".to_owned(),
        Certainty::MayGrowTo(_) => "may grow to this, not counted".to_owned(),
        Certainty::NotChecked(why) => format!("not checked: {why}"),
    }
}

/// The error bound of the sum of one process, computed from its parts.
fn bound(role: &ReportedRole) -> String {
    let mut tolerance = 0_u64;
    for part in &role.parts {
        if let (Certainty::WithinPercent(percent), Some(bytes)) = (&part.certainty, part.bytes) {
            tolerance = tolerance.saturating_add(bytes / 100 * u64::from(*percent));
        }
    }
    let most = role.parts.iter().any(|part| matches!(part.certainty, Certainty::AtMost(_)));
    let margin = format!("+/- {}", size_text(tolerance));
    match (tolerance > 0, most, role.is_whole) {
        (false, false, true) => String::new(),
        (false, false, false) => "at least: other parts are unknown".to_owned(),
        (true, false, true) => margin,
        (true, false, false) => format!("{margin}; other parts are unknown"),
        (false, true, true) => "at most".to_owned(),
        (false, true, false) => "some parts are maximums, others are unknown".to_owned(),
        (true, true, true) => format!("{margin}; can be lower: some parts are maximums"),
        (true, true, false) => format!("{margin}; some parts are maximums, others are unknown"),
    }
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
    let length = |cell: &String| cell.chars().count();
    let title = rows.iter().map(|row| length(&row.title)).max().unwrap_or(0);
    let columns = rows.iter().map(|row| row.sizes.len()).max().unwrap_or(0);
    let widest = |at: usize| rows.iter().filter_map(|row| row.sizes.get(at)).map(length).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    for row in rows {
        let mut prefix = format!("  {:title$}  ", row.title);
        for (at, width) in widths.iter().enumerate() {
            let cell = row.sizes.get(at).map_or("", String::as_str);
            // Writing to a string cannot fail.
            let _ = write!(prefix, "{cell:>width$}  ");
        }
        out.push_str(&hanging(&prefix, &row.bound, width));
    }
}
