//! A residency whose roles take more than its budget.

use super::sum::{self, Bill};
use super::{Ground, GroundCheck};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::hir::{Bytes, Change, Extent, Id, Load, Registry, Residency, Role, Together};

declare_code! {
    /// ## What it finds
    /// A residency whose models take more memory on one host than its `budget`, with the sum drawn up line by line.
    ///
    /// ## Why
    /// The slice of the residency is held to its budget. Beyond it the kernel takes weights out of memory while they are used, or
    /// kills a process.
    ///
    /// Files of weights and drafts are mapped, and count once a host, however many roles read them. Where `placement` has `lock`
    /// they count once a process, as projectors always do. Where a residency has `at-once`, so many of its largest roles count.
    ///
    /// With a lock, caches, state, buffers, the prompt cache, checkpoints and repacked weights count as well, once a process;
    /// `orchgen memory` shows them. Without one only files are summed.
    ///
    /// A budget may be larger than its host, and budgets together too: what counts there is what roles take, which
    /// `over-host-memory` sums.
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

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OVER_BUDGET, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let (registry, loads) = (&ground.registry, ground.loads());
    for (id, residency) in registry.residencies.entries() {
        let Some(budget) = residency.budget else { continue };
        let mut open: Option<String> = None;
        for together in loads.of_residency(id) {
            open = open.or_else(|| sum::open(ground, &together));
            let load = together.load(Extent::Host);
            if load.total > budget.value {
                findings.report(finding(registry, residency, &together, &load));
            }
        }
        if let Some(why) = open {
            let subject = Subject::new("residency", &*residency.head.name.value);
            findings.record_not_checked(NotChecked { check: OVER_BUDGET.name, subject, why });
        }
    }
}

fn finding(registry: &Registry, residency: &Residency, together: &Together, load: &Load) -> Diagnostic {
    let name = &residency.head.name;
    let (budget, place) =
        residency.budget.map_or((Bytes(0), name.span), |budget| (budget.value, budget.span));
    let over = load.total.minus(budget);
    let host = registry.hosts.get(load.host);
    let message = format!(
        "residency {} takes {} on host {}, {over} over its budget of {budget}",
        words::quoted(name),
        load.total,
        words::quoted(&host.head.name),
    );
    let finding =
        OVER_BUDGET.at(place, format!("{} are needed", load.total), message).about("residency", &*name.value);
    let bill = Bill { registry, besides: &[], load, limit: &[("budget", budget)], over };
    let after = |gone: &[Id<Role>]| together.load_after(Extent::Host, Change { gone, at_once: None }).total;
    let move_away = match bill.smallest(after) {
        Some((roles, freed)) => format!("move {roles} to another residency, which frees {freed}"),
        None => "move several roles to another residency".to_owned(),
    };
    // A budget beyond the host would be no cure.
    let room = host.memory.value.minus(host.reserve.of(host.memory.value));
    let enough = load.total.rounded_up();
    let raise = (load.total <= room).then(|| format!("raise the budget to {enough}"));
    bill.on(finding).help(move_away).maybe_help(raise)
}
