//! A role with more threads than its CPUs have physical cores.

use super::threads;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{CpuList, Host};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role with more `threads` than its CPUs have physical cores, on a host with several hardware threads per core
    /// (`smt`).
    ///
    /// ## Why
    /// Two threads on one core share its arithmetic units and its memory bandwidth, and one thread of a model already
    /// uses both. The second thread rarely makes the model faster, and often slower. It can be intended, so this is a
    /// note.
    ///
    /// Cores are counted only if the CPUs are whole NUMA nodes or the whole host. orchgen does not know which CPUs of a
    /// part share a core.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 1, threads: 9}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, placement: {numa: bind 1, threads: 8}}
    /// ```
    pub(super) static MORE_THREADS_THAN_CORES = 331, "more-threads-than-cores", Note;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let cores = |host: &Host, cpus: &CpuList| host.counts_cores(cpus).then(|| host.cores(cpus));
    // `more-threads-than-cpus` reports the worse case.
    let worse = threads::oversubscribed(registry, |_, cpus| Some(cpus.count()));
    let worse: BTreeSet<Span> = worse.iter().map(|role| role.threads.span).collect();
    let roles = threads::oversubscribed(registry, cores).into_iter();
    for found in roles.filter(|found| !worse.contains(&found.threads.span)) {
        let (role, host) = (&found.role.head.name, found.host);
        let cores = host.cores(&found.cpus);
        let count = words::count(usize::try_from(cores).unwrap_or(usize::MAX), "physical core");
        let message = format!(
            "role {} has {} for {count}",
            words::quoted(role),
            words::count(found.threads.value as usize, "thread")
        );
        let (place, label) = found.cpus_label();
        let finding = MORE_THREADS_THAN_CORES
            .at(found.threads.span, format!("{} for {}", count, found.cpus.describe()), message)
            .about(("role", &*role.value))
            .also(place, label);
        findings.report(finding.help(format!("try `threads` {cores}, one per core")));
    }
}
