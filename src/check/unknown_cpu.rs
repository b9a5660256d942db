//! CPUs that the host does not have.

use super::placed;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{CpuList, Head, Host, Id};
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

/// CPUs that an item of a host uses.
struct CpuUse<'r> {
    owner: &'r Head,
    /// The subject and the verb of the message.
    who: String,
    cpus: &'r CpuList,
    place: Span,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let all: Vec<Option<CpuList>> = registry.hosts.iter().map(Host::all_cpus).collect();
    let finding = |host: Id<Host>, used: &CpuUse| {
        let all = all.get(host.number()).and_then(Option::as_ref)?;
        finding(registry.hosts.get(host), all, used)
    };
    for (id, host) in registry.hosts.entries() {
        for set in &host.cpusets {
            let who = format!("cpuset {} has", words::quoted(&set.name));
            let used = CpuUse { owner: &host.head, who, cpus: &set.cpus, place: set.cpus.span };
            findings.extend(finding(id, &used));
        }
        findings.extend(of_nodes(host));
    }
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.processes() {
        // The CPUs of a cpuset are reported at its declaration. CPUs of a default are reported once per host.
        let Some(cpus) = serving.placement.cpus.as_ref().filter(|cpus| cpus.set.is_none()) else { continue };
        let owner = placed(registry, role, serving, cpus.span);
        let who = format!("{owner} is placed on");
        let used = CpuUse { owner, who, cpus: &cpus.list, place: cpus.span };
        let found = finding(serving.host.value, &used);
        findings.extend(found.filter(|_| reported.insert((cpus.span, serving.host.value))));
    }
    for service in registry.services.iter() {
        let Some(cpus) = &service.cpus else { continue };
        let used = CpuUse { owner: &service.head, who: format!("{service} runs on"), cpus, place: cpus.span };
        findings.extend(finding(service.host.value, &used));
    }
}

/// The CPUs of NUMA nodes that are not in the list of all CPUs of the host.
fn of_nodes(host: &Host) -> impl Iterator<Item = Diagnostic> {
    let listed = host.cpus.iter().flat_map(|listed| host.numa.iter().map(move |node| (listed, node)));
    listed.filter_map(|(listed, node)| {
        let (cpus, who) = (node.cpus.as_ref()?, format!("NUMA node {} has", node.node.value));
        finding(host, listed, &CpuUse { owner: &host.head, who, cpus, place: cpus.span })
    })
}

fn finding(host: &Host, all: &CpuList, used: &CpuUse) -> Option<Diagnostic> {
    let missing = used.cpus.difference(all);
    if missing.is_empty() {
        return None;
    }
    let of_nodes = host.numa.iter().find_map(|node| node.cpus.as_ref());
    let declared = host.cpus.as_ref().or(of_nodes).map_or(host.head.name.span, |cpus| cpus.span);
    let message = format!("{} {}, which {host} does not have", used.who, missing.describe());
    let finding = UNKNOWN_CPU
        .at(used.place, format!("the host has no {}", missing.describe()), message)
        .about(used.owner)
        .with_number(&missing)
        .also(declared, format!("the host has {}", all.describe()));
    let kept = used.cpus.intersection(all);
    let cpus = if kept.is_empty() { all } else { &kept };
    Some(finding.remedy("write `{}`", Change::rewrite(used.place, Line::of("cpus", cpus.to_string()))))
}
