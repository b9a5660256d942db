//! NUMA nodes with more memory in sum than their host.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};
use crate::hir::Bytes;

declare_code! {
    /// ## What it finds
    /// A host whose NUMA nodes have more memory in sum than its `memory`.
    ///
    /// ## Why
    /// One of the numbers is wrong, so memory checks against it are not reliable. `GB` and `GiB` differ by 7 percent.
    /// Write all sizes in the same unit.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-7" memory="32 GiB"
    ///     numa 1 cpus="8-15" memory="32 GiB"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GiB" {
    ///     numa 0 cpus="0-7" memory="32 GiB"
    ///     numa 1 cpus="8-15" memory="32 GiB"
    /// }
    /// ```
    pub(super) static NODE_MEMORY_OVER_HOST = 335, "node-memory-over-host", Error;
}

/// Maximum number of labeled nodes.
const MAX_LABELS: usize = 6;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for host in derived.registry.hosts.iter() {
        let nodes = || host.numa.iter().filter_map(|node| Some((node.node.value, node.memory?)));
        let Some(memory) = host.memory else { continue };
        let sum = nodes().fold(Bytes(0), |sum, (_, memory)| sum.plus(memory.value));
        if sum <= memory.value {
            continue;
        }
        let (place, memory, over) = (memory.span, memory.value, sum.minus(memory.value));
        let message =
            format!("the NUMA nodes of {host} have {sum}, {over} more than its `memory` of {memory}");
        let labels = nodes().take(MAX_LABELS);
        let labels = labels.map(|(node, memory)| (memory.span, format!("{} on node {node}", memory.value)));
        let finding = NODE_MEMORY_OVER_HOST.at(place, format!("its nodes have {sum}"), message).about(host);
        let enough = sum.rounded_up();
        let raise = Change::set(host.head.span, Line::of("memory", enough.to_string()));
        let finding = finding.also_each(labels).remedy("write `{}`, if the host has that much", raise);
        findings.report(finding.help("or correct the `memory` of its nodes"));
    }
}
