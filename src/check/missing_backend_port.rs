//! An on-demand role whose hidden port would lie beyond 65535.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// An on-demand role for whose backend there is no port: 10000 above its own lies beyond 65535, or its `backend` does.
    ///
    /// ## Why
    /// The socket listens at the role's port, and the model behind it at a hidden one on 127.0.0.1: `backend`, else the port plus
    /// 10000, and so on for each further instance.
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
    static MISSING_BACKEND_PORT = 313, "missing-backend-port", Error;
}

pub(super) static CHECK: Check = Check { code: &MISSING_BACKEND_PORT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        if !registry.is_on_demand(serving) {
            continue;
        }
        let first = serving
            .backend
            .map_or(u64::from(serving.ports.first) + 10_000, |backend| u64::from(backend.value));
        let last = first + serving.ports.len() as u64 - 1;
        if last <= 65535 {
            continue;
        }
        let message =
            format!("the backend of role {} would listen on port {last}", words::quoted(&role.head.name));
        let place = serving.backend.map_or(serving.ports.span, |backend| backend.span);
        let finding = MISSING_BACKEND_PORT
            .at(place, "ports end at 65535", message)
            .about("role", &*role.head.name.value)
            .also(serving.residency.span, "on demand, so a socket listens and the model behind it");
        let room = 65536 - serving.ports.len();
        findings.report(finding.help(format!("add `backend` with a free port of at most {room}")));
    }
}
