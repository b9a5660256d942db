//! Memory of each role, computed by `engine::memory` from the role's command line and the headers of its files.

use super::derived::Derived;
use super::intent;
use super::locked;
use super::{FilePart, MemoryKind, PrivateMemory, RoleMemory};
use crate::engine::Word;
use crate::engine::dialect::OverrideValue;
use crate::engine::memory::{Amount, MemoryOptions, Owner, Part, PartKind, Process, memory};
use crate::facts::{Facts, Parameter};
use crate::hir::{Bytes, Engine, Id, Model, Role, Serving};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The memory of one process of a role.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcessMemory {
    /// The role.
    pub role: Id<Role>,
    /// The parts: weights, caches, buffers. A part can be unknown.
    pub parts: Arc<[Part]>,
}

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

/// The memory of all served roles, in the order of declaration. Equal inputs are computed once: planning the compute
/// graph is slow, and many roles are alike.
pub fn of_served_roles(derived: &Derived) -> Vec<ProcessMemory> {
    let served: Vec<(Id<Role>, &Serving)> =
        derived.registry.roles.entries().filter_map(|(id, role)| Some((id, role.serving()?))).collect();
    let roles = served.par_iter().map(|(role, serving)| (*role, *serving, inputs(derived, serving)));
    let roles: Vec<(Id<Role>, &Serving, InputsResult)> = roles.collect();
    let distinct = roles.iter().filter_map(|(_, serving, inputs)| Some((&**inputs.as_ref().ok()?, *serving)));
    let distinct: Vec<(&MemoryInputs, &Serving)> = distinct.collect::<BTreeMap<_, _>>().into_iter().collect();
    let parts = distinct
        .par_iter()
        .map(|(inputs, serving)| Some((*inputs, compute_parts(derived, serving, inputs)?)));
    let parts: BTreeMap<&MemoryInputs, Arc<[Part]>> = parts.flatten().collect();
    let unknown: BTreeMap<&str, Arc<[Part]>> = [
        (NO_PROFILE, NO_PROFILE),
        (locked::NOT_LOCKED, "the lock has no facts of its model: run `orchgen lock` where the file is"),
        (locked::OTHER_FILE, "the lock has the facts of another file: run `orchgen lock` where its model is"),
    ]
    .map(|(why, text)| {
        let part =
            Part { kind: PartKind::Rest, owner: Owner::Model, amount: Amount::Unknown(text.to_owned()) };
        (why, [part].into())
    })
    .into();
    let parts_of = |inputs: &InputsResult| match inputs {
        Ok(inputs) => parts.get(&**inputs),
        Err(why) => unknown.get(why),
    };
    let memories = roles.iter().filter_map(|(role, _, inputs)| {
        Some(ProcessMemory { role: *role, parts: parts_of(inputs)?.clone() })
    });
    memories.collect()
}

/// The reason for an unknown memory if the engine profile is missing.
const NO_PROFILE: &str = "the profile of its engine is unknown";

/// The inputs that determine the memory of a role, or the reason why it is unknown.
fn inputs(derived: &Derived, serving: &Serving) -> InputsResult {
    let registry = &derived.registry;
    locked::facts(&derived.lock, registry.models.get(serving.model.value))?;
    let (Some(engine), Some(profile)) = (serving.engine, derived.profile_of(serving)) else {
        return Err(NO_PROFILE);
    };
    let lowered = derived.lower_server(serving, 0).ok_or(NO_PROFILE)?;
    let experts = serving.experts.map(|experts| experts.value);
    let env = registry.env_of(serving);
    Ok(Box::new(MemoryInputs {
        engine: engine.value,
        model: serving.model.value,
        draft: serving.draft.as_ref().map(|draft| draft.model.value),
        options: MemoryOptions::read(profile, &env, lowered.args.iter().map(Word::text)),
        overrides: format!("{experts:?} {:?}", intent::engine_overrides(derived, serving)),
        has_gpu: !registry.hosts.get(serving.host.value).gpus.is_empty(),
    }))
}

