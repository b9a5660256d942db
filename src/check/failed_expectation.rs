//! An expectation that is not met.

use crate::derive::{Derived, MemoryScope, RoleGroup, RoleGroups};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, suggest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Bytes, Expect, Expected, Host, Id, Registry, Residency, Role, RoleKind, Text};
use crate::source::Spanned;
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// An `expect` that is not met.
    ///
    /// ## Why
    /// An expectation states what others rely on: a port that clients are configured with, or a memory limit.
    ///
    /// ## Example
    /// ```kdl
    /// expect "basic stays where clients look" role="basic" port=9999
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// expect "basic stays where clients look" role="basic" port=8000
    /// ```
    pub(super) static FAILED_EXPECTATION = 318, "failed-expectation", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    let mut totals: BTreeMap<(Id<Residency>, Option<&str>), Bytes> = BTreeMap::new();
    for expect in registry.expects.iter() {
        let name = words::quoted(&expect.head.name);
        let finding = match &expect.expected {
            Expected::Fits(residency, gpu, fits) => {
                let gpu = gpu.as_ref();
                if let Some(gpu) = gpu {
                    let hosts: Vec<RoleGroup> = loads.of_residency(residency.value).collect();
                    if !is_gpu(registry, &hosts, gpu) {
                        findings.report(unknown_gpu(registry, gpu, &name).about(expect));
                        continue;
                    }
                }
                let (id, on) = (residency.value, gpu.map(|gpu| &*gpu.value));
                if let Some(why) = on.and_then(|gpu| unknown_memory(derived, &loads, id, gpu)) {
                    findings.skip(&FAILED_EXPECTATION, &expect.head, why);
                }
                let most = *totals.entry((id, on)).or_insert_with(|| largest_load(&loads, id, on));
                if most <= fits.value {
                    continue;
                }
                failed_fits(registry, (expect, residency, on), (most, *fits))
            }
            Expected::Port(role, port) => {
                let found = registry.roles.get(role.value);
                let ports = found.process().map(|process| process.ports);
                if ports.is_some_and(|ports| ports.ports().any(|p| p == port.value)) {
                    continue;
                }
                let at = listens(registry, found);
                let message = format!("expectation {name} failed: {found} {at}");
                let finding = FAILED_EXPECTATION.at(port.span, "expected port", message);
                let finding = finding.also(ports.map_or(found.head.name.span, |ports| ports.span), at);
                match ports {
                    Some(ports) => {
                        let write = |port: u16| Line::of("port", u64::from(port));
                        let title = format!("write `{{}}` in {found}");
                        let finding = finding.remedy(title, Change::set(found.head.span, write(port.value)));
                        let declared = Change::set(expect.head.span, write(ports.value.first));
                        finding.remedy("or write `{}` in the expectation", declared)
                    }
                    None => finding.remedy("remove the expectation", Change::remove(expect.head.span)),
                }
            }
        };
        findings.report(finding.about(expect));
    }
}

/// The finding for a residency that needs more than expected.
fn failed_fits(
    registry: &Registry,
    (expect, residency, gpu): (&Expect, &Spanned<Id<Residency>>, Option<&str>),
    (most, limit): (Bytes, Spanned<Bytes>),
) -> Diagnostic {
    let (name, used) = (words::quoted(&expect.head.name), registry.residencies.get(residency.value));
    let on = gpu.map(|gpu| format!(" on GPU {}", words::quoted(gpu))).unwrap_or_default();
    let message = format!("expectation {name} failed: {used} needs {most}{on}, more than {}", limit.value);
    let finding = FAILED_EXPECTATION
        .at(limit.span, format!("{most} needed"), message)
        .also(residency.span, "this residency");
    let finding = finding.write(expect.head.span, Line::of("fits", most.rounded_up().to_string()));
    let other =
        if gpu.is_some() { "or move roles to another GPU" } else { "or move roles to another residency" };
    finding.help(other)
}

/// True if a host of the residency has the GPU. Without roles, any host counts.
fn is_gpu(registry: &Registry, hosts: &[RoleGroup], name: &str) -> bool {
    let has = |host: &Host| host.gpu(name).is_some();
    hosts.iter().any(|group| has(registry.hosts.get(group.host)))
        || hosts.is_empty() && registry.hosts.iter().any(has)
}

fn unknown_gpu(registry: &Registry, gpu: &Text, name: &str) -> Diagnostic {
    let message = format!(
        "expectation {name} is about {}, which is no GPU of the hosts of its roles",
        words::quoted(gpu)
    );
    let gpus = registry.hosts.iter().flat_map(|host| &host.gpus);
    let near = suggest(gpu, gpus.map(|gpu| &*gpu.name.value));
    UNKNOWN_NAME.at_unknown(gpu.span, (near, "no GPU of a host"), message).help("name a `gpu` of a host")
}

/// The first role of a residency whose memory on a GPU is not completely known, with the reason.
fn unknown_memory(
    derived: &Derived,
    loads: &RoleGroups,
    residency: Id<Residency>,
    gpu: &str,
) -> Option<String> {
    loads.of_residency(residency).find_map(|group| {
        let gpu = derived.registry.hosts.get(group.host).gpu(gpu)?;
        let mut unknown = derived.unknown_on_gpu(group.host, gpu);
        let (role, why) = unknown.find(|(role, _)| group.roles().any(|other| other.id == *role))?;
        let role = words::quoted(&derived.registry.roles.get(role).head.name);
        Some(format!("GPU {}: role {role}: {why}", words::quoted(&gpu.name)))
    })
}

/// The memory of a residency on the host where it needs the most, or on a GPU.
fn largest_load(loads: &RoleGroups, residency: Id<Residency>, gpu: Option<&str>) -> Bytes {
    let load = |roles: RoleGroup| {
        let scope = gpu.map_or(Some(MemoryScope::HOST), |gpu| roles.gpu_scope(gpu));
        scope.map_or(Bytes(0), |scope| roles.total(scope))
    };
    loads.of_residency(residency).map(load).max().unwrap_or(Bytes(0))
}

/// Describes where a role listens. A role that shares has no port, so the other role is named.
fn listens(registry: &Registry, role: &Role) -> String {
    match &role.kind {
        RoleKind::Served(serving) => format!("listens on port {}", serving.ports.value),
        RoleKind::Program(program) => format!("listens on port {}", program.ports.value),
        RoleKind::Listed(_) => "is not served".to_owned(),
        RoleKind::Shares(shared) => {
            let other = registry.roles.get(shared.value);
            let at = other.process().map(|other| format!(", which listens on port {}", other.ports.value));
            format!("shares {}{}", words::quoted(&other.head.name), at.unwrap_or_default())
        }
    }
}
