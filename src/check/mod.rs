//! The one gate: what was declared is held against itself and against what the engine does. One file a check.
//!
//! Every check runs over everything that stands, so that one run reports all. A check that needs an item which could not
//! be read is silent about it.

mod avoided_experts;
mod banned_draft;
mod contradicted_advice;
mod contradicted_pair;
mod empty_expectation;
mod empty_rule;
mod engine_cannot;
mod experts;
mod exposed_without_key;
mod failed_expectation;
mod forbidden;
mod forbidden_lookup;
mod forbidden_speculation;
mod idle_at_boot;
mod impossible_dates;
mod impossible_experts;
mod inherited_override;
mod intent;
mod larger_draft;
mod misplaced_key_file;
mod misplaced_projector;
mod missing_backend_port;
mod missing_one_shot;
mod name_collision;
mod over_budget;
mod override_type;
mod overrides;
mod own_draft;
mod port_conflict;
mod repeated_rule;
mod reserved_unit;
mod retired_model;
mod secret_in_registry;
mod secrets;
mod shares_a_sharer;
mod stale_measurement;
mod too_few_experts;
mod too_many_experts;
mod unholdable_path;
mod unknown_architecture;
mod unknown_cpu;
mod unknown_node;
mod unknown_override_key;
mod unknown_profile;
mod unknown_threads;
mod unloadable_architecture;
mod unmet_need;
mod untrained_context;
mod unused_allow;
mod without_cache;

use crate::diag::{Code, Diagnostics, Reported};
use crate::engine::Profile;
use crate::engine::dialect::Lowered;
use crate::hir::{Engine, Id, Model, Registry, Role, Serving};
use crate::source::Span;
use rayon::prelude::*;

/// One rule: its code with its page, and a function from registry to findings.
pub struct Check {
    /// The code; its page is the rule's documentation.
    pub code: &'static Code,
    run: fn(&Registry, &mut Diagnostics),
}

/// All checks, in the order of their numbers.
pub static ALL: &[&Check] = &[
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
    &retired_model::CHECK,
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
];

/// A registry in which nothing of severity error was found; the only thing that can be planned.
#[derive(Debug)]
pub struct Checked(Registry);

impl Checked {
    /// What was declared.
    pub fn registry(&self) -> &Registry {
        &self.0
    }

    /// What the build of an engine accepts; none where its profile is unknown, which cannot be here.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&'static Profile> {
        Profile::built_in(&self.0.engines.get(engine).profile)
    }

    /// The command line of an instance of a role, as the checks saw it; none where its profile is unknown, which cannot be here.
    pub fn serve(&self, serving: &Serving, instance: usize) -> Option<Lowered> {
        intent::serve(&self.0, serving, instance)
    }

    /// The one-shot command of a model as a role has it, with `words` for what is asked and the image it is asked about.
    pub fn prompt(&self, model: Id<Model>, serving: &Serving, words: (&str, &str)) -> Option<Lowered> {
        intent::prompt(&self.0, model, serving, words)
    }
}

/// Runs all checks; gives the registry on where neither they nor anything before them found an error.
pub fn check(registry: Registry, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    let said = ALL.par_iter().map(|check| {
        let mut said = Diagnostics::default();
        (check.run)(&registry, &mut said);
        said
    });
    said.collect::<Vec<_>>().into_iter().for_each(|said| findings.absorb(said));
    unused_allow::silence(&registry, findings);
    match findings.reported() {
        Some(reported) => Err(reported),
        None => Ok(Checked(registry)),
    }
}

/// The profile of a role's engine; none where its name is unknown, which `unknown-profile` says.
fn profile_of(registry: &Registry, serving: &Serving) -> Option<&'static Profile> {
    let engine = registry.engines.get(serving.engine?.value);
    Profile::built_in(&engine.profile)
}

/// The item that a setting of a role stands in: the role, or the stack where the setting is one of its defaults.
fn owner<'r>(registry: &'r Registry, role: &'r Role, place: Span) -> (&'static str, &'r str) {
    let stack = &registry.stack.head;
    let is_default =
        place.file == stack.span.file && place.start >= stack.span.start && place.end <= stack.span.end;
    if is_default { ("stack", &stack.name) } else { ("role", &role.head.name) }
}
