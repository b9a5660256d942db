//! CPUs that the host does not have.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{CpuList, Host, Id};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// CPUs that the host does not declare: in the placement of a role, in a cpuset, or in a service. Also in a NUMA
    /// node, if the host lists all its `cpus`.
    ///
    /// ## Why
    /// systemd and numactl refuse CPUs that do not exist, and the unit does not start.
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
    pub(super) static UNKNOWN_CPU = 324, "unknown-cpu", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let all: Vec<Option<CpuList>> = registry.hosts.iter().map(Host::all_cpus).collect();
    let of = |id: Id<Host>| all.get(id.number()).and_then(Option::as_ref);
    for (host, all) in registry.hosts.iter().zip(&all) {
        check_host(host, all.as_ref(), findings);
    }
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.served() {
        // The CPUs of a cpuset are reported at its declaration. CPUs of a default are reported once per host.
        let (Some(cpus), Some(all)) = (&serving.placement.cpus, of(serving.host.value)) else { continue };
        let missing = cpus.list.difference(all);
        if cpus.set.is_none() && !missing.is_empty() && reported.insert((cpus.span, serving.host.value)) {
            let who = format!("{role} is placed on");
            let host = registry.hosts.get(serving.host.value);
            let finding = finding(host, all, &missing, (cpus.span, &who));
            findings.report(finding.about(role));
        }
    }
    for service in registry.services.iter() {
        let (Some(cpus), Some(all)) = (&service.cpus, of(service.host.value)) else { continue };
        let missing = cpus.difference(all);
        if !missing.is_empty() {
            let who = format!("{service} runs on");
            let finding = finding(registry.hosts.get(service.host.value), all, &missing, (cpus.span, &who));
            findings.report(finding.about(service));
        }
    }
}

/// Checks the declarations of the host: its cpusets, and its nodes if it also lists all its CPUs.
fn check_host(host: &Host, all: Option<&CpuList>, findings: &mut Diagnostics) {
    for set in &host.cpusets {
        let Some(missing) = all.map(|all| set.cpus.difference(all)).filter(|missing| !missing.is_empty())
        else {
            continue;
        };
        let who = format!("cpuset {} has", words::quoted(&set.name));
        let finding = finding(host, all.unwrap_or(&set.cpus), &missing, (set.cpus.span, &who));
        findings.report(finding.about(host));
    }
    let Some(listed) = &host.cpus else { return };
    for node in &host.numa {
        let Some(cpus) = &node.cpus else { continue };
        let missing = cpus.difference(listed);
        if !missing.is_empty() {
            let who = format!("NUMA node {} has", node.node.value);
            let finding = finding(host, listed, &missing, (cpus.span, &who));
            findings.report(finding.about(host));
        }
    }
}

fn finding(host: &Host, all: &CpuList, missing: &CpuList, (place, who): (Span, &str)) -> Diagnostic {
    let name = words::quoted(&host.head.name);
    let message = format!("{who} {}, which host {name} does not have", missing.describe());
    UNKNOWN_CPU
        .at(place, format!("the host has no {}", missing.describe()), message)
        .also(place_of(host), format!("the host has {}", all.describe()))
        .help(format!("choose from `{all}`"))
}

fn place_of(host: &Host) -> Span {
    let of_nodes = host.numa.iter().find_map(|node| node.cpus.as_ref());
    host.cpus.as_ref().or(of_nodes).map_or(host.head.name.span, |cpus| cpus.span)
}
