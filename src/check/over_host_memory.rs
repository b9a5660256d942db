//! A host with less memory than its roles and services need.

use super::shared::gateway_remedy::gateway_change;
use super::shared::sum::{self, HostLoad, MemorySum};
use crate::derive::{Derived, LoadChange, MemoryScope, RoleGroup, ServedProcess};
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{Bytes, Host, Registry, Residency, Service, Share, Start};
use crate::source::Spanned;
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// A host whose roles and services take more than its `memory` minus its `reserve`. The finding prints the sum line
    /// by line.
    ///
    /// ## Why
    /// If the models do not fit, the kernel reads weights from disk again and again, or kills a process.
    ///
    /// - All residencies count, also those that start on demand: clients can use all their roles at the same time. If
    ///   fewer roles run at a time, put them behind a gateway with `at-once` or `set`; then the largest that may run together count.
    /// - Mapped files count once per host, however many roles read them.
    /// - Files of roles with `lock`, and projectors, count once per process.
    /// - With a `registry.lock`, caches, state and buffers also count, once per process. Prompt caches and
    ///   checkpoints count if the registry declares them.
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
    /// host "far" memory="16 GB"
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
        let Some(memory) = registry.hosts.get(group.host).memory else {
            let why = "the memory of the machine is not declared: `host` has it".to_owned();
            findings.skip(&OVER_HOST_MEMORY, &registry.stack.head, why);
            continue;
        };
        let host_load = HostLoad::new(registry, group, services_memory);
        if host_load.exceeds_host() {
            findings.report(finding(derived, group, (memory, &host_load), services));
        }
        if let Some(why) = sum::unknown_memory(derived, group) {
            findings.skip(&OVER_HOST_MEMORY, &registry.hosts.get(group.host).head, why);
        }
    }
}

fn finding(
    derived: &Derived,
    group: &RoleGroup,
    (declared, HostLoad { load, over, .. }): (Spanned<Bytes>, &HostLoad),
    services: &[&Service],
) -> Diagnostic {
    let registry = &derived.registry;
    let host = registry.hosts.get(group.host);
    let of_services = services.iter().filter_map(|service| service.memory);
    let total = of_services.fold(load.total, |sum, memory| sum.plus(memory.value));
    let (memory, reserve) = (declared.value, host.reserve.of(declared.value));
    let free = memory.minus(reserve);
    let message = format!(
        "roles and services of {host} need {total}, but only {free} are free ({memory} minus {reserve} `reserve`)"
    );
    let label = format!("{total} needed in addition to the reserve");
    let finding = OVER_HOST_MEMORY.at(declared.span, label, message).about(host);
    let limit = [("memory", memory), ("reserve", reserve)];
    let (scope, over) = (MemoryScope::HOST, *over);
    let sum = MemorySum { registry, group, scope, load, services, limit: &limit, over, has_sets: true };
    let moved =
        (!load.freed.is_empty()).then(|| sum.removal(|roles| format!("move {roles} to another host"), ""));
    let fewer = at_once(derived, group, load.total.minus(over), over);
    let finding = sum.add_to(finding).maybe_help(moved);
    let finding = match fewer {
        Some(Fewer { residency, most, enforced }) => {
            let limit = set_at_once(registry, residency, most);
            let title = format!("so that fewer roles of {residency} run at a time");
            match enforced {
                Enforced::ByGateway => finding.remedy(format!("write `{{}}`, {title}"), limit),
                Enforced::After(Change::All(changes), address) => {
                    let all = Change::All(std::iter::once(limit).chain(changes).collect());
                    let change_roles = format!("write `{{}}` instead of `{address}`, {title}");
                    finding.remedy(change_roles, all)
                }
                Enforced::After(..) | Enforced::Unknown => finding.help(format!(
                    "put the roles of {residency} behind their own gateway, and set its `at-once` to {most}, {title}"
                )),
            }
        }
        None => finding,
    };
    let (title, line) = reserve_or_memory((host, memory), total);
    finding.remedy(title, Change::set(host.head.span, line))
}