fn compute_parts(derived: &Derived, serving: &Serving, inputs: &MemoryInputs) -> Option<Arc<[Part]>> {
    let (registry, lock) = (&derived.registry, &derived.lock);
    let model = registry.models.get(inputs.model);
    let facts = locked::facts(lock, model).ok()?;
    let draft = inputs.draft.map(|draft| locked::facts(lock, registry.models.get(draft)));
    let projector = locked::projector(lock, model);
    let overrides = intent::engine_overrides(derived, serving);
    let arch = &*registry.families.get(model.family.value).arch.value;
    let experts = serving.experts.map(|experts| (arch, i64::from(experts.value)));
    let apply = |facts| apply_overrides(facts, &overrides, experts);
    let (own, drafts) = (apply(&facts.facts), draft.and_then(Result::ok).map(|draft| apply(&draft.facts)));
    let process = Process {
        profile: derived.profile(inputs.engine)?,
        options: &inputs.options,
        model: &own,
        draft: drafts.as_deref(),
        projector: projector.and_then(Result::ok).map(|projector| &projector.facts),
    };
    let mut parts = memory(&process);
    let missing =
        [(Owner::Draft, draft.and_then(Result::err)), (Owner::Projector, projector.and_then(Result::err))];
    parts.extend(missing.into_iter().filter_map(|(owner, why)| {
        Some(Part { kind: PartKind::Rest, owner, amount: Amount::Unknown(why?.to_owned()) })
    }));
    for owner in [Some(Owner::Model), inputs.draft.map(|_| Owner::Draft)].into_iter().flatten() {
        if inputs.has_gpu && inputs.options.may_offload(owner) {
            let why = "the host has a GPU, and layers may be offloaded to it".to_owned();
            parts.push(Part { kind: PartKind::Rest, owner, amount: Amount::Unknown(why) });
        }
    }
    Some(parts.into())
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
    let has_experts = facts.parameters.contains_key(intent::EXPERT_USED_COUNT);
    let used = experts.filter(|(of, _)| has_experts && *of == arch);
    let used = used.map(|(_, used)| (intent::EXPERT_USED_COUNT.into(), Parameter::Number(used)));
    let changes: Vec<(Box<str>, Parameter)> = own.chain(used).collect();
    if changes.is_empty() {
        return Cow::Borrowed(facts);
    }
    let mut changed = facts.clone();
    changed.parameters.extend(changes);
    Cow::Owned(changed)
}

/// The memory of a role as the sums count it. Unknown parts are left out.
pub fn role_memory(derived: &Derived, memory: &ProcessMemory) -> RoleMemory {
    let mut counted = RoleMemory::default();
    let Some(serving) = derived.registry.roles.get(memory.role).serving() else { return counted };
    let kind = if serving.is_locked() { MemoryKind::Locked } else { MemoryKind::Mapped };
    for part in &*memory.parts {
        let bytes = Bytes(part.amount.bytes());
        if matches!(part.amount, Amount::Unknown(_)) {
            continue;
        }
        let file = match part.owner {
            Owner::Model => &mut counted.model,
            Owner::Draft => &mut counted.draft,
            Owner::Projector => &mut counted.projector,
        };
        match part.kind {
            PartKind::Mapped => {
                *file = Some(FilePart { bytes, kind });
            }
            PartKind::Loaded => *file = Some(FilePart { bytes, kind: MemoryKind::Copied }),
            PartKind::Repacked
            | PartKind::Cache
            | PartKind::State
            | PartKind::Compute
            | PartKind::Output
            | PartKind::PromptCache
            | PartKind::Checkpoints
            | PartKind::Rest => {
                let model = model_of(serving, part.owner);
                counted.private.push(PrivateMemory {
                    model,
                    is_draft: part.owner == Owner::Draft,
                    part: kind_label(part.kind),
                    bytes,
                });
            }
        }
    }
    counted
}

fn model_of(serving: &Serving, owner: Owner) -> Id<Model> {
    let draft = serving.draft.as_ref().filter(|_| owner == Owner::Draft);
    draft.map_or(serving.model.value, |draft| draft.model.value)
}

/// The label of a kind of memory in tables.
pub fn kind_label(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Mapped => "weights, mapped",
        PartKind::Loaded => "weights, loaded",
        PartKind::Repacked => "weights, repacked",
        PartKind::Cache => "KV cache",
        PartKind::State => "state",
        PartKind::Compute => "compute buffer",
        PartKind::Output => "output buffer",
        PartKind::PromptCache => "prompt cache",
        PartKind::Checkpoints => "checkpoints",
        PartKind::Rest => "everything else",
    }
}
