//! The one gate: what was declared is held against itself and against what the engine does. One file a check.
//!
//! Every check runs over everything that stands, so that one run reports all. A check that needs an item which could not
//! be read is silent about it.

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
mod ground;
mod idle_at_boot;
mod idle_option;
mod impossible_dates;
mod impossible_experts;
mod inherited_override;
mod intent;
mod larger_draft;
mod locked;
mod locked_over_node;
mod lone_option;
pub mod memory;
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

pub use ground::{Ground, ProfileText};

use crate::diag::{Code, Diagnostics, Reported};
use crate::engine::Profile;
use crate::engine::dialect::Lowered;
use crate::facts::Lock;
use crate::hir::{Engine, Id, Loads, Model, Registry, Role, Serving};
use crate::source::Span;
use rayon::prelude::*;

/// One rule: its code with its page, and a function from registry to findings.
pub struct Check {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Registry, &mut Diagnostics),
}

/// The same with a function that asks as well what the builds of the engines accept.
pub struct GroundCheck {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Ground, &mut Diagnostics),
}

/// What every check is: a code, and something to run.
pub trait Rule: Sync {
    /// The code; its page is the rule's documentation.
    fn code(&self) -> &'static Code;
    /// Says what it finds.
    fn run(&self, ground: &Ground, findings: &mut Diagnostics);
}

impl Rule for Check {
    fn code(&self) -> &'static Code {
        self.code
    }

    fn run(&self, ground: &Ground, findings: &mut Diagnostics) {
        (self.run)(&ground.registry, findings);
    }
}

impl Rule for GroundCheck {
    fn code(&self) -> &'static Code {
        self.code
    }

    fn run(&self, ground: &Ground, findings: &mut Diagnostics) {
        (self.run)(ground, findings);
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

/// One rule that needs to know what model files say: a function of what was declared and the lock.
pub struct FactCheck {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Ground, &Lock, &mut Diagnostics),
}

/// All checks of what is declared against the lock, in the order of their numbers.
pub static ON_FACTS: &[&FactCheck] = &[
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

/// The codes of all checks.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let on_facts = ON_FACTS.iter().map(|check| check.code);
    ALL.iter().map(|check| check.code()).chain(on_facts).chain([&not_checked::NOT_CHECKED])
}

/// How much has to be proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// What cannot be checked is counted.
    AsFarAsKnown,
    /// What cannot be checked is an error.
    Everything,
}

/// A registry in which nothing of severity error was found; the only thing that can be planned.
#[derive(Debug)]
pub struct Checked(Ground);

impl Checked {
    /// What was declared.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// What the checks stood on.
    pub fn ground(&self) -> &Ground {
        &self.0
    }

    /// What the build of an engine accepts; none where its profile is unknown, which cannot be here.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&Profile> {
        self.0.profile(engine)
    }

    /// The roles, to be summed with what is known of their memory.
    pub fn loads(&self) -> Loads<'_> {
        self.0.loads()
    }

    /// The command line of an instance of a role, as the checks saw it; none where its profile is unknown, which cannot be here.
    pub fn serve(&self, serving: &Serving, instance: usize) -> Option<Lowered> {
        self.0.serve(serving, instance)
    }

    /// The one-shot command of a model as a role has it, with `words` for what is asked and the image it is asked about.
    pub fn prompt(&self, model: Id<Model>, serving: &Serving, words: (&str, &str)) -> Option<Lowered> {
        self.0.prompt(model, serving, words)
    }
}

/// Runs all checks over what was declared and prepared; gives it on where neither they nor anything before them found an
/// error.
pub fn check(ground: Ground, demand: Demand, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    ground.prepare();
    let said = ALL.par_iter().map(|check| {
        let mut said = Diagnostics::default();
        check.run(&ground, &mut said);
        said
    });
    let on_facts = ON_FACTS.par_iter().map(|check| {
        let mut said = Diagnostics::default();
        (check.run)(&ground, &ground.lock, &mut said);
        said
    });
    said.chain(on_facts).collect::<Vec<_>>().into_iter().for_each(|said| findings.absorb(said));
    if demand == Demand::Everything && !ground.lock.is_damaged {
        not_checked::report(&ground.registry, findings);
    }
    unused_allow::silence(&ground.registry, findings);
    match findings.reported() {
        Some(reported) => Err(reported),
        None => Ok(Checked(ground)),
    }
}

/// The item that a setting of a role stands in: the role, or the stack where the setting is one of its defaults.
fn owner<'r>(registry: &'r Registry, role: &'r Role, place: Span) -> (&'static str, &'r str) {
    let stack = &registry.stack.head;
    let is_default =
        place.file == stack.span.file && place.start >= stack.span.start && place.end <= stack.span.end;
    if is_default { ("stack", &stack.name) } else { ("role", &role.head.name) }
}
