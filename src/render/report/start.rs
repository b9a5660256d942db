//! The start order of a host.

use super::anchor;
use crate::plan::report::{HostStart, StartRow};
use serde::Serialize;
use std::collections::BTreeSet;

/// The starts of a host.
#[derive(Serialize)]
pub(super) struct HostStarts<'r> {
    host: &'r str,
    boot: Vec<StartView<'r>>,
    on_demand: Vec<StartView<'r>>,
    /// Why times are not known.
    reasons: BTreeSet<&'static str>,
}

#[derive(Serialize)]
struct StartView<'r> {
    role: &'r str,
    anchor: String,
    gateway: Option<&'r str>,
    residency: &'r str,
    bytes: Option<u64>,
    read: Option<String>,
    total: Option<String>,
    limit: Option<String>,
}

pub(super) fn host_starts(start: &HostStart) -> HostStarts<'_> {
    let all = start.boot.iter().chain(&start.on_demand);
    HostStarts {
        host: &start.host,
        boot: start.boot.iter().map(row).collect(),
        on_demand: start.on_demand.iter().map(row).collect(),
        reasons: all.filter_map(|row| row.limit.err()).collect(),
    }
}

fn row(row: &StartRow) -> StartView<'_> {
    StartView {
        role: &row.role,
        anchor: anchor(&row.role),
        gateway: row.gateway.as_deref(),
        residency: &row.residency,
        bytes: row.bytes.map(|bytes| bytes.0),
        read: row.read_millis.map(duration),
        total: row.total_millis.map(duration),
        limit: row.limit.ok().map(|limit| duration(limit.0.saturating_mul(1000))),
    }
}

/// `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(millis: u64) -> String {
    let seconds = millis.saturating_add(500) / 1000;
    match seconds {
        ..10 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
