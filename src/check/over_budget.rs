//! A residency whose roles take more than its budget.

use super::Check;
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::hir::{Bytes, Id, Load, Registry, Residency, Role};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A residency whose models take more memory on one host than its `budget`, with the sum drawn up line by line.
    ///
    /// ## Why
    /// The slice of the residency is held to its budget. Beyond it the kernel takes weights out of memory while they are used, or
    /// kills a process.
    ///
    /// Files of weights, drafts and projectors count once a host, however many roles read them. Where a residency has `at-once`,
    /// so many of its largest roles count.
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
    static OVER_BUDGET = 307, "over-budget", Error;
}

pub(super) static CHECK: Check = Check { code: &OVER_BUDGET, run };

/// How many lines of the sum and how many places are drawn; a residency may have thousands of roles.
const LINES: usize = 40;
const PLACES: usize = 6;

/// How many roles are tried alone, and how many are named together at the most.
const TRIES: usize = 16;
const MOVED: usize = 4;

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (id, residency) in registry.residencies.entries() {
        let Some(budget) = residency.budget else { continue };
        let mut any = false;
        for load in registry.loads(id) {
            any = true;
            if load.total > budget.value {
                findings.say(finding(registry, id, budget, &load));
            }
        }
        if any {
            leave_the_rest(residency, findings);
        }
    }
}

/// Without the headers of the files only their sizes are known.
fn leave_the_rest(residency: &Residency, findings: &mut Diagnostics) {
    findings.leave(NotChecked {
        check: OVER_BUDGET.name,
        subject: Subject::new("residency", &*residency.head.name.value),
        why: "only the sizes of files are summed: KV caches, buffers and repacked weights need the headers of the files".into(),
    });
}

fn finding(registry: &Registry, id: Id<Residency>, budget: Spanned<Bytes>, load: &Load) -> Diagnostic {
    let over = load.total.minus(budget.value);
    let residency = &registry.residencies.get(id).head.name;
    let message = format!(
        "residency {} takes {} on host {}, {over} over its budget of {}",
        words::quoted(residency),
        load.total,
        words::quoted(&registry.hosts.get(load.host).head.name),
        budget.value
    );
    let mut finding = OVER_BUDGET
        .at(budget.span, format!("{} are needed", load.total), message)
        .about("residency", &*residency.value);
    for line in load.lines.iter().take(PLACES) {
        let serving = registry.roles.get(line.role).serving();
        if let Some(serving) = serving {
            finding = finding.also(
                serving.residency.span,
                format!("{} takes {}", words::quoted(&registry.roles.get(line.role).head.name), line.bytes),
            );
        }
    }
    let [move_away, raise] = smallest_change(registry, id, load, budget.value);
    finding.note(sum(registry, budget.value, load)).help(move_away).help(raise)
}

/// The sum, a line a file: the role that brings it in first, its title, its size, the total so far.
fn sum(registry: &Registry, budget: Bytes, load: &Load) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut total = Bytes(0);
    for line in &load.lines {
        total = total.plus(line.bytes);
        let role = registry.roles.get(line.role).head.name.value.to_string();
        rows.push([role, words::printable(&line.what), line.bytes.to_string(), total.to_string()]);
    }
    let left_out = rows.len().saturating_sub(LINES);
    rows.truncate(LINES);
    if left_out > 0 {
        rows.push([format!("and {left_out} more"), String::new(), String::new(), load.total.to_string()]);
    }
    rows.push(["budget".into(), String::new(), budget.to_string(), String::new()]);
    rows.push(["over by".into(), String::new(), load.total.minus(budget).to_string(), String::new()]);
    table(&rows)
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

/// The fewest roles whose leaving is enough, and the budget that would be.
fn smallest_change(registry: &Registry, residency: Id<Residency>, load: &Load, budget: Bytes) -> [String; 2] {
    let raise = format!("raise the budget to {}", load.total.rounded_up());
    let Some(gone) = enough(registry, residency, load, budget) else {
        return ["move several roles to another residency".to_owned(), raise];
    };
    let freed = load.total.minus(registry.load_without(residency, load.host, &gone));
    let names: Vec<String> =
        gone.iter().map(|role| words::quoted(&registry.roles.get(*role).head.name)).collect();
    let noun = if gone.len() == 1 { "role" } else { "roles" };
    [format!("move {noun} {} to another residency, which frees {freed}", words::all_of(&names)), raise]
}

/// The one role that frees the least that is enough, else the largest until it is enough. What a role frees counts files that
/// no other reads; where not all roles run at once, another takes its place, so each answer is tried.
fn enough(
    registry: &Registry,
    residency: Id<Residency>,
    load: &Load,
    budget: Bytes,
) -> Option<Vec<Id<Role>>> {
    let over = load.total.minus(budget);
    let fits = |gone: &[Id<Role>]| registry.load_without(residency, load.host, gone) <= budget;
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
