//! The human-readable table.

use super::{Certainty, MemoryReport, ReportedGateway, ReportedGpu, ReportedPart, ReportedRole};
use crate::cli::table::{Column, Section, Table, Text, Tone, hanging};
use crate::diag::report::Style;
use crate::diag::words::{count, printable, quoted};
use crate::render::deployment::size_text;

/// A line: title, sizes by place, and certainty.
type Row = Vec<Text>;

/// The sums, the gateways, then the roles.
pub(super) fn human(report: &MemoryReport, style: Style) -> String {
    let mut parts = Vec::new();
    let rows = sums(report);
    if !rows.is_empty() {
        let title =
            Text::new(Tone::Strong, "sums").and(Tone::Plain, " (a mapped file counts once in each sum)");
        let columns = vec![Column::words(""), Column::numbers(""), Column::words("")];
        parts.push(Table::new(vec![Section { title: Some(title), columns, rows }]).print(style));
    }
    parts.extend(report.gateways.iter().map(|gateway| gateway_text(gateway, style)));
    let roles: Vec<Section> = report.roles.iter().map(role_section).collect();
    if !roles.is_empty() {
        parts.push(Table::new(roles).print(style));
    }
    parts.join("\n")
}

fn role_section(role: &ReportedRole) -> Section {
    let processes =
        if role.processes > 1 { format!(", {} processes", role.processes) } else { String::new() };
    let place = format!(" ({} on {}{processes})", printable(role.residency), printable(role.host));
    let title = Text::new(Tone::Strong, printable(role.name)).and(Tone::Plain, place);
    let sizes = if role.gpus.is_empty() { "size" } else { "RAM" };
    let gpus = role.gpus.iter().map(|gpu| Column::numbers(&printable(gpu.name)));
    let columns = [Column::words("part"), Column::numbers(sizes)].into_iter().chain(gpus);
    let columns = columns.chain([Column::words("certainty")]).collect();
    Section { title: Some(title), columns, rows: role_rows(role) }
}

/// Maximum number of sets of a gateway in the table.
const MAX_SETS: usize = 12;

/// The models that a gateway keeps in memory.
fn gateway_text(gateway: &ReportedGateway, style: Style) -> String {
    let line = |indent: &str, text: Text| hanging(&Text::from(indent), &text, style);
    let title = Text::from("gateway ").and(Tone::Strong, quoted(gateway.gateway));
    if gateway.sets.is_empty() {
        let most = count(gateway.at_once as usize, "model");
        return line("", title.and(Tone::Plain, format!(" keeps at most {most} in memory")));
    }
    let more = if gateway.is_stricter { ", stricter than the memory requires" } else { "" };
    let mut out =
        line("", title.and(Tone::Plain, format!(": sets of models that may be in memory together{more}")));
    let listed = |names: &[&str]| names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
    for set in gateway.sets.iter().take(MAX_SETS) {
        out.push_str(&line("  ", listed(set).into()));
    }
    if let Some(rest) = gateway.sets.len().checked_sub(MAX_SETS).filter(|rest| *rest > 0) {
        out.push_str(&line("  ", format!("and {rest} more; `--output-format json` lists all").into()));
    }
    if !gateway.alone.is_empty() {
        let why = Text::new(Tone::Open, "alone, because not all memory of the host is known");
        out.push_str(&line("  ", why.and(Tone::Plain, format!(": {}", listed(&gateway.alone)))));
    }
    out
}

/// The sums of residencies, hosts and GPUs.
fn sums(report: &MemoryReport) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for residency in &report.residencies {
        let budget = residency.budget.map(|budget| format!("of {}", size_text(budget))).unwrap_or_default();
        let growth = growth(residency.bytes, residency.may_grow_to);
        let growth = if budget.is_empty() { growth.trim_start_matches("; ") } else { &*growth };
        let budget = limit(budget, residency.over).and(Tone::Open, growth);
        let name = format!("residency {} on {}", quoted(residency.residency), quoted(residency.host));
        rows.push(vec![name.into(), sum(residency.bytes, residency.over), budget]);
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
        let of = limit(of, host.over).and(Tone::Open, growth(host.bytes, host.may_grow_to));
        rows.push(vec![format!("host {}", quoted(host.host)).into(), sum(host.bytes, host.over), of]);
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
    vec![name.into(), sum(Some(gpu.bytes), gpu.over), limit(of, gpu.over).and(Tone::Open, rest)]
}

