//! Memory that is bound to another NUMA node than the CPUs of the role.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{CpuList, Cpus, Host, Id, NumaNode, Role};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role whose memory is bound to one NUMA node and whose `cpus` are, at least partly, on another node.
    ///
    /// ## Why
    /// The engine reads all active weights for each token. Here it reads them over the link between the nodes, which is
    /// several times slower than local memory. For CPUs of several nodes, interleave the memory: this is not reported.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 0, cpus: 8-15, threads: 8}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 1, cpus: 8-15, threads: 8}}
    /// ```
    pub(super) static FAR_MEMORY = 333, "far-memory", Warning;
}

/// CPUs on a node to which the memory is not bound.
struct FarCpus<'r> {
    /// The node to which the memory is bound.
    bound: &'r NumaNode,
    /// The node of the CPUs.
    node: &'r NumaNode,
    cpus: CpuList,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in derived.registry.processes() {
        let host = derived.registry.hosts.get(serving.host.value);
        let placement = &serving.placement;
        let (Some(numa), Some(cpus)) = (&placement.numa, &placement.cpus) else { continue };
        let far = serving.representative_instances(host).find_map(|instance| {
            let bound = serving.bound_node(host, instance)?;
            far_cpus(&cpus.list, host.numa.iter().find(|node| node.node.value == bound)?, host)
        });
        if let Some(far) = far
            && reported.insert((numa.span, serving.host.value))
        {
            findings.report(finding(role, numa.span, cpus, &far));
        }
    }
}

fn far_cpus<'r>(cpus: &CpuList, bound: &'r NumaNode, host: &'r Host) -> Option<FarCpus<'r>> {
    let outside = cpus.difference(bound.cpus.as_ref()?);
    host.numa.iter().find_map(|node| {
        let cpus = outside.intersection(node.cpus.as_ref()?);
        (!cpus.is_empty()).then_some(FarCpus { bound, node, cpus })
    })
}

fn finding(role: &Role, numa: Span, cpus: &Spanned<Cpus>, far: &FarCpus) -> Diagnostic {
    let (bound, node) = (far.bound.node.value, far.node.node.value);
    let message = format!(
        "{role} runs on {} of NUMA node {node}, but its memory is bound to node {bound}",
        far.cpus.describe()
    );
    let near = far.bound.cpus.as_ref();
    let near = near.map(|near| Line::of("cpus", near.value.to_string()));
    let placed = |policy: String| Change::set_in(role.head.span, "placement", Line::of("numa", policy));
    let both = placed(format!("interleave {},{}", bound.min(node), bound.max(node)));
    let finding = FAR_MEMORY
        .at(numa, format!("memory on node {bound}"), message)
        .about(role)
        .also(cpus.span, format!("CPUs of node {node}"));
    let finding = near.into_iter().fold(finding, |finding, line| {
        let change = Change::set_in(role.head.span, "placement", line);
        finding.remedy(format!("write `{{}}`, the CPUs of node {bound}"), change)
    });
    let finding = if cpus.list == far.cpus {
        finding.remedy("write `{}`, the node of the CPUs", placed(format!("bind {node}")))
    } else {
        finding
    };
    finding.remedy("write `{}`", both)
}
