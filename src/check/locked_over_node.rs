//! A NUMA node with less memory than is locked on it.

use super::nodes;
use super::{Ground, GroundCheck};
use crate::diag::Diagnostics;
use crate::hir::Extent;

declare_code! {
    /// ## What it finds
    /// A NUMA node with less memory than is locked on it: by roles with `lock` whose memory is bound to it or interleaved over
    /// it.
    ///
    /// ## Why
    /// Locked memory cannot give way. A process whose files do not fit is killed while it loads, or drives all others out of
    /// the node. Locked files count once a process, drafts as well as models.
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
    static LOCKED_OVER_NODE = 338, "locked-over-node", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &LOCKED_OVER_NODE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let (registry, loads) = (&ground.registry, ground.loads());
    for (together, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        if !nodes::are_checked(registry, together) {
            continue;
        }
        for full in nodes::over(registry, together, services, Extent::LockedOn) {
            let cure = |roles: &str| format!("place {roles} on other nodes, or leave out `lock`");
            findings.report(full.finding(&LOCKED_OVER_NODE, "files locked", cure));
        }
    }
}