/// A sum, or `?` if the size of a model is unknown.
fn sum(bytes: Option<u64>, over: u64) -> Text {
    match bytes {
        Some(bytes) => Text::new(if over == 0 { Tone::Strong } else { Tone::Bad }, size_text(bytes)),
        None => Text::new(Tone::Open, "?"),
    }
}

/// A limit, with how far the sum is above it.
fn limit(of: String, over: u64) -> Text {
    let excess = if over == 0 { String::new() } else { format!(": {} over", size_text(over)) };
    Text::from(of).and(Tone::Bad, excess)
}

/// The parts of a role with a column for each place, and its sum.
fn role_rows(role: &ReportedRole) -> Vec<Row> {
    let gpus: Vec<&str> = role.gpus.iter().map(|gpu| gpu.name).collect();
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
    let mut rows: Vec<Row> = groups.iter().filter_map(|group| row(group, &gpus)).collect();
    let sizes = std::iter::once(role.bytes).chain(role.gpus.iter().map(|gpu| gpu.bytes));
    let sizes = sizes.map(|bytes| Text::new(Tone::Strong, size_text(bytes)));
    let tone = if role.is_whole { Tone::Detail } else { Tone::Open };
    let title = Text::new(Tone::Strong, "one process");
    rows.push(std::iter::once(title).chain(sizes).chain([Text::new(tone, bound(role))]).collect());
    if role.may_grow_to > role.bytes {
        let why = "with the engine's defaults for what the registry does not state";
        let size = Text::new(Tone::Open, size_text(role.may_grow_to));
        let empty = gpus.iter().map(|_| Text::default());
        let line = [Text::new(Tone::Open, "may grow to"), size].into_iter().chain(empty);
        rows.push(line.chain([Text::new(Tone::Detail, why)]).collect());
    }
    rows
}

/// The line of a part, with its size at each place.
fn row(parts: &[&ReportedPart], gpus: &[&str]) -> Option<Row> {
    let first = parts.first()?;
    let size = |place: Option<&str>| {
        parts.iter().find(|part| part.gpu == place).map_or_else(Text::default, |part| size_of(part))
    };
    let sizes = std::iter::once(None).chain(gpus.iter().map(|gpu| Some(*gpu))).map(size);
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
    let bound = Text::new(least.map_or(Tone::Detail, |part| tone(part)), printable(&bound));
    Some(std::iter::once(printable(&first.title).into()).chain(sizes).chain([bound]).collect())
}

/// The tone of a size and its certainty.
fn tone(part: &ReportedPart) -> Tone {
    match part.certainty {
        Certainty::MayGrowTo(_) | Certainty::NotChecked(_) => Tone::Open,
        Certainty::WithinPercent(_) | Certainty::AtMost(_) | Certainty::Declared(_) => Tone::Detail,
    }
}

fn size_of(part: &ReportedPart) -> Text {
    let size = match part.certainty {
        Certainty::MayGrowTo(bytes) => size_text(bytes),
        Certainty::WithinPercent(_)
        | Certainty::AtMost(_)
        | Certainty::Declared(_)
        | Certainty::NotChecked(_) => part.bytes.map_or_else(|| "?".to_owned(), size_text),
    };
    Text::new(if tone(part) == Tone::Open { Tone::Open } else { Tone::Plain }, size)
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

/// How far a sum may grow.
fn growth(bytes: Option<u64>, may_grow_to: Option<u64>) -> String {
    match may_grow_to {
        Some(most) if Some(most) != bytes => format!("; may grow to {}", size_text(most)),
        _ => String::new(),
    }
}
