//! The topology as SVG: a frame for each host, in it a frame for each place of memory with its roles. Gateways are left of
//! them, and draft models right of them.
//!
//! Each role is a box. If there are many roles, those of one place, residency and gateway are one box.

use super::{anchor, fitted, markup};
use crate::plan::report::{MapGateway, MapGroup, MapHost, MapRole};
use crate::render::template::Quoted;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The maximum number of roles with their own boxes.
const MAX_NODES: usize = 40;

/// The maximum number of places of a host. The roles of further places share one frame.
const MAX_GROUPS: usize = 16;

/// The sizes of boxes, and the space around them, in pixels.
const ROLE_WIDTH: u32 = 238;
const SIDE_WIDTH: u32 = 190;
const HEIGHT: u32 = 54;
const GAP: u32 = 12;
const LANE: u32 = 64;
const PADDING: u32 = 16;
const HEADING: u32 = 34;

/// The maximum number of columns of roles.
const MAX_COLUMNS: u32 = 4;

/// The columns of text in a box.
const NAME_COLUMNS: usize = 21;
const LINE_COLUMNS: usize = 34;
const SIDE_COLUMNS: usize = 22;

/// The topology of a stack.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the legend has a sentence for each")]
pub(super) struct Topology {
    hosts: Vec<HostMap>,
    /// True if boxes have several roles.
    is_aggregated: bool,
    /// True if a role has a draft model.
    has_drafts: bool,
    has_gateways: bool,
    has_on_demand: bool,
}

/// The figure of a host.
#[derive(Serialize)]
struct HostMap {
    name: String,
    svg: Quoted,
}

/// The roles of a box.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boxes {
    /// One role.
    Single,
    /// The roles of one residency and gateway, because there are many.
    Merged,
}

/// A box for one role or several.
struct Node<'r> {
    /// The role. `None` if it has several.
    role: Option<&'r MapRole>,
    count: usize,
    name: String,
    right: String,
    line: String,
    is_on_demand: bool,
    gateway: Option<usize>,
    draft: Option<&'r str>,
}

/// The upper left corner of a box.
#[derive(Clone, Copy)]
struct Corner {
    x: u32,
    y: u32,
}

pub(super) fn topology(hosts: &[MapHost]) -> Topology {
    let roles = || hosts.iter().flat_map(|host| &host.groups).flat_map(|group| &group.roles);
    let is_aggregated = roles().count() > MAX_NODES;
    let boxes = if is_aggregated { Boxes::Merged } else { Boxes::Single };
    let map = |host: &MapHost| HostMap {
        name: host.name.to_string(),
        svg: markup(Drawing::new(host, boxes).svg(host)),
    };
    let shown = hosts.iter().filter(|host| !host.groups.is_empty() || !host.unused.is_empty());
    Topology {
        hosts: shown.map(map).collect(),
        is_aggregated,
        has_drafts: !is_aggregated && roles().any(|role| role.draft.is_some()),
        has_gateways: hosts.iter().any(|host| !host.gateways.is_empty()),
        has_on_demand: roles().any(|role| role.is_on_demand),
    }
}

/// The box of a role.
fn node(role: &MapRole) -> Node<'_> {
    let port = match role.ports {
        Some(ports) if ports.first == ports.last => format!(":{} · ", ports.first),
        Some(ports) => format!(":{}–{} · ", ports.first, ports.last),
        // The line from its gateway replaces the port.
        None => String::new(),
    };
    let tier = role.tier.as_ref().map(|tier| format!("tier {tier} · ")).unwrap_or_default();
    Node {
        role: Some(role),
        count: 1,
        name: role.name.to_string(),
        right: role.bytes.to_string(),
        line: format!("{port}{tier}{}", role.residency),
        is_on_demand: role.is_on_demand,
        gateway: role.gateway,
        draft: role.draft.as_deref(),
    }
}

