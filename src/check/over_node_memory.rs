//! A NUMA node on which roles are placed that take more memory than it has.

use super::{Ground, GroundCheck};
use super::{nodes, sum};
use crate::diag::{Diagnostics, NotChecked, Subject};
use crate::hir::Extent;

declare_code! {
    /// ## What it finds
    /// A NUMA node with less memory than the roles take whose memory is bound to it or interleaved over it, with the sum drawn
    /// up line by line.
    ///
    /// ## Why
    /// Memory that is bound to a full node is taken from nowhere else: pages are thrown out while they are used, or the
    /// process is killed although other nodes have room.
    ///
    /// Interleaved memory is divided over its nodes. A mapped file lies where it was touched first, so it counts where all
    /// roles that read it say the same; where they disagree, or one is placed nowhere, it is not checked by node. Locked files,
    /// projectors, and what a lock tells besides, count once a process. A node has no reserve of its own.
    ///
    /// Where the whole host has too little memory, or a residency is over its budget and would fit within it, that is said
    /// instead.
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

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OVER_NODE_MEMORY, run };

/// What the sum of a node leaves open whatever is known of its roles.
const PLACED_ALIKE: &str = "of mapped files only those are summed whose readers are all placed alike";

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let (registry, loads) = (&ground.registry, ground.loads());
    for (together, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        if !nodes::are_checked(registry, together) {
            continue;
        }
        for full in nodes::over(registry, together, services, Extent::Node) {
            // Where the locked ones alone are too many, that is the cause.
            if !full.is_over(Extent::LockedOn) {
                let cure = |roles: &str| format!("place {roles} on other nodes");
                findings.report(full.finding(&OVER_NODE_MEMORY, "roles placed", cure));
            }
        }
        let open = sum::open(ground, together).map(|why| format!("; {why}")).unwrap_or_default();
        let subject = Subject::new("host", &*registry.hosts.get(together.host).head.name.value);
        let why = format!("{PLACED_ALIKE}{open}");
        findings.record_not_checked(NotChecked { check: OVER_NODE_MEMORY.name, subject, why });
    }
}
