//! All checks of a lowered registry: against itself, the engine builds, and the facts in the lock. A file has one rule,
//! or several rules about the same items. `shared` has what several files need.
//!
//! Every check runs over all items that could be read, so that one run reports everything. A check reports nothing
//! about items that could not be read.

mod ambiguous_name;
mod architecture;
mod caches_over_host;
mod container_cannot;
mod contradicted_advice;
mod contradicted_fact;
mod contradicted_pair;
mod disproved_ban;
mod draft_verdicts;
mod drafts;
mod empty_expectation;
mod encoder_without_pooling;
mod engine_cannot;
mod engine_variable;
mod exclusive_cpus;
mod experts;
mod exposed_option;
mod exposed_without_key;
mod failed_expectation;
mod far_memory;
mod forbidden;
mod foreign_adapter;
mod gateway_cannot;
mod gpus;
mod hidden_gpu;
mod host_address;
mod idle_at_boot;
mod images;
mod impossible_dates;
mod impossible_experts;
mod inherited_override;
mod interrupted_requests;
mod kubernetes_cannot;
mod kubernetes_differs;
mod kubernetes_name;
mod literal_variable;
mod misplaced_key_file;
mod missing_backend_port;
mod missing_one_shot;
mod missing_shard;
mod mtp_layers;
mod name_collision;
mod needs_root;
mod node_memory;
mod node_memory_over_host;
mod not_checked;
mod options;
mod over_budget;
mod over_gpu_memory;
mod over_host_memory;
mod overlapping_nodes;
mod overrides;
mod partial_peer;
mod port_conflict;
mod program_as_folder;
mod projectors;
mod refuted_pair;
mod renumbered_gpus;
mod repeated_alias;
mod reserved_unit;
mod retired_model;
mod rules;
mod secret_in_registry;
mod shared;
mod shared_option;
mod shares_a_sharer;
mod stale_measurement;
mod threads;
mod token_embeddings;
mod uncontainable_value;
mod unenforced_at_once;
mod unfitting_cache_type;
mod unholdable_path;
mod unknown_context;
mod unknown_cpu;
mod unknown_node;
mod unknown_threads;
mod unmet_need;
mod unmounted_store;
mod unprotected_peer;
mod unreachable_peer;
mod unroutable_value;
mod unschedulable_pods;
mod unsupported_model;
mod untrained_context;
mod unusable_command;
mod unused_allow;
mod unused_item;
mod unwritable_path;
mod without_cache;
mod written_twice;
mod wrong_draft_kind;

use crate::derive::{Derived, RoleCommand, ServedRole, SharedProfile};
use crate::diag::{Code, Diagnostics, Reported};
use crate::hir::{Engine, Gateway, Head, ProcessSettings, Registry, Role};
use crate::source::Span;
use rayon::prelude::*;
use std::sync::Arc;

/// A rule: the codes of its findings, and the function that reports them.
struct Check {
    /// The codes; their pages are the documentation of the rule.
    codes: &'static [&'static Code],
    run: fn(&Derived, &mut Diagnostics),
}

/// A list of checks from their modules and codes.
macro_rules! checks {
    ($($module:ident: $($code:ident)+,)+) => {
        &[$(Check { codes: &[$(&$module::$code),+], run: $module::run }),+]
    };
}

