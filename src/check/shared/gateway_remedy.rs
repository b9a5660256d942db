//! The change that puts roles behind a gateway.

use crate::derive::ServedProcess;
use crate::diag::{Change, Line};
use crate::hir::Registry;
use crate::source::FileId;

/// The names that a help offers for a new gateway.
const NAMES: [&str; 3] = ["front", "gateway", "router"];

/// The change that declares a gateway at the port of the first role, and puts the roles behind it. `None` if a role has its
/// port from the defaults or in another file, or has more about its address: then several places have to change.
pub(in crate::check) fn gateway_change(
    registry: &Registry,
    roles: &[&ServedProcess<'_>],
    file: FileId,
) -> Option<Change> {
    let is_taken = |name: &&&str| registry.gateways.iter().any(|gateway| &*gateway.head.name.value == **name);
    let name = NAMES.iter().find(|name| !is_taken(name))?;
    let first = roles.first()?.settings;
    let mut line = Line::of("gateway", *name).with(Line::of("port", u64::from(first.ports.value.first)));
    if registry.hosts.len() > 1 {
        line = line.with(Line::of("host", &*registry.hosts.get(first.host.value).head.name.value));
    }
    let mut changes = vec![Change::Add { file, plural: "gateways", line }];
    for role in roles {
        let (head, process) = (&registry.roles.get(role.id).head, role.settings);
        let ports = process.ports;
        let is_own =
            ports.span.file == file && ports.span.start >= head.span.start && ports.span.end <= head.span.end;
        let is_simple = process.listen.is_empty() && process.backend.is_none() && ports.value.len() == 1;
        if !is_own || !is_simple || role.is_program || process.host.value != first.host.value {
            return None;
        }
        changes.push(Change::rewrite(ports.span, Line::of("gateway", *name)));
    }
    Some(Change::All(changes))
}
