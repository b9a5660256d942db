//! Memory sums, printed line by line, and the smallest set of roles whose removal makes a sum fit. The checks that
//! compare a sum with a limit use this module.

use crate::derive::{Derived, LoadChange, MemoryLoad, MemoryScope, RoleGroup};
use crate::diag::{Change, Diagnostic, Line, words};
use crate::engine::memory::{Amount, Part, PartKind, Place};
use crate::hir::{Bytes, Id, Registry, Role, RoleSet, Service, Setting};
use crate::source::{Span, Spanned};

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
pub(in crate::check) fn unknown_memory(derived: &Derived, group: &RoleGroup) -> Option<String> {
    if derived.lock.models.is_empty() && group.roles().any(|role| !role.is_program) {
        return Some(ONLY_FILES.to_owned());
    }
    let unknown = group.roles().filter_map(|role| {
        let mut on_host = role.memory.parts.iter().filter(|part| part.place == Place::Host);
        let why = on_host.find_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
        })?;
        Some(format!("role {}: {why}", words::quoted(&derived.registry.roles.get(role.id).head.name)))
    });
    listed(unknown)
}

/// The roles with unknown memory and the reason of each as one text. `None` without roles.
pub(in crate::check) fn listed(mut unknown: impl Iterator<Item = String>) -> Option<String> {
    let mut named: Vec<String> = unknown.by_ref().take(MAX_NAMED).collect();
    let more = unknown.count();
    if more > 0 {
        named.push(format!("and {} more", words::count(more, "role")));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

/// Adds the help that makes the largest part of a sum smaller.
fn shrink(finding: Diagnostic, role: &Role, part: &Part, over: Bytes) -> Diagnostic {
    let (bytes, name) = (Bytes(part.amount.bytes()), words::quoted(&role.head.name));
    match part.kind {
        PartKind::PromptCache => {
            let what = format!("the prompt cache of role {name}, {bytes}, is the largest part");
            match Some(bytes.minus(over).rounded_down()).filter(|rest| rest.0 > 0) {
                Some(rest) => {
                    let line = Line::of("prompt-cache", rest.to_string());
                    finding.remedy(format!("{what}: write `{{}}`"), Change::set(role.head.span, line))
                }
                None => finding.help(format!("{what}: lower `prompt-cache`")),
            }
        }
        PartKind::Checkpoints => {
            let what = format!("the checkpoints of role {name}, {bytes}, are the largest part");
            let declared = role.serving().and_then(|serving| serving.setting("checkpoints"));
            let count = declared.and_then(|value| match value.value {
                Setting::Integer(count) => u64::try_from(count).ok(),
                Setting::Float(_) | Setting::Text(_) | Setting::Flag(_) => None,
            });
            let rest = u128::from(bytes.minus(over).0) * u128::from(count.unwrap_or_default());
            let fitting = u64::try_from(rest.checked_div(u128::from(bytes.0)).unwrap_or_default());
            let line = Line::of("checkpoints", fitting.unwrap_or_default());
            finding.remedy(format!("{what}: write `{{}}`"), Change::set(role.head.span, line))
        }
        PartKind::Cache => finding.help(format!(
            "the KV cache of role {name}, {bytes}, is the largest part: lower its `context` or `slots`, or use a smaller \
             `cache-type`"
        )),
        PartKind::Mapped
        | PartKind::Loaded
        | PartKind::Repacked
        | PartKind::State
        | PartKind::Compute
        | PartKind::Output
        | PartKind::Adapters
        | PartKind::Rest => finding,
    }
}

/// A sum that exceeds its limit.
pub(in crate::check) struct MemorySum<'b> {
    pub(in crate::check) registry: &'b Registry,
    /// The roles and the part of their memory that counts.
    pub(in crate::check) group: &'b RoleGroup<'b>,
    pub(in crate::check) scope: MemoryScope,
    pub(in crate::check) load: &'b MemoryLoad,
    /// Services that use memory of the host, too.
    pub(in crate::check) services: &'b [&'b Service],
    /// The parts of the limit: name and bytes.
    pub(in crate::check) limit: &'b [(&'static str, Bytes)],
    pub(in crate::check) over: Bytes,
    /// True if a help names the roles to remove from declared sets. Finding them takes many sums.
    pub(in crate::check) has_sets: bool,
}