/// Writes `at-once` in a residency. Declares all residencies that exist because none is declared: a declared one
/// replaces them.
fn set_at_once(registry: &Registry, residency: &Residency, most: u64) -> Change {
    let at_once = Line::of("at-once", most);
    if !residency.is_implied() {
        return Change::set(residency.head.span, at_once);
    }
    let (mut used, mut roles) = (BTreeMap::new(), Vec::new());
    for role in registry.roles.iter() {
        let Some(of_role) = role.process().map(|process| process.residency) else { continue };
        used.entry(of_role.value).or_insert(role.head.span.file);
        let one = registry.residencies.get(of_role.value);
        if of_role.span == role.head.name.span {
            roles.push(Change::set(role.head.span, Line::of("residency", &*one.head.name.value)));
        }
    }
    let declared = used.into_iter().map(|(id, file)| {
        let one = registry.residencies.get(id);
        let line = Line::of("residency", &*one.head.name.value).with(Line::of("start", one.start.word()));
        let line = match &one.idle {
            Some(idle) => line.with(Line::of("idle", idle.to_string())),
            None => line,
        };
        let is_limited = one.head.name == residency.head.name;
        let line = if is_limited { line.with(at_once.clone()) } else { line };
        Change::Add { file, plural: "residencies", line }
    });
    Change::All(declared.chain(roles).collect())
}

/// An on-demand residency and the largest `at-once` with which the host fits.
struct Fewer<'r> {
    residency: &'r Residency,
    most: u64,
    enforced: Enforced,
}

/// The way in which a limit on the roles of a residency is enforced.
enum Enforced {
    /// Its roles have their own gateway.
    ByGateway,
    /// After a change of the roles, which replaces their `port`, or their `gateway`.
    After(Change, &'static str),
    /// After several changes.
    Unknown,
}

fn at_once<'r>(derived: &'r Derived, group: &RoleGroup, limit: Bytes, over: Bytes) -> Option<Fewer<'r>> {
    let registry = &derived.registry;
    let on_demand = group
        .by_residency()
        .filter(|(id, _, _)| registry.residencies.get(*id).start.value == Start::OnDemand);
    for (id, roles, alone) in on_demand {
        // This residency is too small to free enough.
        if alone.load(MemoryScope::HOST).total < over {
            continue;
        }
        let fits = |most: usize| {
            let change = LoadChange { at_once: Some((id, most)), ..LoadChange::default() };
            group.load_after(MemoryScope::HOST, change).total <= limit
        };
        if let Some(most) = largest_that(fits, roles) {
            let residency = registry.residencies.get(id);
            let own: Vec<ServedProcess<'_>> = alone.roles().collect();
            let file = residency.head.span.file;
            let change = || {
                let change = gateway_change(derived, &own.iter().collect::<Vec<_>>());
                let is_one_file = own.iter().all(|role| registry.roles.get(role.id).head.span.file == file);
                let is_own = own.iter().any(|role| role.settings.gateway.is_none());
                let address = if is_own { "port" } else { "gateway" };
                let change = change.filter(|_| is_one_file);
                change.map_or(Enforced::Unknown, |change| Enforced::After(change, address))
            };
            let enforced = match derived.limiting_gateway(id, &alone) {
                Some(_) => Enforced::ByGateway,
                None => change(),
            };
            return Some(Fewer { residency, most: most as u64, enforced });
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

/// A help with a reserve that is small enough, or a memory that is large enough.
fn reserve_or_memory((host, memory): (&Host, Bytes), total: Bytes) -> (&'static str, Line) {
    if total <= memory {
        let reserve = memory.minus(total).rounded_down();
        return ("write `{}`", Line::of("reserve", reserve.to_string()));
    }
    let needed = match host.reserve {
        Share::Amount(bytes) => total.plus(bytes),
        Share::Percent(percent) => {
            let left = u128::from(100 - percent.min(99));
            Bytes(u64::try_from((u128::from(total.0) * 100).div_ceil(left)).unwrap_or(u64::MAX))
        }
    };
    let line = Line::of("memory", needed.rounded_up().to_string());
    ("write `{}`, if the host has that much", line)
}
