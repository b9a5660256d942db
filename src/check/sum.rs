//! Sums of memory, drawn up line by line, and the fewest roles that make them fit: shared by the checks that hold a sum
//! against a limit.

use super::ground::Ground;
use crate::diag::{Diagnostic, words};
use crate::engine::memory::Amount;
use crate::hir::{Bytes, Extent, Id, Load, Registry, Role, Together};

/// How many lines of a sum and how many places are drawn; a residency may have thousands of roles.
const LINES: usize = 40;
const PLACES: usize = 6;

/// How many roles are tried alone, and how many are named together at the most.
const TRIES: usize = 16;
const MOVED: usize = 4;

/// How many roles are named whose memory is not known whole.
const NAMED: usize = 3;

/// Why a sum of file sizes leaves something open.
const ONLY_FILES: &str = "only the sizes of files are summed: KV caches, buffers and repacked weights need the headers of the files";

/// What is not known of the memory of some roles; none where all of it is.
pub(super) fn open(ground: &Ground, together: &Together) -> Option<String> {
    if ground.lock.models.is_empty() {
        return together.roles().next().map(|_| ONLY_FILES.to_owned());
    }
    let mut open = together.roles().filter_map(|role| {
        let why = ground.memory_of(role)?.parts.iter().find_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) => None,
        })?;
        Some(format!("role {}: {why}", words::quoted(&ground.registry.roles.get(role).head.name)))
    });
    let mut named: Vec<String> = open.by_ref().take(NAMED).collect();
    let more = open.count();
    if more > 0 {
        named.push(format!("and {} more", words::count(more, "role")));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

/// A sum that is over its limit, and what it is held against.
pub(super) struct Bill<'b> {
    pub(super) registry: &'b Registry,
    /// What is there besides roles: a name, what it is, how much.
    pub(super) besides: &'b [(String, &'static str, Bytes)],
    pub(super) load: &'b Load,
    /// What the limit is made of, by name.
    pub(super) limit: &'b [(&'static str, Bytes)],
    pub(super) over: Bytes,
}

impl Bill<'_> {
    /// Draws it up at a finding: a line a file, with the role that brings it in first, its title, its size, the total so far;
    /// then the limit, and by how much it is over.
    pub(super) fn on(&self, finding: Diagnostic) -> Diagnostic {
        let mut finding = finding;
        // The lines of a role stand together.
        for lines in self.load.lines.chunk_by(|line, next| line.role == next.role).take(PLACES) {
            let Some(role) = lines.first().map(|line| self.registry.roles.get(line.role)) else { continue };
            let bytes = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
            if let Some(serving) = role.serving() {
                let label = format!("{} takes {bytes}", words::quoted(&role.head.name));
                finding = finding.also(serving.residency.span, label);
            }
        }
        finding.note(self.drawn())
    }

    fn drawn(&self) -> String {
        let mut rows: Vec<[String; 4]> = Vec::new();
        let mut total = Bytes(0);
        let of_roles = self.load.lines.iter().map(|line| {
            let role = self.registry.roles.get(line.role).head.name.value.to_string();
            (role, words::printable(&line.what), line.bytes)
        });
        let besides = self
            .besides
            .iter()
            .map(|(name, what, bytes)| (words::printable(name), (*what).to_owned(), *bytes));
        for (name, what, bytes) in besides.chain(of_roles) {
            total = total.plus(bytes);
            if rows.len() < LINES {
                rows.push([name, what, bytes.to_string(), total.to_string()]);
            }
        }
        let left_out = (self.besides.len() + self.load.lines.len()).saturating_sub(LINES);
        if left_out > 0 {
            rows.push([format!("and {left_out} more"), String::new(), String::new(), total.to_string()]);
        }
        for (name, bytes) in self.limit.iter().chain(&[("over by", self.over)]) {
            rows.push([(*name).to_owned(), String::new(), bytes.to_string(), String::new()]);
        }
        table(&rows)
    }

    /// The fewest roles whose leaving is enough, and how much that frees. `after` gives the sum without some roles.
    pub(super) fn smallest(&self, after: impl Fn(&[Id<Role>]) -> Bytes) -> Option<(String, Bytes)> {
        let gone = enough(self.load, self.over, &after)?;
        let names: Vec<String> =
            gone.iter().map(|role| words::quoted(&self.registry.roles.get(*role).head.name)).collect();
        let noun = if gone.len() == 1 { "role" } else { "roles" };
        Some((format!("{noun} {}", words::all_of(&names)), self.load.total.minus(after(&gone))))
    }
}

fn table(rows: &[[String; 4]]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (role, what, size, total) = (width(0), width(1), width(2), width(3));
    let lines = rows
        .iter()
        .map(|[a, b, c, d]| format!("{a:role$}  {b:what$}  {c:>size$}  {d:>total$}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The one role that frees the least that is enough, else the largest until it is enough. What a role frees counts files that
/// no other reads; where not all roles run at once, another takes its place, so each answer is tried.
fn enough(load: &Load, over: Bytes, after: &impl Fn(&[Id<Role>]) -> Bytes) -> Option<Vec<Id<Role>>> {
    let limit = load.total.minus(over);
    let fits = |gone: &[Id<Role>]| after(gone) <= limit && load.total >= over;
    let mut by_size = load.freed.clone();
    by_size.sort_by_key(|(role, freed)| (*freed, *role));
    let one = by_size.iter().filter(|(_, freed)| *freed >= over).take(TRIES);
    if let Some((role, _)) = one.into_iter().find(|(role, _)| fits(&[*role])) {
        return Some(vec![*role]);
    }
    let mut gone = Vec::new();
    for (role, _) in by_size.iter().rev().take(MOVED) {
        gone.push(*role);
        if fits(&gone) {
            return Some(gone);
        }
    }
    None
}

/// What a host has to hold.
pub(super) struct Burden {
    /// What its roles have in memory.
    pub(super) load: Load,
    /// How much all of it is over the memory that the host's reserve leaves.
    pub(super) over: Bytes,
    /// By how much its residencies are over their budgets here, which has findings of its own.
    pub(super) overrun: Bytes,
}

impl Burden {
    pub(super) fn on(registry: &Registry, together: &Together, services: Bytes) -> Self {
        let host = registry.hosts.get(together.host);
        let load = together.load(Extent::Host);
        let limit = host.memory.value.minus(host.reserve.of(host.memory.value));
        let over = load.total.plus(services).minus(limit);
        let overrun = together.parts().fold(Bytes(0), |sum, (residency, _, alone)| {
            let budget = registry.residencies.get(residency).budget;
            sum.plus(budget.map_or(Bytes(0), |budget| alone.load(Extent::Host).total.minus(budget.value)))
        });
        Self { load, over, overrun }
    }

    /// Whether the host would be over its memory even if every residency kept to its budget.
    pub(super) fn is_too_much(&self) -> bool {
        self.over > self.overrun
    }
}
