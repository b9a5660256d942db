//! A NUMA node with less memory than roles lock on it.

use super::nodes;
use crate::derive::Derived;
use crate::derive::MemoryScope;
use crate::diag::Diagnostics;

declare_code! {
    /// ## What it finds
    /// A NUMA node with less memory than roles lock on it. These are the roles with `lock` whose memory is bound to the
    /// node or interleaved over it.
    ///
    /// ## Why
    /// The kernel cannot reclaim locked memory. A process whose files do not fit is killed while it loads, or pushes
    /// the memory of all other processes off the node. Locked files of models and drafts count once per process.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-7" memory="60 GB"
    ///     numa 1 cpus="8-15" memory="4 GB"
    /// }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 {
    ///     placement numa="bind 1" lock=#true
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
    ///     placement numa="bind 0" lock=#true
    /// }
    /// ```
    pub(super) static LOCKED_OVER_NODE = 338, "locked-over-node", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    for (group, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        if !nodes::can_be_checked(registry, group) {
            continue;
        }
        for node in nodes::overfull_nodes(registry, group, services, MemoryScope::LockedOn) {
            let help = |roles: &str| format!("place {roles} on other nodes, or remove `lock`");
            findings.report(node.finding(&LOCKED_OVER_NODE, "files locked", help));
        }
    }
}
