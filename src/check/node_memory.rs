//! NUMA nodes with less memory than roles lock on them, or place on them.

use super::shared::sum::{self, HostLoad, MAX_WITH_ADVICE, MemorySum};
use crate::derive::{Derived, MemoryLoad, MemoryScope, RoleGroup};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::hir::{Bytes, NumaNode, Registry};

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

/// The reason why a sum per node is always incomplete.
const PLACED_ALIKE: &str = "mapped files are counted only if all roles that read them share one placement";

/// A node whose roles take more than its memory.
struct OverfullNode<'f> {
    registry: &'f Registry,
    group: &'f RoleGroup<'f>,
    node: &'f NumaNode,
    memory: Bytes,
    scope: MemoryScope,
    load: MemoryLoad,
    has_advice: bool,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    for (group, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        let host = registry.hosts.get(group.host);
        if host.numa.iter().all(|node| node.memory.is_none()) || !group.is_placed() {
            continue;
        }
        for node in overfull_nodes(registry, group, services, MemoryScope::locked_on) {
            let help = |roles: &str| format!("place {roles} on other nodes, or remove `lock`");
            findings.report(node.finding(&LOCKED_OVER_NODE, "files locked", help));
        }
        for node in overfull_nodes(registry, group, services, MemoryScope::node) {
            // `locked-over-node` reports nodes that the locked files alone overfill.
            let locked = group.load(MemoryScope::locked_on(node.node.node.value));
            if locked.total <= node.memory {
                let help = |roles: &str| format!("place {roles} on other nodes");
                findings.report(node.finding(&OVER_NODE_MEMORY, "roles placed", help));
            }
        }
        let unknown = sum::unknown_memory(derived, group).map(|why| format!("; {why}")).unwrap_or_default();
        findings.skip(&OVER_NODE_MEMORY, host, format!("{PLACED_ALIKE}{unknown}"));
    }
}

/// The nodes of a host that are over their memory, unless the cause is the host as a whole or a budget. `services` is
/// the memory of the host's services.
fn overfull_nodes<'f>(
    registry: &'f Registry,
    group: &'f RoleGroup<'f>,
    services: Bytes,
    scope: fn(u32) -> MemoryScope,
) -> Vec<OverfullNode<'f>> {
    let mut overfull: Vec<OverfullNode> = Vec::new();
    let mut host_load: Option<HostLoad> = None;
    for node in &registry.hosts.get(group.host).numa {
        let Some(memory) = node.memory.map(|memory| memory.value) else { continue };
        let scope = scope(node.node.value);
        let load = group.load(scope);
        if load.total <= memory {
            continue;
        }
        let host_load = host_load.get_or_insert_with(|| HostLoad::new(registry, group, services));
        if host_load.exceeds_host() {
            return Vec::new();
        }
        if load.total.minus(host_load.overrun) > memory {
            let has_advice = overfull.len() < MAX_WITH_ADVICE;
            overfull.push(OverfullNode { registry, group, node, memory, scope, load, has_advice });
        }
    }
    overfull
}

impl OverfullNode<'_> {
    /// The finding: the sum, and a help that names the smallest set of roles to move.
    fn finding(&self, code: &'static Code, what: &str, help: impl Fn(&str) -> String) -> Diagnostic {
        let host = self.registry.hosts.get(self.group.host);
        let total = self.load.total;
        let over = total.minus(self.memory);
        let message = format!(
            "{what} on NUMA node {} of {host} take {total}, {over} over its memory of {}",
            self.node.node.value, self.memory
        );
        let place = self.node.memory.map_or(self.node.node.span, |memory| memory.span);
        let finding = code.at(place, format!("{total} needed"), message).about(host);
        let limit = [("memory of the node", self.memory)];
        let sum = MemorySum {
            registry: self.registry,
            group: self.group,
            scope: self.scope,
            load: &self.load,
            services: &[],
            limit: &limit,
            over,
            has_sets: self.has_advice,
        };
        let help = if self.has_advice { sum.removal(help, " here") } else { help("several roles") };
        sum.add_to(finding).help(help)
    }
}
