//! A NUMA node that the host does not have.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Numa, Registry};

declare_code! {
    /// ## What it finds
    /// A placement on a NUMA node that its host does not declare. A host without `numa` is one node, number 0.
    ///
    /// ## Why
    /// The kernel refuses a memory policy over a node that is not there, and the unit does not start.
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
    static UNKNOWN_NODE = 316, "unknown-node", Error;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_NODE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let Some(numa) = &serving.placement.numa else { continue };
        let named = match &numa.value {
            Numa::Interleave(nodes) => nodes.as_slice(),
            Numa::Bind(node) => std::slice::from_ref(node),
            Numa::Spread => &[],
        };
        let host = registry.hosts.get(serving.host.value);
        let declared: Vec<u32> = host.numa.iter().map(|node| node.node.value).collect();
        let there = |node: &&u32| if declared.is_empty() { **node == 0 } else { declared.contains(node) };
        let Some(missing) = named.iter().find(|node| !there(node)) else { continue };
        let known: Vec<String> = declared.iter().map(|node| format!("`{node}`")).collect();
        let message = format!(
            "role {} is placed on NUMA node {missing}, which host {} does not have",
            words::quoted(&role.head.name),
            words::quoted(&host.head.name)
        );
        let help = if known.is_empty() {
            format!("declare it on the host, as in `numa {missing} cpus=\"0-47\" memory=\"565 GB\"`")
        } else {
            format!("name one of its nodes: {}", words::any_of(&known))
        };
        let finding = UNKNOWN_NODE.at(numa.span, format!("there is no node {missing}"), message);
        let finding = finding.also(host.head.name.span, "this host").about("role", &*role.head.name.value);
        findings.report(finding.help(help));
    }
}
