//! An expectation that does not hold.

use super::{Ground, GroundCheck};
use crate::diag::{Diagnostics, words};
use crate::hir::{Bytes, Expected, Extent, Id, Loads, Registry, Residency, Role, Work};
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// An `expect` that does not hold.
    ///
    /// ## Why
    /// An expectation says what others rely on: a port that a client has, an amount of memory that was promised.
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
    static FAILED_EXPECTATION = 318, "failed-expectation", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &FAILED_EXPECTATION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let (registry, loads) = (&ground.registry, ground.loads());
    let mut known: BTreeMap<Id<Residency>, Bytes> = BTreeMap::new();
    for expect in registry.expects.iter() {
        let name = words::quoted(&expect.head.name);
        let finding = match &expect.expected {
            Expected::Fits(residency, fits) => {
                let id = residency.value;
                let most = *known.entry(id).or_insert_with(|| most(&loads, id));
                if most <= fits.value {
                    continue;
                }
                let title = words::quoted(&registry.residencies.get(residency.value).head.name);
                let message =
                    format!("expectation {name} does not hold: {title} takes {most}, not {}", fits.value);
                FAILED_EXPECTATION
                    .at(fits.span, format!("it takes {most}"), message)
                    .also(residency.span, "this residency")
            }
            Expected::Port(role, port) => {
                let found = registry.roles.get(role.value);
                let ports = found.serving().map(|serving| serving.ports);
                if ports.is_some_and(|ports| ports.ports().any(|p| p == port.value)) {
                    continue;
                }
                let at = listens(registry, found);
                let message = format!(
                    "expectation {name} does not hold: role {} {at}",
                    words::quoted(&found.head.name)
                );
                let finding = FAILED_EXPECTATION.at(port.span, "expected here", message);
                finding.also(ports.map_or(found.head.name.span, |ports| ports.span), at)
            }
        };
        findings.report(
            finding
                .about("expect", &*expect.head.name.value)
                .help("change what is declared, or what is expected"),
        );
    }
}

/// What a residency takes on the host where it takes most.
fn most(loads: &Loads, residency: Id<Residency>) -> Bytes {
    let hosts = loads.of_residency(residency);
    hosts.map(|roles| roles.load(Extent::Host).total).max().unwrap_or(Bytes(0))
}

/// Where a role listens; one that shares has no port of its own, whatever the port of the other.
fn listens(registry: &Registry, role: &Role) -> String {
    match &role.work {
        Work::Served(serving) => format!("listens on {}", serving.ports.value),
        Work::Listed(_) => "is not served".to_owned(),
        Work::Shares(shared) => {
            let other = registry.roles.get(shared.value);
            let at = other.serving().map(|other| format!(", which listens on {}", other.ports.value));
            format!("shares {}{}", words::quoted(&other.head.name), at.unwrap_or_default())
        }
    }
}
