//! Memory that is bound to another NUMA node than the CPUs of the role.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{CpuList, Host, Id, NumaNode, Role, Serving};
use crate::source::Span;
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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.served() {
        let host = registry.hosts.get(serving.host.value);
        let Some(numa) = serving.placement.numa.as_ref().filter(|_| serving.placement.cpus.is_some()) else {
            continue;
        };
        let mut instances = serving.representative_instances(host);
        if let Some((bound, far)) = instances.find_map(|instance| far_cpus(serving, host, instance))
            && reported.insert((numa.span, serving.host.value))
        {
            findings.report(finding(role, serving, bound, &far));
        }
    }
}

/// The node to which the memory of an instance is bound, and the CPUs of the instance on another node.
fn far_cpus<'r>(serving: &Serving, host: &'r Host, instance: usize) -> Option<(&'r NumaNode, FarCpus<'r>)> {
    let bound = serving.bound_node(host, instance)?;
    let bound = host.numa.iter().find(|node| node.node.value == bound)?;
    let cpus = &serving.placement.cpus.as_ref()?.list;
    let outside = cpus.difference(bound.cpus.as_ref()?);
    if outside.is_empty() {
        return None;
    }
    let has_some =
        |node: &&NumaNode| node.cpus.as_ref().is_some_and(|cpus| !cpus.intersection(&outside).is_empty());
    let node = host.numa.iter().find(has_some)?;
    let cpus = outside.intersection(node.cpus.as_ref()?);
    Some((bound, FarCpus { node, cpus }))
}

/// CPUs on a node to which the memory is not bound.
struct FarCpus<'r> {
    node: &'r NumaNode,
    cpus: CpuList,
}

fn finding(role: &Role, serving: &Serving, bound: &NumaNode, far: &FarCpus) -> Diagnostic {
    let (name, bound_node, far_node) = (&role.head.name, bound.node.value, far.node.node.value);
    let message = format!(
        "role {} runs on {} of NUMA node {far_node}, but its memory is bound to node {bound_node}",
        words::quoted(name),
        far.cpus.describe()
    );
    let placement = &serving.placement;
    let numa = placement.numa.as_ref().map_or(name.span, |numa| numa.span);
    let finding = FAR_MEMORY
        .at(numa, format!("memory on node {bound_node}"), message)
        .about(("role", &*name.value))
        .also(
            placement.cpus.as_ref().map_or(name.span, |cpus| cpus.span),
            format!("CPUs of node {far_node}"),
        );
    let near =
        bound.cpus.as_ref().map(|cpus| format!("choose `cpus` on node {bound_node}, from `{}`", cpus.value));
    let both = format!("`interleave {},{}`", bound_node.min(far_node), bound_node.max(far_node));
    let is_all_far = placement.cpus.as_ref().is_some_and(|cpus| cpus.list == far.cpus);
    finding.maybe_help(near).help(if is_all_far {
        format!("set `numa` to `bind {far_node}`, the node of the CPUs, or to {both}")
    } else {
        format!("set `numa` to {both}")
    })
}