/// All checks, in the order of their numbers.
static ALL: &[Check] = checks![
    drafts: BANNED_DRAFT OWN_DRAFT LARGER_DRAFT,
    port_conflict: PORT_CONFLICT,
    forbidden: FORBIDDEN_SPECULATION FORBIDDEN_LOOKUP,
    overrides: UNKNOWN_OVERRIDE_KEY OVERRIDE_TYPE OVERRIDE_RANGE,
    over_budget: OVER_BUDGET,
    experts: TOO_MANY_EXPERTS AVOIDED_EXPERTS TOO_FEW_EXPERTS,
    name_collision: NAME_COLLISION,
    engine_cannot: ENGINE_CANNOT,
    missing_backend_port: MISSING_BACKEND_PORT,
    shares_a_sharer: SHARES_A_SHARER,
    architecture: UNKNOWN_ARCHITECTURE UNLOADABLE_ARCHITECTURE,
    unknown_node: UNKNOWN_NODE,
    idle_at_boot: IDLE_AT_BOOT,
    failed_expectation: FAILED_EXPECTATION,
    inherited_override: INHERITED_OVERRIDE,
    missing_one_shot: MISSING_ONE_SHOT,
    unholdable_path: UNHOLDABLE_PATH,
    program_as_folder: PROGRAM_AS_FOLDER,
    reserved_unit: RESERVED_UNIT,
    unknown_cpu: UNKNOWN_CPU,
    unknown_threads: UNKNOWN_THREADS,
    repeated_alias: REPEATED_ALIAS,
    needs_root: NEEDS_ROOT,
    hidden_gpu: HIDDEN_GPU,
    unknown_context: UNKNOWN_CONTEXT,
    threads: MORE_THREADS_THAN_CPUS MORE_THREADS_THAN_CORES,
    exclusive_cpus: EXCLUSIVE_CPUS,
    far_memory: FAR_MEMORY,
    overlapping_nodes: OVERLAPPING_NODES,
    node_memory_over_host: NODE_MEMORY_OVER_HOST,
    over_host_memory: OVER_HOST_MEMORY,
    caches_over_host: CACHES_OVER_HOST,
    over_gpu_memory: OVER_GPU_MEMORY,
    renumbered_gpus: RENUMBERED_GPUS,
    gpus: UNKNOWN_DEVICE SURPLUS_LAYERS SLOW_CACHE_TYPE WHOLE_RESERVE,
    unmounted_store: UNMOUNTED_STORE,
    host_address: HOST_ADDRESS,
    ambiguous_name: AMBIGUOUS_NAME,
    unenforced_at_once: UNENFORCED_AT_ONCE,
    gateway_cannot: GATEWAY_CANNOT,
    unroutable_value: UNROUTABLE_VALUE,
    interrupted_requests: INTERRUPTED_REQUESTS,
    shared_option: SHARED_OPTION,
    unreachable_peer: UNREACHABLE_PEER,
    unprotected_peer: UNPROTECTED_PEER,
    partial_peer: PARTIAL_PEER,
    images: BAD_IMAGE IMAGE_WITHOUT_DIGEST UNSERVED_IMAGE,
    container_cannot: CONTAINER_CANNOT,
    uncontainable_value: UNCONTAINABLE_VALUE,
    kubernetes_cannot: KUBERNETES_CANNOT,
    kubernetes_name: KUBERNETES_NAME,
    kubernetes_differs: KUBERNETES_DIFFERS,
    unschedulable_pods: UNSCHEDULABLE_PODS,
    node_memory: OVER_NODE_MEMORY LOCKED_OVER_NODE,
    unfitting_cache_type: UNFITTING_CACHE_TYPE,
    encoder_without_pooling: ENCODER_WITHOUT_POOLING,
    literal_variable: LITERAL_VARIABLE,
    retired_model: RETIRED_MODEL,
    unused_item: UNUSED_ITEM,
    contradicted_pair: CONTRADICTED_PAIR,
    rules: REPEATED_RULE EMPTY_RULE,
    unmet_need: UNMET_NEED,
    projectors: MISPLACED_PROJECTOR FOREIGN_PROJECTOR,
    impossible_experts: IMPOSSIBLE_EXPERTS,
    contradicted_advice: CONTRADICTED_ADVICE,
    untrained_context: UNTRAINED_CONTEXT SPOILED_YARN,
    exposed_without_key: EXPOSED_WITHOUT_KEY,
    secret_in_registry: SECRET_IN_REGISTRY,
    misplaced_key_file: MISPLACED_KEY_FILE,
    stale_measurement: STALE_MEASUREMENT,
    impossible_dates: IMPOSSIBLE_DATES,
    empty_expectation: EMPTY_EXPECTATION,
    without_cache: WITHOUT_CACHE,
    unwritable_path: UNWRITABLE_PATH,
    exposed_option: EXPOSED_OPTION,
    foreign_adapter: FOREIGN_ADAPTER,
    written_twice: WRITTEN_TWICE,
    wrong_draft_kind: WRONG_DRAFT_KIND,
    options: UNKNOWN_OPTION REMOVED_OPTION DEPRECATED_OPTION OPTION_VALUE REPEATED_OPTION OWNED_OPTION LONE_OPTION IDLE_OPTION,
    engine_variable: ENGINE_VARIABLE,
    contradicted_fact: CONTRADICTED_FACT,
    missing_shard: MISSING_SHARD,
    unsupported_model: UNSUPPORTED_MODEL,
    token_embeddings: TOKEN_EMBEDDINGS,
    mtp_layers: MISSING_MTP_LAYERS,
    unusable_command: UNUSABLE_COMMAND,
    draft_verdicts: REFUTED_DRAFT UNEVEN_VOCABULARIES TRANSLATED_DRAFT,
    refuted_pair: REFUTED_PAIR,
    disproved_ban: DISPROVED_BAN,
];

