//! `report.html`: everything about a stack on one page. It needs no network, no script and no other file.

mod bars;
mod checks;
mod start;
mod topology;

use super::quote::html;
use super::template::{Quoted, Template, Templates};
use super::{ArtifactCollector, OutputTarget, RenderError};
use crate::plan::reference::{Constraints, Heading, Quirk};
use crate::plan::report::{Findings, ReportEngine, ReportGateway, ReportHost, ReportRole, Served};
use crate::plan::{Date, Plan, Report, Start};
use bars::{HostBars, host_bars};
use checks::{CheckLink, Checks};
use serde::Serialize;
use start::{HostStarts, host_starts};
use std::fmt::Write;
use topology::{Topology, topology};

static PAGE: Template = crate::template!("report/report.html.j2");
static STYLE: Template = crate::template!("report/style.html.j2");
static ROLES: Template = crate::template!("report/roles.html.j2");
static MEMORY: Template = crate::template!("report/memory.html.j2");
static FINDINGS: Template = crate::template!("report/findings.html.j2");

const PATH: &str = "report.html";

pub(super) static TARGET: OutputTarget = OutputTarget::new(PATH, TEMPLATES, artifacts);

const TEMPLATES: &[&Template] = &[&PAGE, &STYLE, &ROLES, &MEMORY, &FINDINGS];

/// The template data.
#[derive(Serialize)]
struct PageView<'r> {
    stack: &'r str,
    title: Option<&'r str>,
    verified: Option<Date>,
    engines: &'r [ReportEngine],
    hosts: &'r [ReportHost],
    omitted_hosts: usize,
    host_count: usize,
    role_count: usize,
    process_count: usize,
    model_count: usize,
    tiers: Vec<TierView<'r>>,
    omitted_roles: usize,
    gateways: &'r [ReportGateway],
    gateway_count: usize,
    memory: Vec<HostBars<'r>>,
    topology: Topology,
    starts: Vec<HostStarts<'r>>,
    findings: &'r Findings,
    omitted_findings: usize,
    omitted_unchecked: usize,
    quirks: &'r [Quirk],
    constraints: &'r Constraints,
    has_constraints: bool,
    families: Vec<FamilyView<'r>>,
}

#[derive(Serialize)]
struct TierView<'r> {
    heading: Option<&'r Heading>,
    roles: Vec<RoleView<'r>>,
}

#[derive(Serialize)]
struct RoleView<'r> {
    #[serde(flatten)]
    role: &'r ReportRole,
    anchor: String,
    is_on_demand: bool,
    placement: String,
    checks: Vec<CheckLink>,
}

/// A family with constraints.
#[derive(Serialize)]
struct FamilyView<'r> {
    label: &'r str,
    features: Vec<&'static str>,
    reasons: Vec<String>,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    if let Some(report) = &plan.report {
        collector.file(PATH.to_owned(), &PAGE, move || Ok(page_view(report)));
    }
}

/// The page. Fails only for a fault of a template.
pub fn page(report: &Report) -> Result<String, RenderError> {
    Templates::new(TEMPLATES.iter().copied()).render(&PAGE, &page_view(report))
}

fn page_view(report: &Report) -> PageView<'_> {
    let checks = Checks::new(&report.findings);
    let (findings, constraints) = (&report.findings, &report.constraints);
    PageView {
        stack: &report.stack,
        title: report.title.as_deref().filter(|title| **title != *report.stack),
        verified: report.verified,
        engines: &report.engines,
        hosts: &report.hosts,
        omitted_hosts: report.omitted_hosts,
        role_count: report.role_count,
        process_count: report.process_count,
        model_count: report.model_count,
        tiers: report
            .tiers
            .iter()
            .map(|tier| TierView {
                heading: tier.heading.as_ref(),
                roles: tier.roles.iter().map(|role| role_view(role, &checks)).collect(),
            })
            .collect(),
        omitted_roles: report.omitted_roles,
        gateways: &report.gateways,
        gateway_count: report.gateways.len(),
        host_count: report.hosts.len(),
        memory: report.memory.iter().map(host_bars).collect(),
        topology: topology(&report.topology),
        starts: report.starts.iter().map(host_starts).collect(),
        findings,
        omitted_findings: findings.omitted(),
        omitted_unchecked: findings.not_checked.saturating_sub(findings.unchecked.len()),
        quirks: &report.quirks,
        constraints,
        has_constraints: !constraints.families.is_empty()
            || !constraints.models.is_empty()
            || constraints.vision.is_some(),
        families: families(constraints),
    }
}

fn role_view<'r>(role: &'r ReportRole, checks: &Checks<'_>) -> RoleView<'r> {
    let served: Option<&Served> = role.served.as_ref();
    RoleView {
        anchor: anchor(&role.name),
        is_on_demand: served.is_some_and(|served| served.start == Start::OnDemand),
        placement: served.map(|served| served.placement.join(", ")).unwrap_or_default(),
        checks: checks.links(role),
        role,
    }
}

fn families(constraints: &Constraints) -> Vec<FamilyView<'_>> {
    let reason = |reason: &crate::plan::reference::ForbidReason| {
        let parts = [reason.failure.as_deref(), reason.why.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    let families = constraints.families.iter().map(|family| FamilyView {
        label: &family.label,
        features: family.what.iter().map(|feature| feature.word()).collect(),
        reasons: family.reasons.iter().map(reason).collect(),
    });
    families.collect()
}

/// The anchor of a role. Characters of other names than those of roles become their numbers.
fn anchor(name: &str) -> String {
    let mut anchor = String::from("role-");
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            anchor.push(c);
        } else {
            write!(anchor, "~{:x}", u32::from(c)).ok();
        }
    }
    anchor
}

/// A text that is already HTML.
fn markup(text: String) -> Quoted {
    text.into()
}

/// The text in HTML, at most this number of columns. The characters of wide scripts count two.
fn fitted(text: &str, columns: usize) -> String {
    let width = |c: char| if c < '\u{1100}' { 1 } else { 2 };
    let mut used = 0;
    let mut short = String::new();
    for c in text.chars() {
        used += width(c);
        if used > columns {
            short.push('…');
            break;
        }
        short.push(c);
    }
    html(&short).into_owned()
}
