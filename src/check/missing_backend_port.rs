//! An on-demand role whose hidden port would exceed 65535.

use super::shared::free_ports::FreePorts;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};

declare_code! {
    /// ## What it finds
    /// An on-demand role without a valid port for its backend: its `backend`, or its port plus 10000, exceeds 65535.
    ///
    /// ## Why
    /// The socket listens on the port of the role. The server behind it listens on a hidden port of 127.0.0.1:
    /// `backend`, else the port plus 10000. Each further instance uses the next port.
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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut free: Option<FreePorts> = None;
    for served in derived.processes() {
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
