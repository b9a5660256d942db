//! A role with more threads than its CPUs have physical cores.

use super::Check;
use super::threads;
use crate::diag::{Diagnostics, words};
use crate::hir::{CpuList, Host, Registry};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role with more `threads` than its CPUs have physical cores, on a host with several hardware threads a core (`smt`).
    ///
    /// ## Why
    /// Two threads on one core share its arithmetic and its way to memory, which a model uses up alone: the second one seldom
    /// makes it faster and often slower. It may be meant, so this is a note. Cores are counted where the CPUs are whole nodes
    /// or the whole host; which CPUs of a part share a core is not known.
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
    static MORE_THREADS_THAN_CORES = 331, "more-threads-than-cores", Note;
}

pub(super) static CHECK: Check = Check { code: &MORE_THREADS_THAN_CORES, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let cores = |host: &Host, cpus: &CpuList| host.counts_cores(cpus).then(|| host.cores(cpus));
    // More than CPUs is worse, and said as such.
    let worse = threads::above(registry, |_, cpus| Some(cpus.count()));
    let worse: BTreeSet<Span> = worse.iter().map(|crowded| crowded.threads.span).collect();
    let crowded = threads::above(registry, cores).into_iter();
    for crowded in crowded.filter(|crowded| !worse.contains(&crowded.threads.span)) {
        let (role, host) = (&crowded.role.head.name, crowded.host);
        let cores = host.cores(&crowded.cpus);
        let count = words::count(usize::try_from(cores).unwrap_or(usize::MAX), "physical core");
        let message = format!(
            "role {} has {} for {count}",
            words::quoted(role),
            words::count(crowded.threads.value as usize, "thread")
        );
        let (place, label) = crowded.cpus_at();
        let finding = MORE_THREADS_THAN_CORES
            .at(crowded.threads.span, format!("{} for {}", count, crowded.cpus.spoken()), message)
            .about("role", &*role.value)
            .also(place, label);
        findings.report(finding.help(format!("try {cores}, one a core")));
    }
}
