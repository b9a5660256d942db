//! A host that is too small for what its engines may take by their own defaults.

use crate::derive::{Derived, MemoryScope, RoleGroup, RoleMemory, ServedProcess};
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::engine::memory::{PartKind, default_checkpoints};
use crate::hir::{Bytes, Expected, Host, Registry};

declare_code! {
    /// ## What it finds
    /// A host whose roles fit into its memory, but not together with the prompt caches and checkpoints that their engines
    /// may add. These have the default sizes of the engine, because the registry does not state others.
    ///
    /// ## Why
    /// llama-server keeps the prompts of earlier requests, by default up to 8 GiB in each process, and up to 32 checkpoints
    /// of each slot for models with a recurrent state or a sliding window (llama.cpp b11434, `common/common.h`). Both grow
    /// with the requests. Memory sums count them only if the registry has `prompt-cache` or `checkpoints`, because most
    /// servers never use as much. `orchgen memory` prints how far they may grow.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="12 GB"
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="12 GB"
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 prompt-cache="2 GiB"
    /// ```
    pub(super) static CACHES_OVER_HOST = 343, "caches-over-host", Note;
}

/// The smallest prompt cache that a help offers: the server counts in MiB.
const MEBIBYTE: u64 = 1 << 20;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    for (group, services) in loads.of_hosts().iter().zip(registry.memory_of_services()) {
        let host = registry.hosts.get(group.host);
        let Some(room) = host.room() else { continue };
        let (total, growth) = (group.total(MemoryScope::HOST).plus(services), group.growth());
        if total <= room && total.plus(growth) > room && !has_unread_caches(registry, group) {
            findings.report(finding(derived, group, (host, room.minus(total)), growth));
        }
    }
}

/// True if a role has a size of its caches that could not be read.
fn has_unread_caches(registry: &Registry, group: &RoleGroup) -> bool {
    let is_unread = |role: ServedProcess<'_>| {
        let rare = registry.roles.get(role.id).serving().and_then(|serving| serving.rare.as_ref());
        rare.is_some_and(|rare| rare.has_unread_caches)
    };
    group.roles().any(is_unread)
}

fn finding(derived: &Derived, group: &RoleGroup, (host, left): (&Host, Bytes), growth: Bytes) -> Diagnostic {
    let message = format!(
        "prompt caches and checkpoints of the roles on {host} may grow by {growth}, but only {left} are left for them"
    );
    let place = host.memory.map_or(host.head.span, |memory| memory.span);
    let finding = CACHES_OVER_HOST.at(place, "may not be enough", message).about(host);
    let lines = fitting_lines(&derived.registry, group, left);
    let registry = &derived.registry;
    let growing = |role: &ServedProcess<'_>| role.memory.growth > Bytes(0);
    let set = |role: &ServedProcess<'_>, line: &Line| {
        Change::set(registry.roles.get(role.id).head.span, line.clone())
    };
    // A default also applies to roles that keep no prompts, and to other hosts.
    let mut others = derived.processes().filter(|role| !role.is_program);
    if others.all(|role| role.settings.host.value == group.host && growing(&role)) && growing_roles(group) > 1
    {
        let stack = registry.stack.head.span;
        if registry.stack.has_defaults {
            let sets = lines.into_iter().map(|line| Change::set_in(stack, "defaults", line));
            return finding.remedy("write `{}` in `defaults` of the stack", Change::All(sets.collect()));
        }
        let change = Change::set(stack, Line::new("defaults").with_each(lines));
        return finding.remedy("write `{}` in the stack", change);
    }
    let roles: Vec<ServedProcess<'_>> = group.roles().filter(growing).collect();
    let sets = lines.iter().flat_map(|line| roles.iter().map(|role| set(role, line)));
    let title = match roles.as_slice() {
        [one] => format!("write `{{}}` in {}", registry.roles.get(one.id)),
        _ => format!("write `{{}}` in each of the {} roles", roles.len()),
    };
    finding.remedy(title, Change::All(sets.collect()))
}

fn growing_roles(group: &RoleGroup) -> usize {
    group.roles().filter(|role| role.memory.growth > Bytes(0)).count()
}

/// The bytes of a kind of memory by which a process may grow.
fn growth_of(memory: &RoleMemory, kind: PartKind) -> u64 {
    let parts = memory.parts.iter().filter(|part| part.kind == kind);
    parts.fold(0, |sum, part| sum.saturating_add(part.amount.growth()))
}

/// The fields with which the roles fit into the host, and into all limits that count what the registry states: the largest
/// prompt cache, or none and the largest number of checkpoints.
fn fitting_lines(registry: &Registry, group: &RoleGroup, left: Bytes) -> Vec<Line> {
    let caches = |group: &RoleGroup| {
        let keeps = |memory: &RoleMemory| u64::from(growth_of(memory, PartKind::PromptCache) > 0);
        group.sum_of_processes(|memory| Bytes(keeps(memory))).0
    };
    let checkpoints =
        |group: &RoleGroup| group.sum_of_processes(|memory| Bytes(growth_of(memory, PartKind::Checkpoints)));
    let limits = limits(registry, group);
    let of_limits = limits.iter().map(|(left, group)| left.0.checked_div(caches(group)));
    let of_host = left.minus(checkpoints(group)).0.checked_div(caches(group));
    // The server counts in MiB, rounded up.
    let most = of_limits.chain([of_host]).flatten().min().map(|bytes| bytes.saturating_sub(MEBIBYTE));
    if let Some(most) = most.filter(|bytes| *bytes >= MEBIBYTE) {
        return vec![Line::of("prompt-cache", Bytes(most).rounded_down().to_string())];
    }
    let none = most.map(|_| Line::of("prompt-cache", "0 B"));
    let count = |left: Bytes, all: Bytes| {
        let kept = u128::from(left.0) * u128::from(default_checkpoints());
        Some(u64::try_from(kept.checked_div(u128::from(all.0))?).unwrap_or(u64::MAX))
    };
    let counts = limits.iter().map(|(left, group)| (*left, checkpoints(group)));
    let fewest = counts.chain([(left, checkpoints(group))]).filter_map(|(left, all)| count(left, all)).min();
    let fewer = fewest.filter(|_| checkpoints(group) > left).map(|count| Line::of("checkpoints", count));
    none.into_iter().chain(fewer).collect()
}

/// Each limit that counts the memory which the registry states: the bytes that are left, and the roles that it limits.
fn limits<'g>(registry: &Registry, group: &RoleGroup<'g>) -> Vec<(Bytes, RoleGroup<'g>)> {
    let mut limits = Vec::new();
    for (id, _, alone) in group.by_residency() {
        let total = alone.total(MemoryScope::HOST);
        let budget = registry.residencies.get(id).budget.map(|budget| budget.value);
        let expected = registry.expects.iter().filter_map(|expect| match &expect.expected {
            Expected::Fits(residency, None, most) if residency.value == id => Some(most.value),
            Expected::Fits(..) | Expected::Port(..) => None,
        });
        let least = budget.into_iter().chain(expected).min();
        limits.extend(least.map(|least| (least.minus(total), alone)));
    }
    for node in &registry.hosts.get(group.host).numa {
        if let Some(memory) = node.memory.filter(|_| group.is_placed()) {
            let total = group.total(MemoryScope::node(node.node.value));
            limits.push((memory.value.minus(total), group.clone()));
        }
    }
    limits
}
