//! The bars of memory: the segments of each, in percent of its width.

use crate::plan::Bytes;
use crate::plan::report::{HostMemory, MemoryBar, MemoryLine, PlaceKind};
use serde::Serialize;
use std::sync::Arc;

/// The width of a part of unknown size, in hundredths of a percent.
const UNKNOWN_WIDTH: u64 = 500;

/// The whole width, in hundredths of a percent.
const WHOLE: u64 = 10_000;

/// The bars of a host.
#[derive(Serialize)]
pub(super) struct HostBars<'r> {
    host: &'r str,
    bars: Vec<BarView<'r>>,
}

#[derive(Serialize)]
struct BarView<'r> {
    kind: &'static str,
    name: &'r str,
    title: Option<&'r str>,
    /// The text of the bar for readers that do not see it.
    label: String,
    segments: Vec<Segment>,
    /// The position of the limit.
    limit_at: Option<String>,
    used: Bytes,
    /// The sum of the roles and services.
    taken: Bytes,
    stated: Bytes,
    services: Bytes,
    growth: Bytes,
    reserve: Bytes,
    room: Option<Bytes>,
    /// The bytes that are free below the limit.
    free: Option<Bytes>,
    /// The used share of the room in percent.
    percent: Option<u64>,
    over: Bytes,
    unknown: &'r [Arc<str>],
    unknown_count: usize,
    unknown_more: usize,
    unplaced: usize,
    lines: Vec<LineView<'r>>,
    more_lines: usize,
}

#[derive(Serialize)]
struct LineView<'r> {
    role: &'r str,
    label: &'r str,
    bytes: Bytes,
    is_stated: bool,
}

/// A segment of a bar.
#[derive(Serialize)]
struct Segment {
    kind: &'static str,
    title: String,
    x: String,
    width: String,
    bytes: Option<u64>,
}

pub(super) fn host_bars(host: &HostMemory) -> HostBars<'_> {
    HostBars { host: &host.host, bars: host.bars.iter().map(bar).collect() }
}

fn bar(bar: &MemoryBar) -> BarView<'_> {
    let room = bar.memory.map(|memory| memory.minus(bar.reserve));
    let taken = bar.used().plus(bar.services);
    let scale = Scale::new(bar, taken);
    BarView {
        kind: match bar.kind {
            PlaceKind::Host => "host",
            PlaceKind::Node => "node",
            PlaceKind::Gpu => "gpu",
        },
        name: &bar.name,
        title: bar.title.as_deref(),
        label: label(bar, room),
        segments: scale.segments(bar, room),
        limit_at: room.filter(|room| *room < Bytes(scale.whole)).map(|room| scale.at(room.0)),
        used: bar.used(),
        taken,
        stated: bar.stated,
        services: bar.services,
        growth: bar.growth,
        reserve: bar.reserve,
        free: room.map(|room| room.minus(taken)),
        percent: room.map(|room| part(taken.0, room.0.max(1), 100)),
        room,
        over: bar.over,
        unknown: &bar.unknown,
        unknown_count: bar.unknown_count,
        unknown_more: bar.unknown_count.saturating_sub(bar.unknown.len()),
        unplaced: bar.unplaced,
        lines: bar.lines.iter().map(line).collect(),
        more_lines: bar.more_lines,
    }
}

fn line(line: &MemoryLine) -> LineView<'_> {
    LineView { role: &line.role, label: &line.label, bytes: line.bytes, is_stated: line.is_stated }
}

fn label(bar: &MemoryBar, room: Option<Bytes>) -> String {
    let of = room.map(|room| format!(" of {room}")).unwrap_or_default();
    let over = if bar.over > Bytes(0) { format!(", {} too much", bar.over) } else { String::new() };
    let unknown = match bar.unknown_count {
        0 => String::new(),
        n => format!(", {n} not checked"),
    };
    format!("{}{of} used{over}{unknown}", bar.used().plus(bar.services))
}

/// The scale of a bar.
struct Scale {
    /// The bytes of the whole width.
    whole: u64,
    /// The width for these bytes, in hundredths of a percent.
    width: u64,
}

impl Scale {
    fn new(bar: &MemoryBar, taken: Bytes) -> Self {
        let largest = taken.plus(bar.growth).max(bar.memory.unwrap_or_default());
        let needs_more = bar.unknown_count > 0 && taken.plus(bar.growth) >= largest;
        Self { whole: largest.0.max(1), width: if needs_more { WHOLE - UNKNOWN_WIDTH } else { WHOLE } }
    }

    /// A position or a width in percent.
    fn at(&self, bytes: u64) -> String {
        percent(part(bytes, self.whole, self.width))
    }

    fn segments(&self, bar: &MemoryBar, room: Option<Bytes>) -> Vec<Segment> {
        let parts = [
            ("services", "services", bar.services),
            ("computed", "computed", bar.computed),
            ("stated", "stated", bar.stated),
            ("growth", "may grow", bar.growth),
        ];
        let mut segments = Vec::new();
        let mut from = 0_u64;
        let mut add = |kind, title: String, from: u64, bytes: u64| {
            segments.push(Segment {
                kind,
                title,
                x: self.at(from),
                width: self.at(bytes),
                bytes: Some(bytes),
            });
        };
        if let Some((memory, room)) = bar.memory.zip(room).filter(|(memory, room)| memory > room) {
            add("reserve", format!("reserve: {}", bar.reserve), room.0, memory.minus(room).0);
        }
        for (kind, name, bytes) in parts.into_iter().filter(|(_, _, bytes)| *bytes > Bytes(0)) {
            add(kind, format!("{name}: {bytes}"), from, bytes.0);
            from = from.saturating_add(bytes.0);
        }
        if let Some(room) = room.filter(|_| bar.over > Bytes(0)) {
            add("over", format!("too much: {}", bar.over), room.0, bar.over.0);
        }
        if bar.unknown_count > 0 {
            segments.push(Segment {
                kind: "unknown",
                title: format!("not checked: {}", bar.unknown_count),
                x: self.at(from),
                width: percent(UNKNOWN_WIDTH),
                bytes: None,
            });
        }
        segments
    }
}

/// A part of a whole, as a number of the parts of `scale`.
fn part(bytes: u64, whole: u64, scale: u64) -> u64 {
    let part = u128::from(bytes) * u128::from(scale) / u128::from(whole.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// Hundredths of a percent as a percentage.
fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
