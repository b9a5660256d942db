//! A NUMA node with less memory than the roles placed on it take.

use super::{nodes, sum};
use crate::derive::Derived;
use crate::derive::MemoryScope;
use crate::diag::Diagnostics;

declare_code! {
    /// ## What it finds
    /// A NUMA node with less memory than its roles take: those whose memory is bound to it or interleaved over it. The
    /// finding prints the sum line by line.
    ///
    /// ## Why
    /// Bound memory cannot use other nodes. If the node is full, the kernel evicts pages that are in use, or kills the
    /// process although other nodes have free memory.
    ///
    /// - Interleaved memory is divided evenly over its nodes.
    /// - The pages of a mapped file are on the node that touched them first. A mapped file is therefore counted only if
    ///   all roles that read it share one placement; otherwise it is not checked per node.
    /// - Files of roles with `lock`, and projectors, count once per process.
    /// - With a `registry.lock`, caches, state and buffers also count, once per process.
    /// - `reserve` is not subtracted from nodes.
    ///
    /// If the whole host has too little memory, or a residency over its budget is the cause, only that is reported.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-7" memory="60 GB"
    ///     numa 1 cpus="8-15" memory="4 GB"
    /// }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 {
    ///     placement numa="bind 1"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-7" memory="60 GB"
    ///     numa 1 cpus="8-15" memory="4 GB"
    /// }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 {
    ///     placement numa="bind 0"
    /// }
    /// ```
    pub(super) static OVER_NODE_MEMORY = 337, "over-node-memory", Error;
}

/// The reason why a sum per node is always incomplete.
const PLACED_ALIKE: &str = "mapped files are counted only if all roles that read them share one placement";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    for (group, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        if !nodes::can_be_checked(registry, group) {
            continue;
        }
        for node in nodes::overfull_nodes(registry, group, services, MemoryScope::Node) {
            // `locked-over-node` reports nodes that the locked files alone overfill.
            if !node.is_over(MemoryScope::LockedOn) {
                let help = |roles: &str| format!("place {roles} on other nodes");
                findings.report(node.finding(&OVER_NODE_MEMORY, "roles placed", help));
            }
        }
        let unknown = sum::unknown_memory(derived, group).map(|why| format!("; {why}")).unwrap_or_default();
        let host = &registry.hosts.get(group.host).head;
        findings.skip(&OVER_NODE_MEMORY, host, format!("{PLACED_ALIKE}{unknown}"));
    }
}
