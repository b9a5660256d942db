//! A residency whose roles take more memory than its budget.

use super::sum::{self, MemorySum};
use crate::derive::Derived;
use crate::derive::{LoadChange, MemoryLoad, MemoryScope, RoleGroup};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Bytes, Id, Registry, Residency, Role};

declare_code! {
    /// ## What it finds
    /// A residency whose roles take more memory on one host than its `budget`. The finding prints the sum line by line.
    ///
    /// ## Why
    /// systemd limits the slice of the residency to its budget. Beyond this limit the kernel evicts weights that are in
    /// use, or kills a process.
    ///
    /// - Files of models and drafts are mapped. They count once per host, however many roles read them.
    /// - With `lock` in `placement` they count once per process. Projectors always do.
    /// - If the residency has `at-once`, only that many of its largest roles count.
    /// - With a `registry.lock`, caches, state, buffers, the prompt cache, checkpoints and repacked weights also count,
    ///   once per process. `orchgen memory` prints them. Without it only file sizes are summed.
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
    for (id, residency) in registry.residencies.entries() {
        let Some(budget) = residency.budget else { continue };
        let mut unknown: Option<String> = None;
        for group in loads.of_residency(id) {
            unknown = unknown.or_else(|| sum::unknown_memory(derived, &group));
            let load = group.load(MemoryScope::Host);
            if load.total > budget.value {
                findings.report(finding(registry, residency, &group, &load));
            }
        }
        if let Some(why) = unknown {
            findings.skip(&OVER_BUDGET, &residency.head, why);
        }
    }
}

fn finding(registry: &Registry, residency: &Residency, group: &RoleGroup, load: &MemoryLoad) -> Diagnostic {
    let name = &residency.head.name;
    let (budget, place) =
        residency.budget.map_or((Bytes(0), name.span), |budget| (budget.value, budget.span));
    let over = load.total.minus(budget);
    let host = registry.hosts.get(load.host);
    let message = format!(
        "residency {} takes {} on {host}, {over} over its budget of {budget}",
        words::quoted(name),
        load.total
    );
    let finding =
        OVER_BUDGET.at(place, format!("{} needed", load.total), message).about(("residency", &*name.value));
    let sum = MemorySum { registry, other_users: &[], load, limit: &[("budget", budget)], over };
    let after =
        |gone: &[Id<Role>]| group.load_after(MemoryScope::Host, LoadChange { gone, at_once: None }).total;
    let move_away = match sum.smallest_removal(after) {
        Some((roles, freed)) => format!("move {roles} to another residency, which frees {freed}"),
        None => "move several roles to another residency".to_owned(),
    };
    // A budget larger than the host would not help.
    let room = host.memory.value.minus(host.reserve.of(host.memory.value));
    let enough = load.total.rounded_up();
    let raise = (load.total <= room).then(|| format!("raise `budget` to {enough}"));
    sum.add_to(finding).help(move_away).maybe_help(raise)
}
