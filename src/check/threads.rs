//! Roles with more threads than their CPUs, or than the physical cores of their CPUs.

use crate::derive::Derived;
use crate::diag::{Change, Code, Diagnostic, Diagnostics, Line, words};
use crate::hir::{CpuList, Host, Id, Registry, Role, Serving, Setting};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role with more `threads` or `threads-batch` than CPUs. The CPUs are its `cpus`, those of the node that it is bound to, or all of
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

/// A role with too many threads for its CPUs.
struct OversubscribedRole<'r> {
    role: &'r Role,
    host: &'r Host,
    /// `threads` or `threads-batch`.
    field: &'static str,
    threads: Spanned<u32>,
    /// The CPUs of the first instance with too few.
    cpus: CpuList,
    serving: &'r Serving,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut too_many: BTreeSet<Span> = BTreeSet::new();
    let all_cpus = |_: &Host, cpus: &CpuList| Some(cpus.count());
    let batches = oversubscribed(&derived.registry, ("threads-batch", batch_threads), all_cpus);
    for found in oversubscribed(&derived.registry, THREADS, all_cpus).into_iter().chain(batches) {
        too_many.insert(found.threads.span);
        let (cpus, cores) = (found.cpus.count(), found.host.cores(&found.cpus));
        let one_per_core = found.field == THREADS.0 && found.host.counts_cores(&found.cpus) && cores < cpus;
        let most = if one_per_core { cores } else { cpus };
        let count = count(cpus, "CPU");
        let finding = found.finding(
            &MORE_THREADS_THAN_CPUS,
            format!("for {count}"),
            &format!("{count}: {}", found.cpus),
        );
        findings.report(found.set_threads(finding, most));
    }
    let cores = |host: &Host, cpus: &CpuList| host.counts_cores(cpus).then(|| host.cores(cpus));
    for found in oversubscribed(&derived.registry, THREADS, cores) {
        if !too_many.contains(&found.threads.span) {
            let cores = found.host.cores(&found.cpus);
            let count = count(cores, "physical core");
            let label = format!("{count} for {}", found.cpus.describe());
            let finding = found.finding(&MORE_THREADS_THAN_CORES, label, &count);
            findings.report(found.set_threads(finding, cores));
        }
    }
}

fn count(number: u64, noun: &str) -> String {
    words::count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

/// A field with a number of threads.
type ThreadsField = (&'static str, fn(&Serving) -> Option<Spanned<u32>>);

const THREADS: ThreadsField = ("threads", |serving| serving.placement.threads);

fn batch_threads(serving: &Serving) -> Option<Spanned<u32>> {
    let threads = serving.setting("threads-batch")?;
    match threads.value {
        Setting::Integer(number) => Some(Spanned::new(u32::try_from(number).ok()?, threads.span)),
        Setting::Flag(_) | Setting::Float(_) | Setting::Text(_) => None,
    }
}

/// The roles with more declared threads than `limit` allows for the CPUs of an instance. If many roles get their
/// threads from one default, only the first role of each host is returned.
fn oversubscribed(
    registry: &Registry,
    (field, threads_of): ThreadsField,
    limit: impl Fn(&Host, &CpuList) -> Option<u64>,
) -> Vec<OversubscribedRole<'_>> {
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    let mut found = Vec::new();
    for (role, serving) in registry.served() {
        let Some(threads) = threads_of(serving) else { continue };
        let host = registry.hosts.get(serving.host.value);
        // Interleaved memory does not bind a role to the CPUs of its nodes.
        let mut cpu_lists = serving
            .representative_instances(host)
            .filter_map(|n| serving.cpus(host, n).or_else(|| host.all_cpus()));
        let too_few =
            cpu_lists.find(|cpus| limit(host, cpus).is_some_and(|limit| u64::from(threads.value) > limit));
        if let Some(cpus) = too_few
            && reported.insert((threads.span, serving.host.value))
        {
            found.push(OversubscribedRole { role, host, field, threads, cpus, serving });
        }
    }
    found
}

impl OversubscribedRole<'_> {
    fn set_threads(&self, finding: Diagnostic, threads: u64) -> Diagnostic {
        let line = Line::of(self.field, threads);
        let is_of_cores = self.field == THREADS.0
            && self.host.counts_cores(&self.cpus)
            && threads == self.host.cores(&self.cpus);
        let title = if is_of_cores { "write `{}`, one per physical core" } else { "write `{}`" };
        let item = self.role.head.span;
        let is_placement = self.field == THREADS.0;
        let change =
            if is_placement { Change::set_in(item, "placement", line) } else { Change::set(item, line) };
        finding.remedy(title, change)
    }

    fn finding(&self, code: &'static Code, label: String, limit: &str) -> Diagnostic {
        let noun = if self.field == THREADS.0 { "thread" } else { "batch thread" };
        let threads = words::count(self.threads.value as usize, noun);
        let placement = &self.serving.placement;
        let (place, on) = match (&placement.cpus, &placement.numa) {
            (Some(cpus), _) => (cpus.span, "on these CPUs"),
            (None, Some(numa)) if self.serving.bound_node(self.host, 0).is_some() => {
                (numa.span, "on the CPUs of its node")
            }
            (None, _) => (self.host.head.name.span, "on the CPUs of this host"),
        };
        code.at(self.threads.span, label, format!("{} has {threads} for {limit}", self.role))
            .about(self.role)
            .also(place, on)
    }
}
