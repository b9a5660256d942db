//! All checks of a lowered registry: against itself, the engine builds, and the facts in the lock. Each check has its
//! own file.
//!
//! Every check runs over all items that could be read, so that one run reports everything. A check reports nothing
//! about items that could not be read.

mod avoided_experts;
mod banned_draft;
mod claims;
mod contradicted_advice;
mod contradicted_fact;
mod contradicted_pair;
mod deprecated_option;
mod disproved_ban;
mod empty_expectation;
mod empty_rule;
mod engine_cannot;
mod engine_variable;
mod exclusive_cpus;
mod experts;
mod exposed_without_key;
mod failed_expectation;
mod far_memory;
mod forbidden;
mod forbidden_lookup;
mod forbidden_speculation;
mod foreign_projector;
mod idle_at_boot;
mod idle_option;
mod impossible_dates;
mod impossible_experts;
mod inherited_override;
mod larger_draft;
mod locked_over_node;
mod lone_option;
mod misplaced_key_file;
mod misplaced_projector;
mod missing_backend_port;
mod missing_one_shot;
mod missing_shard;
mod more_threads_than_cores;
mod more_threads_than_cpus;
mod name_collision;
mod node_memory_over_host;
mod nodes;
mod not_checked;
mod option_value;
mod options;
mod over_budget;
mod over_host_memory;
mod over_node_memory;
mod overlapping_nodes;
mod override_range;
mod override_type;
mod overrides;
mod own_draft;
mod owned_option;
mod port_conflict;
mod refuted_draft;
mod refuted_pair;
mod removed_option;
mod repeated_option;
mod repeated_rule;
mod reserved_unit;
mod retired_model;
mod secret_in_registry;
mod secrets;
mod shares_a_sharer;
mod stale_measurement;
mod sum;
mod threads;
mod too_few_experts;
mod too_many_experts;
mod translated_draft;
mod uneven_vocabularies;
mod unfitting_cache_type;
mod unholdable_path;
mod unknown_architecture;
mod unknown_cpu;
mod unknown_node;
mod unknown_option;
mod unknown_override_key;
mod unknown_profile;
mod unknown_threads;
mod unloadable_architecture;
mod unmet_need;
mod unreadable_profile;
mod untrained_context;
mod unused_allow;
mod unused_item;
mod without_cache;

use crate::derive::Derived;
use crate::derive::RoleGroups;
use crate::diag::{Code, Diagnostics, Reported};
use crate::engine::Profile;
use crate::engine::dialect::Lowered;
use crate::facts::Lock;
use crate::hir::{Engine, Id, Model, Registry, Role, Serving};
use crate::source::Span;
use rayon::prelude::*;

/// A check that needs only the registry.
pub struct Check {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Registry, &mut Diagnostics),
}

/// A check that needs values computed from the registry, such as engine profiles and command lines.
pub struct DerivedCheck {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Derived, &mut Diagnostics),
}

/// A check: a finding code, and a function that reports findings with it.
pub trait Rule: Sync {
    /// The code; its page is the rule's documentation.
    fn code(&self) -> &'static Code;
    /// Runs the check and reports its findings.
    fn run(&self, derived: &Derived, findings: &mut Diagnostics);
}

impl Rule for Check {
    fn code(&self) -> &'static Code {
        self.code
    }

    fn run(&self, derived: &Derived, findings: &mut Diagnostics) {
        (self.run)(&derived.registry, findings);
    }
}

impl Rule for DerivedCheck {
    fn code(&self) -> &'static Code {
        self.code
    }

    fn run(&self, derived: &Derived, findings: &mut Diagnostics) {
        (self.run)(derived, findings);
    }
}

/// All checks, in the order of their numbers.
pub static ALL: &[&dyn Rule] = &[
    &banned_draft::CHECK,
    &port_conflict::CHECK,
    &forbidden_speculation::CHECK,
    &forbidden_lookup::CHECK,
    &unknown_override_key::CHECK,
    &override_type::CHECK,
    &over_budget::CHECK,
    &too_many_experts::CHECK,
    &avoided_experts::CHECK,
    &name_collision::CHECK,
    &unknown_profile::CHECK,
    &engine_cannot::CHECK,
    &missing_backend_port::CHECK,
    &shares_a_sharer::CHECK,
    &unknown_architecture::CHECK,
    &unknown_node::CHECK,
    &idle_at_boot::CHECK,
    &failed_expectation::CHECK,
    &inherited_override::CHECK,
    &missing_one_shot::CHECK,
    &unholdable_path::CHECK,
    &unused_allow::CHECK,
    &reserved_unit::CHECK,
    &unknown_cpu::CHECK,
    &unknown_threads::CHECK,
    &more_threads_than_cpus::CHECK,
    &more_threads_than_cores::CHECK,
    &exclusive_cpus::CHECK,
    &far_memory::CHECK,
    &overlapping_nodes::CHECK,
    &node_memory_over_host::CHECK,
    &over_host_memory::CHECK,
    &over_node_memory::CHECK,
    &locked_over_node::CHECK,
    &retired_model::CHECK,
    &unused_item::CHECK,
    &contradicted_pair::CHECK,
    &repeated_rule::CHECK,
    &empty_rule::CHECK,
    &own_draft::CHECK,
    &larger_draft::CHECK,
    &unmet_need::CHECK,
    &misplaced_projector::CHECK,
    &impossible_experts::CHECK,
    &contradicted_advice::CHECK,
    &too_few_experts::CHECK,
    &untrained_context::CHECK,
    &exposed_without_key::CHECK,
    &secret_in_registry::CHECK,
    &misplaced_key_file::CHECK,
    &stale_measurement::CHECK,
    &impossible_dates::CHECK,
    &empty_expectation::CHECK,
    &unloadable_architecture::CHECK,
    &without_cache::CHECK,
    &unknown_option::CHECK,
    &removed_option::CHECK,
    &deprecated_option::CHECK,
    &option_value::CHECK,
    &repeated_option::CHECK,
    &owned_option::CHECK,
    &lone_option::CHECK,
    &override_range::CHECK,
    &engine_variable::CHECK,
    &unreadable_profile::CHECK,
    &idle_option::CHECK,
];

