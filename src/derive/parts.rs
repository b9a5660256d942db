//! The parts of the memory of each role, computed by `engine::memory` from its command line and the headers of its files.

use super::locked;
use super::memory::{MeasuredRole, RoleMemory};
use super::overrides::{EXPERT_USED_COUNT, engine_overrides};
use super::role::ServedRole;
use crate::engine::Profile;
use crate::engine::dialect::OverrideValue;
use crate::engine::memory::{Amount, MemoryOptions, Owner, Part, PartKind, Process, adapter_parts, memory};
use crate::facts::{Facts, Lock, Parameter};
use crate::hir::{Engine, Id, Model, Registry, Serving};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that determines the memory of a process. Roles with equal inputs share one computation.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct MemoryInputs {
    engine: Id<Engine>,
    model: Id<Model>,
    draft: Option<Id<Model>>,
    options: MemoryOptions,
    /// The metadata overrides as text, only to compare them.
    overrides: String,
    has_gpu: bool,
}

/// The inputs, or the reason why the memory is unknown.
type InputsResult = Result<Box<MemoryInputs>, &'static str>;

/// Computes the memory of each role. Equal inputs are computed once: planning the compute graph is slow, and many roles
/// are alike.
pub(super) fn measure(registry: &Registry, lock: &Lock, roles: &mut [ServedRole]) {
    let inputs: Vec<InputsResult> = roles.par_iter().map(|role| inputs(registry, lock, role)).collect();
    let known = inputs.iter().zip(&*roles).filter_map(|(inputs, role)| {
        Some((&**inputs.as_ref().ok()?, (&*role.serving, &**role.known_command()?.profile)))
    });
    let distinct: Vec<(&MemoryInputs, (&Serving, &Profile))> =
        known.collect::<BTreeMap<_, _>>().into_iter().collect();
    let computed = distinct
        .par_iter()
        .map(|(inputs, (serving, profile))| (*inputs, compute(registry, lock, profile, serving, inputs)));
    let computed: BTreeMap<&MemoryInputs, Arc<[Part]>> = computed.collect();
    let mut unknown: BTreeMap<(&str, u64), Arc<[Part]>> = BTreeMap::new();
    for (role, inputs) in roles.iter_mut().zip(&inputs) {
        let prompts = role.known_command().map_or(0, |command| command.default_prompt_cache);
        let parts = match inputs {
            Ok(inputs) => computed.get(&**inputs).cloned().unwrap_or_default(),
            Err(why) => unknown.entry((why, prompts)).or_insert_with(|| unknown_parts(why, prompts)).clone(),
        };
        role.memory = role_memory(registry, role, parts);
    }
}

fn role_memory(registry: &Registry, role: &ServedRole, parts: Arc<[Part]>) -> RoleMemory {
    let host = registry.hosts.get(role.serving.host.value);
    let role = MeasuredRole { serving: &role.serving, files: &role.files, gpus: role.gpus.as_deref() };
    RoleMemory::new(host, role, parts)
}

/// The memory of a role with other memory options. `None` if it is not known.
pub(super) fn memory_with(
    registry: &Registry,
    lock: &Lock,
    role: &ServedRole,
    options: MemoryOptions,
) -> Option<RoleMemory> {
    let inputs = MemoryInputs { options, ..*inputs(registry, lock, role).ok()? };
    let profile = &role.known_command()?.profile;
    let parts = compute(registry, lock, profile, &role.serving, &inputs);
    Some(role_memory(registry, role, parts))
}

/// The parts of a role without facts: the prompt cache that its engine has by default, and everything else.
fn unknown_parts(why: &'static str, prompts: u64) -> Arc<[Part]> {
    let text = match why {
        locked::NOT_LOCKED => "the lock has no facts of its model: run `orchgen lock` where the file is",
        locked::OTHER_FILE => "the lock has the facts of another file: run `orchgen lock` where its model is",
        _ => why,
    };
    let amount = Amount::MayGrow(prompts);
    let cache = Part::on_host(PartKind::PromptCache, Owner::Model, amount);
    let cache = (prompts > 0).then_some(cache);
    cache.into_iter().chain([unknown_rest(Owner::Model, text)]).collect()
}

/// The reason for an unknown memory if the engine profile is missing.
const NO_PROFILE: &str = "the profile of its engine is unknown";

fn unknown_rest(owner: Owner, why: &str) -> Part {
    Part::on_host(PartKind::Rest, owner, Amount::Unknown(why.to_owned()))
}

