//! A residency whose roles take more memory than its budget.

use super::shared::sum::{self, MAX_WITH_ADVICE, MemorySum};
use crate::derive::{Derived, MemoryScope, RoleGroup};
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{Bytes, Registry, Residency};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A residency whose roles take more memory on one host than its `budget`. The finding prints the sum line by line.
    ///
    /// ## Why
    /// systemd limits the slice of the residency to its budget, and to what the engines may add by their own defaults.
    /// Beyond this limit the kernel evicts weights that are in use, or kills a process.
    ///
    /// - Files of models and drafts are mapped. They count once per host, however many roles read them.
    /// - With `lock` in `placement` they count once per process. Projectors always do.
    /// - If the residency has `at-once`, only that many of its largest roles count.
    /// - With a `registry.lock`, caches, state, buffers and repacked weights also count, once per process. `orchgen memory`
    ///   prints them. Without it only file sizes are summed.
    /// - The prompt cache and checkpoints count if the registry has `prompt-cache` or `checkpoints`.
    ///
    /// A budget can be larger than its host, and so can the sum of all budgets. `over-host-memory` checks hosts: it
    /// sums the memory that the roles take.
    ///
    /// ## Example
    /// ```yaml
    /// residencies:
    ///   small: {title: "little memory", start: boot, budget: "1 GB"}
    /// roles:
    ///   extra: {tier: A, residency: small, model: plain, port: 9000, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// residencies:
    ///   small: {title: "little memory", start: boot, budget: "8 GB"}
    /// roles:
    ///   extra: {tier: A, residency: small, model: plain, port: 9000, context: 4096}
    /// ```
    pub(super) static OVER_BUDGET = 307, "over-budget", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    let mut found = 0;
    for (id, residency) in registry.residencies.entries() {
        let Some(budget) = residency.budget else { continue };
        let mut unknown: Option<String> = None;
        for group in loads.of_residency(id) {
            unknown = unknown.or_else(|| sum::unknown_memory(derived, &group));
            let finding = finding(registry, residency, budget, (&group, found < MAX_WITH_ADVICE));
            found += usize::from(finding.is_some());
            findings.extend(finding);
        }
        if let Some(why) = unknown {
            findings.skip(&OVER_BUDGET, residency, why);
        }
    }
}

fn finding(
    registry: &Registry,
    residency: &Residency,
    Spanned { value: budget, span }: Spanned<Bytes>,
    (group, has_sets): (&RoleGroup, bool),
) -> Option<Diagnostic> {
    let load = group.load(MemoryScope::HOST);
    if load.total <= budget {
        return None;
    }
    let (total, over, host) = (load.total, load.total.minus(budget), registry.hosts.get(load.host));
    let message = format!("{residency} takes {total} on {host}, {over} over its budget of {budget}");
    let limit = [("budget", budget)];
    let (scope, load, services) = (MemoryScope::HOST, &load, [].as_slice());
    let sum = MemorySum { registry, group, scope, load, services, limit: &limit, over, has_sets };
    // A budget larger than the host would not help.
    let raise = host.room().is_none_or(|room| total <= room);
    let raise = raise.then(|| Line::of("budget", total.rounded_up().to_string()));
    let finding = OVER_BUDGET.at(span, format!("{total} needed"), message).about(residency);
    let moved = sum.removal(|roles| format!("move {roles} to another residency"), "");
    let finding = sum.add_to(finding).help(moved);
    Some(raise.into_iter().fold(finding, |finding, line| {
        finding.remedy("or write `{}`", Change::set(residency.head.span, line))
    }))
}
