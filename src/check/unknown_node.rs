//! A NUMA node that the host does not have.

use super::placed;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};
use crate::hir::NumaPolicy;
use crate::source::Span;
use std::collections::BTreeSet;

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

/// The maximum number of nodes that a help offers.
const MAX_OFFERED: usize = 4;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, serving) in registry.processes() {
        let Some(numa) = &serving.placement.numa else { continue };
        let named = match &numa.value {
            NumaPolicy::Interleave(nodes) => nodes.as_slice(),
            NumaPolicy::Bind(node) => std::slice::from_ref(node),
            NumaPolicy::Spread | NumaPolicy::Distribute => &[],
        };
        let host = registry.hosts.get(serving.host.value);
        let declared: Vec<u32> = host.numa.iter().map(|node| node.node.value).collect();
        if numa.value == NumaPolicy::Distribute && declared.len() < 2 && host.all_cpus().is_some() {
            let message = format!("{role} distributes its threads over NUMA nodes, but {host} has one node");
            let finding = UNKNOWN_NODE.at(numa.span, "has no effect", message).about(role);
            findings.report(finding.also(host.head.name.span, "this host").remove(numa.span));
            continue;
        }
        let exists = |node: &&u32| if declared.is_empty() { **node == 0 } else { declared.contains(node) };
        let Some(missing) = named.iter().find(|node| !exists(node)) else { continue };
        let head = placed(registry, role, serving, numa.span);
        // A gateway has one placement for all its roles.
        if head.kind == "gateway" && !reported.insert(numa.span) {
            continue;
        }
        let message = format!("{head} is placed on NUMA node {missing}, which {host} does not have");
        let finding = UNKNOWN_NODE.at(numa.span, format!("the host has no node {missing}"), message);
        let finding = finding.also(host.head.name.span, "this host").about(head).with_number(missing);
        findings.report(match declared.first() {
            None => finding.remove(numa.span),
            Some(_) => near_policies(&numa.value, &declared).into_iter().fold(finding, |finding, policy| {
                let line = Line::of("numa", policy);
                finding.remedy("write `{}`", Change::set_in(head.span, "placement", line))
            }),
        });
    }
}

/// The policies to write instead: one for each node, or the same policy for the nodes that exist.
fn near_policies(policy: &NumaPolicy, declared: &[u32]) -> Vec<String> {
    match policy {
        NumaPolicy::Interleave(_) => {
            let nodes: Vec<String> = declared.iter().map(u32::to_string).collect();
            vec![format!("interleave {}", nodes.join(","))]
        }
        NumaPolicy::Bind(_) | NumaPolicy::Spread | NumaPolicy::Distribute => {
            declared.iter().take(MAX_OFFERED).map(|node| format!("bind {node}")).collect()
        }
    }
}
