//! An on-demand role whose hidden port would exceed 65535.

use super::shared::free_ports::FreePorts;
use crate::derive::{Derived, ServedGateway, first_model_port};
use crate::diag::{Change, Diagnostics, Line};
use crate::hir::Gateway;

declare_code! {
    /// ## What it finds
    /// An on-demand role or a gateway of llama-swap without a valid port for its backend: its `backend`, or its port plus 10000,
    /// exceeds 65535.
    ///
    /// ## Why
    /// The socket listens on the port of the role. The server behind it listens on a hidden port of 127.0.0.1:
    /// `backend`, else the port plus 10000. Each further instance uses the next port. llama-swap gives each of its models a port
    /// from there on.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: warm, model: plain, port: 60000, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: warm, model: plain, port: 60000, backend: 18000, context: 4096}
    /// ```
    pub(super) static MISSING_BACKEND_PORT = 313, "missing-backend-port", Error;
}

/// The first port that a help offers: hidden ports usually follow the public ports at a distance of 10000.
const FIRST_OFFERED: u32 = 18_000;

/// The last of the ports that a gateway gives to its models.
fn last_model_port(gateway: &Gateway, served: &ServedGateway) -> Option<u64> {
    Some((u64::from(first_model_port(gateway)?) + served.roles.len() as u64).saturating_sub(1))
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut free: Option<FreePorts> = None;
    for served in &derived.gateways {
        let gateway = registry.gateways.get(served.id);
        let Some(last) = last_model_port(gateway, served).filter(|last| *last > 65535) else { continue };
        let message = format!("the last of the models of {gateway} would listen on port {last}");
        let place = gateway.backend.unwrap_or(gateway.port).span;
        let finding = MISSING_BACKEND_PORT.at(place, "the largest port is 65535", message).about(gateway);
        let largest = 65536_usize.saturating_sub(served.roles.len());
        let title = format!("write `{{}}`, or another free port of at most {largest}");
        let free = free.get_or_insert_with(|| FreePorts::of(derived));
        let count = u32::try_from(served.roles.len()).unwrap_or(u32::MAX);
        let port = free.take(gateway.host.value, FIRST_OFFERED, count);
        findings.report(port.into_iter().fold(finding, |finding, port| {
            finding.remedy(&*title, Change::set(gateway.head.span, Line::of("backend", port)))
        }));
    }
    for served in derived.processes().filter(|served| served.settings.gateway.is_none()) {
        let (role, serving) = (registry.roles.get(served.id), served.settings);
        let Some(first) = served.endpoint.hidden else { continue };
        let last = u64::from(first) + serving.ports.len() as u64 - 1;
        if last <= 65535 {
            continue;
        }
        let message = format!("the backend of {role} would listen on port {last}");
        let place = serving.backend.map_or(serving.ports.span, |backend| backend.span);
        let finding = MISSING_BACKEND_PORT
            .at(place, "the largest port is 65535", message)
            .about(role)
            .also(serving.residency.span, "on demand, so the server needs a second, hidden port");
        let largest = 65536 - serving.ports.len();
        let title = format!("write `{{}}`, or another free port of at most {largest}");
        let instances = u32::try_from(serving.ports.len()).unwrap_or(1);
        let free = free.get_or_insert_with(|| FreePorts::of(derived));
        let port = free.take(serving.host.value, FIRST_OFFERED, instances);
        findings.report(port.into_iter().fold(finding, |finding, port| {
            finding.remedy(&*title, Change::set(role.head.span, Line::of("backend", port)))
        }));
    }
}
