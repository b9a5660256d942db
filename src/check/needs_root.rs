//! Settings that only root can apply, in a stack whose units run without root.

use super::shared::free_ports::FreePorts;
use crate::derive::{Derived, Endpoint};
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{Head, ProcessSettings, Role, TargetName, UnitScope};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A setting that needs root, in a stack with `scope` `user`:
    ///
    /// - `user` and `group` of a host;
    /// - a port below 1024;
    /// - `lock` of a `placement`.
    ///
    /// ## Why
    /// The units of such a stack run in the service manager of a user (`systemctl --user`), with the rights of this user.
    /// The manager cannot change the user, and it cannot raise the limit on locked memory. The kernel gives ports below
    /// 1024 to root only.
    ///
    /// ## Instead
    /// Remove the setting, and write a port from 1024 on, such as `port=8080`. Or remove `scope`: then root installs the
    /// units.
    pub(super) static NEEDS_ROOT = 326, "needs-root", Error;
}

/// The first port that needs no root.
const FIRST_PORT: u16 = 1024;

/// The first port that a help offers.
const FIRST_OFFERED: u32 = 8080;

const HIGHER: &str = "write a port from 1024 on";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let stack = &derived.registry.stack;
    let makes_units = stack.has_target(TargetName::Systemd) || stack.has_target(TargetName::Quadlet);
    if stack.scope == UnitScope::System || !makes_units {
        return;
    }
    for host in derived.registry.hosts.iter() {
        for (field, text) in [("user", &host.user), ("group", &host.group)] {
            let Some(text) = text else { continue };
            let message = format!("{host} has `{field}`, but the units run as the user who starts them");
            findings.report(finding(text.span, message, &host.head).remove(text.span));
        }
    }
    let mut free = FreePorts::of(derived);
    for gateway in derived.registry.gateways.iter() {
        let Some(finding) = low_port(&gateway.head, gateway.port) else { continue };
        findings.report(match free.take(gateway.host.value, FIRST_OFFERED, 1) {
            Some(port) => {
                finding.remedy("write `{}`", Change::rewrite(gateway.port.span, Line::of("port", port)))
            }
            None => finding.help(HIGHER),
        });
    }
    let engines = derived.roles.iter().map(|served| (served.id, &served.serving.process, &served.endpoint));
    let programs =
        derived.programs.iter().map(|served| (served.id, &served.program.process, &served.endpoint));
    for (id, process, endpoint) in engines.chain(programs) {
        of_role(derived.registry.roles.get(id), process, endpoint, findings);
    }
}

fn of_role(role: &Role, process: &ProcessSettings, endpoint: &Endpoint, findings: &mut Diagnostics) {
    if process.gateway.is_none() {
        let low = low_port(&role.head, process.ports.map(|ports| ports.first));
        findings.extend(low.map(|finding| finding.help(HIGHER)));
    }
    if let Some(backend) = process.backend.filter(|port| port.value < FIRST_PORT && endpoint.hidden.is_some())
    {
        let message =
            format!("{role} has backend port {}, and only root can listen below 1024", backend.value);
        findings.report(finding(backend.span, message, &role.head).remove(backend.span));
    }
    if let Some(lock) = process.placement.lock.filter(|lock| lock.value) {
        let message = format!("{role} locks its weights, but only root can raise the limit on locked memory");
        findings.report(finding(lock.span, message, &role.head).remove(lock.span));
    }
}

fn low_port(head: &Head, port: Spanned<u16>) -> Option<Diagnostic> {
    let message = format!("{head} has port {}, and only root can listen below 1024", port.value);
    (port.value < FIRST_PORT).then(|| finding(port.span, message, head))
}

fn finding(place: Span, message: String, head: &Head) -> Diagnostic {
    NEEDS_ROOT.at(place, "needs root, but the stack has `scope` `user`", message).about(head)
}
