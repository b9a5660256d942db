//! Roles whose threads are more than something of their CPUs: shared by the checks that hold threads against CPUs and cores.

use crate::hir::{CpuList, Host, Id, Registry, Role, Serving};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

/// A role with more threads than it should have.
pub(super) struct Crowded<'r> {
    pub(super) role: &'r Role,
    pub(super) host: &'r Host,
    pub(super) threads: Spanned<u32>,
    /// The CPUs of the first instance that has too few.
    pub(super) cpus: CpuList,
    serving: &'r Serving,
}

/// The roles whose declared threads are more than `most` of the CPUs of any instance; where many take them from one place, the
/// first of each host.
pub(super) fn above(registry: &Registry, most: impl Fn(&Host, &CpuList) -> Option<u64>) -> Vec<Crowded<'_>> {
    let mut said: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    let mut found = Vec::new();
    for (role, serving) in registry.served() {
        let Some(threads) = serving.placement.threads else { continue };
        let host = registry.hosts.get(serving.host.value);
        // Interleaved memory holds no role to the CPUs of its nodes.
        let held = serving
            .kinds_of_instances(host)
            .filter_map(|n| serving.cpus(host, n).or_else(|| host.all_cpus()));
        let crowded = held
            .into_iter()
            .find(|cpus| most(host, cpus).is_some_and(|most| u64::from(threads.value) > most));
        if let Some(cpus) = crowded
            && said.insert((threads.span, serving.host.value))
        {
            found.push(Crowded { role, host, threads, cpus, serving });
        }
    }
    found
}

impl Crowded<'_> {
    /// Where it says which CPUs it has, and in which words to point there.
    pub(super) fn cpus_at(&self) -> (Span, &'static str) {
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
