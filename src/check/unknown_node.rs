//! A NUMA node that the host does not have.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::NumaPolicy;

declare_code! {
    /// ## What it finds
    /// A placement on a NUMA node that the host does not declare. A host without `numa` has one node, number 0.
    ///
    /// ## Why
    /// The kernel refuses a memory policy with a node that does not exist, and the unit does not start.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 7}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 1}}
    /// ```
    pub(super) static UNKNOWN_NODE = 316, "unknown-node", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(numa) = &serving.placement.numa else { continue };
        let named = match &numa.value {
            NumaPolicy::Interleave(nodes) => nodes.as_slice(),
            NumaPolicy::Bind(node) => std::slice::from_ref(node),
            NumaPolicy::Spread => &[],
        };
        let host = registry.hosts.get(serving.host.value);
        let declared: Vec<u32> = host.numa.iter().map(|node| node.node.value).collect();
        let exists = |node: &&u32| if declared.is_empty() { **node == 0 } else { declared.contains(node) };
        let Some(missing) = named.iter().find(|node| !exists(node)) else { continue };
        let known: Vec<String> = declared.iter().map(|node| format!("`{node}`")).collect();
        let message = format!("{role} is placed on NUMA node {missing}, which {host} does not have");
        let help = if known.is_empty() {
            format!("declare it on the host: `numa` with `node` {missing}, its `cpus` and its `memory`")
        } else {
            format!("use a node of the host: {}", words::any_of(&known))
        };
        let finding = UNKNOWN_NODE.at(numa.span, format!("the host has no node {missing}"), message);
        let finding = finding.also(host.head.name.span, "this host").about(role);
        findings.report(finding.help(help));
    }
}
