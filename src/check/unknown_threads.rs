//! A role without `threads` whose default is unknown.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};

declare_code! {
    /// ## What it finds
    /// A role without `threads` on CPUs whose physical cores cannot be counted. Either the CPUs are a part of a NUMA
    /// node on a host with `smt`, or their number is not divisible by `smt`.
    ///
    /// ## Why
    /// `threads` defaults to the number of physical cores of the role's CPUs. Which CPUs share a core depends on the
    /// machine. So orchgen can count the cores of a whole node or host, but not of a part.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 0-3}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 0-3, threads: 4}}
    /// ```
    pub(super) static UNKNOWN_THREADS = 325, "unknown-threads", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for role in registry.roles.iter() {
        let Some(serving) = role.serving().filter(|serving| serving.placement.threads.is_none()) else {
            continue;
        };
        let host = registry.hosts.get(serving.host.value);
        let Some(cpus) = serving
            .representative_instances(host)
            .filter_map(|n| serving.threads_cpus(host, n))
            .find(|cpus| !host.counts_cores(cpus))
        else {
            continue;
        };
        let place = serving.placement.cpus.as_ref().map_or(role.head.name.span, |cpus| cpus.span);
        let message = format!("{role} needs `threads`: the number of physical cores in {cpus} is unknown");
        let finding = UNKNOWN_THREADS
            .at(place, format!("{} hardware threads per core", host.smt), message)
            .about(role)
            .also(host.head.name.span, "on this host");
        // Each core has at most `smt` CPUs, so the set has at least this many cores.
        let least = cpus.count().div_ceil(u64::from(host.smt.max(1)));
        let change = Change::set_in(role.head.span, "placement", Line::of("threads", least));
        findings
            .report(finding.remedy("write `{}` in `placement`, or more if the CPUs have more cores", change));
    }
}
