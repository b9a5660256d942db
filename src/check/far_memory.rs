//! Memory that is bound to another node than the CPUs that use it.

use super::Check;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{CpuList, Host, Id, NumaNode, Registry, Role, Serving};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role whose memory is bound to one NUMA node and whose `cpus` are of another one, all of them or some.
    ///
    /// ## Why
    /// Each token reads all weights that it uses, here through the link between the nodes, which is several times slower than
    /// a node's own memory. CPUs of several nodes are best served by interleaved memory, which is no finding.
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
    static FAR_MEMORY = 333, "far-memory", Warning;
}

pub(super) static CHECK: Check = Check { code: &FAR_MEMORY, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut said: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.served() {
        let host = registry.hosts.get(serving.host.value);
        let Some(numa) = serving.placement.numa.as_ref().filter(|_| serving.placement.cpus.is_some()) else {
            continue;
        };
        let mut instances = serving.kinds_of_instances(host);
        if let Some((bound, far)) = instances.find_map(|instance| far(serving, host, instance))
            && said.insert((numa.span, serving.host.value))
        {
            findings.report(finding(role, serving, bound, &far));
        }
    }
}

/// The node that an instance is bound to, and the CPUs that it has on other nodes.
fn far<'r>(serving: &Serving, host: &'r Host, instance: usize) -> Option<(&'r NumaNode, Far<'r>)> {
    let bound = serving.bound_node(host, instance)?;
    let bound = host.numa.iter().find(|node| node.node.value == bound)?;
    let cpus = &serving.placement.cpus.as_ref()?.list;
    let outside = cpus.without(bound.cpus.as_ref()?);
    if outside.is_empty() {
        return None;
    }
    let on = |node: &&NumaNode| node.cpus.as_ref().is_some_and(|of| !of.common_with(&outside).is_empty());
    let node = host.numa.iter().find(on)?;
    let cpus = outside.common_with(node.cpus.as_ref()?);
    Some((bound, Far { node, cpus }))
}

/// CPUs of a node that the memory is not bound to.
struct Far<'r> {
    node: &'r NumaNode,
    cpus: CpuList,
}

fn finding(role: &Role, serving: &Serving, bound: &NumaNode, far: &Far) -> Diagnostic {
    let (name, bound_node, far_node) = (&role.head.name, bound.node.value, far.node.node.value);
    let message = format!(
        "role {} runs on {} of NUMA node {far_node}, and its memory is bound to node {bound_node}",
        words::quoted(name),
        far.cpus.spoken()
    );
    let placement = &serving.placement;
    let numa = placement.numa.as_ref().map_or(name.span, |numa| numa.span);
    let finding = FAR_MEMORY
        .at(numa, format!("memory on node {bound_node}"), message)
        .about("role", &*name.value)
        .also(
            placement.cpus.as_ref().map_or(name.span, |cpus| cpus.span),
            format!("CPUs of node {far_node}"),
        );
    let near =
        bound.cpus.as_ref().map(|cpus| format!("name CPUs of node {bound_node}, some of `{}`", cpus.value));
    finding.maybe_help(near).help("bind the memory to the node of the CPUs, or interleave it over both")
}