/// The inputs that determine the memory of a role, or the reason why it is unknown.
fn inputs(registry: &Registry, lock: &Lock, role: &ServedRole) -> InputsResult {
    let serving = &role.serving;
    locked::facts(lock, registry.models.get(serving.model.value))?;
    let command = role.known_command().ok_or(NO_PROFILE)?;
    let options = command.memory.as_ref().map_err(|why| *why)?;
    let experts = serving.experts.map(|experts| experts.value);
    let overrides = engine_overrides(registry, &command.profile, serving);
    Ok(Box::new(MemoryInputs {
        engine: command.engine,
        model: serving.model.value,
        draft: serving.draft_model().map(|(_, model)| model.value),
        options: (**options).clone(),
        overrides: format!("{experts:?} {overrides:?}"),
        has_gpu: !registry.hosts.get(serving.host.value).gpus.is_empty(),
    }))
}

fn compute(
    registry: &Registry,
    lock: &Lock,
    profile: &Profile,
    serving: &Serving,
    inputs: &MemoryInputs,
) -> Arc<[Part]> {
    let model = registry.models.get(inputs.model);
    let Ok(facts) = locked::facts(lock, model) else { return Arc::default() };
    let draft = inputs.draft.map(|draft| locked::facts(lock, registry.models.get(draft)));
    let projector = locked::projector(lock, model);
    let overrides = engine_overrides(registry, profile, serving);
    let arch = registry.arch_of(model);
    let experts = arch.zip(serving.experts).map(|(arch, experts)| (&*arch.value, i64::from(experts.value)));
    let apply = |facts| apply_overrides(facts, &overrides, experts);
    let (own, drafts) = (apply(&facts.facts), draft.and_then(Result::ok).map(|draft| apply(&draft.facts)));
    let process = Process {
        profile,
        options: &inputs.options,
        model: &own,
        draft: drafts.as_deref(),
        projector: projector.and_then(Result::ok).map(|projector| &projector.facts),
    };
    let mut parts = memory(&process);
    let missing =
        [(Owner::Draft, draft.and_then(Result::err)), (Owner::Projector, projector.and_then(Result::err))];
    parts.extend(missing.into_iter().filter_map(|(owner, why)| Some(unknown_rest(owner, why?))));
    parts.extend(inputs.options.adapters.iter().flat_map(|path| adapter(lock, &inputs.options, &own, path)));
    for owner in [Some(Owner::Model), inputs.draft.map(|_| Owner::Draft)].into_iter().flatten() {
        if inputs.has_gpu && inputs.options.may_offload(owner) {
            let why = "the host has a GPU, and layers may be offloaded to it";
            parts.push(unknown_rest(owner, why));
        }
    }
    parts.into()
}

/// The memory of an adapter.
fn adapter(lock: &Lock, options: &MemoryOptions, model: &Facts, path: &str) -> Vec<Part> {
    match lock.adapters.get(path) {
        Some(locked) => adapter_parts(options, model, &locked.facts),
        None => {
            let why = format!(
                "the lock has no facts of the adapter `{path}`: run `orchgen lock` where the file is"
            );
            vec![Part::on_host(PartKind::Adapters, Owner::Model, Amount::Unknown(why))]
        }
    }
}

/// The facts after metadata overrides. `--override-kv` changes the keys of the architecture, in the target and in the
/// draft (llama.cpp b11434, `common/speculative.cpp`).
fn apply_overrides<'f>(
    facts: &'f Facts,
    overrides: &[(&str, OverrideValue<'_>)],
    experts: Option<(&str, i64)>,
) -> Cow<'f, Facts> {
    let Some(arch) = facts.architecture.as_deref() else { return Cow::Borrowed(facts) };
    let own = overrides.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(arch)?.strip_prefix('.')?;
        let value = match value {
            OverrideValue::Int(number) => Parameter::Number(*number),
            OverrideValue::Bool(flag) => Parameter::Flag(*flag),
            OverrideValue::Float(_) | OverrideValue::Str(_) => return None,
        };
        // The engine does not override lists.
        let is_list = matches!(facts.parameters.get(key), Some(Parameter::List(_)));
        (!is_list).then(|| (key.into(), value))
    });
    let has_experts = facts.parameters.contains_key(EXPERT_USED_COUNT);
    let used = experts.filter(|(of, _)| has_experts && *of == arch);
    let used = used.map(|(_, used)| (EXPERT_USED_COUNT.into(), Parameter::Number(used)));
    let changes: Vec<(Box<str>, Parameter)> = own.chain(used).collect();
    if changes.is_empty() {
        return Cow::Borrowed(facts);
    }
    let mut changed = facts.clone();
    changed.parameters.extend(changes);
    Cow::Owned(changed)
}