/// One box for each residency and gateway.
fn merged(roles: &[&MapRole]) -> Vec<Node<'static>> {
    let mut by_kind: BTreeMap<(Option<usize>, &str), Vec<&MapRole>> = BTreeMap::new();
    for role in roles {
        by_kind.entry((role.gateway, &role.residency)).or_default().push(role);
    }
    let node = |((gateway, residency), roles): ((Option<usize>, &str), Vec<&MapRole>)| {
        let ports = || roles.iter().filter_map(|role| role.ports);
        let first = ports().map(|ports| ports.first).min();
        let last = ports().map(|ports| ports.last).max();
        let ports = first.zip(last).map(|(first, last)| format!(":{first}–{last} · ")).unwrap_or_default();
        let bytes = roles.iter().fold(0_u64, |sum, role| sum.saturating_add(role.bytes.0));
        Node {
            role: None,
            count: roles.len(),
            name: if roles.len() == 1 { "1 role".to_owned() } else { format!("{} roles", roles.len()) },
            right: crate::plan::Bytes(bytes).to_string(),
            line: format!("{ports}{residency}"),
            is_on_demand: roles.iter().all(|role| role.is_on_demand),
            gateway,
            draft: None,
        }
    };
    by_kind.into_iter().map(node).collect()
}

/// The boxes of a frame, each with its column and row.
struct Frame<'r> {
    label: String,
    nodes: Vec<(Node<'r>, u32, u32)>,
    rows: u32,
}

/// The figure of a host: the boxes and their places.
struct Drawing<'r> {
    frames: Vec<Frame<'r>>,
    columns: u32,
    has_gateways: bool,
    drafts: Vec<&'r str>,
}

impl<'r> Drawing<'r> {
    fn new(host: &'r MapHost, boxes: Boxes) -> Self {
        let frames = frames(host, boxes);
        let nodes = || frames.iter().flat_map(|(_, nodes)| nodes);
        let mut drafts: Vec<&str> = Vec::new();
        for draft in nodes().filter_map(|node| node.draft) {
            if !drafts.contains(&draft) {
                drafts.push(draft);
            }
        }
        let widest = frames.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(1);
        let widest = u32::try_from(widest).unwrap_or(MAX_COLUMNS).clamp(1, MAX_COLUMNS);
        let columns = match (host.gateways.is_empty(), drafts.is_empty()) {
            (true, true) => widest,
            _ if nodes().all(|node| node.gateway.is_some() || node.draft.is_some()) => 1,
            _ => widest.min(2),
        };
        let frames = frames.into_iter().map(|(label, nodes)| frame(label, nodes, columns)).collect();
        Self { frames, columns, has_gateways: !host.gateways.is_empty(), drafts }
    }

    /// The left edge of the frames.
    fn left(&self) -> u32 {
        if self.has_gateways { PADDING + SIDE_WIDTH + LANE } else { PADDING }
    }

    /// The width of a frame.
    fn frame_width(&self) -> u32 {
        self.columns * (ROLE_WIDTH + GAP) - GAP + 2 * PADDING
    }

    fn width(&self) -> u32 {
        let drafts = if self.drafts.is_empty() { 0 } else { LANE + SIDE_WIDTH };
        self.left() + self.frame_width() + drafts + PADDING
    }

