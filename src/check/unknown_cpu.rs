//! CPUs that the host does not have, or whose cores cannot be counted.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Host, Registry};

declare_code! {
    /// ## What it finds
    /// A placement on CPUs that its host does not declare.
    ///
    /// ## Why
    /// systemd and numactl refuse CPUs that are not there, and the unit does not start.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 90-95, threads: 6}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 0-5, threads: 6}}
    /// ```
    static UNKNOWN_CPU = 324, "unknown-cpu", Error;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_CPU, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        let Some(cpus) = &serving.placement.cpus else { continue };
        let host = registry.hosts.get(serving.host.value);
        let Some(all) = host.all_cpus() else { continue };
        let missing = cpus.list.without(&all);
        if missing.is_empty() {
            continue;
        }
        let (name, host_name) = (words::quoted(&role.head.name), words::quoted(&host.head.name));
        let message =
            format!("role {name} is placed on CPUs {missing}, which host {host_name} does not have");
        let finding = UNKNOWN_CPU
            .at(cpus.span, format!("there is no CPU {missing}"), message)
            .about("role", &*role.head.name.value);
        let finding = finding.also(place_of(host), format!("it has {all}"));
        findings.say(finding.help(format!("name some of `{all}`")));
    }
}

fn place_of(host: &Host) -> crate::source::Span {
    let of_nodes = host.numa.iter().find_map(|node| node.cpus.as_ref());
    host.cpus.as_ref().or(of_nodes).map_or(host.head.name.span, |cpus| cpus.span)
}
