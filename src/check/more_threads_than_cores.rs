//! A role with more threads than its CPUs have physical cores.

use super::Check;
use super::threads;
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

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
    let cores = |host: &crate::hir::Host, cpus: &crate::hir::CpuList| {
        host.counts_cores(cpus).then(|| host.cores(cpus))
    };
    for crowded in threads::above(registry, cores) {
        // More than CPUs is worse, and said as such.
        if u64::from(crowded.threads.value) > crowded.cpus.count() {
            continue;
        }
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
            .at(crowded.threads.span, format!("CPUs {} are {count}", crowded.cpus), message)
            .about("role", &*role.value)
            .also(place, label);
        findings.say(finding.help(format!("try {cores}, one a core")));
    }
}
