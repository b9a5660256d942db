//! Roles with more threads than CPUs or cores. The two checks of threads use this module.

use crate::hir::{CpuList, Host, Id, Registry, Role, Serving};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

/// A role with too many threads for its CPUs.
pub(super) struct OversubscribedRole<'r> {
    pub(super) role: &'r Role,
    pub(super) host: &'r Host,
    pub(super) threads: Spanned<u32>,
    /// The CPUs of the first instance with too few.
    pub(super) cpus: CpuList,
    serving: &'r Serving,
}

/// The roles with more declared threads than `limit` allows for the CPUs of an instance. If many roles get their
/// threads from one default, only the first role of each host is returned.
pub(super) fn oversubscribed(
    registry: &Registry,
    limit: impl Fn(&Host, &CpuList) -> Option<u64>,
) -> Vec<OversubscribedRole<'_>> {
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    let mut found = Vec::new();
    for (role, serving) in registry.served() {
        let Some(threads) = serving.placement.threads else { continue };
        let host = registry.hosts.get(serving.host.value);
        // Interleaved memory does not bind a role to the CPUs of its nodes.
        let cpu_lists = serving
            .representative_instances(host)
            .filter_map(|n| serving.cpus(host, n).or_else(|| host.all_cpus()));
        let too_few = cpu_lists
            .into_iter()
            .find(|cpus| limit(host, cpus).is_some_and(|limit| u64::from(threads.value) > limit));
        if let Some(cpus) = too_few
            && reported.insert((threads.span, serving.host.value))
        {
            found.push(OversubscribedRole { role, host, threads, cpus, serving });
        }
    }
    found
}

impl OversubscribedRole<'_> {
    /// The place that declares its CPUs, with the label for it.
    pub(super) fn cpus_label(&self) -> (Span, &'static str) {
        let placement = &self.serving.placement;
        match (&placement.cpus, &placement.numa) {
            (Some(cpus), _) => (cpus.span, "on these CPUs"),
            (None, Some(numa)) if self.serving.bound_node(self.host, 0).is_some() => {
                (numa.span, "on the CPUs of its node")
            }
            (None, _) => (self.host.head.name.span, "on the CPUs of this host"),
        }
    }
}
