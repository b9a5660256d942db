//! NUMA nodes of one host with common CPUs.

use super::shared::claims::Claims;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};

declare_code! {
    /// ## What it finds
    /// A CPU declared in two NUMA nodes of a host.
    ///
    /// ## Why
    /// A CPU belongs to one node. A process placed by node would run on CPUs far from its memory. `lscpu` and
    /// `numactl --hardware` list the CPUs of each node. With several hardware threads per core they are often two
    /// ranges, such as `0-7,16-23`.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-8"
    ///     numa 1 cpus="8-15"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" {
    ///     numa 0 cpus="0-7"
    ///     numa 1 cpus="8-15"
    /// }
    /// ```
    pub(super) static OVERLAPPING_NODES = 334, "overlapping-nodes", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for host in derived.registry.hosts.iter() {
        let mut claims = Claims::default();
        for (n, node) in host.numa.iter().enumerate() {
            let Some(cpus) = &node.cpus else { continue };
            let other = claims.first_of(cpus).and_then(|other| host.numa.get(other));
            claims.claim_cpus(cpus, n);
            let Some((other, of_other)) = other.and_then(|other| Some((other, other.cpus.as_ref()?))) else {
                continue;
            };
            let common = cpus.intersection(of_other).describe();
            let rest = cpus.difference(of_other);
            let (node, other) = (node.node.value, other.node.value);
            let message = format!("NUMA nodes {other} and {node} of {host} both have {common}");
            let finding = OVERLAPPING_NODES
                .at(cpus.span, format!("also has {common}"), message)
                .about(host)
                .with_number(&format!("{other} {node} {common}"))
                .also(of_other.span, format!("the CPUs of node {other}"));
            let finding = finding.help("declare each CPU only in the node that `numactl --hardware` prints");
            findings.report(if rest.is_empty() {
                finding
            } else {
                let line = Line::of("cpus", rest.to_string());
                finding.remedy(format!("write `{{}}` in node {node}"), Change::rewrite(cpus.span, line))
            });
        }
    }
}
