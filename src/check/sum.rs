//! Memory sums, printed line by line, and the smallest set of roles whose removal makes a sum fit. The checks that
//! compare a sum with a limit use this module.

use crate::derive::Derived;
use crate::derive::{MemoryLoad, MemoryScope, RoleGroup};
use crate::diag::{Diagnostic, words};
use crate::engine::memory::Amount;
use crate::hir::{Bytes, Id, Registry, Role};

/// Maximum number of lines and of labels of one sum. A residency can have thousands of roles.
const MAX_LINES: usize = 40;
const MAX_LABELS: usize = 6;

/// Maximum number of roles that are tried alone, and of roles that one help names together.
const MAX_TRIES: usize = 16;
const MAX_MOVED: usize = 4;

/// Maximum number of roles with unknown memory that one message names.
const MAX_NAMED: usize = 3;

/// The reason why a sum without a lock is incomplete.
const ONLY_FILES: &str =
    "only file sizes are summed: KV caches, buffers and repacked weights need the file headers in the lock";

/// The parts of the memory of some roles that are unknown, as text. `None` if all of it is known.
pub(super) fn unknown_memory(derived: &Derived, group: &RoleGroup) -> Option<String> {
    if derived.lock.models.is_empty() {
        return group.roles().next().map(|_| ONLY_FILES.to_owned());
    }
    let mut unknown = group.roles().filter_map(|role| {
        let why = derived.memory_of(role)?.parts.iter().find_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) => None,
        })?;
        Some(format!("role {}: {why}", words::quoted(&derived.registry.roles.get(role).head.name)))
    });
    let mut named: Vec<String> = unknown.by_ref().take(MAX_NAMED).collect();
    let more = unknown.count();
    if more > 0 {
        named.push(format!("and {} more", words::count(more, "role")));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

/// A sum that exceeds its limit.
pub(super) struct MemorySum<'b> {
    pub(super) registry: &'b Registry,
    /// Memory of other users than roles: name, description, bytes.
    pub(super) other_users: &'b [(String, &'static str, Bytes)],
    pub(super) load: &'b MemoryLoad,
    /// The parts of the limit: name and bytes.
    pub(super) limit: &'b [(&'static str, Bytes)],
    pub(super) over: Bytes,
}

impl MemorySum<'_> {
    /// Adds the sum to a finding as a table. Each line has the first role that uses the file or memory, the title, the
    /// bytes and the running total. The limit and the excess follow.
    pub(super) fn add_to(&self, finding: Diagnostic) -> Diagnostic {
        let mut finding = finding;
        for lines in self.load.lines.chunk_by(|line, next| line.role == next.role).take(MAX_LABELS) {
            let Some(role) = lines.first().map(|line| self.registry.roles.get(line.role)) else { continue };
            let bytes = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
            if let Some(serving) = role.serving() {
                let label = format!("{} takes {bytes}", words::quoted(&role.head.name));
                finding = finding.also(serving.residency.span, label);
            }
        }
        finding.note(self.table())
    }

    fn table(&self) -> String {
        let mut rows: Vec<[String; 4]> = Vec::new();
        let mut total = Bytes(0);
        let of_roles = self.load.lines.iter().map(|line| {
            let role = self.registry.roles.get(line.role).head.name.value.to_string();
            (role, words::printable(&line.label), line.bytes)
        });
        let other_users = self
            .other_users
            .iter()
            .map(|(name, what, bytes)| (words::printable(name), (*what).to_owned(), *bytes));
        for (name, what, bytes) in other_users.chain(of_roles) {
            total = total.plus(bytes);
            if rows.len() < MAX_LINES {
                rows.push([name, what, bytes.to_string(), total.to_string()]);
            }
        }
        let left_out = (self.other_users.len() + self.load.lines.len()).saturating_sub(MAX_LINES);
        if left_out > 0 {
            rows.push([format!("and {left_out} more"), String::new(), String::new(), total.to_string()]);
        }
        for (name, bytes) in self.limit.iter().chain(&[("over by", self.over)]) {
            rows.push([(*name).to_owned(), String::new(), bytes.to_string(), String::new()]);
        }
        align(&rows)
    }

    /// The smallest set of roles whose removal makes the sum fit, as text, and the memory that it frees. `after`
    /// computes the sum without some roles.
    pub(super) fn smallest_removal(&self, after: impl Fn(&[Id<Role>]) -> Bytes) -> Option<(String, Bytes)> {
        let gone = roles_to_remove(self.load, self.over, &after)?;
        let names: Vec<String> =
            gone.iter().map(|role| words::quoted(&self.registry.roles.get(*role).head.name)).collect();
        let noun = if gone.len() == 1 { "role" } else { "roles" };
        Some((format!("{noun} {}", words::all_of(&names)), self.load.total.minus(after(&gone))))
    }
}

fn align(rows: &[[String; 4]]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (role, what, size, total) = (width(0), width(1), width(2), width(3));
    let lines = rows
        .iter()
        .map(|[a, b, c, d]| format!("{a:role$}  {b:what$}  {c:>size$}  {d:>total$}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The single role that frees enough memory and the least of it, else the largest roles until the sum fits. A role
/// frees the files that no other role reads. With `at-once`, another role can take its place, so each candidate is
/// tried.
fn roles_to_remove(
    load: &MemoryLoad,
    over: Bytes,
    after: &impl Fn(&[Id<Role>]) -> Bytes,
) -> Option<Vec<Id<Role>>> {
    let limit = load.total.minus(over);
    let fits = |gone: &[Id<Role>]| after(gone) <= limit && load.total >= over;
    let mut by_size = load.freed.clone();
    by_size.sort_by_key(|(role, freed)| (*freed, *role));
    let one = by_size.iter().filter(|(_, freed)| *freed >= over).take(MAX_TRIES);
    if let Some((role, _)) = one.into_iter().find(|(role, _)| fits(&[*role])) {
        return Some(vec![*role]);
    }
    let mut gone = Vec::new();
    for (role, _) in by_size.iter().rev().take(MAX_MOVED) {
        gone.push(*role);
        if fits(&gone) {
            return Some(gone);
        }
    }
    None
}

/// The memory that roles and services of a host need.
pub(super) struct HostLoad {
    /// The memory of its roles.
    pub(super) load: MemoryLoad,
    /// The excess over the host's memory without its reserve.
    pub(super) over: Bytes,
    /// The excess of its residencies over their budgets on this host. Separate findings report it.
    pub(super) overrun: Bytes,
}

impl HostLoad {
    pub(super) fn new(registry: &Registry, group: &RoleGroup, services: Bytes) -> Self {
        let host = registry.hosts.get(group.host);
        let load = group.load(MemoryScope::Host);
        let limit = host.memory.value.minus(host.reserve.of(host.memory.value));
        let over = load.total.plus(services).minus(limit);
        let overrun = group.by_residency().fold(Bytes(0), |sum, (residency, _, alone)| {
            let budget = registry.residencies.get(residency).budget;
            sum.plus(
                budget.map_or(Bytes(0), |budget| alone.load(MemoryScope::Host).total.minus(budget.value)),
            )
        });
        Self { load, over, overrun }
    }

    /// True if the host has too little memory even if every residency stays within its budget.
    pub(super) fn exceeds_host(&self) -> bool {
        self.over > self.overrun
    }
}