/// A check that compares the registry with the facts in the lock.
pub struct FactCheck {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Derived, &Lock, &mut Diagnostics),
}

/// All checks that need facts from the lock, in the order of their numbers.
pub static FACT_CHECKS: &[&FactCheck] = &[
    &unfitting_cache_type::CHECK,
    &contradicted_fact::CHECK,
    &missing_shard::CHECK,
    &foreign_projector::CHECK,
    &refuted_draft::CHECK,
    &refuted_pair::CHECK,
    &disproved_ban::CHECK,
    &uneven_vocabularies::CHECK,
    &translated_draft::CHECK,
];

/// The codes of memory sums. `--locked` exempts them, because missing headers are already reported per model.
static MEMORY_SUMS: &[&Code] =
    &[&over_budget::OVER_BUDGET, &over_host_memory::OVER_HOST_MEMORY, &over_node_memory::OVER_NODE_MEMORY];

/// The codes of all checks.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let with_facts = FACT_CHECKS.iter().map(|check| check.code);
    ALL.iter().map(|check| check.code()).chain(with_facts).chain([&not_checked::NOT_CHECKED])
}

/// How to treat checks that could not run because a fact is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotCheckedPolicy {
    /// Count them in the summary.
    Count,
    /// Report each as an error (`--locked`).
    Deny,
}

/// A registry without errors. Only this can be planned.
#[derive(Debug)]
pub struct Checked(Derived);

impl Checked {
    /// The lowered registry.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The values that the checks read.
    pub fn derived(&self) -> &Derived {
        &self.0
    }

    /// The profile of an engine. `None` only for an unknown profile, which is an error and so cannot occur here.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&Profile> {
        self.0.profile(engine)
    }

    /// Memory sums over roles, residencies and hosts.
    pub fn loads(&self) -> RoleGroups<'_> {
        self.0.loads()
    }

    /// The command line of an instance of a role, as checked. `None` only for an unknown profile, which cannot occur
    /// here.
    pub fn lower_server(&self, serving: &Serving, instance: usize) -> Option<Lowered> {
        self.0.lower_server(serving, instance)
    }

    /// The one-shot command of a model with the settings of a role.
    pub fn lower_prompt(&self, model: Id<Model>, serving: &Serving) -> Option<Lowered> {
        self.0.lower_prompt(model, serving)
    }
}

/// Runs all checks. Returns the checked registry if neither the checks nor an earlier stage reported an error.
pub fn check(
    derived: Derived,
    policy: NotCheckedPolicy,
    findings: &mut Diagnostics,
) -> Result<Checked, Reported> {
    derived.prepare();
    let without_facts = ALL.par_iter().map(|check| {
        let mut found = Diagnostics::default();
        check.run(&derived, &mut found);
        found
    });
    let with_facts = FACT_CHECKS.par_iter().map(|check| {
        let mut found = Diagnostics::default();
        (check.run)(&derived, &derived.lock, &mut found);
        found
    });
    without_facts.chain(with_facts).collect::<Vec<_>>().into_iter().for_each(|found| findings.absorb(found));
    if policy == NotCheckedPolicy::Deny && !derived.lock.is_damaged {
        not_checked::report(&derived.registry, MEMORY_SUMS, findings);
    }
    unused_allow::silence(&derived.registry, findings);
    match findings.reported() {
        Some(reported) => Err(reported),
        None => Ok(Checked(derived)),
    }
}

/// Kind and name of the item that contains a setting of a role: the stack for a default, else the role.
fn owner<'r>(registry: &'r Registry, role: &'r Role, place: Span) -> (&'static str, &'r str) {
    let stack = &registry.stack.head;
    let is_default =
        place.file == stack.span.file && place.start >= stack.span.start && place.end <= stack.span.end;
    if is_default { ("stack", &stack.name) } else { ("role", &role.head.name) }
}
