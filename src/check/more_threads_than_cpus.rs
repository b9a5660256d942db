//! A role with more threads than its CPUs can run at a time.

use super::Check;
use super::threads;
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role with more `threads` than it has CPUs: those of its `cpus`, of the node that it is bound to, or of its host.
    ///
    /// ## Why
    /// The threads of the engine wait for each other at every step. One that has no CPU to itself holds up all others, and
    /// the model is many times slower.
    ///
    /// CPUs are hardware threads here. Against physical cores, see `more-threads-than-cores`. Threads of several roles are not
    /// summed, since they need not compute at the same time.
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
    static MORE_THREADS_THAN_CPUS = 330, "more-threads-than-cpus", Error;
}

pub(super) static CHECK: Check = Check { code: &MORE_THREADS_THAN_CPUS, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for crowded in threads::above(registry, |_, cpus| Some(cpus.count())) {
        let (role, cpus, host) = (&crowded.role.head.name, &crowded.cpus, crowded.host);
        let count = words::count(usize::try_from(cpus.count()).unwrap_or(usize::MAX), "CPU");
        let message = format!(
            "role {} has {} for {count}: {cpus}",
            words::quoted(role),
            words::count(crowded.threads.value as usize, "thread")
        );
        let (place, label) = crowded.cpus_at();
        let finding = MORE_THREADS_THAN_CPUS
            .at(crowded.threads.span, format!("for {count}"), message)
            .about("role", &*role.value)
            .also(place, label);
        let cores = host.cores(cpus);
        findings.report(finding.help(if host.counts_cores(cpus) && cores < cpus.count() {
            format!("use {cores}, one a physical core, or at most {}", cpus.count())
        } else {
            format!("use at most {}", cpus.count())
        }));
    }
}
