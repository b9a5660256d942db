//! A host with less memory than its roles and services need.

use super::sum::{self, HostLoad, MemorySum};
use crate::derive::Derived;
use crate::derive::{LoadChange, MemoryScope, RoleGroup};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Bytes, Host, Id, Registry, Residency, Role, Service, Share, Start};

declare_code! {
    /// ## What it finds
    /// A host whose roles and services take more than its `memory` minus its `reserve`. The finding prints the sum line
    /// by line.
    ///
    /// ## Why
    /// If the models do not fit, the kernel reads weights from disk again and again, or kills a process.
    ///
    /// - All residencies count, also those that start on demand: clients can use all their roles at the same time. If
    ///   fewer roles run at a time, set `at-once`; then only that many of the largest count.
    /// - Mapped files count once per host, however many roles read them.
    /// - Files of roles with `lock`, and projectors, count once per process.
    /// - With a `registry.lock`, caches, state and buffers also count, once per process.
    /// - `reserve` is the memory of the operating system. The default is 5 percent.
    ///
    /// Budgets are not summed, because a residency can take less than its budget. A residency over its budget gets
    /// `over-budget`. This finding follows only if the host is too small even without that excess.
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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    let mut services: Vec<Vec<&Service>> = vec![Vec::new(); registry.hosts.len()];
    for service in registry.services.iter().filter(|service| service.memory.is_some()) {
        if let Some(of_host) = services.get_mut(service.host.value.number()) {
            of_host.push(service);
        }
    }
    for ((group, services), services_memory) in
        loads.of_hosts().iter().zip(&services).zip(registry.memory_of_services())
    {
        let host_load = HostLoad::new(registry, group, services_memory);
        if host_load.exceeds_host() {
            findings.report(finding(registry, group, &host_load, services));
        }
        if let Some(why) = sum::unknown_memory(derived, group) {
            findings.skip(&OVER_HOST_MEMORY, &registry.hosts.get(group.host).head, why);
        }
    }
}

fn finding(
    registry: &Registry,
    group: &RoleGroup,
    host_load: &HostLoad,
    services: &[&Service],
) -> Diagnostic {
    let host = registry.hosts.get(group.host);
    let name = &host.head.name;
    let other_users: Vec<(String, &'static str, Bytes)> = services
        .iter()
        .map(|service| {
            (service.head.name.value.to_string(), "(service)", service.memory.map_or(Bytes(0), |m| m.value))
        })
        .collect();
    let total = other_users.iter().fold(host_load.load.total, |sum, (_, _, bytes)| sum.plus(*bytes));
    let reserve = host.reserve.of(host.memory.value);
    let message = format!(
        "roles and services of host {} need {total}, but only {} are free ({} minus {reserve} `reserve`)",
        words::quoted(name),
        host.memory.value.minus(reserve),
        host.memory.value
    );
    let finding = OVER_HOST_MEMORY
        .at(host.memory.span, format!("{total} needed in addition to the reserve"), message)
        .about(("host", &*name.value));
    let limit = [("memory", host.memory.value), ("reserve", reserve)];
    let sum = MemorySum {
        registry,
        other_users: &other_users,
        load: &host_load.load,
        limit: &limit,
        over: host_load.over,
    };
    let after =
        |gone: &[Id<Role>]| group.load_after(MemoryScope::Host, LoadChange { gone, at_once: None }).total;
    let mut finding = sum.add_to(finding);
    finding = match sum.smallest_removal(after) {
        Some((roles, freed)) => finding.help(format!("move {roles} to another host, which frees {freed}")),
        None if host_load.load.freed.is_empty() => finding,
        None => finding.help("move several roles to another host"),
    };
    let fewer = at_once(registry, group, host_load.load.total.minus(host_load.over), host_load.over);
    finding.maybe_help(fewer).help(reserve_or_memory(host, total))
}

/// A help that names an on-demand residency and the largest `at-once` with which the host fits.
fn at_once(registry: &Registry, group: &RoleGroup, limit: Bytes, over: Bytes) -> Option<String> {
    let on_demand = group
        .by_residency()
        .filter(|(id, _, _)| registry.residencies.get(*id).start.value == Start::OnDemand);
    for (residency, roles, alone) in on_demand {
        // This residency is too small to free enough.
        if alone.load(MemoryScope::Host).total < over {
            continue;
        }
        let fits = |most: usize| {
            let change = LoadChange { gone: &[], at_once: Some((residency, most)) };
            group.load_after(MemoryScope::Host, change).total <= limit
        };
        if let Some(most) = largest_that(fits, roles) {
            return Some(at_once_help(registry, residency, most));
        }
    }
    None
}

/// The largest number in `1..end` that fits. All smaller numbers fit, too.
fn largest_that(fits: impl Fn(usize) -> bool, end: usize) -> Option<usize> {
    let (mut fitting, mut beyond) = (0, end);
    while fitting + 1 < beyond {
        let middle = usize::midpoint(fitting, beyond);
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    (fitting > 0).then_some(fitting)
}

fn at_once_help(registry: &Registry, residency: Id<Residency>, most: usize) -> String {
    let name = words::quoted(&registry.residencies.get(residency).head.name);
    format!("set `at-once` {most} in residency {name}, so that fewer of its roles run at a time")
}

/// A help with a reserve that is small enough, or a memory that is large enough.
fn reserve_or_memory(host: &Host, total: Bytes) -> String {
    let memory = host.memory.value;
    if total <= memory {
        return format!("lower `reserve` to at most {}", memory.minus(total));
    }
    let needed = match host.reserve {
        Share::Amount(bytes) => total.plus(bytes),
        Share::Percent(percent) => {
            let left = u128::from(100 - percent.min(99));
            Bytes(u64::try_from((u128::from(total.0) * 100).div_ceil(left)).unwrap_or(u64::MAX))
        }
    };
    format!("raise `memory` to {}, if the host has that much", needed.rounded_up())
}