/// The codes of memory sums. `--locked` exempts them, because missing headers are already reported per model.
static MEMORY_SUMS: &[&Code] = &[
    &over_budget::OVER_BUDGET,
    &over_host_memory::OVER_HOST_MEMORY,
    &over_gpu_memory::OVER_GPU_MEMORY,
    &node_memory::OVER_NODE_MEMORY,
    &failed_expectation::FAILED_EXPECTATION,
];

/// The codes of all checks.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let after = [&unused_allow::UNUSED_ALLOW, &not_checked::NOT_CHECKED];
    ALL.iter().flat_map(|check| check.codes).copied().chain(after)
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
#[derive(Clone, Debug)]
pub struct Checked {
    derived: Derived,
    /// The profile of each engine, in the order of declaration.
    profiles: Vec<SharedProfile>,
    /// The command lines of each served role, in the order of declaration.
    commands: Vec<Arc<RoleCommand>>,
}

impl Checked {
    fn new(derived: Derived) -> Result<Self, Reported> {
        let profiles = derived.profiles.iter().cloned().collect::<Result<_, _>>()?;
        let commands = derived.roles.iter().map(|role| role.command.clone()).collect::<Result<_, _>>()?;
        Ok(Self { derived, profiles, commands })
    }

    /// The lowered registry.
    pub fn registry(&self) -> &Registry {
        &self.derived.registry
    }

    /// The values that the checks read.
    pub fn derived(&self) -> &Derived {
        &self.derived
    }

    /// The engines with their profiles, in the order of declaration.
    pub fn engines(&self) -> impl Iterator<Item = (&Engine, &SharedProfile)> {
        self.derived.registry.engines.iter().zip(&self.profiles)
    }

    /// The registry without its roles, and the served roles with their command lines, in the order of declaration. To
    /// free each role after its use saves memory.
    pub fn into_roles(self) -> (Registry, impl Iterator<Item = (Role, ServedRole, Arc<RoleCommand>)>) {
        let Derived { mut registry, roles, .. } = self.derived;
        let mut declared = std::mem::take(&mut registry.roles).into_entries();
        let served = roles.into_iter().zip(self.commands).filter_map(move |(served, command)| {
            let (_, role) = declared.find(|(id, _)| *id == served.id)?;
            Some((role, served, command))
        });
        (registry, served)
    }

    /// The served roles with their command lines, in the order of declaration.
    pub fn roles(&self) -> impl Iterator<Item = (&ServedRole, &RoleCommand)> {
        self.derived.roles.iter().zip(self.commands.iter().map(|command| &**command))
    }
}

/// Runs all checks. Returns the checked registry if neither the checks nor an earlier stage reported an error.
pub fn check(
    derived: Derived,
    policy: NotCheckedPolicy,
    findings: &mut Diagnostics,
) -> Result<Checked, Reported> {
    let run = |check: &Check| {
        let mut found = Diagnostics::default();
        (check.run)(&derived, &mut found);
        found
    };
    let mut found = Diagnostics::default();
    ALL.par_iter().map(run).collect::<Vec<_>>().into_iter().for_each(|one| found.absorb(one));
    found.sort_by_code();
    findings.absorb(found);
    if policy == NotCheckedPolicy::Deny && !derived.lock.is_damaged {
        not_checked::report(&derived.registry, MEMORY_SUMS, findings);
    }
    unused_allow::silence(&derived.registry, findings);
    match findings.reported() {
        Some(reported) => Err(reported),
        None => Checked::new(derived),
    }
}

/// The item that contains a setting of a role: the stack for a default, else the role.
fn owner<'r>(registry: &'r Registry, role: &'r Role, place: Span) -> &'r Head {
    owner_of(registry, &role.head, place)
}

/// The item with a part of the placement of a role: the role, or its gateway.
fn placed<'r>(registry: &'r Registry, role: &'r Role, process: &ProcessSettings, place: Span) -> &'r Head {
    let gateway = process.gateway.map(|gateway| registry.gateways.get(gateway.value));
    let is_inherited = |gateway: &&Gateway| {
        let cpus = gateway.cpus.as_deref().map(|cpus| cpus.span);
        gateway.numa.as_ref().map(|numa| numa.span) == Some(place) || cpus == Some(place)
    };
    gateway.filter(is_inherited).map_or(&role.head, |gateway| &gateway.head)
}

/// The stack for a setting of `defaults`, else the item that has it.
fn owner_of<'r>(registry: &'r Registry, item: &'r Head, place: Span) -> &'r Head {
    let stack = &registry.stack.head;
    if stack.span.contains(place) { stack } else { item }
}
