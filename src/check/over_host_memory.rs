//! A host whose roles and services take more memory than it has.

use super::sum::{self, Bill, Burden};
use super::{Ground, GroundCheck};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::hir::{
    Bytes, Change, Extent, Host, Id, Registry, Residency, Role, Service, Share, Start, Together,
};

declare_code! {
    /// ## What it finds
    /// A host whose roles and services take more memory than its `memory` without its `reserve`, with the sum drawn up line by
    /// line.
    ///
    /// ## Why
    /// What does not fit is read from disk again and again while it is used, or the kernel kills a process.
    ///
    /// All residencies count, those that start on demand too: their roles may all be asked at once. Where fewer may run, say
    /// so with `at-once`, and so many of the largest count. Mapped files count once a host, however many roles read them; locked
    /// ones, projectors, and what a lock tells besides (caches, state, buffers), once a process. `reserve` is the system's, 5
    /// percent unless it says otherwise.
    ///
    /// Budgets are not summed, since a residency need not fill its own. Where a residency is over its budget, that is said, and
    /// nothing here unless the host is too small all the same.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="4 GB"
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="8 GB"
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096
    /// ```
    pub(super) static OVER_HOST_MEMORY = 336, "over-host-memory", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OVER_HOST_MEMORY, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let (registry, loads) = (&ground.registry, ground.loads());
    let mut services: Vec<Vec<&Service>> = vec![Vec::new(); registry.hosts.len()];
    for service in registry.services.iter().filter(|service| service.memory.is_some()) {
        if let Some(of_host) = services.get_mut(service.host.value.number()) {
            of_host.push(service);
        }
    }
    for ((together, services), taken) in
        loads.of_hosts().iter().zip(&services).zip(registry.memory_of_services())
    {
        let held = Burden::on(registry, together, taken);
        if held.is_too_much() {
            findings.report(finding(registry, together, &held, services));
        }
        if let Some(why) = sum::open(ground, together) {
            let subject = Subject::new("host", &*registry.hosts.get(together.host).head.name.value);
            findings.record_not_checked(NotChecked { check: OVER_HOST_MEMORY.name, subject, why });
        }
    }
}

fn finding(registry: &Registry, together: &Together, held: &Burden, services: &[&Service]) -> Diagnostic {
    let host = registry.hosts.get(together.host);
    let name = &host.head.name;
    let besides: Vec<(String, &'static str, Bytes)> = services
        .iter()
        .map(|service| {
            (service.head.name.value.to_string(), "(service)", service.memory.map_or(Bytes(0), |m| m.value))
        })
        .collect();
    let total = besides.iter().fold(held.load.total, |sum, (_, _, bytes)| sum.plus(*bytes));
    let reserve = host.reserve.of(host.memory.value);
    let message = format!(
        "host {} has to hold {total}, {} over the {} that its reserve leaves",
        words::quoted(name),
        held.over,
        host.memory.value.minus(reserve)
    );
    let finding = OVER_HOST_MEMORY
        .at(host.memory.span, format!("{total} are needed beside the reserve"), message)
        .about("host", &*name.value);
    let limit = [("memory", host.memory.value), ("reserve", reserve)];
    let bill = Bill { registry, besides: &besides, load: &held.load, limit: &limit, over: held.over };
    let after = |gone: &[Id<Role>]| together.load_after(Extent::Host, Change { gone, at_once: None }).total;
    let mut finding = bill.on(finding);
    finding = match bill.smallest(after) {
        Some((roles, freed)) => finding.help(format!("take {roles} off the host, which frees {freed}")),
        None if held.load.freed.is_empty() => finding,
        None => finding.help("take several roles off the host"),
    };
    let fewer = at_once(registry, together, held.load.total.minus(held.over), held.over);
    finding.maybe_help(fewer).help(more(host, total))
}

/// The on-demand residency that fits if fewer of its roles run at a time, with as many as possible.
fn at_once(registry: &Registry, together: &Together, limit: Bytes, over: Bytes) -> Option<String> {
    let on_demand =
        together.parts().filter(|(id, _, _)| registry.residencies.get(*id).start.value == Start::OnDemand);
    for (residency, roles, alone) in on_demand {
        // It would have to free more than it has.
        if alone.load(Extent::Host).total < over {
            continue;
        }
        let fits = |most: usize| {
            let change = Change { gone: &[], at_once: Some((residency, most)) };
            together.load_after(Extent::Host, change).total <= limit
        };
        if let Some(most) = largest_that(fits, roles) {
            return Some(said(registry, residency, most));
        }
    }
    None
}

/// The largest number from 1 below `end` that fits, where all up to it do.
fn largest_that(fits: impl Fn(usize) -> bool, end: usize) -> Option<usize> {
    let (mut fitting, mut beyond) = (0, end);
    while fitting + 1 < beyond {
        let middle = usize::midpoint(fitting, beyond);
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    (fitting > 0).then_some(fitting)
}

fn said(registry: &Registry, residency: Id<Residency>, most: usize) -> String {
    let name = words::quoted(&registry.residencies.get(residency).head.name);
    format!("let fewer roles of residency {name} run at a time, with `at-once` {most}")
}

/// The smallest reserve that must give way, or memory that is enough.
fn more(host: &Host, total: Bytes) -> String {
    let memory = host.memory.value;
    if total <= memory {
        return format!("lower `reserve`: {} are left for it", memory.minus(total));
    }
    let needed = match host.reserve {
        Share::Amount(bytes) => total.plus(bytes),
        Share::Percent(percent) => {
            let left = u128::from(100 - percent.min(99));
            Bytes(u64::try_from((u128::from(total.0) * 100).div_ceil(left)).unwrap_or(u64::MAX))
        }
    };
    format!("give the host {} of memory", needed.rounded_up())
}
