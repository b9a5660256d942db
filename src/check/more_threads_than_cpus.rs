//! A role with more threads than CPUs.

use super::threads;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// A role with more `threads` than CPUs. The CPUs are its `cpus`, those of the node that it is bound to, or all of
    /// its host.
    ///
    /// ## Why
    /// The threads of the engine wait for each other at every step. A thread that shares a CPU delays all others, and
    /// the model becomes many times slower.
    ///
    /// A CPU is a hardware thread here; for physical cores see `more-threads-than-cores`. Threads of several roles are
    /// not summed, because roles do not always compute at the same time.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 0-3, threads: 5}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {cpus: 0-3, threads: 4}}
    /// ```
    pub(super) static MORE_THREADS_THAN_CPUS = 330, "more-threads-than-cpus", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for found in threads::oversubscribed(&derived.registry, |_, cpus| Some(cpus.count())) {
        let (role, cpus, host) = (&found.role.head.name, &found.cpus, found.host);
        let count = words::count(usize::try_from(cpus.count()).unwrap_or(usize::MAX), "CPU");
        let message = format!(
            "role {} has {} for {count}: {cpus}",
            words::quoted(role),
            words::count(found.threads.value as usize, "thread")
        );
        let (place, label) = found.cpus_label();
        let finding = MORE_THREADS_THAN_CPUS
            .at(found.threads.span, format!("for {count}"), message)
            .about(("role", &*role.value))
            .also(place, label);
        let cores = host.cores(cpus);
        findings.report(finding.help(if host.counts_cores(cpus) && cores < cpus.count() {
            format!("set `threads` to {cores}, one per physical core, or to at most {}", cpus.count())
        } else {
            format!("set `threads` to at most {}", cpus.count())
        }));
    }
}
