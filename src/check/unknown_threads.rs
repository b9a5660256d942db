//! A number of threads that nothing says.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role without `threads` on CPUs whose physical cores cannot be counted: a part of a node of a host with `smt`, or a
    /// number of CPUs that `smt` does not divide.
    ///
    /// ## Why
    /// `threads` defaults to the physical cores of the role's CPUs. Which two of them share a core depends on the machine, so for a
    /// whole node or host they can be counted, and for a part of one they cannot.
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
    static UNKNOWN_THREADS = 325, "unknown-threads", Error;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_THREADS, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for role in registry.roles.iter() {
        let Some(serving) = role.serving().filter(|serving| serving.placement.threads.is_none()) else {
            continue;
        };
        let host = registry.hosts.get(serving.host.value);
        let Some(cpus) = serving
            .kinds_of_instances(host)
            .filter_map(|n| serving.threads_cpus(host, n))
            .find(|cpus| !host.counts_cores(cpus))
        else {
            continue;
        };
        let place = serving.placement.cpus.as_ref().map_or(role.head.name.span, |cpus| cpus.span);
        let message = format!(
            "role {} has no `threads`, and how many cores CPUs {cpus} are is not known",
            words::quoted(&role.head.name)
        );
        let finding = UNKNOWN_THREADS
            .at(place, format!("with {} hardware threads a core", host.smt), message)
            .about("role", &*role.head.name.value)
            .also(host.head.name.span, "on this host");
        findings.report(finding.help("add `threads` to `placement`, or name whole nodes"));
    }
}