    fn svg(&self, host: &MapHost) -> String {
        let (mut frames, mut boxes, mut edges) = (String::new(), String::new(), String::new());
        let mut y = PADDING;
        let mut of_gateways: Vec<Vec<Corner>> = host.gateways.iter().map(|_| Vec::new()).collect();
        let mut of_drafts: BTreeMap<&str, Vec<Corner>> = BTreeMap::new();
        for frame in &self.frames {
            let height = HEADING + frame.rows * (HEIGHT + GAP) - GAP + PADDING;
            draw_frame(&mut frames, &frame.label, Corner { x: self.left(), y }, (self.frame_width(), height));
            for (node, column, row) in &frame.nodes {
                let x = self.left() + PADDING + column * (ROLE_WIDTH + GAP);
                let corner = Corner { x, y: y + HEADING + row * (HEIGHT + GAP) };
                draw_node(&mut boxes, node, corner);
                if let Some(corners) = node.gateway.and_then(|gateway| of_gateways.get_mut(gateway)) {
                    corners.push(corner);
                }
                if let Some(draft) = node.draft {
                    of_drafts.entry(draft).or_default().push(corner);
                }
            }
            y += height + GAP;
        }
        let mut bottom = y;
        let mut below = PADDING;
        for (gateway, corners) in host.gateways.iter().zip(&of_gateways) {
            let at = Corner { x: PADDING, y: middle(corners).max(below) };
            below = at.y + HEIGHT + GAP;
            draw_gateway(&mut boxes, gateway, at);
            for corner in corners {
                draw_edge(&mut edges, "edge", (at, SIDE_WIDTH), *corner);
            }
        }
        bottom = bottom.max(below);
        let x = self.left() + self.frame_width() + LANE;
        let mut below = PADDING;
        for draft in &self.drafts {
            let corners = of_drafts.get(draft).map_or(&[][..], Vec::as_slice);
            let at = Corner { x, y: middle(corners).max(below) };
            below = at.y + HEIGHT + GAP;
            draw_draft(&mut boxes, draft, at);
            for corner in corners {
                draw_edge(&mut edges, "edge draft", (*corner, ROLE_WIDTH), at);
            }
        }
        bottom = bottom.max(below);
        if !host.unused.is_empty() {
            let text = fitted(&format!("No role uses {}.", host.unused.join(", ")), 110);
            write!(boxes, r#"<text class="muted" x="{}" y="{}">{text}</text>"#, self.left(), bottom + 10)
                .ok();
            bottom += 24;
        }
        let (width, height) = (self.width(), bottom + PADDING - GAP);
        format!(
            r#"<svg class="map" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" aria-label="{}">{frames}{edges}{boxes}</svg>"#,
            fitted(&format!("Topology of host {}", host.name), 200)
        )
    }
}

/// The labels of the frames of a host, with their boxes.
fn frames(host: &MapHost, boxes: Boxes) -> Vec<(String, Vec<Node<'_>>)> {
    let own = host.groups.get(..MAX_GROUPS).unwrap_or(&host.groups);
    let others = host.groups.get(MAX_GROUPS..).unwrap_or_default();
    let mut frames: Vec<(String, Vec<Node<'_>>)> = Vec::new();
    for group in own {
        let nodes = match boxes {
            Boxes::Single => group.roles.iter().map(node).collect(),
            Boxes::Merged => merged(&group.roles.iter().collect::<Vec<_>>()),
        };
        frames.push((group_label(group), nodes));
    }
    if !others.is_empty() {
        let roles: Vec<&MapRole> = others.iter().flat_map(|group| &group.roles).collect();
        frames.push((format!("{} other places", others.len()), merged(&roles)));
    }
    frames
}

fn group_label(group: &MapGroup) -> String {
    group.memory.map_or_else(|| group.label.clone(), |memory| format!("{} · {memory}", group.label))
}

/// Places the boxes of a frame: those with a gateway in the first column, those with a draft in the last one, so that no line
/// crosses a box.
fn frame(label: String, nodes: Vec<Node<'_>>, columns: u32) -> Frame<'_> {
    let mut placed: Vec<(Node<'_>, u32, u32)> = Vec::new();
    // The next free row of each column.
    let mut next = vec![0_u32; columns as usize];
    let last = columns.saturating_sub(1);
    for node in nodes {
        let height = |column: u32, next: &[u32]| next.get(column as usize).copied().unwrap_or_default();
        let (column, row, is_whole) = match (node.gateway.is_some(), node.draft.is_some()) {
            (true, true) => (0, next.iter().copied().max().unwrap_or_default(), true),
            (true, false) => (0, height(0, &next), false),
            (false, true) => (last, height(last, &next), false),
            (false, false) => {
                let column = (0..columns).min_by_key(|column| height(*column, &next)).unwrap_or_default();
                (column, height(column, &next), false)
            }
        };
        let taken = |at: usize| is_whole || at == column as usize;
        next.iter_mut().enumerate().filter(|(at, _)| taken(*at)).for_each(|(_, next)| *next = row + 1);
        placed.push((node, column, row));
    }
    Frame { label, nodes: placed, rows: next.into_iter().max().unwrap_or(1).max(1) }
}

/// The mean of the upper edges of boxes.
fn middle(corners: &[Corner]) -> u32 {
    let sum: u32 = corners.iter().map(|corner| corner.y).sum();
    sum.checked_div(u32::try_from(corners.len()).unwrap_or(1)).unwrap_or(PADDING)
}

fn draw_frame(out: &mut String, label: &str, Corner { x, y }: Corner, (width, height): (u32, u32)) {
    let columns = usize::try_from(width / 7).unwrap_or(30);
    write!(
        out,
        r#"<rect class="place" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/><text class="place-name" x="{}" y="{}">{}</text>"#,
        x + PADDING,
        y + 22,
        fitted(label, columns)
    )
    .ok();
}

fn draw_node(out: &mut String, node: &Node<'_>, Corner { x, y }: Corner) {
    let class = if node.is_on_demand { "box on-demand" } else { "box" };
    let target = node.role.map_or_else(|| "roles".to_owned(), |role| anchor(&role.name));
    let start = if node.is_on_demand { " · on demand" } else { "" };
    let (name, right) = (fitted(&node.name, NAME_COLUMNS), fitted(&node.right, 10));
    let line = fitted(&format!("{}{start}", node.line), LINE_COLUMNS);
    write!(
        out,
        "<a href=\"#{target}\" aria-label=\"{name}, {right}, {line}\" data-roles=\"{}\"><svg x=\"{x}\" y=\"{y}\" width=\"{ROLE_WIDTH}\" height=\"{HEIGHT}\">\
         <rect class=\"{class}\" x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"6\"/>\
         <text class=\"name\" x=\"12\" y=\"23\">{name}</text>\
         <text class=\"number\" x=\"{}\" y=\"23\">{right}</text>\
         <text class=\"muted\" x=\"12\" y=\"42\">{line}</text></svg></a>",
        node.count,
        ROLE_WIDTH - 2,
        HEIGHT - 2,
        ROLE_WIDTH - 12,
    )
    .ok();
}

fn draw_gateway(out: &mut String, gateway: &MapGateway, at: Corner) {
    let line = match gateway.peers {
        0 => format!("{} · :{}", gateway.kind, gateway.port),
        1 => format!(":{} · and 1 peer", gateway.port),
        several => format!(":{} · and {several} peers", gateway.port),
    };
    draw_side(out, "box gateway", &gateway.name, &line, at);
}

fn draw_draft(out: &mut String, draft: &str, at: Corner) {
    draw_side(out, "box", draft, "draft model", at);
}

fn draw_side(out: &mut String, class: &str, name: &str, line: &str, Corner { x, y }: Corner) {
    write!(
        out,
        "<svg x=\"{x}\" y=\"{y}\" width=\"{SIDE_WIDTH}\" height=\"{HEIGHT}\">\
         <rect class=\"{class}\" x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"6\"/>\
         <text class=\"name\" x=\"12\" y=\"23\">{}</text><text class=\"muted\" x=\"12\" y=\"42\">{}</text></svg>",
        SIDE_WIDTH - 2,
        HEIGHT - 2,
        fitted(name, SIDE_COLUMNS),
        fitted(line, SIDE_COLUMNS + 4),
    )
    .ok();
}

/// A curve from the right side of a box to the left side of another one.
fn draw_edge(out: &mut String, class: &str, (from, width): (Corner, u32), to: Corner) {
    let (x1, y1, x2, y2) = (from.x + width, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2);
    let (near, far) = (x1 + LANE / 2, x2.saturating_sub(LANE / 2));
    write!(
        out,
        r#"<path class="{class}" d="M{x1} {y1}C{near} {y1} {far} {y2} {} {y2}"/><path class="tip" d="M{x2} {y2}l-7 -4v8z"/>"#,
        x2.saturating_sub(6)
    )
    .ok();
}
