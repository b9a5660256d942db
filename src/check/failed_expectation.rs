//! An expectation that is not met.

use crate::derive::{Derived, MemoryScope, RoleGroups};
use crate::diag::{Change, Diagnostics, Line, words};
use crate::hir::{Bytes, Expected, Id, Registry, Residency, Role, RoleKind};
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
    let mut totals: BTreeMap<Id<Residency>, Bytes> = BTreeMap::new();
    for expect in registry.expects.iter() {
        let name = words::quoted(&expect.head.name);
        let finding = match &expect.expected {
            Expected::Fits(residency, fits) => {
                let id = residency.value;
                let most = *totals.entry(id).or_insert_with(|| largest_load(&loads, id));
                if most <= fits.value {
                    continue;
                }
                let (used, limit) = (registry.residencies.get(id), fits.value);
                let message = format!("expectation {name} failed: {used} needs {most}, more than {limit}");
                let finding = FAILED_EXPECTATION
                    .at(fits.span, format!("{most} needed"), message)
                    .also(residency.span, "this residency");
                let enough = most.rounded_up();
                let line = Line::of("fits", enough.to_string());
                let finding = finding.write(expect.head.span, line);
                finding.help("or move roles to another residency")
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

/// The memory of a residency on the host where it needs the most.
fn largest_load(loads: &RoleGroups, residency: Id<Residency>) -> Bytes {
    let hosts = loads.of_residency(residency);
    hosts.map(|roles| roles.load(MemoryScope::HOST).total).max().unwrap_or(Bytes(0))
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