/// Maximum number of findings of one kind with advice that takes many sums.
pub(in crate::check) const MAX_WITH_ADVICE: usize = 16;

impl MemorySum<'_> {
    /// Adds the sum to a finding as a table. Each line has the first role that uses the file or memory, the title, the
    /// bytes and the running total. The limit and the excess follow.
    pub(in crate::check) fn add_to(&self, finding: Diagnostic) -> Diagnostic {
        let mut finding = finding;
        for lines in self.load.lines.chunk_by(|line, next| line.role == next.role).take(MAX_LABELS) {
            let Some(role) = lines.first().map(|line| self.registry.roles.get(line.role)) else { continue };
            let bytes = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
            if let Some(process) = role.process() {
                let label = format!("{} takes {bytes}", words::quoted(&role.head.name));
                finding = finding.also(process.residency.span, label);
            }
        }
        let sets = self.group.counted_sets(self.scope);
        let sets = sets.take(MAX_LABELS).map(|set| (set.span, "may be in memory together"));
        let finding = self.with_smaller_sets(finding.also_each(sets).note(self.table()));
        match self.largest_part().filter(|_| !self.scope.is_gpu()) {
            Some((role, part)) => shrink(finding, role, part, self.over),
            None => finding,
        }
    }

    /// Adds the help that removes roles from declared sets.
    fn with_smaller_sets(&self, finding: Diagnostic) -> Diagnostic {
        if !self.has_sets || self.load.total < self.over {
            return finding;
        }
        let limit = self.load.total.minus(self.over);
        let removed = self.group.removals_from_sets(self.scope, limit);
        let Some(removed) = removed else { return finding };
        let names_of = |roles: &mut dyn Iterator<Item = &Spanned<Id<Role>>>| {
            roles
                .map(|role| words::quoted(&self.registry.roles.get(role.value).head.name))
                .collect::<Vec<_>>()
        };
        let names = words::all_of(&names_of(&mut removed.iter()));
        let which = match removed.as_slice() {
            [one] => {
                let is_it = |set: &&RoleSet| set.span.contains(one.span);
                let set = self.group.counted_sets(self.scope).find(is_it);
                let others = set.into_iter().flat_map(|set| &set.value).filter(|role| role.span != one.span);
                match names_of(&mut { others }).as_slice() {
                    few @ [_, ..] if few.len() < MAX_MOVED => {
                        format!("the `set` with {}", words::all_of(few))
                    }
                    _ => "its `set`".to_owned(),
                }
            }
            _ => "the sets of the gateway".to_owned(),
        };
        let title = format!("remove {names} from {which}, so that fewer roles run together");
        let places: Vec<Span> = removed.iter().map(|role| role.span).collect();
        // A change is in one file.
        if places.iter().any(|place| Some(place.file) != places.first().map(|first| first.file)) {
            return finding.help(title);
        }
        let removals = places.into_iter().map(|place| Change::RemoveValue { place });
        finding.remedy(title, Change::All(removals.collect()))
    }

    /// The largest part of the memory of one process.
    fn largest_part(&self) -> Option<(&Role, &Part)> {
        let parts =
            self.group.roles().flat_map(|role| role.memory.parts.iter().map(move |part| (role.id, part)));
        let (role, part) = parts
            .filter(|(_, part)| part.place == Place::Host)
            .max_by_key(|(_, part)| part.amount.bytes())?;
        let is_setting = matches!(part.kind, PartKind::Checkpoints | PartKind::PromptCache | PartKind::Cache);
        is_setting.then(|| (self.registry.roles.get(role), part))
    }

    fn table(&self) -> String {
        let mut rows: Vec<[String; 4]> = Vec::new();
        let mut total = Bytes(0);
        let of_roles = self.load.lines.iter().map(|line| {
            let role = self.registry.roles.get(line.role).head.name.value.to_string();
            (role, words::printable(&line.label), line.bytes)
        });
        let of_services = self.services.iter().map(|service| {
            let bytes = service.memory.map_or(Bytes(0), |memory| memory.value);
            (words::printable(&service.head.name), "(service)".to_owned(), bytes)
        });
        for (name, what, bytes) in of_services.chain(of_roles) {
            total = total.plus(bytes);
            if rows.len() < MAX_LINES {
                rows.push([name, what, bytes.to_string(), total.to_string()]);
            }
        }
        let left_out = (self.services.len() + self.load.lines.len()).saturating_sub(MAX_LINES);
        if left_out > 0 {
            rows.push([format!("and {left_out} more"), String::new(), String::new(), total.to_string()]);
        }
        for (name, bytes) in self.limit.iter().chain(&[("over by", self.over)]) {
            rows.push([(*name).to_owned(), String::new(), bytes.to_string(), String::new()]);
        }
        align(&rows)
    }

    /// A help with the smallest set of roles whose removal makes the sum fit, and the memory that it frees. `write` puts
    /// the roles into words, and `place` ends the sentence.
    pub(in crate::check) fn removal(&self, write: impl Fn(&str) -> String, place: &str) -> String {
        let Some(gone) = self.roles_to_remove() else { return write("several roles") };
        let names: Vec<String> =
            gone.iter().map(|role| words::quoted(&self.registry.roles.get(*role).head.name)).collect();
        let noun = if gone.len() == 1 { "role" } else { "roles" };
        let freed = self.load.total.minus(self.after(&gone));
        let roles = format!("{noun} {}", words::all_of(&names));
        format!("{}, which frees {freed}{place}", write(&roles))
    }

    /// The single role that frees enough memory and the least of it, else the largest roles until the sum fits. A role
    /// frees the files that no other role reads. With `at-once`, another role can take its place, so each candidate is
    /// tried.
    fn roles_to_remove(&self) -> Option<Vec<Id<Role>>> {
        let limit = self.load.total.minus(self.over);
        let fits = |gone: &[Id<Role>]| self.after(gone) <= limit && self.load.total >= self.over;
        let mut by_size = self.load.freed.clone();
        by_size.sort_by_key(|(role, freed)| (*freed, *role));
        let mut one = by_size.iter().filter(|(_, freed)| *freed >= self.over).take(MAX_TRIES);
        if let Some((role, _)) = one.find(|(role, _)| fits(&[*role])) {
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

    /// The sum without some roles.
    fn after(&self, gone: &[Id<Role>]) -> Bytes {
        self.group.load_after(self.scope, LoadChange { gone, ..LoadChange::default() }).total
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

/// The memory that roles and services of a host need.
pub(in crate::check) struct HostLoad {
    /// The memory of its roles.
    pub(in crate::check) load: MemoryLoad,
    /// The excess over the host's memory without its reserve; 0 if its memory is unknown.
    pub(in crate::check) over: Bytes,
    /// The excess of its residencies over their budgets on this host. Separate findings report it.
    pub(in crate::check) overrun: Bytes,
}

impl HostLoad {
    pub(in crate::check) fn new(registry: &Registry, group: &RoleGroup, services: Bytes) -> Self {
        let host = registry.hosts.get(group.host);
        let load = group.load(MemoryScope::HOST);
        let over = host.room().map_or(Bytes(0), |room| load.total.plus(services).minus(room));
        let overrun = group.by_residency().fold(Bytes(0), |sum, (residency, _, alone)| {
            let budget = registry.residencies.get(residency).budget;
            sum.plus(
                budget.map_or(Bytes(0), |budget| alone.load(MemoryScope::HOST).total.minus(budget.value)),
            )
        });
        Self { load, over, overrun }
    }

    /// True if the host has too little memory even if every residency stays within its budget.
    pub(in crate::check) fn exceeds_host(&self) -> bool {
        self.over > self.overrun
    }
}
